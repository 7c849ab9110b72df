#!/usr/bin/env python3
"""A model that this program is: it says each prompt back, louder, word by word.

    host_model.py [ENGINE]     ENGINE: embedded: (the default) or embedded:/state/dir
"""
import asyncio
import sys

from libtandem import TandemClient


async def louder(request):
    for word in request["messages"][-1]["content"].upper().split():
        yield word + " "
        await asyncio.sleep(0.01)


async def main():
    async with TandemClient(sys.argv[1] if len(sys.argv) > 1 else "embedded:") as client:
        client.provide_model("louder", louder)
        session_id = await client.sessions.create(provider="host", model="louder")
        run = await client.sessions.prompt_async(session_id, "Is anybody there?")
        async for event in client.stream(session_id, run.run_id):
            if event.type == "session.response":
                print(event.properties["delta"], end="", flush=True)
        print()


asyncio.run(main())
