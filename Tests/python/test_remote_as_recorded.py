#!/usr/bin/env python3
"""Runs at once on a stand-in whose numbers, event ids and logs are those of one recording: each is whole, and ends once."""
import asyncio, collections, os, pathlib, subprocess, sys, traceback

ROOT = pathlib.Path(os.environ.get("TANDEM_TEST_ROOT", os.getcwd()))
sys.path.insert(0, str(ROOT / "bindings/python"))
from libtandem import TandemClient
from library import Cases

case = Cases()
WORDS = ["run.started", *["session.response"] * 3, "run.usage", "session.message", "run.completed"]
# What names no run belongs to nobody where a session has several.
NAMED = [word for word in WORDS if word != "run.usage"]


async def followed(client, session_id, pause=0.0):
    """The usual events of a run that is streamed a while after its prompt."""
    run = await client.sessions.prompt_async(session_id, "Say hello")
    await asyncio.sleep(pause)
    return [e.type async for e in client.stream(session_id, run.run_id) if e.type in WORDS]


async def in_one_session(one, two):
    session_id = await one.sessions.create()
    ends = collections.Counter()

    async def watch():
        async for event in two.stream(session_id):
            ends[event.run_id] += event.type == "run.completed"
            watching.set()
            if sum(ends.values()) == 10:
                return

    watching = asyncio.Event()
    watcher = asyncio.create_task(watch())
    await watching.wait()
    runs = await asyncio.gather(*(followed(one, session_id, 0.4 * (i % 2)) for i in range(10)))
    wrong = [kinds for kinds in runs if [kind for kind in kinds if kind in NAMED] != NAMED]
    case("ten runs at once in one session", not wrong, str(wrong))
    await asyncio.wait_for(watcher, 10)
    case("and another client's stream of the session has the end of each", list(ends.values()).count(1) == 10, str(ends))
    texts = [(await one.sessions.run(session_id, "Say hello")).text for _ in range(3)]
    case("runs one after the other", len(set(texts)) == 1 and texts[0], str(texts))


async def in_many_sessions(one, two):
    async def in_a_session(client, i):
        session_id = await client.sessions.create()
        kinds = await followed(client, session_id, 0.1 * (i % 3))
        result = await client.sessions.run(session_id, "Say hello")
        return kinds == WORDS and result.status == "completed" and bool(result.text), kinds, result

    found = await asyncio.gather(*(in_a_session(client, i) for i in range(12) for client in (one, two)))
    case("runs at once in many sessions of two clients", all(good for good, *_ in found), str([f for f in found if not f[0]]))


async def all_of_it(url):
    for test in (in_one_session, in_many_sessions):
        async with TandemClient(url, vocabulary="normalized") as one, TandemClient(url, vocabulary="normalized") as two:
            await asyncio.wait_for(test(one, two), 90)


engine = subprocess.Popen([sys.executable, ROOT / "Tests/tools/standin_engine.py", "--port", "0", "--as-recorded"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
try:
    asyncio.run(all_of_it("http://127.0.0.1:" + engine.stdout.readline().strip()))
except Exception as error:
    case("runs at once", False, "".join(traceback.format_exception(error)[-4:]))
finally:
    engine.terminate()
    engine.communicate()
sys.exit(case.finish())
