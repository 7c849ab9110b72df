#!/usr/bin/env python3
"""The asyncio client of the Python package on the embedded engine, in asyncio's debug mode with warnings as errors."""
import asyncio, gc, json, logging, os, pathlib, subprocess, sys, threading, time, traceback, urllib.request

if not sys.flags.dev_mode:
    os.execv(sys.executable, [sys.executable, "-X", "dev", "-W", "error", *sys.argv])
ROOT = pathlib.Path(os.environ.get("TANDEM_TEST_ROOT", os.getcwd()))
sys.path.insert(0, str(ROOT / "bindings/python"))
import libtandem
from libtandem import TandemClient
from library import MODEL_URL, Cases

case = Cases()


def scripted(**options):
    providers = {"llama_cpp": {"url": MODEL_URL, "default_model": "scripted"}}
    return TandemClient(default_provider="llama_cpp", providers=providers, discover=False, **options)


def set_script(name, replies):
    request = urllib.request.Request(f"{MODEL_URL}/_script/{name}", json.dumps(replies).encode(), method="PUT")
    urllib.request.urlopen(request, timeout=5).close()


async def eventually(check, seconds=5):
    end = time.monotonic() + seconds
    while not check() and time.monotonic() < end:
        await asyncio.sleep(0.01)
    return check()


async def raised(kind, awaitable):
    try:
        await awaitable
    except kind as error:
        return error
    return None


def resources():
    gc.collect()
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))


async def quick_start():
    async with TandemClient(base_url="embedded:", token="any", discover=False, timeout=20.0) as client:
        session_id = await client.sessions.create(title="My agent", directory=".")
        run = await client.sessions.prompt_async(session_id, "Hello!")
        text, kinds = "", []
        async for event in client.stream(session_id, run.run_id):
            kinds.append(event.type)
            if event.type == "session.response":
                text += event.properties.get("delta", "")
            if event.type in ("run.complete", "run.completed", "run.failed", "session.run.finished"):
                break
        case("the quick start streams the answer", text == "Echo: Hello!" and kinds[-1] == "session.run.finished", f"{text} {kinds}")
        case("beside the engine's own events", {"message.part.updated", "session.response"} <= set(kinds), str(kinds))
        case("prompt_sync returns the text", await client.sessions.prompt_sync(session_id, "Again") == "Echo: Again")
        error = await raised(libtandem.NotFound, client.sessions.get("nope"))
        case("an error of the engine", error is not None and error.status == 404)
        case("an unknown argument", await raised(libtandem.UnknownArgument, client.sessions.get(session_id, titel=1)) is not None)
        stream = client.follow("sessions.prompt_sync", {"session_id": session_id, "prompt": "Hi"})
        kinds = [event.type async for event in stream]
        case("follow gives events and the result", kinds[-1] == "run.completed" and stream.result.text == "Echo: Hi", str(kinds))
        found = await asyncio.gather(*(client.sessions.get(session_id) for _ in range(100)))
        case("a hundred calls at once", all(s.id == session_id for s in found))
        case("nothing stays behind", await eventually(lambda: client.stats().operations == 0), str(client.stats()))
    case("a closed client", await raised(libtandem.Closed, client.health()) is not None)
    await client.aclose()
    case("Python has one thread", threading.active_count() == 1)


async def cancelling():
    set_script("slow_async", [{"text": " ".join(f"w{i}" for i in range(100)), "delay_ms": 100}])
    async with scripted() as client:
        session_id = await client.sessions.create()
        task = asyncio.create_task(client.sessions.prompt_sync(session_id, "go [[slow_async]]"))
        await asyncio.sleep(0.3)
        task.cancel()
        began = time.monotonic()
        case("a cancelled task ends at once", await raised(asyncio.CancelledError, task) is not None and time.monotonic() - began < 5)
        case("and its operation", await eventually(lambda: client.stats().operations == 0), str(client.stats()))
        end = time.monotonic() + 5
        while (active := (await client.sessions.active_run(session_id)).active) and time.monotonic() < end:
            await asyncio.sleep(0.02)
        case("and its run", active is None)
        run = await client.sessions.prompt_async(session_id, "go [[slow_async]]")

        async def read():
            async for _ in client.stream(session_id, run.run_id):
                pass

        error = await raised((asyncio.TimeoutError, TimeoutError), asyncio.wait_for(read(), 0.3))
        case("wait_for ends a stream", error is not None)
        case("and its operation", await eventually(lambda: client.stats().operations == 0), str(client.stats()))
        async for event in client.stream(session_id, run.run_id):
            if event.type == "session.response":
                break
        case("a stream that is left is cancelled", await eventually(lambda: client.stats().operations == 0), str(client.stats()))
        case("and its run goes on", (await client.sessions.active_run(session_id)).active is not None)
        async with client.global_stream() as stream:
            case("a stream in async with", (await stream.__anext__()).type is not None)
        case("is cancelled at its end", await eventually(lambda: client.stats().operations == 0), str(client.stats()))
        error = await raised(libtandem.Timeout, client.follow("engine.global_stream", timeout=0.2).__anext__()) \
            or await raised(libtandem.Timeout, client.call("sessions.prompt_sync", {"session_id": await client.sessions.create(),
                            "prompt": "x [[slow_async]]"}, timeout=0.2))
        case("a deadline in seconds", error is not None)
        waiting = asyncio.create_task(client.sessions.prompt_sync(await client.sessions.create(), "go [[slow_async]]"))
        await asyncio.sleep(0.2)
    case("closing ends what waits", await raised(libtandem.Closed, waiting) is not None)


