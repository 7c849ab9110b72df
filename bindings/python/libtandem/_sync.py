"""The blocking side: calls and streams on the caller's thread."""
from __future__ import annotations

import ctypes
import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, Iterator, Mapping

from ._arguments import packed, picked
from ._errors import failure, value_of
from ._host import CALL, CANCEL
from ._host_sync import SyncHost
from ._library import PENDING, lib, taken
from ._models import as_event, typed
from ._records import Record, decoded

if TYPE_CHECKING:
    from .types import EngineEventBase

# Python runs signal handlers between two calls into C: waits are cut into slices so that Ctrl-C acts soon.
SLICE_MS = 50
BATCH = 256


def opened(configuration: bytes) -> int:
    """The handle of a new client."""
    error = ctypes.c_void_p()
    handle: int | None = lib.tandem_open(configuration, ctypes.byref(error))
    if not handle:
        value_of(decoded(taken(error.value)))
        raise failure("internal", -9, "tandem_open gave neither a client nor an error")
    return handle


def submitted(handle: int, operation: str, arguments: bytes) -> int:
    """The id of a new operation."""
    op: int = lib.tandem_submit(handle, operation.encode(), arguments, None)
    if not op:
        # Once more for its error; if it begins now, so much the better.
        error = ctypes.c_void_p()
        op = lib.tandem_submit(handle, operation.encode(), arguments, ctypes.byref(error))
        if not op:
            value_of(decoded(taken(error.value)))
    return op


def close_dropped(handle: int) -> None:
    """Closes a client that nobody holds any more."""
    lib.tandem_close(handle, 5000)


