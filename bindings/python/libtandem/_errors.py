"""One tree of exceptions; which class an error gets follows from its name."""
from __future__ import annotations

from typing import Any, Mapping

from . import _http


class TandemError(Exception):
    """What went wrong, as the library says it: `name` to compare with, `message` for people."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        self.name = str(error.get("name", "internal"))
        self.message = str(error.get("message", ""))
        self.code = int(error.get("code") or 0)
        #: The HTTP status of the engine's reply, or its like; None where there is none.
        self.status: int | None = error.get("status")
        #: Whether the same call may succeed later.
        self.retryable = bool(error.get("retryable"))
        #: The operation's name.
        self.op: str | None = error.get("op")
        self.detail: Any = error.get("detail")
        # Not super(): httpx's exceptions, which may stand between, want other arguments.
        Exception.__init__(self, f"{self.name}: {self.message}" if self.message else self.name)

    @property
    def request(self) -> _http.Request:
        """Method and path of the operation."""
        return _http.request_of(_described(self.op))

    @property
    def response(self) -> _http.Response | None:
        """The reply with its status_code, text and json(); None where the engine gave none."""
        if self.status is None:
            return None
        body = self.message if self.detail is None else self.detail
        return _http.Response(self.status, body, self.request)

    def __reduce__(self) -> tuple[Any, ...]:
        members = ("name", "message", "code", "status", "retryable", "op", "detail")
        return error_of, ({member: getattr(self, member) for member in members},)


class InvalidArgument(TandemError, ValueError):
    """An argument cannot be."""


class UnknownArgument(InvalidArgument):
    """The operation has no argument of that name; the message lists those it has."""


class InvalidJSON(InvalidArgument):
    """A text is not UTF-8 or not JSON."""


class UnknownOperation(InvalidArgument):
    """There is no operation of that name."""


class ValidationFailed(InvalidArgument):
    """The engine does not accept a value."""


class NotFound(TandemError):
    """What the call names is not there."""


class Unauthorized(TandemError):
    """The token is missing or wrong."""


class Forbidden(TandemError):
    """The caller may not do this."""


class ApprovalRequired(Forbidden):
    """Somebody has to approve this first."""


class PermissionDenied(Forbidden):
    """A permission request was answered with no."""


class PermissionExpired(PermissionDenied):
    """Nobody answered a permission request in time."""


class Conflict(TandemError):
    """The thing is not in the state that the call needs."""


class RunConflict(Conflict):
    """The session is busy with another run, which is in `detail`."""


class IdempotencyConflict(Conflict):
    """The idempotency key was used with another request."""


class RateLimited(TandemError):
    """Too many requests; `detail.retry_after_ms` says how long to wait."""


class EngineUnavailable(TandemError):
    """There is no connection to the engine."""


class EngineStarting(EngineUnavailable):
    """The engine is not ready yet."""


class TLSError(EngineUnavailable):
    """No secure connection to the engine."""


class ProtocolError(TandemError):
    """The engine's answer makes no sense."""


class EngineError(TandemError):
    """The engine failed, or refused for a reason without a class of its own."""


class Refused(EngineError):
    """The engine refused with a reply that reports success."""


class Interrupted(EngineError):
    """The engine stopped while a run was going on."""


class InternalError(EngineError):
    """A fault of the library."""


class ProviderError(TandemError):
    """The model's server failed."""


class ProviderAuth(ProviderError):
    """The model's server does not accept the key."""


class ProviderMissing(ProviderError):
    """There is no such provider."""


class ProviderRateLimited(ProviderError):
    """The model's server wants fewer requests."""


class ModelNotSelected(ProviderError):
    """Nothing says which model to use."""


class ContextLengthExceeded(ProviderError):
    """The conversation is longer than the model can take."""


class ToolFailed(TandemError):
    """A tool ended with an error."""


class HostFailed(TandemError):
    """A function of this program, which the engine called, failed."""


class Timeout(TandemError):
    """Time ran out; the engine may have done it all the same."""


class HostTimeout(Timeout):
    """A function of this program did not answer in time."""


class Pending(Timeout):
    """The operation goes on; only the wait is over."""


class Cancelled(TandemError):
    """The operation was cancelled."""


class NotSupported(TandemError):
    """This engine or this version cannot do that."""


class LimitError(TandemError):
    """A limit of the library is reached."""


class PayloadTooLarge(LimitError):
    """The request is larger than the engine takes."""


class StateError(TandemError):
    """The state cannot be used, or the client cannot be used so."""


class StateLocked(StateError):
    """Somebody else has the state open; `detail.pid` says who."""


class StateCorrupt(StateError):
    """The state is damaged, or of a later version."""


class StateFull(StateError):
    """There is no room for the state."""


class Closed(StateError):
    """The client is closed."""


class Gone(StateError):
    """The result was taken before."""


class Busy(StateError):
    """Another thread does that at this moment."""


class Reentrant(StateError):
    """Not allowed inside this callback."""


class Forked(StateError):
    """This process is a fork of the one that opened the client."""


CLASSES: dict[str, type[TandemError]] = {
    "invalid_argument": InvalidArgument,
    "unknown_argument": UnknownArgument,
    "invalid_json": InvalidJSON,
    "unknown_operation": UnknownOperation,
    "validation_failed": ValidationFailed,
    "not_found": NotFound,
    "unauthorized": Unauthorized,
    "forbidden": Forbidden,
    "approval_required": ApprovalRequired,
    "permission_denied": PermissionDenied,
    "permission_expired": PermissionExpired,
    "conflict": Conflict,
    "run_conflict": RunConflict,
    "idempotency_conflict": IdempotencyConflict,
    "rate_limited": RateLimited,
    "engine_unavailable": EngineUnavailable,
    "engine_starting": EngineStarting,
    "tls": TLSError,
    "protocol": ProtocolError,
    "engine_error": EngineError,
    "refused": Refused,
    "interrupted": Interrupted,
    "internal": InternalError,
    "provider_error": ProviderError,
    "provider_auth": ProviderAuth,
    "provider_missing": ProviderMissing,
    "provider_rate_limited": ProviderRateLimited,
    "model_not_selected": ModelNotSelected,
    "context_length_exceeded": ContextLengthExceeded,
    "tool_failed": ToolFailed,
    "host_failed": HostFailed,
    "timeout": Timeout,
    "host_timeout": HostTimeout,
    "pending": Pending,
    "cancelled": Cancelled,
    "not_supported": NotSupported,
    "limit": LimitError,
    "payload_too_large": PayloadTooLarge,
    "state_locked": StateLocked,
    "state_corrupt": StateCorrupt,
    "state_full": StateFull,
    "closed": Closed,
    "gone": Gone,
    "busy": Busy,
    "reentrant": Reentrant,
    "forked": Forked,
}


def error_of(error: Mapping[str, Any]) -> TandemError:
    """The exception of an error object."""
    name = str(error.get("name"))
    kind = _http.dressed(CLASSES.get(name, TandemError), name, error.get("status"))
    made: TandemError = kind(error)  # type: ignore[assignment]
    return made


def failure(name: str, code: int, message: str) -> TandemError:
    """An error of the package itself."""
    return error_of({"name": name, "code": code, "message": message})


def value_of(result: Any) -> Any:
    """What a result holds; its error is raised."""
    if "error" in result:
        raise error_of(result["error"])
    return result["ok"]


def _described(operation: str | None) -> Any:
    if operation is None:
        return None
    from ._library import lib, taken
    from ._records import decoded

    return decoded(taken(lib.tandem_describe(f"op:{operation}".encode()))).get("ok")
