#!/usr/bin/env python3
"""sessions.run of the Python package: results, callbacks, streams, on both engines, blocking and for asyncio."""
import asyncio, json, os, sys, threading, time, urllib.request

ROOT = os.environ.get("TANDEM_TEST_ROOT", ".")
os.environ.setdefault("LIBTANDEM_PATH", os.path.dirname(os.environ.get("TANDEM_TEST_LIBRARY", "build/lib/x")))
sys.path[:0] = [os.path.join(ROOT, "bindings/python"), os.path.join(ROOT, "Tests/tools")]
import library
from libtandem import SyncTandemClient, TandemClient, Timeout
from run_engine import RunEngine

case = library.Cases()
EMBEDDED = {"discover": False, "default_provider": "llama_cpp",
            "providers": {"llama_cpp": {"url": library.MODEL_URL, "default_model": "scripted"}}}


def until(condition, seconds=10):
    end = time.time() + seconds
    while not condition() and time.time() < end:
        time.sleep(0.01)
    return condition()


def script(name, tool, arguments):
    """The model calls that tool once, then says so."""
    replies = [{"tool_calls": [{"name": tool, "arguments": arguments}]}, {"text": "Done."}]
    request = urllib.request.Request(f"{library.MODEL_URL}/_script/{name}", json.dumps(replies).encode(), method="PUT")
    urllib.request.urlopen(request, timeout=5).close()


def tools(run):
    run.delta("Let me see. ")
    run.final(f"{run.permission('bash', command='ls')} {run.permission('write', path='a')}")


def asks(run):
    run.question("Which?", "When?")
    run.final("I asked.")


def slow(run):
    for _ in range(500):
        run.delta("word ")
        run.wait(0.02)


def expires(run):
    run.engine.permission_s = 0.3
    reply = run.permission("bash", command="ls")
    run.engine.permission_s = 15
    run.final(str(reply))


SCRIPTS = {"tools": tools, "asks": asks, "slow": slow, "expires": expires}


def blocking(engine, client):
    session = client.sessions.create(title="t")
    seen, asked = [], []

    def decide(request):
        asked.append((request.tool, request.args, request.session_id))
        return request.tool == "bash"

    result = client.sessions.run(session, "[[tools]]", on_event=lambda e: seen.append(e.type), on_permission=decide)
    case("permissions by a callback", result.text == "once reject" and [t.status for t in result.tools] == ["completed", "denied"], result)
    case("who gets the request", asked == [("bash", {"command": "ls"}, session), ("write", {"path": "a"}, session)], asked)
    case("events by a callback", seen[0] == "stream.connected" and seen[-1] == "run.completed" and "permission.request" in seen, seen)
    result = client.sessions.run(session, "[[tools]]", permissions={"by_tool": {"wr*": "deny"}}, on_permission=lambda request: "once")
    case("terms go before the callback", result.text == "once reject", result)
    result = client.sessions.run(session, "[[tools]]", permissions={"default": "allow"}, vocabulary="engine", on_event=lambda e: seen.append(e.type))
    case("without a callback the terms decide", result.text == "once once" and "permission.asked" in seen, result)
    result = client.sessions.run(session, "[[tools]]", vocabulary="both", on_permission=lambda request: "always")
    case("callbacks in any vocabulary", result.text == "always always", result)
    result = client.sessions.run(session, "[[asks]]", on_question=lambda request: [q["question"] + "!" for q in request.questions])
    case("questions by a callback", result.text == "You said: Which?!\nWhen?!", result)
    result = client.sessions.run(session, "[[asks]]", on_question=lambda request: None)
    case("who does not want to answer", result.text == "I asked.", result)

    def late(request):
        time.sleep(0.6)
        return "always"

    before = len(engine.asked("/reply"))
    result = client.sessions.run(session, "[[expires]]", on_permission=late)
    case("a decision that comes too late is not sent", result.text == "None" and [t.status for t in result.tools] == ["permission_expired"] and len(engine.asked("/reply")) == before, (result, engine.asked("/reply")[before:]))
    for name, callbacks, expected in [("a decision that is none", {"on_permission": lambda request: "maybe"}, TypeError),
                                      ("an answer that is none", {"on_question": lambda request: 5}, TypeError),
                                      ("what a callback raises", {"on_event": lambda event: 1 / 0}, ZeroDivisionError)]:
        try:
            client.sessions.run(session, "[[asks]]" if "answer" in name else "[[tools]]", **callbacks)
            case(f"{name} comes out", False)
        except expected:
            case(f"{name} comes out", True)
        case(f"{name} ends the run", until(lambda: session not in engine.active), engine.active)
    try:
        client.sessions.run(session, "[[slow]]", timeout=0.3, on_event=lambda event: None)
        case("a timeout", False)
    except Timeout as error:
        case("a timeout", error.detail.run_cancelled, error)
    with client.sessions.run_stream(session, "[[tools]]", on_permission=lambda request: True, fold=True) as stream:
        texts = [event.state.text for event in stream if event.type == "run.completed"]
    case("a stream, with its result", texts == ["once once"] and stream.result.text == "once once", (texts, stream.result))
    for event in client.sessions.run_stream(session, "[[slow]]"):
        if event.type == "session.response":
            break
    case("leaving a stream cancels its run", until(lambda: session not in engine.active), engine.active)


