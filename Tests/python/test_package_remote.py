#!/usr/bin/env python3
"""The Python package on a remote engine: the stand-in, a server that never answers, and one that is not there."""
import asyncio, gc, os, pathlib, signal, socket, subprocess, sys, threading, time, traceback

if not sys.flags.dev_mode:
    os.execv(sys.executable, [sys.executable, "-X", "dev", "-W", "error", *sys.argv])
ROOT = pathlib.Path(os.environ.get("TANDEM_TEST_ROOT", os.getcwd()))
sys.path.insert(0, str(ROOT / "bindings/python"))
import libtandem
from libtandem import SyncTandemClient, TandemClient
from library import MODEL_URL, Cases

case = Cases()
TOKEN = "secret"
EMBEDDED = {"default_provider": "llama_cpp", "discover": False,
            "providers": {"llama_cpp": {"url": MODEL_URL, "default_model": "scripted"}}}
# What a run's stream holds whatever the engine tells of itself beside it.
USUAL = ("run.started", "session.response", "run.usage", "session.message", "run.completed")


async def quick_start(client):
    async with client:
        session_id = await client.sessions.create(title="My agent", directory=".")
        run = await client.sessions.prompt_async(session_id, "Say hello [[hello]]")
        events = []
        async for event in client.stream(session_id, run.run_id):
            events.append(event)
            if event.type in ("run.completed", "run.failed"):
                break
        return events


def kinds(events):
    """The usual events, neighbours of one type once: engines cut the text in pieces of their own."""
    found = [event.type for event in events if event.type in USUAL]
    return [kind for i, kind in enumerate(found) if i == 0 or found[i - 1] != kind]


def engines(url):
    ours = asyncio.run(quick_start(TandemClient("embedded:", **EMBEDDED)), debug=True)
    theirs = asyncio.run(quick_start(TandemClient(url, TOKEN)), debug=True)
    case("the quick start gives the same events on both engines", kinds(ours) == kinds(theirs) and len(kinds(ours)) == 5,
         f"{kinds(ours)} {kinds(theirs)}")
    texts = [[e.properties.text for e in events if e.type == "session.message"] for events in (ours, theirs)]
    case("and the text whole", all(len(text) == 1 and text[0] for text in texts), str(texts))
    shapes = [{e.type: sorted(e.properties) for e in events if e.type in USUAL} for events in (ours, theirs)]
    case("with the same properties", shapes[0] == shapes[1], str(shapes))


def blocking(url):
    with SyncTandemClient(url, TOKEN) as client:
        session_id = client.sessions.create(title="x")
        case("a blocking client", isinstance(session_id, str) and isinstance(client.health(), dict))
        run = client.sessions.prompt_async(session_id, "Say hello")
        case("a stream ends with the run", [e.type for e in client.stream(session_id, run.run_id)][-1] == "run.completed")
        case("numbers", client.stats().operations == 0)
    for name, kind, client in [("a wrong token", libtandem.Unauthorized, SyncTandemClient(url, "wrong")),
                               ("nobody there", libtandem.EngineUnavailable, SyncTandemClient("http://127.0.0.1:1", retries=0))]:
        with client:
            try:
                client.sessions.list()
                case(name, False, "no error")
            except libtandem.TandemError as error:
                case(name, type(error) is kind, repr(error))


def silent():
    """A server that takes requests and never answers."""
    server = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{server.getsockname()[1]}"
    with SyncTandemClient(url) as client:
        sent = []

        def interrupt():
            time.sleep(0.3)
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        try:
            client.health()
            late = None
        except KeyboardInterrupt:
            late = time.monotonic() - sent[0]
        thread.join()
        case("Ctrl-C ends a call within 100 ms", late is not None and late < 0.15, str(late))
        began = time.monotonic()
        try:
            client.health(timeout=0.2, retries=0)
        except libtandem.Timeout as error:
            case("a deadline in seconds", time.monotonic() - began < 1 and error.retryable)

    async def cancelled():
        async with TandemClient(url) as client:
            tasks = [asyncio.create_task(client.health()) for _ in range(20)]
            await asyncio.sleep(0.1)
            began = time.monotonic()
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            while client.stats().operations and time.monotonic() < began + 5:
                await asyncio.sleep(0.005)
            case("cancelled tasks cancel their requests", all(isinstance(e, asyncio.CancelledError) for e in ends)
                 and client.stats().operations == 0 and time.monotonic() - began < 0.5, f"{time.monotonic() - began} {client.stats()}")
            last = asyncio.create_task(client.health())
            await asyncio.sleep(0.05)
            began = time.monotonic()
        case("closing does not wait for them", time.monotonic() - began < 1)
        end, = await asyncio.gather(last, return_exceptions=True)
        case("and they end", isinstance(end, libtandem.Closed), repr(end))

    asyncio.run(cancelled(), debug=True)
    server.close()


engine = subprocess.Popen([sys.executable, ROOT / "Tests/tools/standin_engine.py", "--port", "0", "--token", TOKEN],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
try:
    url = "http://127.0.0.1:" + engine.stdout.readline().strip()
    for test, arguments in ((engines, (url,)), (blocking, (url,)), (silent, ())):
        try:
            test(*arguments)
        except Exception as error:
            case(test.__name__, False, "".join(traceback.format_exception(error)[-4:]))
finally:
    engine.terminate()
    engine.communicate()
gc.collect()
sys.exit(case.finish())
