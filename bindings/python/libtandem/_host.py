"""What a Python program offers the engine: tools, models, and who decides for the user.

The library never calls Python: calls come as events, and whoever reads the client's events serves them. Here is what both
clients share; the ways to run what was provided are in _host_sync and _host_async.
"""
from __future__ import annotations

import asyncio
import ctypes
import dataclasses
import enum
import json
import logging
from typing import Any, Callable, Mapping

from ._arguments import _plain, encoded, milliseconds
from ._errors import failure, value_of
from ._library import LIMIT, OK, lib, taken
from ._records import Record, decoded
from ._schema import Signature, signature_of

log = logging.getLogger("libtandem")
log.addHandler(logging.NullHandler())

CALL, CANCEL = "host.call", "host.cancel"
# Seconds until a piece that had no room is sent again.
FULL_PAUSE = 0.005


@dataclasses.dataclass
class ToolResult:
    """A tool's result for the model, with data about it that is kept beside."""

    output: str
    metadata: Mapping[str, Any] | None = None


class ToolCall:
    """The call that a tool is running for: a parameter of this type gets it."""

    def __init__(self, handle: int, event: Record) -> None:
        self._handle = handle
        self.id: int = event["call"]
        self.op: int = event["op"]
        self.name: str = event["name"]
        self.session_id: str | None = event["session_id"]
        self.run_id: str | None = event["run_id"]

    @property
    def is_wanted(self) -> bool:
        """Whether a reply is still wanted: not after a cancel or the tool's timeout."""
        return bool(lib.tandem_reply_wanted(self._handle, self.id) == 1)

    def progress(self, value: Any) -> None:
        """Tells observers of the run how far the tool is; any JSON."""
        lib.tandem_reply_chunk(self._handle, self.id, encoded(value))


class Provider:
    """Something provided; as a context manager it is withdrawn at the end."""

    def __init__(self, host: Host, id: int, kind: str, name: str, function: Callable[..., Any]) -> None:
        self._host, self.id, self.kind, self.name, self.function = host, id, kind, name, function

    def withdraw(self) -> None:
        """Takes it back. What runs may still answer."""
        self._host.withdraw(self)

    def __enter__(self) -> Provider:
        return self

    def __exit__(self, *_: object) -> None:
        self.withdraw()

    def __repr__(self) -> str:
        return f"<Provider of {self.kind} {self.name}>"


@dataclasses.dataclass
class _Provided:
    provider: Provider
    function: Callable[..., Any]
    signature: Signature | None
    in_thread: bool