async def waiting(engine, client):
    session = await client.sessions.create(title="t")

    async def decide(request):
        await asyncio.sleep(0.05)
        return request.tool == "bash"

    seen = []

    async def watch(event):
        seen.append(event.type)

    result = await client.sessions.run(session, "[[tools]]", on_event=watch, on_permission=decide)
    case("asyncio: permissions by a coroutine", result.text == "once reject" and seen[-1] == "run.completed", result)
    result = await client.sessions.run(session, "[[tools]]", on_permission=lambda request: "once", on_event=lambda event: None)
    case("asyncio: by a function", result.text == "once once", result)
    result = await client.sessions.run(session, "[[asks]]", on_question=lambda request: "x")
    case("asyncio: questions", result.text == "You said: x", result)
    started, ended = asyncio.Event(), []

    async def for_ever(request):
        started.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    result = await client.sessions.run(session, "[[expires]]", on_permission=for_ever)
    await asyncio.sleep(0)
    case("asyncio: a decision that nobody waits for is cancelled", result.text == "None" and ended == [True], (result, ended))
    started.clear()
    task = asyncio.ensure_future(client.sessions.run(session, "[[tools]]", on_permission=for_ever))
    await started.wait()
    task.cancel()
    try:
        await task
        case("asyncio: cancelling the task", False)
    except asyncio.CancelledError:
        case("asyncio: cancelling the task", True)
    await asyncio.sleep(0)
    case("asyncio: cancels its decision", len(ended) == 2, ended)
    case("asyncio: and its run", await asyncio.to_thread(until, lambda: session not in engine.active), engine.active)

    async def fails(request):
        await asyncio.sleep(0.05)
        raise KeyError("mine")

    try:
        await client.sessions.run(session, "[[tools]]", on_permission=fails)
        case("asyncio: what a coroutine raises comes out", False)
    except KeyError:
        case("asyncio: what a coroutine raises comes out", True)
    case("asyncio: and ends the run", await asyncio.to_thread(until, lambda: session not in engine.active), engine.active)
    text = ""
    stream = client.sessions.run_stream(session, "[[tools]]", on_permission=decide)
    async for event in stream:
        if event.type == "session.response":
            text += event.properties.delta
    case("asyncio: a stream, with its result", text == "Let me see. " and stream.result.text == "once reject", stream.result)
    sessions = [await client.sessions.create(title="t") for _ in range(8)]
    results = await asyncio.gather(*(client.sessions.run(s, "[[tools]]", on_permission=decide) for s in sessions))
    case("asyncio: eight runs at once", [r.text for r in results] == ["once reject"] * 8, results)