class SyncCore:
    """An open client and who gets which of its events."""

    def __init__(
        self, configuration: bytes, at_once: frozenset[str] = frozenset(), vocabulary: str | None = None
    ) -> None:
        self.handle = opened(configuration)
        #: What the client was told of its events; if nothing, official streams give both vocabularies.
        self.vocabulary = vocabulary
        # Operations that need no slices, because nothing in them waits.
        self._at_once = at_once
        self.host = SyncHost(self.handle)
        self._finalizer = weakref.finalize(self, close_dropped, self.handle)
        self._changed = threading.Condition()
        self._queues: dict[int, deque[Record]] = {}
        self._is_pumping = False
        # Cancelled operations whose end was not there yet.
        self._abandoned: set[int] = set()

    def call(
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
        text = packed(arguments, options, payload, fields, keep_none, body)
        if operation in self._at_once:
            result = decoded(taken(lib.tandem_call(self.handle, operation.encode(), text)))
        elif not self.host.is_empty:
            result = self._serving(operation, text)
        elif threading.get_ident() == threading.main_thread().ident:
            result = self._interruptible(operation, text)
        else:
            result = decoded(taken(lib.tandem_call(self.handle, operation.encode(), text)))
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
    ) -> Stream:
        if both and self.vocabulary is None:
            options = {"vocabulary": "both", **options}
        return Stream(self, self.begin(operation, packed(arguments, options, keep_none=keep_none)))

    def begin(self, operation: str, text: bytes) -> int:
        """Starts an operation whose events are kept until next_event takes them."""
        if self._abandoned:
            self._forget_ended()
        # Under the lock, so that a thread that pumps knows the operation before it sees an event of it.
        with self._changed:
            op = submitted(self.handle, operation, text)
            self._queues[op] = deque()
        return op

    def _interruptible(self, operation: str, text: bytes) -> Any:
        op = self.begin(operation, text)
        try:
            while True:
                result = decoded(taken(lib.tandem_wait(self.handle, op, SLICE_MS)))
                if "error" not in result or result["error"]["code"] != PENDING:
                    break
            if "error" in result and result["error"]["name"] == "gone":
                # A thread that pumps was quicker than the wait.
                while (event := self.next_event(op))["type"] != "done":
                    pass
                result = event["result"]
        except BaseException:
            self.abandon(op)
            raise
        with self._changed:
            self._queues.pop(op, None)
        return result

    def _serving(self, operation: str, text: bytes) -> Any:
        """A call that serves what the engine asks this program meanwhile."""
        op = self.begin(operation, text)
        try:
            while (event := self.next_event(op))["type"] != "done":
                pass
        except BaseException:
            self.abandon(op)
            raise
        self.finish(op)
        return event["result"]

    def next_event(self, op: int) -> Record:
        """The operation's next event; whoever waits pumps for all, one thread at a time."""
        queue = self._queues[op]
        while True:
            with self._changed:
                while not queue and self._is_pumping:
                    self._changed.wait(SLICE_MS / 1000)
                if queue:
                    return queue.popleft()
                self._is_pumping = True
            self._pump()

    def waiting(self, op: int) -> list[Record]:
        """The operation's events that are there already; they stay."""
        with self._changed:
            is_mine, self._is_pumping = not self._is_pumping, True
        if is_mine:
            self._pump(0)
        with self._changed:
            return list(self._queues.get(op, ()))

    def has_provided(self) -> None:
        """Something was provided: whoever waits next serves it."""

    def serve(self, seconds: float | None) -> None:
        """Does nothing but serve what the engine asks this program."""
        end = None if seconds is None else time.monotonic() + seconds
        while end is None or time.monotonic() < end:
            with self._changed:
                if self._is_pumping:
                    self._changed.wait(SLICE_MS / 1000)
                    continue
                self._is_pumping = True
            self._pump()

    def _pump(self, wait_ms: int = SLICE_MS) -> None:
        """Reads what is there for all; the calls among it are served here, when others may pump again."""
        events: list[Record] = []
        try:
            events = value_of(decoded(taken(lib.tandem_next(self.handle, BATCH, wait_ms))))
        finally:
            with self._changed:
                self._is_pumping = False
                for event in events:
                    self._keep(event)
                self._changed.notify_all()
        self.host.serve_all([event for event in events if event["type"] == CALL])

    def _keep(self, event: Record) -> None:
        if event["type"] in (CALL, CANCEL):
            return
        op = event["op"]
        if op in self._queues:
            self._queues[op].append(event)
        elif event["type"] == "done":
            self._abandoned.discard(op)

    def abandon(self, op: int) -> None:
        """Ends an operation that nobody follows any more."""
        with self._changed:
            if self._queues.pop(op, None) is None:
                return
            self._abandoned.add(op)
        lib.tandem_cancel(self.handle, op)
        self._forget_ended(SLICE_MS)

    def _forget_ended(self, wait_ms: int = 0) -> None:
        """Takes the results of cancelled operations, which the library would keep for ever."""
        for op in list(self._abandoned):
            result = decoded(taken(lib.tandem_wait(self.handle, op, wait_ms)))
            if "ok" in result or result["error"]["code"] != PENDING and result["error"]["name"] != "busy":
                self._abandoned.discard(op)

    def finish(self, op: int) -> None:
        with self._changed:
            self._queues.pop(op, None)

    def stats(self) -> Record:
        record: Record = value_of(decoded(taken(lib.tandem_stats(self.handle))))
        return record

    def close(self) -> None:
        if self._finalizer.detach():
            while lib.tandem_close(self.handle, SLICE_MS) == PENDING:
                pass


class Stream(Iterator[Record]):
    """Events of one operation, as they come. Leaving it early, by close() or by dropping it, cancels the operation."""

    def __init__(self, core: SyncCore, op: int) -> None:
        self._core, self._op, self._is_over = core, op, False
        #: What the operation returned; None until its end.
        self.result: Any = None

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> EngineEventBase:
        if self._is_over:
            raise StopIteration
        try:
            event = self._core.next_event(self._op)
        except BaseException:
            self.close()
            raise
        if event["type"] != "done":
            return as_event(event)  # type: ignore[no-any-return]
        self._is_over = True
        self._core.finish(self._op)
        self.result = value_of(event["result"])
        raise StopIteration

    def close(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._core.abandon(self._op)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "_is_over", True):
            self.close()


class SyncNamespace:
    """Operations that belong together."""

    def __init__(self, core: SyncCore) -> None:
        self._core = core
