"""Serving host calls on the event loop that the asyncio client belongs to."""
from __future__ import annotations

import asyncio
import inspect
from typing import Any

from ._host import CALL, Host, is_end
from ._records import Record


class AsyncHost(Host):
    """Runs plain functions at once, or in a thread where that was asked for, and coroutines as tasks."""

    def __init__(self, handle: int) -> None:
        super().__init__(handle)
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def take(self, event: Record, loop: asyncio.AbstractEventLoop) -> None:
        """Takes a host call, or the word that one is over."""
        if event["type"] != CALL:
            if task := self._tasks.get(event["call"]):
                task.cancel()
            return
        provided = self.provided(event)
        if provided is None:
            return
        try:
            call = self.start(provided, event)
            value = None if provided.in_thread else call()
        except Exception as error:
            return self.raised(event, error)
        if provided.in_thread:
            self._begin(event, self._run(event, asyncio.to_thread(call)), loop)
        elif inspect.isawaitable(value):
            self._begin(event, self._run(event, value), loop)
        elif inspect.isgenerator(value) or inspect.isasyncgen(value):
            self._begin(event, self._finish(event, value), loop)
        else:
            self.finish(event, value)

    def _begin(self, event: Record, body: Any, loop: asyncio.AbstractEventLoop) -> None:
        call = event["call"]
        task = loop.create_task(body)
        self._tasks[call] = task
        task.add_done_callback(lambda _: self._tasks.pop(call, None))

    async def _run(self, event: Record, value: Any) -> None:
        try:
            value = await value
        except asyncio.CancelledError:
            self.fail(event, "the host has cancelled it")
            raise
        except Exception as error:
            return self.raised(event, error)
        await self._finish(event, value)

    async def _finish(self, event: Record, value: Any) -> None:
        try:
            if inspect.isasyncgen(value):
                value = await self.say_all(event, value)
            elif inspect.isgenerator(value):
                value = await self._say(event, value)
        except asyncio.CancelledError:
            self.fail(event, "the host has cancelled it")
            raise
        except Exception as error:
            return self.raised(event, error)
        self.finish(event, value)

    async def _say(self, event: Record, pieces: Any) -> Any:
        """Sends the pieces of a model's answer; gives what its reply is to be."""
        try:
            while True:
                try:
                    piece = next(pieces)
                except StopIteration as stop:
                    return stop.value
                if is_end(piece):
                    return piece
                if not await self.send(event, piece):
                    return None
                # A generator never awaits: others get their turn between its pieces.
                await asyncio.sleep(0)
        finally:
            pieces.close()

    def close(self) -> None:
        for task in list(self._tasks.values()):
            if not task.get_loop().is_closed():
                task.cancel()