class Host:
    """What one client provides."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self._provided: dict[tuple[str, str], _Provided] = {}

    @property
    def is_empty(self) -> bool:
        return not self._provided

    def provide_tool(
        self,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        description: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        permission: str = "allow",
        timeout: float | None = None,
        in_thread: bool = False,
    ) -> Provider:
        signature = signature_of(function, ToolCall)
        spec = {
            "kind": "tool",
            "name": name or getattr(function, "__name__", type(function).__name__),
            "description": signature.description if description is None else description,
            "parameters": signature.parameters if parameters is None else parameters,
            "permission": permission,
        }
        return self._provide(spec, function, timeout, signature, in_thread)

    def provide_model(
        self, name: str, function: Callable[..., Any], context_tokens: int | None, tools: bool, timeout: float | None
    ) -> Provider:
        spec = {"kind": "model", "name": name, "context_tokens": context_tokens, "tools": tools}
        return self._provide(spec, function, timeout)

    def provide_decision(self, kind: str, function: Callable[..., Any], timeout: float | None) -> Provider:
        return self._provide({"kind": kind}, function, timeout)

    def _provide(
        self,
        spec: dict[str, Any],
        function: Callable[..., Any],
        timeout: float | None,
        signature: Signature | None = None,
        in_thread: bool = False,
    ) -> Provider:
        if timeout is not None:
            spec["timeout_ms"] = milliseconds(timeout)
        error = ctypes.c_void_p()
        id: int = lib.tandem_provide(self.handle, encoded(spec), None, None, None, ctypes.byref(error))
        if not id:
            value_of(decoded(taken(error.value)))
            raise failure("internal", -9, "tandem_provide gave neither a provider nor an error")
        provider = Provider(self, id, spec["kind"], spec.get("name", ""), function)
        self._provided[provider.kind, provider.name] = _Provided(provider, function, signature, in_thread)
        return provider

    def withdraw(self, what: Provider | Callable[..., Any] | str) -> None:
        """Takes back a provider, all that a function provides, or the tool or model of a name."""
        for key, provided in list(self._provided.items()):
            if what is provided.provider or what is provided.function or what == provided.provider.name:
                del self._provided[key]
                lib.tandem_withdraw(self.handle, provided.provider.id)

    def provided(self, event: Record) -> _Provided | None:
        """Who serves a call; without anybody it is answered here."""
        kind, name = event["kind"], event["name"]
        found = self._provided.get((kind, name if kind in ("tool", "model") else ""))
        if found is None:
            self.fail(event, "the host has withdrawn it")
        return found

    def reply(self, event: Record, value: Any) -> None:
        lib.tandem_reply(self.handle, event["call"], encoded({"ok": value}))

    def fail(self, event: Record, message: str) -> None:
        lib.tandem_reply(self.handle, event["call"], encoded({"error": {"message": message}}))

    def raised(self, event: Record, error: BaseException) -> None:
        """A function has raised: a tool's error is for the model, which may do better."""
        said = str(error)
        self.fail(event, f"{type(error).__name__}: {said}" if said else type(error).__name__)
        level = logging.DEBUG if event["kind"] == "tool" else logging.WARNING
        log.log(level, "%s %s raised", event["kind"], event["name"], exc_info=error)

    def start(self, provided: _Provided, event: Record) -> Callable[[], Any]:
        """The call of the function, ready to be made on any thread."""
        given, function = event["input"], provided.function
        if provided.signature is not None:
            call = ToolCall(self.handle, event)
            keywords = provided.signature.bound(given, call)
            return lambda: function(**keywords)
        if event["kind"] != "model":
            given = Record(given, session_id=event["session_id"], run_id=event["run_id"])
        return lambda: function(given)

    def finish(self, event: Record, value: Any) -> None:
        """Replies with what a function has returned."""
        try:
            made = _FORMS[event["kind"]](value)
        except Exception as error:
            self.raised(event, error)
        else:
            self.reply(event, made)

    def piece(self, event: Record, value: Any) -> int:
        """Sends a piece of a model's answer; a status."""
        status: int = lib.tandem_reply_chunk(self.handle, event["call"], encoded(value))
        return status

    async def send(self, event: Record, value: Any) -> bool:
        """Sends a piece when there is room for it; false where nobody wants more."""
        while is_full(status := self.piece(event, value)):
            await asyncio.sleep(FULL_PAUSE)
        return not is_over(status)

    async def say_all(self, event: Record, pieces: Any) -> Any:
        """Sends the pieces of an asynchronous generator; gives what the reply is to be."""
        try:
            async for piece in pieces:
                if is_end(piece):
                    return piece
                if not await self.send(event, piece):
                    return None
        finally:
            await pieces.aclose()
        return None


def _tool_result(value: Any) -> Any:
    if isinstance(value, ToolResult):
        return {"output": value.output, "metadata": None if value.metadata is None else dict(value.metadata)}
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, default=_jsonable, ensure_ascii=False)


def _jsonable(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, enum.Enum):
        return value.value
    return value.isoformat() if hasattr(value, "isoformat") else _plain(value)


_ENDS = ("message", "finish_reason", "usage")


def _answer(value: Any) -> Any:
    """A model's answer: a text, an OpenAI message, or the whole of it; None: the pieces were all."""
    if value is None:
        return {"finish_reason": "stop"}
    if isinstance(value, str):
        return {"message": value, "finish_reason": "stop"}
    if not isinstance(value, Mapping):
        raise TypeError(f"a model gives texts and messages, not {type(value).__name__}")
    if is_end(value) or "choices" in value:
        return value
    return {"message": value, "finish_reason": "tool_calls" if value.get("tool_calls") else "stop"}


def is_end(value: Any) -> bool:
    """Whether what a model gives ends its answer, rather than being a piece of it."""
    return isinstance(value, Mapping) and any(name in value for name in _ENDS)


def _permission(value: Any) -> Any:
    if isinstance(value, str):
        return value
    return "once" if value else "reject"


def _answers(value: Any) -> Any:
    if value is None:
        raise ValueError("no answer")
    return [value] if isinstance(value, str) else list(value)


_FORMS: dict[str, Callable[[Any], Any]] = {
    "tool": _tool_result,
    "model": _answer,
    "permission": _permission,
    "question": _answers,
}


def is_over(status: int) -> bool:
    """Whether a piece was refused because nobody wants more."""
    return status not in (OK, LIMIT)


def is_full(status: int) -> bool:
    """Whether a piece has to wait for those before it to be taken."""
    return status == LIMIT


