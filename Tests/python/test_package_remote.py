#!/usr/bin/env python3
"""The Python package on a remote engine: the stand-in, a server that never answers, and one that is not there."""
import asyncio, gc, logging, os, pathlib, signal, socket, subprocess, sys, threading, time, traceback

if not sys.flags.dev_mode:
    os.execv(sys.executable, [sys.executable, "-X", "dev", "-W", "error", *sys.argv])
ROOT = pathlib.Path(os.environ.get("TANDEM_TEST_ROOT", os.getcwd()))
sys.path.insert(0, str(ROOT / "bindings/python"))
import libtandem
from libtandem import SyncTandemClient, TandemClient
from library import MODEL_URL, Cases
from server import Server, send

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
    ours = asyncio.run(quick_start(TandemClient("embedded:", vocabulary="normalized", **EMBEDDED)), debug=True)
    theirs = asyncio.run(quick_start(TandemClient(url, TOKEN, vocabulary="normalized")), debug=True)
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


async def two_clients(url):
    async def talk(client, words):
        session_id = await client.sessions.create()
        run = await client.sessions.prompt_async(session_id, words)
        return [e.type async for e in client.stream(session_id, run.run_id)][-1], session_id

    async with TandemClient(url, TOKEN) as one, TandemClient(url, TOKEN) as two:
        ends = await asyncio.gather(*(talk(client, f"{i}") for i in range(5) for client in (one, two)))
        case("two clients in one loop", [end for end, _ in ends] == ["run.completed"] * 10, str(ends))
        found = await asyncio.gather(*(client.sessions.get(session_id) for _, session_id in ends for client in (one, two)))
        case("each sees what the other made", len({s.id for s in found}) == 10)
        stats = one.stats(), two.stats()
        case("each with figures of its own", all(s.requests >= 15 and s.latency_p50_us > 0 for s in stats), str(stats))


def resources():
    gc.collect()
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))


def settled(before, seconds=5):
    end = time.monotonic() + seconds
    while resources() != before and time.monotonic() < end:
        time.sleep(0.01)
    return resources() == before


def dropped(url):
    """Clients that nobody closes, in the middle of calls, streams and iterations."""
    with SyncTandemClient(url, TOKEN) as client:
        session_id = client.sessions.create()
    before = resources()
    for _ in range(5):
        client = SyncTandemClient(url, TOKEN)
        client.health()
        stream = client.stream(client.sessions.create(), client.sessions.prompt_async(session_id, "x").run_id)
        next(stream)
        del client, stream
    case("a blocking client that is dropped leaves no thread and no descriptor", settled(before), f"{before} {resources()}")

    async def some():
        for _ in range(5):
            client = TandemClient(url, TOKEN)
            own = await client.sessions.create()
            stream = client.stream(own, (await client.sessions.prompt_async(own, "x")).run_id)
            await stream.__anext__()
            call = asyncio.ensure_future(client.health())
            await asyncio.sleep(0)
            call.cancel()
            del client, stream, call
            await asyncio.sleep(0)

    asyncio.run(some(), debug=True)
    case("nor does an asyncio client", settled(before), f"{before} {resources()}")


class Complaints(logging.Handler):
    """What asyncio's debug mode says; a callback that is slow on a busy machine is no fault."""

    found: list[str] = []

    def emit(self, record):
        if "took" not in record.getMessage():
            self.found.append(record.getMessage())


def refusing():
    """A server that refuses with each status; none of them is taken for a word of the library's own."""
    statuses = [400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 412, 413, 415, 418, 422, 423, 425, 429, 500, 501, 502, 503, 504]

    def answer(request, connection):
        send(connection, int(request.target.split("/")[2]), {"error": "no"})

    def status(action):
        try:
            action()
        except libtandem.TandemError as error:
            return error.status

    async def collected(client):
        ends = await asyncio.gather(*(client.sessions.get(str(s)) for s in statuses), return_exceptions=True)
        return [getattr(end, "status", end) for end in ends]

    async def asynchronous(url):
        async with TandemClient(url, retries=0) as client:
            return await collected(client)

    with Server(answer) as server:
        with SyncTandemClient(server.url, retries=0) as client:
            found = [status(lambda: client.sessions.get(str(s))) for s in statuses]
        case("every refusal ends a blocking call with its status", found == statuses, str(found))
        found = asyncio.run(asynchronous(server.url), debug=True)
        case("and an awaited one", found == statuses, str(found))


def silent():
    """A server that takes requests and never answers."""
    signal.signal(signal.SIGINT, signal.default_int_handler)   # a shell's background jobs begin with it ignored
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
        case("Ctrl-C ends a call", late is not None and late < 10, str(late))
        began = time.monotonic()
        try:
            client.health(timeout=0.2, retries=0)
        except libtandem.Timeout as error:
            case("a deadline in seconds", time.monotonic() - began < 10 and error.retryable)

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
                 and client.stats().operations == 0, f"{time.monotonic() - began} {client.stats()}")
            last = asyncio.create_task(client.health())
            await asyncio.sleep(0.05)
            began = time.monotonic()
        case("closing does not wait for them", time.monotonic() - began < 10)
        end, = await asyncio.gather(last, return_exceptions=True)
        case("and they end", isinstance(end, libtandem.Closed), repr(end))

    asyncio.run(cancelled(), debug=True)
    server.close()


engine = subprocess.Popen([sys.executable, ROOT / "Tests/tools/standin_engine.py", "--port", "0", "--token", TOKEN],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
try:
    url = "http://127.0.0.1:" + engine.stdout.readline().strip()
    logging.getLogger("asyncio").addHandler(Complaints())
    logging.getLogger("asyncio").propagate = False
    for test, arguments in ((engines, (url,)), (blocking, (url,)), (two_clients, (url,)), (dropped, (url,)), (refusing, ()),
                            (silent, ())):
        try:
            if asyncio.iscoroutinefunction(test):
                asyncio.run(asyncio.wait_for(test(*arguments), 60), debug=True)
            else:
                test(*arguments)
        except Exception as error:
            case(test.__name__, False, "".join(traceback.format_exception(error)[-4:]))
finally:
    engine.terminate()
    engine.communicate()
gc.collect()
case("asyncio's debug mode has nothing to say", not Complaints.found, str(Complaints.found))
sys.exit(case.finish())
