#!/usr/bin/env python3
"""An agent session in Python: asks a model about a folder and prints its answer as it comes.

    quickstart.py [ENGINE [TOKEN]]     ENGINE: embedded: (the default), embedded:/state/dir, http://localhost:39731
"""
import asyncio
import sys

from libtandem import TandemClient

base_url = sys.argv[1] if len(sys.argv) > 1 else "embedded:"
token = sys.argv[2] if len(sys.argv) > 2 else None


async def main():
    async with TandemClient(base_url=base_url, token=token) as client:
        # 1. Create a session
        session_id = await client.sessions.create(
            title="My agent",
            directory=".",
        )

        # 2. Start an async run
        run = await client.sessions.prompt_async(
            session_id, "Summarize the README and list the top 3 TODOs"
        )

        # 3. Stream the response
        async for event in client.stream(session_id, run.run_id):
            if event.type == "session.response":
                print(event.properties.get("delta", ""), end="", flush=True)
            if event.type in ("run.complete", "run.completed", "run.failed", "session.run.finished"):
                break
        print()


asyncio.run(main())