async def two_clients():
    async with TandemClient(discover=False) as one, TandemClient(discover=False) as two:
        async def talk(client, words):
            session_id = await client.sessions.create()
            run = await client.sessions.prompt_async(session_id, words)
            return "".join([e.properties.delta async for e in client.stream(session_id, run.run_id) if e.type == "session.response"])

        texts = await asyncio.gather(*(talk(client, f"{i} {n}") for i in range(10) for n, client in enumerate((one, two))))
        case("two clients in one loop", texts == [f"Echo: {i} {n}" for i in range(10) for n in (0, 1)], str(texts))


async def slow_consumer():
    async with scripted() as client:
        session_id = await client.sessions.create()
        run = await client.sessions.prompt_async(session_id, "go [[many]]")
        stream = client.stream(session_id, run.run_id)
        text = ""
        await asyncio.sleep(1)
        async for event in stream:
            if event.type == "session.response":
                text += event.properties.delta
        case("a slow reader loses nothing", text.split() == [f"w{i}" for i in range(6000)], f"{len(text.split())} words")


async def dropped():
    async with TandemClient(discover=False) as client:
        await client.health()
    before = resources()
    for _ in range(10):
        client = TandemClient(discover=False)
        session_id = await client.sessions.create()
        stream = client.stream(session_id, (await client.sessions.prompt_async(session_id, "x")).run_id)
        await stream.__anext__()
        del client, stream
    case("a dropped client leaves no thread and no descriptor", await eventually(lambda: resources() == before), f"{before} {resources()}")

    def elsewhere():
        client = holder.pop()
        del client
        gc.collect()

    client = TandemClient(discover=False)
    await client.health()
    holder = [client]
    del client
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    case("also when another thread drops it", await eventually(lambda: resources() == before), f"{before} {resources()}")


def loops():
    client = TandemClient(discover=False)
    stream = client.global_stream(vocabulary="normalized")
    ids = [asyncio.run(client.sessions.create(), debug=True) for _ in range(3)]
    case("one client in one loop after another", len(set(ids)) == 3)

    async def first():
        connected = await stream.__anext__()
        run = await client.sessions.prompt_async(ids[0], "x")
        return connected.type, run.run_id == (await stream.__anext__()).run_id

    found = asyncio.run(first(), debug=True)
    case("a stream made outside a loop begins with its first event", found == ("stream.connected", True), str(found))
    asyncio.run(client.close(), debug=True)


def example():
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "bindings/python")}
    result = subprocess.run([sys.executable, "-X", "dev", "-W", "error", ROOT / "examples/python/quickstart.py", "embedded:"],
                            env=environment, capture_output=True, text=True, timeout=60)
    said = [line for line in result.stderr.splitlines() if " took " not in line]
    case("examples/python/quickstart.py runs", result.returncode == 0 and len(result.stdout) > 10 and not said,
         result.stdout + result.stderr)


class Warnings(logging.Handler):
    """What asyncio complains about; a callback that is slow on a busy machine is no fault."""

    def __init__(self):
        super().__init__()
        self.found = []

    def emit(self, record):
        if "took" not in record.getMessage():
            self.found.append(record.getMessage())


warnings = Warnings()
logging.getLogger("asyncio").addHandler(warnings)
logging.getLogger("asyncio").propagate = False
for test in (quick_start, cancelling, two_clients, slow_consumer, dropped, loops, example):
    try:
        if asyncio.iscoroutinefunction(test):
            asyncio.run(asyncio.wait_for(test(), 30), debug=True)
        else:
            test()
    except Exception as error:
        case(test.__name__, False, "".join(traceback.format_exception(error)[-4:]))
gc.collect()
case("asyncio's debug mode has nothing to say", warnings.found == [], str(warnings.found))
sys.exit(case.finish())
