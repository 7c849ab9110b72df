"""The asyncio side: everything happens on the loop's thread, woken by the client's descriptor."""
from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, AsyncIterator, Mapping

from ._arguments import packed, picked
from ._errors import TandemError, error_of, failure, value_of
from ._host import CALL, CANCEL
from ._host_async import AsyncHost
from ._library import OK, PENDING, lib, taken
from ._models import as_event, typed
from ._records import Record, decoded
from ._sync import BATCH, opened, submitted

if TYPE_CHECKING:
    from .types import EngineEventBase

# Past the first number of events waiting in Python the library is asked to hold a stream back, below the second to go on.
PAUSE_AT, RESUME_AT = 1024, 128


class _Place:
    """Where a client is watched: known to its finalizer, which must not know the client."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.process = os.getpid()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.thread = 0

    def leave(self) -> None:
        # A forked child shares its parent's epoll: what it removes there is gone for the parent.
        if self.loop is not None and not self.loop.is_closed() and os.getpid() == self.process:
            self.loop.remove_reader(self.descriptor)
        self.loop = None


def _close_dropped(handle: int, place: _Place) -> None:
    """Closes a client that nobody holds any more, on whatever thread the garbage collector runs."""

    def close() -> None:
        place.leave()
        lib.tandem_close(handle, 5000)

    loop = place.loop
    if loop is not None and not loop.is_closed() and threading.get_ident() != place.thread:
        # The loop must let go of the descriptor before its number can be given away again.
        try:
            loop.call_soon_threadsafe(close)
            return
        except RuntimeError:
            pass
    close()


class _Channel:
    """Events of one stream on their way to the one who iterates."""

    def __init__(self, handle: int, op: int) -> None:
        self.handle, self.op = handle, op
        self.events: deque[Record | TandemError] = deque()
        self.waiter: asyncio.Future[None] | None = None
        self.is_paused = False

    def take(self, event: Record | TandemError) -> None:
        self.events.append(event)
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)
        if len(self.events) > PAUSE_AT and not self.is_paused:
            self.is_paused = lib.tandem_pause(self.handle, self.op, 1) == OK

    async def next(self) -> Record:
        if self.waiter is not None:
            raise RuntimeError("somebody waits for this stream already")
        try:
            while not self.events:
                self.waiter = asyncio.get_running_loop().create_future()
                await self.waiter
        finally:
            self.waiter = None
        event = self.events.popleft()
        if self.is_paused and len(self.events) < RESUME_AT:
            self.is_paused = False
            lib.tandem_pause(self.handle, self.op, 0)
        if isinstance(event, TandemError):
            raise event
        return event


class AsyncCore:
    """An open client and who waits for which of its operations."""

    def __init__(self, configuration: bytes, vocabulary: str | None = None) -> None:
        self.handle = opened(configuration)
        self.host = AsyncHost(self.handle)
        self.vocabulary = vocabulary
        self._place = _Place(lib.tandem_wakeup_fd(self.handle))
        self._finalizer = weakref.finalize(self, _close_dropped, self.handle, self._place)
        # A call waits with a future for its result, and lets events on the way go; None: nobody waits any more.
        self._pending: dict[int, asyncio.Future[Any] | _Channel | None] = {}

    async def call(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        options: Mapping[str, Any],
        *,
        pick: str | None = "",
        payload: Any = None,
        fields: Mapping[str, Any] | None = None,
        keep_none: bool = False,
        body: str = "",
        returns: str | None = None,
    ) -> Any:
        future = self.watch().create_future()
        op = submitted(self.handle, operation, packed(arguments, options, payload, fields, keep_none, body))
        self._pending[op] = future
        try:
            result = await future
        except BaseException:
            self.abandon(op)
            raise
        value = value_of(result)
        if pick != "":
            value = picked(value, pick)
        return value if returns is None else typed(value, returns)

    def stream(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        options: Mapping[str, Any],
        *,
        keep_none: bool = False,
        both: bool = False,
    ) -> AsyncStream:
        if both and self.vocabulary is None:
            options = {"vocabulary": "both", **options}
        return AsyncStream(self, operation, packed(arguments, options, keep_none=keep_none))

    def open_channel(self, operation: str, text: bytes) -> _Channel:
        self.watch()
        op = submitted(self.handle, operation, text)
        channel = self._pending[op] = _Channel(self.handle, op)
        return channel

    def watch(self) -> asyncio.AbstractEventLoop:
        """The running loop, which from now on watches the client's descriptor."""
        loop = asyncio.get_running_loop()
        place = self._place
        if place.loop is loop:
            return loop
        if place.loop is not None and not place.loop.is_closed():
            if any(waiting is not None for waiting in self._pending.values()):
                raise failure("busy", -3, "another event loop waits for operations of this client")
            place.loop.remove_reader(place.descriptor)
        if not self._finalizer.alive:
            raise failure("closed", -1, "the client is closed")
        # What waited in a loop that is closed waits no more, but its operations must still be let go.
        for op, waiting in self._pending.items():
            if waiting is not None:
                lib.tandem_cancel(self.handle, op)
        self._pending = dict.fromkeys(self._pending)
        loop.add_reader(place.descriptor, _readable, weakref.ref(self))
        place.loop, place.thread = loop, threading.get_ident()
        return loop

    def has_provided(self) -> None:
        """Something was provided: a loop that runs serves it from now on, else that of the first call."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        self.watch()

    def read(self) -> None:
        result = decoded(taken(lib.tandem_next(self.handle, BATCH, 0)))
        if "error" in result:
            if result["error"]["name"] != "busy":
                self._place.leave()
                self._fail_all(error_of(result["error"]))
            return
        calls = []
        pending = self._pending
        for event in result["ok"]:
            kind = event["type"]
            if kind in (CALL, CANCEL):
                calls.append(event)
                continue
            waiting = pending.pop(event["op"], None) if kind == "done" else pending.get(event["op"])
            if isinstance(waiting, _Channel):
                waiting.take(event)
            elif waiting is not None and kind == "done" and not waiting.done():
                waiting.set_result(event["result"])
        # Last: they run the program's own functions, which may raise what ends the loop.
        for event in calls:
            self.host.take(event, asyncio.get_running_loop())

    def abandon(self, op: int) -> None:
        """Cancels an operation whose end nobody waits for; its events are let go as they come."""
        if op in self._pending:
            self._pending[op] = None
            lib.tandem_cancel(self.handle, op)

    def _fail_all(self, error: TandemError) -> None:
        pending, self._pending = self._pending, {}
        for waiting in pending.values():
            if isinstance(waiting, _Channel):
                waiting.take(error)
            elif waiting is not None and not waiting.done():
                waiting.set_exception(error)

    def stats(self) -> Record:
        record: Record = value_of(decoded(taken(lib.tandem_stats(self.handle))))
        return record

    async def close(self) -> None:
        if not self._finalizer.detach():
            return
        self._place.leave()
        self.host.close()
        self._fail_all(failure("closed", -1, "the client was closed"))
        pause = 0.001
        while lib.tandem_close(self.handle, 0) == PENDING:
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.02)


def _readable(reference: weakref.ref[AsyncCore]) -> None:
    core = reference()
    if core is not None:
        core.read()


class AsyncStream(AsyncIterator[Record]):
    """Events of one operation, as they come. It begins where it is made, inside a running loop, else with the first event.

    Leaving it early, by aclose() or by dropping it, cancels the operation; so does cancelling the task that waits.
    """

    def __init__(self, core: AsyncCore, operation: str, text: bytes) -> None:
        self._core, self._operation, self._text = core, operation, text
        self._channel: _Channel | None = None
        self._is_over = False
        #: What the operation returned; None until its end.
        self.result: Any = None
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        self._channel = core.open_channel(operation, text)

    def __aiter__(self) -> AsyncStream:
        return self

    async def __anext__(self) -> EngineEventBase:
        if self._is_over:
            raise StopAsyncIteration
        if self._channel is None:
            self._channel = self._core.open_channel(self._operation, self._text)
        try:
            event = await self._channel.next()
        except BaseException:
            self._end()
            raise
        if event["type"] != "done":
            return as_event(event)  # type: ignore[no-any-return]
        self._is_over = True
        self.result = value_of(event["result"])
        raise StopAsyncIteration

    def _end(self) -> None:
        if not self._is_over:
            self._is_over = True
            if self._channel is not None:
                self._core.abandon(self._channel.op)

    async def aclose(self) -> None:
        self._end()

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._end()

    def __del__(self) -> None:
        if not getattr(self, "_is_over", True):
            self._end()


class AsyncNamespace:
    """Operations that belong together."""

    def __init__(self, core: AsyncCore) -> None:
        self._core = core
