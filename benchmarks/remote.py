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

ROUNDS, SECONDS, WARMUPS = 40, 0.1, 50
GOAL = 8
SESSION = "0b7f5c1e-6f0a-4a57-9c1d-2f1f8f7f0a11"
TITLE = "A session to measure with"


async def awaited(client):
    """Calls a second, one after the other, on an asyncio client; both packages have the same method."""
    count, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < SECONDS:
        session = await client.sessions.get(SESSION)
        assert session.title == TITLE
        count += 1
    return count / took


def blocking(client):
    count, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < SECONDS:
        session = client.sessions.get(SESSION)
        assert session.title == TITLE
        count += 1
    return count / took


def report(what, ours, theirs):
    """Medians of rounds, which took turns."""
    mine = statistics.median(ours)
    if not theirs:
        print(f"{what:<55} {mine:9.0f} /s")
        return
    other = statistics.median(theirs)
    ratio = mine / other
    verdict = "met" if ratio >= GOAL else "NOT MET"
    tenths = statistics.quantiles([one / another for one, another in zip(ours, theirs)], n=10)
    beside = f"{mine:.0f} : {other:.0f} calls/s; rounds {tenths[0]:.2f} to {tenths[-1]:.2f}"
    print(f"{what:<55} {ratio:9.2f} x    goal {GOAL}   {verdict}   ({beside})")


async def measure(url, token):
    ours, ours_blocking, theirs = [], [], []
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
                if official:
                    theirs.append(await awaited(official))
    if official:
        await official.aclose()
    # The official blocking client runs the asyncio one in a new loop for each call: the asyncio one is the faster.
    name = "" if official is None else f" : tandem-client {metadata.version('tandem-client')}"
    report(f"Python, blocking sessions.get{name}", ours_blocking, theirs)
    report(f"Python, asyncio sessions.get{name}", ours, theirs)


if __name__ == "__main__":
    if tandem_client is None:
        print("Python: tandem-client cannot be had here, so these are our own figures only, without a goal")
    asyncio.run(measure(f"http://127.0.0.1:{sys.argv[1]}", "tk_0123456789abcdef0123456789abcdef"))
