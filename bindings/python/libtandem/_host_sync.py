"""Serving host calls on the threads that wait for something of the blocking client."""
from __future__ import annotations

import asyncio
import inspect
import threading
import time
from typing import Any, Callable, Coroutine

from ._host import FULL_PAUSE, Host, is_end, is_full, is_over
from ._records import Record


class SyncHost(Host):
    """Runs what is called on the thread that read the call."""

    def serve_all(self, events: list[Record]) -> None:
        """Serves host calls, one after the other."""
        for place, event in enumerate(events):
            try:
                self.serve(event)
            except BaseException:
                for other in events[place + 1 :]:
                    self.fail(other, "the host was interrupted")
                raise

    def serve(self, event: Record) -> None:
        """Serves a host call. What it raises goes to the engine, but for what ends the program or the thread."""
        provided = self.provided(event)
        if provided is None:
            return
        try:
            value = self.start(provided, event)()
            if inspect.iscoroutine(value):
                value = finished(value)
            if inspect.isasyncgen(value):
                value = finished(self.say_all(event, value))
            elif inspect.isgenerator(value):
                value = self._say(event, value)
        except Exception as error:
            self.raised(event, error)
        except BaseException as error:
            self.raised(event, error)
            raise
        else:
            self.finish(event, value)

    def _say(self, event: Record, pieces: Any) -> Any:
        """Sends the pieces of a model's answer; gives what its reply is to be."""
        try:
            while True:
                try:
                    piece = next(pieces)
                except StopIteration as stop:
                    return stop.value
                if is_end(piece):
                    return piece
                while is_full(status := self.piece(event, piece)):
                    time.sleep(FULL_PAUSE)
                if is_over(status):
                    return None
        finally:
            pieces.close()


def finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns, run to its end on a loop of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    # This thread has a loop already, which must not be used inside itself.
    return _in_thread(lambda: asyncio.run(coroutine))


def _in_thread(body: Callable[[], Any]) -> Any:
    outcome: list[Any] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(body())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="libtandem-host")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return outcome[0]
