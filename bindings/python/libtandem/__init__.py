"""AI-agent sessions: a client of tandem-engine, and an engine inside this process.

    from libtandem import SyncTandemClient

    with SyncTandemClient() as client:                      # or SyncTandemClient("http://localhost:39731", token)
        session_id = client.sessions.create(title="First")
        print(client.sessions.prompt_sync(session_id, "Hello!"))

TandemClient is the same for asyncio.
"""
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from ._client import ClientOptions, SyncTandemClient, TandemClient, describe
from ._library import VERSION as __version__
from ._host import Provider, ToolCall, ToolResult
from ._records import Record
from ._sync import Stream
from ._async import AsyncStream
from ._errors import (
    ApprovalRequired, Busy, Cancelled, Closed, Conflict, ContextLengthExceeded, EngineError, EngineStarting,
    EngineUnavailable, Forbidden, Forked, Gone, HostFailed, HostTimeout, IdempotencyConflict, InternalError, Interrupted,
    InvalidArgument, InvalidJSON, LimitError, ModelNotSelected, NotFound, NotSupported, PayloadTooLarge, Pending,
    PermissionDenied, PermissionExpired, ProtocolError, ProviderAuth, ProviderError, ProviderMissing,
    ProviderRateLimited, RateLimited, Reentrant, Refused, RunConflict, StateCorrupt, StateError, StateFull, StateLocked,
    TLSError, TandemError, Timeout, ToolFailed, Unauthorized, UnknownArgument, UnknownOperation, ValidationFailed,
)

from .stream import is_run_terminal_event

Event = Record
TandemValidationError = InvalidArgument


def install_as_tandem_client() -> None:
    """From now on `import tandem_client` gives this package, in the whole process."""
    for module in ("", ".client", ".exceptions", ".stream", ".types"):
        sys.modules["tandem_client" + module] = import_module(__name__ + module)


if TYPE_CHECKING:
    from . import types
    from .types import *

    __all__ = [
        "AsyncStream", "ClientOptions", "Event", "Provider", "Record", "Stream", "ToolCall", "ToolResult",
        "SyncTandemClient", "TandemClient", "__version__",
        "describe", "install_as_tandem_client", "is_run_terminal_event", "TandemValidationError",
        "ApprovalRequired", "Busy", "Cancelled", "Closed", "Conflict", "ContextLengthExceeded", "EngineError",
        "EngineStarting", "EngineUnavailable", "Forbidden", "Forked", "Gone", "HostFailed", "HostTimeout",
        "IdempotencyConflict", "InternalError", "Interrupted", "InvalidArgument", "InvalidJSON", "LimitError",
        "ModelNotSelected", "NotFound", "NotSupported", "PayloadTooLarge", "Pending", "PermissionDenied",
        "PermissionExpired", "ProtocolError", "ProviderAuth", "ProviderError", "ProviderMissing", "ProviderRateLimited",
        "RateLimited", "Reentrant", "Refused", "RunConflict", "StateCorrupt", "StateError", "StateFull", "StateLocked",
        "TLSError", "TandemError", "Timeout", "ToolFailed", "Unauthorized", "UnknownArgument", "UnknownOperation",
        "ValidationFailed",
    ]
    __all__ += types.__all__
else:

    def __getattr__(name):
        # The types are many, and most programs name none.
        types = import_module(f"{__name__}.types")
        if name == "__all__":
            own = (name for name, value in globals().items() if getattr(value, "__module__", "").startswith(__name__))
            return [*types.__all__, *own, "__version__"]
        if name in types.__all__:
            return getattr(types, name)
        raise AttributeError(f"module {__name__!r} has no {name!r}")

    def __dir__():
        return sorted({*globals(), *import_module(f"{__name__}.types").__all__})
