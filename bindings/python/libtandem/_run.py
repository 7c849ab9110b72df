"""sessions.run: callbacks of the program decide what a run waits for, on the program's own thread or loop."""
from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any, Awaitable, Callable, Dict, List, Mapping, Optional, Union

from ._arguments import packed
from ._async import AsyncCore, AsyncStream
from ._errors import TandemError
from ._records import Record
from ._sync import Stream, SyncCore

if TYPE_CHECKING:
    from .types import EngineEventBase

#: Gets each event of a run.
OnEvent = Callable[[Any], Any]
#: Decides a permission: "once", "always", "reject", or whether the tool may run this once.
OnPermission = Callable[[Record], Union[str, bool]]
#: Answers a question: a text, one for each question, or None for "I do not want to".
OnQuestion = Callable[[Record], Union[str, List[str], None]]
#: Their forms for asyncio: functions or coroutine functions.
AsyncOnEvent = Callable[[Any], Any]
AsyncOnPermission = Callable[[Record], Union[str, bool, Awaitable[Union[str, bool]]]]
AsyncOnQuestion = Callable[[Record], Union[str, List[str], None, Awaitable[Union[str, List[str], None]]]]

_WORDS = {True: "once", False: "reject", "once": "once", "always": "always", "allow": "always", "reject": "reject", "deny": "reject"}
_REQUESTS = {"permission.request": "permission", "permission.asked": "permission", "question.request": "question", "question.asked": "question"}
# What settles a request: nobody has to decide it any more.
_SETTLED = frozenset(
    "permission.resolved permission.replied permission.wait.timeout engine.permission.wait.timeout question.resolved question.replied".split()
)


class Deciders:
    """Whom a run asks, and what the library is told about that."""

    def __init__(self, on_permission: Callable[[Record], Any] | None, on_question: Callable[[Record], Any] | None) -> None:
        self.functions = {"permission": on_permission, "question": on_question}

    def terms(self, arguments: Mapping[str, Any]) -> Dict[str, Any]:
        """The arguments of the run: what the program decides is left to it."""
        given = dict(arguments)
        if self.functions["permission"] is not None:
            policy = dict(given.get("permissions") or {})
            policy["default"] = _by_hand(policy.get("default", "ask"))
            if isinstance(policy.get("by_tool"), Mapping):
                policy["by_tool"] = {name: _by_hand(word) for name, word in policy["by_tool"].items()}
            given["permissions"] = policy
        if self.functions["question"] is not None:
            policy = dict(given.get("questions") or {})
            policy["default"] = _by_hand(policy.get("default", "ask"))
            given["questions"] = policy
        self.policies = {"permission": given.get("permissions") or {}, "question": given.get("questions") or {}}
        return given

    def request(self, event: Record) -> Optional[Record]:
        """What an event asks the program to decide; None for anything else."""
        kind = _REQUESTS.get(event["type"])
        if kind is None or self.functions[kind] is None:
            return None
        request = _properties(event)
        if _word(self.policies[kind], request.get("tool") or "") != "manual":
            return None
        identifier = request.get("request_id") or request.get("requestID") or request.get("id")
        more = {"kind": kind, "request_id": identifier, "session_id": event["session_id"], "run_id": event["run_id"]}
        return Record({**request, **more})

    def function(self, request: Record) -> Callable[[Record], Any]:
        function = self.functions[request["kind"]]
        assert function is not None
        return function


def _by_hand(word: Any) -> Any:
    return "manual" if word == "ask" else word


def _word(policy: Mapping[str, Any], tool: str) -> Any:
    """What a policy says about a tool, as the library reads it: the longest name goes first."""
    by_tool = policy.get("by_tool") or {}
    fitting = [name for name in by_tool if name == tool or name.endswith("*") and tool.startswith(name[:-1])]
    if not fitting:
        return policy.get("default", "ask")
    return by_tool[max(fitting, key=lambda name: (len(name.rstrip("*")), not name.endswith("*")))]


def _properties(event: Record) -> Dict[str, Any]:
    found = event["frame"]["properties"] if "frame" in event else event["properties"]
    return dict(found)


def _settled(event: Record) -> Any:
    """The request that an event says is settled."""
    if event["type"] not in _SETTLED:
        return None
    properties = _properties(event)
    return properties.get("request_id") or properties.get("requestID") or properties.get("id")


def answer(request: Record, decision: Any) -> tuple[str, Dict[str, Any]]:
    """The operation that passes a decision on, and its arguments."""
    if request["kind"] == "permission":
        try:
            word = _WORDS[decision]
        except (KeyError, TypeError):
            raise TypeError(f'on_permission returned {decision!r}, which is none of "once", "always", "reject", True, False') from None
        return "permissions.reply", {"request_id": request["request_id"], "reply": word}
    if decision is None:
        return "questions.reject", {"question_id": request["request_id"]}
    if not isinstance(decision, str):
        if not isinstance(decision, (list, tuple)) or not all(map(_is_answer, decision)):
            raise TypeError(f"on_question returned {decision!r}, which is no text, list of texts or None")
        decision = list(decision)
    return "questions.answer", {"question_id": request["request_id"], "session_id": request["session_id"], "answer": decision}


def _is_answer(value: Any) -> bool:
    """A text, or the labels that were chosen."""
    return isinstance(value, str) or isinstance(value, (list, tuple)) and all(isinstance(label, str) for label in value)