def threads(client):
    sessions = [client.sessions.create(title="t") for _ in range(8)]
    results = {}

    def one(session):
        results[session] = client.sessions.run(session, "[[tools]]", on_permission=lambda request: "once").text

    running = [threading.Thread(target=one, args=(s,)) for s in sessions]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(60)
    case("eight threads share a client", list(results.values()) == ["once once"] * 8, results)


def embedded():
    with SyncTandemClient(**EMBEDDED) as client:
        session = client.sessions.create(title="t")
        result = client.sessions.run(session, "[[hello]]")
        case("embedded: a result", result.text == "Hello there friend" and result.status == "completed", result)
        seen = []
        result = client.sessions.run(session, "[[unicode]]", on_event=lambda e: seen.append(e.type))
        case("embedded: events by a callback", result.text.startswith("Grüße 日本語") and "session.response" in seen, (result, seen))
        case("embedded: a failed run is a result", client.sessions.run(session, "[[fail500]]").status == "failed")
        for event in client.sessions.run_stream(session, "[[slow]]"):
            if event.type == "session.response":
                break
        case("embedded: leaving a stream cancels its run", until(lambda: client.sessions.active_run(session).active is None))


def embedded_tools():
    with SyncTandemClient(**EMBEDDED) as client:
        @client.tool(permission="ask")
        def add(a: int, b: int) -> int:
            return a + b

        session = client.sessions.create(title="t")
        for decision, status in [(True, "completed"), ("reject", "denied")]:
            script("package-run", "add", {"a": 2, "b": 3})
            asked = []
            result = client.sessions.run(session, "[[package-run]]", on_permission=lambda q: (asked.append((q.tool, q.args)), decision)[1])
            case(f"embedded: a tool of the program, {status}", result.text == "Done." and [t.status for t in result.tools] == [status], result)
            case(f"embedded: who decides is asked once, {status}", asked == [("add", {"a": 2, "b": 3})], asked)
        script("package-asks", "question", {"questions": [{"question": "Which?"}]})
        result = client.sessions.run(session, "[[package-asks]]", tool_allowlist=["question"], permissions={"default": "allow"},
                                     on_question=lambda q: q.questions[0].question + " This.")
        case("embedded: a question", result.text == "Done." and "Which? This." in str(result.tools[0].result), result)
        script("package-asks-two", "question", {"questions": [{"question": "Which?"}, {"question": "When?"}]})
        result = client.sessions.run(session, "[[package-asks-two]]", on_question=lambda q: [["red", "blue"], "now"])
        case("embedded: each question has its answer", result.tools[0].result == "Which?\nred, blue\n\nWhen?\nnow", result)


async def embedded_async():
    async with TandemClient(**EMBEDDED) as client:
        @client.tool(permission="ask")
        async def add(a: int, b: int) -> int:
            await asyncio.sleep(0)
            return a + b

        async def decide(request):
            await asyncio.sleep(0.02)
            return "once"

        session = await client.sessions.create(title="t")
        script("package-async", "add", {"a": 2, "b": 3})
        result = await client.sessions.run(session, "[[package-async]]", on_permission=decide)
        case("embedded, asyncio: a tool of the program", result.text == "Done." and result.tools[0].result == "5", result)
        result = await client.sessions.run(session, "[[hello]]", on_event=lambda event: None)
        case("embedded, asyncio: a result", result.text == "Hello there friend", result)


with RunEngine(SCRIPTS) as engine:
    with SyncTandemClient(engine.url) as client:
        blocking(engine, client)
        threads(client)

    async def on_loop():
        async with TandemClient(engine.url) as client:
            await waiting(engine, client)

    asyncio.run(on_loop())
embedded()
embedded_tools()
asyncio.run(embedded_async())
sys.exit(case.finish())
