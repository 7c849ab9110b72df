#!/usr/bin/env python3
"""Calls a second of the Python package against those of the official client, on the stand-in engine of loopback.c.

    remote.py PORT      the stand-in serves on loopback; libtandem, and tandem_client if it is there, can be imported
"""
import asyncio
import statistics
import sys
import time
from importlib import metadata

import libtandem

try:
    import tandem_client
except ImportError:
    tandem_client = None

ROUNDS, SECONDS, WARMUPS, AT_ONCE = 40, 0.1, 50, 50
GOAL = 8
SESSION = "0b7f5c1e-6f0a-4a57-9c1d-2f1f8f7f0a11"
TITLE = "A session to measure with"


class Round:
    """How fast calls were for a while: calls a second, and processor time of this process for one, which other
    programs on the machine change less."""

    def __init__(self):
        self.count, self._began, self._cpu = 0, time.perf_counter(), time.process_time()

    def goes_on(self):
        return time.perf_counter() - self._began < SECONDS

    def took(self, *sessions):
        assert all(session.title == TITLE for session in sessions)
        self.count += len(sessions)

    def end(self):
        self.rate = self.count / (time.perf_counter() - self._began)
        self.cpu_us = (time.process_time() - self._cpu) / self.count * 1e6
        return self


def blocking(client):
    current = Round()
    while current.goes_on():
        current.took(client.sessions.get(SESSION))
    return current.end()


async def awaited(client):
    """One after the other, on an asyncio client; both packages have the same method."""
    current = Round()
    while current.goes_on():
        current.took(await client.sessions.get(SESSION))
    return current.end()


async def gathered(client):
    current = Round()
    while current.goes_on():
        current.took(*await asyncio.gather(*(client.sessions.get(SESSION) for _ in range(AT_ONCE))))
    return current.end()


def report(what, ours, theirs, goal=None):
    """Medians of rounds, which took turns."""
    mine, my_cpu = (statistics.median(getattr(one, name) for one in ours) for name in ("rate", "cpu_us"))
    if not theirs:
        print(f"{what:<55} {mine:9.0f} /s   ({my_cpu:.0f} us of processor time a call)")
        return
    other, their_cpu = (statistics.median(getattr(one, name) for one in theirs) for name in ("rate", "cpu_us"))
    ratio = mine / other
    verdict = f"goal {goal}   {'met' if ratio >= goal else 'NOT MET'}" if goal else ""
    tenths = statistics.quantiles([one.rate / another.rate for one, another in zip(ours, theirs)], n=10)
    beside = f"{mine:.0f} : {other:.0f} calls/s; rounds {tenths[0]:.2f} to {tenths[-1]:.2f}"
    print(f"{what:<55} {ratio:9.2f} x    {verdict}   ({beside}; processor {my_cpu:.0f} : {their_cpu:.0f} us a call)")


async def measure(url, token):
    ours_blocking, ours, ours_at_once, theirs, theirs_at_once = [], [], [], [], []
    official = tandem_client.TandemClient(base_url=url, token=token) if tandem_client else None
    async with libtandem.TandemClient(base_url=url, token=token) as client:
        with libtandem.SyncTandemClient(url, token) as sync_client:
            for _ in range(WARMUPS):
                sync_client.sessions.get(SESSION)
                for one in filter(None, (client, official)):
                    await one.sessions.get(SESSION)
            for _ in range(ROUNDS):
                ours_blocking.append(blocking(sync_client))
                ours.append(await awaited(client))
                ours_at_once.append(await gathered(client))
                if official:
                    theirs.append(await awaited(official))
                    theirs_at_once.append(await gathered(official))
    if official:
        await official.aclose()
    # The official blocking client runs the asyncio one in a new loop for each call: the asyncio one is the faster.
    name = "" if official is None else f" : tandem-client {metadata.version('tandem-client')}"
    report(f"Python, blocking sessions.get{name}", ours_blocking, theirs, GOAL)
    report(f"Python, asyncio sessions.get{name}", ours, theirs, GOAL)
    report(f"Python, asyncio, {AT_ONCE} sessions.get at once", ours_at_once, theirs_at_once)


if __name__ == "__main__":
    if tandem_client is None:
        print("Python: tandem-client cannot be had here, so these are our own figures only, without a goal")
    asyncio.run(measure(f"http://127.0.0.1:{sys.argv[1]}", "tk_0123456789abcdef0123456789abcdef"))