def _is_late(error: TandemError) -> bool:
    """The engine does not wait for it any more, or somebody was quicker."""
    return error.status in (404, 409)


class RunStream(Stream):
    """Events of a run, as they come; callbacks decide what it waits for before the event that asks is handed out.

    `result` is the run's, at the end. Leaving it early, by close() or by dropping it, cancels the run.
    """

    def __init__(self, core: SyncCore, op: int, deciders: Deciders, on_event: OnEvent | None = None) -> None:
        super().__init__(core, op)
        self._deciders, self._on_event = deciders, on_event

    def __next__(self) -> EngineEventBase:
        event = super().__next__()
        try:
            if self._on_event is not None:
                self._on_event(event)
            request = self._deciders.request(event)
            if request is not None:
                self._decide(request)
        except BaseException:
            self.close()
            raise
        return event

    def _decide(self, request: Record) -> None:
        operation, arguments = answer(request, self._deciders.function(request)(request))
        if any(_settled(event) == request["request_id"] for event in self._core.waiting(self._op)):
            return
        try:
            self._core.call(operation, arguments, {})
        except TandemError as error:
            if not _is_late(error):
                raise


class AsyncRunStream(AsyncStream):
    """Events of a run, as they come; callbacks decide what it waits for, while events go on.

    `result` is the run's, at the end. Leaving it early, by aclose() or by dropping it, cancels the run; so does
    cancelling the task that waits. What a callback raises is raised here.
    """

    def __init__(self, core: AsyncCore, text: bytes, deciders: Deciders) -> None:
        super().__init__(core, "sessions.run", text)
        self._deciders = deciders
        self._deciding: Dict[Any, asyncio.Task[None]] = {}

    async def __anext__(self) -> EngineEventBase:
        try:
            event: EngineEventBase = await self._next()
        except BaseException:
            self._end()
            raise
        if (settled := _settled(event)) in self._deciding:
            self._deciding.pop(settled).cancel()
        request = self._deciders.request(event)
        if request is not None:
            self._deciding[request["request_id"]] = asyncio.ensure_future(self._decide(request))
        return event

    async def _next(self) -> Any:
        """The next event, unless a decision fails before."""
        if not self._deciding:
            return await super().__anext__()
        event = asyncio.ensure_future(super().__anext__())
        try:
            while not event.done():
                await asyncio.wait({event, *self._deciding.values()}, return_when=asyncio.FIRST_COMPLETED)
                self._collect()
            return await event
        finally:
            event.cancel()

    def _collect(self) -> None:
        """Forgets decisions that are made; raises what one of them raised."""
        for identifier, task in list(self._deciding.items()):
            if task.done():
                del self._deciding[identifier]
                if not task.cancelled():
                    task.result()

    async def _decide(self, request: Record) -> None:
        decision = self._deciders.function(request)(request)
        if inspect.isawaitable(decision):
            decision = await decision
        operation, arguments = answer(request, decision)
        try:
            await self._core.call(operation, arguments, {})
        except TandemError as error:
            if not _is_late(error):
                raise

    def _end(self) -> None:
        deciding, self._deciding = getattr(self, "_deciding", {}), {}
        for task in deciding.values():
            task.cancel()
        super()._end()


def stream(
    core: SyncCore,
    arguments: Mapping[str, Any],
    options: Mapping[str, Any],
    on_permission: OnPermission | None = None,
    on_question: OnQuestion | None = None,
    on_event: OnEvent | None = None,
) -> RunStream:
    """Begins a run whose events are followed."""
    deciders = Deciders(on_permission, on_question)
    op = core.begin("sessions.run", packed(deciders.terms(arguments), options))
    return RunStream(core, op, deciders, on_event)


def run(
    core: SyncCore,
    arguments: Mapping[str, Any],
    options: Mapping[str, Any],
    on_event: OnEvent | None = None,
    on_permission: OnPermission | None = None,
    on_question: OnQuestion | None = None,
) -> Any:
    """A run's result."""
    if on_event is None and on_permission is None and on_question is None:
        return core.call("sessions.run", arguments, options)
    with stream(core, arguments, options, on_permission, on_question, on_event) as events:
        for _ in events:
            pass
    return events.result


def stream_async(
    core: AsyncCore,
    arguments: Mapping[str, Any],
    options: Mapping[str, Any],
    on_permission: AsyncOnPermission | None = None,
    on_question: AsyncOnQuestion | None = None,
) -> AsyncRunStream:
    """Begins a run whose events are followed."""
    deciders = Deciders(on_permission, on_question)
    return AsyncRunStream(core, packed(deciders.terms(arguments), options), deciders)


async def run_async(
    core: AsyncCore,
    arguments: Mapping[str, Any],
    options: Mapping[str, Any],
    on_event: AsyncOnEvent | None = None,
    on_permission: AsyncOnPermission | None = None,
    on_question: AsyncOnQuestion | None = None,
) -> Any:
    """A run's result."""
    if on_event is None and on_permission is None and on_question is None:
        return await core.call("sessions.run", arguments, options)
    async with stream_async(core, arguments, options, on_permission, on_question) as events:
        async for event in events:
            if on_event is not None and inspect.isawaitable(done := on_event(event)):
                await done
    return events.result
