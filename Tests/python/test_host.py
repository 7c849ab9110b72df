#!/usr/bin/env python3
"""Tools, models and decisions of a Python program, with both clients, in asyncio's debug mode with warnings as errors."""
import asyncio, dataclasses, enum, gc, itertools, json, os, pathlib, subprocess, sys, threading, time, urllib.request, weakref
from typing import Literal, Optional

if not sys.flags.dev_mode:
    os.execv(sys.executable, [sys.executable, "-X", "dev", "-W", "error", *sys.argv])
ROOT = pathlib.Path(os.environ.get("TANDEM_TEST_ROOT", os.getcwd()))
sys.path.insert(0, str(ROOT / "bindings/python"))
import libtandem
from libtandem import SyncTandemClient, TandemClient, ToolCall, ToolResult
from library import MODEL_URL, Cases

case = Cases()
counted = itertools.count()


def options():
    providers = {"llama_cpp": {"url": MODEL_URL, "default_model": "scripted"}}
    return {"default_provider": "llama_cpp", "providers": providers, "discover": False}


def script(*replies):
    """A new script with these replies; gives the prompt that plays it."""
    name = f"python-host-{os.getpid()}-{next(counted)}"
    request = urllib.request.Request(f"{MODEL_URL}/_script/{name}", json.dumps(replies).encode(), method="PUT")
    urllib.request.urlopen(request, timeout=5).close()
    return f"[[{name}]]"


def calls(tool, **arguments):
    return {"tool_calls": [{"name": tool, "arguments": arguments}]}


def shown():
    """The tools of the latest request to the model, by name."""
    with urllib.request.urlopen(f"{MODEL_URL}/_requests", timeout=5) as reply:
        request = json.load(reply)[-1]["body"]
    return {tool["function"]["name"]: tool["function"] for tool in request.get("tools") or []}


def tool_part(messages):
    """The first tool call of a session's messages."""
    return next(part for message in messages for part in message["parts"] if part["type"] == "tool")


class Unit(enum.Enum):
    METRE = "m"
    FOOT = "ft"


@dataclasses.dataclass
class Length:
    value: float
    unit: Unit


def sync_tools():
    with SyncTandemClient(**options()) as client:
        seen = []

        @client.tool
        def convert(length: Length, to: Literal["m", "ft"] = "m", digits: Optional[int] = None) -> Length:
            """Converts a length.

            Args:
                length: what to convert
            """
            seen.append((length, to, digits, threading.get_ident()))
            return Length(3.0, Unit(to))

        session = client.sessions.create(title="x")
        said = client.sessions.prompt_sync(session, script(calls("convert", length={"value": 1, "unit": "ft"}, to="m"), {"text": "3 m"}))
        case("a tool is called", said == "3 m" and len(seen) == 1, f"{said} {seen}")
        case("with its arguments converted", seen[0][:3] == (Length(1.0, Unit.FOOT), "m", None), seen)
        case("on the thread that waits", seen[0][3] == threading.get_ident())
        case("its result is JSON for the model", json.loads(tool_part(client.sessions.messages(session))["result"]) == {"value": 3.0, "unit": "m"},
             tool_part(client.sessions.messages(session)))
        told = shown()["convert"]
        case("the model is shown its signature", told["description"] == "Converts a length." and
             told["parameters"]["properties"]["to"] == {"type": "string", "enum": ["m", "ft"], "default": "m"} and
             told["parameters"]["required"] == ["length"], told)
        case("the function is still a function", convert(Length(1, Unit.FOOT)).value == 3.0)
        client.withdraw(convert)
        client.sessions.prompt_sync(session, script({"text": "none"}))
        case("a tool that is withdrawn is not shown", shown() == {}, shown())

        @client.tool(name="fail", description="Fails.", parameters={"type": "object"}, timeout=30)
        def failing(**_):
            raise ValueError("out of paper")

        session = client.sessions.create(title="x")
        said = client.sessions.prompt_sync(session, script(calls("fail"), {"text": "a pity"}))
        part = tool_part(client.sessions.messages(session))
        case("a tool that throws does not end the run", said == "a pity", said)
        case("and its words are for the model", "ValueError: out of paper" in str(part["error"]), part)
        case("name, description and parameters may be given", shown()["fail"]["description"] == "Fails.", shown())

        @client.tool
        def typed(count: Unit):
            """Never runs."""

        session = client.sessions.create(title="x")
        client.sessions.prompt_sync(session, script(calls("typed", count="inch"), {"text": "no"}))
        case("arguments that cannot be are told to the model", "inch" in str(tool_part(client.sessions.messages(session))["error"]))

        session = client.sessions.create(title="x")
        client.sessions.prompt_sync(session, script(calls("typed", other=1), {"text": "no"}))
        case("and so are unknown ones", "other" in str(tool_part(client.sessions.messages(session))["error"]))

        @client.tool
        async def slow(n: int) -> str:
            """A coroutine."""
            await asyncio.sleep(0.01)
            return "waited" * n

        @client.tool
        def data(call: ToolCall) -> ToolResult:
            """With data beside."""
            seen.append((call.is_wanted, call.session_id, call.run_id))
            call.progress({"percent": 50})
            return ToolResult("text", {"a": 1})

        session = client.sessions.create(title="x")
        client.sessions.prompt_sync(session, script(calls("slow", n=2), {"text": "done"}))
        case("a coroutine function is run to its end", tool_part(client.sessions.messages(session))["result"] == "waitedwaited")
        session = client.sessions.create(title="x")
        client.sessions.prompt_sync(session, script(calls("data"), {"text": "done"}))
        case("a tool may have data beside its text", tool_part(client.sessions.messages(session))["result"] == {"output": "text", "metadata": {"a": 1}}
             or tool_part(client.sessions.messages(session))["result"] == "text", tool_part(client.sessions.messages(session)))
        case("and know the call it is for", seen[-1][:2] == (True, session) and seen[-1][2], seen[-1])

        @client.tool
        def inner() -> str:
            """Uses the client that it is a tool of."""
            return client.sessions.get(client.sessions.create(title="inside")).title

        session = client.sessions.create(title="x")
        client.sessions.prompt_sync(session, script(calls("inner"), {"text": "done"}))
        case("a tool may use its client", tool_part(client.sessions.messages(session))["result"] == "inside")
        for spec, error in [({"name": "inner"}, "there is a tool inner"), ({"name": "a b"}, "characters"), ({"name": "p", "permission": "no"}, "permission")]:
            try:
                client.tool(**spec)(lambda: 1)
                case(f"a tool with {spec} is refused", False)
            except libtandem.InvalidArgument as refused:
                case(f"a tool with {spec} is refused", error in str(refused), str(refused))


def sync_cancel():
    with SyncTandemClient(**options()) as client:
        state = {}

        @client.tool
        def endless(call: ToolCall):
            """Goes on until nobody wants its result."""
            # As a user would from elsewhere.
            libtandem._library.lib.tandem_cancel(client._core.handle, call.op)
            end = time.monotonic() + 10
            while call.is_wanted and time.monotonic() < end:
                time.sleep(0.001)
            state["wanted"] = call.is_wanted
            return "too late"

        session = client.sessions.create(title="x")
        try:
            client.sessions.prompt_sync(session, script(calls("endless"), {"text": "done"}))
            case("an operation that its tool cancels", False)
        except libtandem.Cancelled as error:
            case("an operation that its tool cancels", error.detail["run_cancelled"] is True, error)
        case("the tool sees that it is not wanted", state.get("wanted") is False, state)

        @client.tool(timeout=0.05)
        def sleeper():
            """Too slow."""
            time.sleep(0.3)
            return "late"

        said = client.sessions.prompt_sync(session, script(calls("sleeper"), {"text": "done"}))
        case("a tool that is too slow is told to the model", said == "done" and "50 ms" in
             str([part for message in client.sessions.messages(session) for part in message["parts"] if part["type"] == "tool"]))

        @client.tool
        def leave():
            """Ends the program's wait."""
            raise KeyboardInterrupt

        try:
            client.sessions.prompt_sync(session, script(calls("leave"), {"text": "done"}))
            case("what ends the program is passed on", False)
        except KeyboardInterrupt:
            case("what ends the program is passed on", True)


def sync_models():
    with SyncTandemClient(discover=False) as client:
        requests = []

        def words(request):
            requests.append(request)
            for word in ("one ", "two ", {"content": "three"}):
                yield word
            yield {"finish_reason": "stop", "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}}

        async def later(request):
            await asyncio.sleep(0)
            for word in ("a", "b"):
                yield word

        def tools(request):
            if request["messages"][-1]["role"] == "tool":
                return "The tool said " + request["messages"][-1]["content"]
            return {"role": "assistant", "content": None, "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": request["tools"][0]["function"]["name"], "arguments": "{}"}}]}

        def broken(request):
            raise RuntimeError("no power")

        client.provide_model("words", words)
        client.provide_model("later", later)
        client.provide_model("plain", lambda request: "plain " + request["messages"][-1]["content"])
        client.provide_model("tools", tools, tools=True, context_tokens=1000)
        with client.provide_model("broken", broken):
            def ask(model, words="Hi"):
                return client.sessions.prompt_sync(client.sessions.create(provider="host", model=model), words)

            case("a model that yields its answer", ask("words") == "one two three", requests)
            case("it gets a chat request", requests[0]["model"] == "words" and requests[0]["messages"][-1]["content"] == "Hi", requests)
            case("a model that is an asynchronous generator", ask("later") == "ab")
            case("a model that returns its answer", ask("plain", "words") == "plain words")

            def said(answer):
                with client.provide_model("odd", lambda request: answer):
                    return client.sessions.run(client.sessions.create(provider="host", model="odd"), "Hi")

            whole = {"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": 1}}
            for answer, reason in [(5, "texts and messages, not int"), (whole, "whole reply of an OpenAI server")]:
                result = said(answer)
                case(f"a model that returns {answer} fails its run and says why", result.status == "failed" and reason in result.error.message, result)
            result = said({"role": "assistant", "content": 5})
            case("so does one whose text is none", result.status == "failed" and "cannot be read" in result.error.message, result)

            @client.tool
            def clock() -> str:
                """The time."""
                return "12:00"

            case("a model of the program calls a tool of the program", ask("tools") == "The tool said 12:00")
            try:
                ask("broken")
                case("a model that throws ends the run", False)
            except libtandem.TandemError as error:
                case("a model that throws ends the run", "no power" in str(error), repr(error))
            session = client.sessions.create(provider="host", model="words")
            run = client.sessions.prompt_async(session, "Hi")
            events = list(client.stream(session, run.run_id, vocabulary="normalized"))
            usage = [event.properties for event in events if event.type == "run.usage"]
            case("its pieces are events", [event.properties["delta"] for event in events if event.type == "session.response"] != [] and
                 usage[-1]["total_tokens"] == 8, usage)
        try:
            ask("broken")
            case("a model that was withdrawn", False)
        except libtandem.TandemError as error:
            case("a model that was withdrawn", "broken" in str(error), str(error))


def sync_threads():
    with SyncTandemClient(**options()) as client:
        @client.tool
        def where() -> str:
            """Says which thread it runs on."""
            return threading.current_thread().name

        sessions = [client.sessions.create(title="x") for _ in range(4)]
        results = {}

        def work(session):
            results[session] = client.sessions.prompt_sync(session, script(calls("where"), {"text": "done"}))

        threads = [threading.Thread(target=work, args=(session,), name=f"own-{place}") for place, session in enumerate(sessions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        case("threads that share a client serve its tools", list(results.values()) == ["done"] * 4, results)
        ran = {tool_part(client.sessions.messages(session))["result"] for session in sessions}
        case("on their own threads only", all(name.startswith("own-") for name in ran), ran)

        async def inside():
            return client.sessions.prompt_sync(sessions[0], script(calls("waiting"), {"text": "done"}))

        @client.tool
        async def waiting() -> str:
            """A coroutine."""
            await asyncio.sleep(0)
            return "waited"

        case("a coroutine tool where a loop runs already", asyncio.run(inside()) == "done")


def dropped():
    client = SyncTandemClient(discover=False)

    class Owner:
        def tool(self) -> str:
            """A tool."""
            return ""

    owner = Owner()
    client.tool(owner.tool)
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    case("a client holds what it provides", gone() is not None)
    client.close()
    del client
    gc.collect()
    case("and lets it go", gone() is None)


def three_tools(record):
    """The functions of the task that C's test has, too; record: notes a call."""

    def find_user(name: str):
        record("find_user")
        return {"id": 7}

    def read_balance(id: int):
        record("read_balance")
        return "120"

    def send_letter(id: int, amount: int):
        record("send_letter")
        case("the arguments reach the tools", amount == 120)
        return "sent"

    prompt = script({"text": "I look.", **calls("find_user", name="Ada")}, calls("read_balance", id=7),
                    calls("send_letter", id=7, amount=120), {"text": "Ada has 120 and knows it."})
    return (find_user, read_balance, send_letter), prompt + " Tell Ada what she has."


def line(event):
    properties = event.get("properties") or {}
    words = [event.type, properties.get("tool"), properties.get("state")]
    return " ".join(word for word in words if word)


def is_noted(event):
    return not event.type.startswith("engine.") and event.type != "session.response"


EXPECTED = (ROOT / "Tests/Fixtures/expected/host_tools.txt").read_text().split("\n")[:-1]


def sync_task():
    with SyncTandemClient(**options()) as client:
        seen = []
        tools, prompt = three_tools(lambda name: seen.append(f"host.call {name}"))
        for tool in tools:
            client.tool(tool)
        session = client.sessions.create(title="x")
        run = client.sessions.prompt_async(session, prompt)
        events = client.stream(session, run.run_id, vocabulary="normalized")
        for event in events:
            if is_noted(event):
                seen.append(line(event))
        plain = [one for one in EXPECTED if not one.startswith("host.call") and one != "done"]
        case("the task's events are those that C sees", [one for one in seen if not one.startswith("host.call")] == plain, seen)
        case("and its calls", [one for one in seen if one.startswith("host.call")] == [one for one in EXPECTED if one.startswith("host.call")], seen)
        case("its end is right", client.sessions.messages(session)[-1]["parts"][0]["text"] == "Ada has 120 and knows it.")


async def async_task():
    async with TandemClient(**options()) as client:
        seen = []
        tools, prompt = three_tools(lambda name: seen.append(f"host.call {name}"))
        for tool in tools:
            client.tool(tool)
        session = await client.sessions.create(title="x")
        run = await client.sessions.prompt_async(session, prompt)
        async for event in client.stream(session, run.run_id, vocabulary="normalized"):
            if is_noted(event):
                seen.append(line(event))
        plain = [one for one in EXPECTED if not one.startswith("host.call") and one != "done"]
        case("asyncio: the task's events are those that C sees", [one for one in seen if not one.startswith("host.call")] == plain, seen)
        messages = await client.sessions.messages(session)
        case("asyncio: its end is right", messages[-1]["parts"][0]["text"] == "Ada has 120 and knows it.")


async def async_tools():
    async with TandemClient(**options()) as client:
        seen = []

        @client.tool
        async def wait_for(seconds: float) -> str:
            """Waits."""
            seen.append(threading.get_ident())
            await asyncio.sleep(seconds)
            return "waited"

        @client.tool
        def at_once() -> list[int]:
            """A plain function on the loop."""
            seen.append(threading.get_ident())
            return [1, 2]

        @client.tool(in_thread=True)
        def aside(call: ToolCall) -> str:
            """A plain function beside the loop."""
            seen.append(threading.get_ident())
            call.progress(1)
            return "aside"

        @client.tool
        async def failing():
            """Fails."""
            raise LookupError("not there")

        async def result(tool, **arguments):
            session = await client.sessions.create(title="x")
            said = await client.sessions.prompt_sync(session, script(calls(tool, **arguments), {"text": "done"}))
            case(f"asyncio: a run with {tool} ends", said == "done", said)
            return tool_part(await client.sessions.messages(session))

        here = threading.get_ident()
        case("asyncio: a coroutine tool", (await result("wait_for", seconds=0))["result"] == "waited" and seen[-1] == here)
        case("asyncio: a plain tool runs on the loop", (await result("at_once"))["result"] == "[1, 2]" and seen[-1] == here)
        case("asyncio: or in a thread", (await result("aside"))["result"] == "aside" and seen[-1] != here)
        case("asyncio: a tool that throws", "LookupError: not there" in str((await result("failing"))["error"]))

        # Cancelling the task that waits ends the run, and that cancels the tool.
        state = asyncio.Event()

        @client.tool
        async def endless():
            """Never ends."""
            state.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

        session = await client.sessions.create(title="x")
        task = asyncio.ensure_future(client.sessions.prompt_sync(session, script(calls("endless"), {"text": "done"})))
        await asyncio.wait_for(state.wait(), 10)
        task.cancel()
        try:
            await task
            case("asyncio: a cancelled wait", False)
        except asyncio.CancelledError:
            case("asyncio: a cancelled wait", True)
        end = time.monotonic() + 10
        while seen[-1] != "cancelled" and time.monotonic() < end:
            await asyncio.sleep(0.01)
        case("asyncio: cancels its tool", seen[-1] == "cancelled", seen)
        active = await client.sessions.active_run(session)
        case("asyncio: and leaves no run", active["active"] is None, active)

        # Two tools of two runs at once: neither holds the other up.
        barrier = asyncio.Barrier(2) if hasattr(asyncio, "Barrier") else None

        @client.tool
        async def meet() -> str:
            """Waits for the other."""
            if barrier is not None:
                await asyncio.wait_for(barrier.wait(), 10)
            return "met"

        prompt = script(calls("meet"), calls("meet"), {"text": "done"})
        sessions = [await client.sessions.create(title="x") for _ in range(2)]
        said = await asyncio.gather(*(client.sessions.prompt_sync(session, prompt) for session in sessions))
        case("asyncio: tools of several runs at once", said == ["done", "done"], said)
    case("asyncio: nothing of it is left", not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()])


async def async_models():
    async with TandemClient(discover=False) as client:
        async def words(request):
            for word in request["messages"][-1]["content"].split():
                yield word.upper() + " "
                await asyncio.sleep(0)

        def generated(request):
            yield from ("a", "b")
            return {"finish_reason": "stop"}

        async def coroutine(request):
            return "from a coroutine"

        for model in (words, generated, coroutine):
            client.provide_model(model.__name__, model)
        for model, want in (("words", "HI THERE "), ("generated", "ab"), ("coroutine", "from a coroutine")):
            session = await client.sessions.create(provider="host", model=model)
            said = await client.sessions.prompt_sync(session, "hi there")
            case(f"asyncio: the model {model}", said == want, said)


async def async_close():
    client = TandemClient(**options())
    started = asyncio.Event()

    @client.tool
    async def endless():
        """Never ends."""
        started.set()
        await asyncio.sleep(60)

    session = await client.sessions.create(title="x")
    task = asyncio.ensure_future(client.sessions.prompt_sync(session, script(calls("endless"), {"text": "done"})))
    await asyncio.wait_for(started.wait(), 10)
    await client.close()
    try:
        await task
        case("asyncio: closing a client whose tool runs", False)
    except libtandem.Closed:
        case("asyncio: closing a client whose tool runs", True)
    await asyncio.sleep(0)
    case("asyncio: ends the tool", not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()])


def permissions():
    with SyncTandemClient(**options()) as client:
        asked = []

        @client.tool(permission="ask")
        def touch(path: str) -> str:
            """Touches."""
            return "touched " + path

        @client.on_permission
        def decide(request):
            asked.append(request)
            return request["args"]["path"].startswith("/tmp/")

        @client.on_question(timeout=30)
        def answer(request):
            asked.append(request)
            return "blue"

        session = client.sessions.create(title="x")
        client.sessions.prompt_sync(session, script(calls("touch", path="/tmp/a"), {"text": "done"}))
        case("a tool that asks runs when the program allows it", tool_part(client.sessions.messages(session))["result"] == "touched /tmp/a")
        case("the program is asked with what it needs", asked[0].tool == "touch" and asked[0].session_id == session and asked[0].args.path == "/tmp/a", asked)
        session = client.sessions.create(title="x")
        client.sessions.prompt_sync(session, script(calls("touch", path="/etc/a"), {"text": "done"}))
        case("and not when it does not", tool_part(client.sessions.messages(session)).get("result") is None and len(asked) == 2)
        session = client.sessions.create(title="x")
        client.sessions.prompt_sync(session, script(calls("question", questions=[{"question": "Which?"}]), {"text": "done"}))
        case("a question is answered by the program", "blue" in str(tool_part(client.sessions.messages(session))["result"]) and
             asked[-1].questions[0]["question"] == "Which?", asked[-1])


class Asking:
    """The engine that does nothing but ask."""

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, str(ROOT / "Tests/tools/asking_engine.py")], text=True, stdout=subprocess.PIPE)
        self.url = "http://127.0.0.1:" + self.process.stdout.readline().strip()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def ask(self, **record):
        request = urllib.request.Request(self.url + "/_ask", json.dumps(record).encode(), method="POST")
        urllib.request.urlopen(request, timeout=5).close()

    def replies(self):
        with urllib.request.urlopen(self.url + "/_replies", timeout=5) as reply:
            return json.load(reply)


def remote_permissions():
    with Asking() as engine, SyncTandemClient(engine.url) as client:
        @client.on_permission
        def decide(request):
            return "always" if request.tool == "read" else "reject"

        engine.ask(kind="permission", id="p1", sessionID="s", tool="read", args={})
        engine.ask(kind="permission", id="p2", sessionID="s", tool="bash", args={})
        end = time.monotonic() + 10
        while len(engine.replies()) < 2 and time.monotonic() < end:
            client.serve(0.1)
        got = sorted(engine.replies())
        case("permissions of a running engine are decided", got == [["/permission/p1/reply", {"reply": "always"}], ["/permission/p2/reply", {"reply": "reject"}]], got)
        try:
            client.tool(name="t")(lambda: 1)
            case("a running engine has no tools of the program", False)
        except libtandem.NotSupported:
            case("a running engine has no tools of the program", True)


async def remote_questions():
    with Asking() as engine:
        async with TandemClient(engine.url) as client:
            @client.on_question
            async def answer(request):
                await asyncio.sleep(0)
                return ["yes", ["a", "b"]]

            engine.ask(kind="question", id="q1", sessionID="s", questions=[{"question": "Really?"}, {"question": "Which?"}])
            end = time.monotonic() + 10
            while not engine.replies() and time.monotonic() < end:
                await asyncio.sleep(0.05)
            got = engine.replies()
            case("asyncio: questions of a running engine are answered", got == [["/sessions/s/questions/q1/answer", {"answer": "yes\na, b"}]], got)


def examples():
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "bindings/python")}
    for name, words in [("host_model.py", "IS ANYBODY THERE?"), ("host_tools.py", "Make the kitchen bright.")]:
        done = subprocess.run([sys.executable, str(ROOT / "examples/python" / name)], env=environment, text=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        case(f"{name} runs", done.returncode == 0 and words in done.stdout, done.stdout)


for test in (sync_tools, sync_cancel, sync_models, sync_threads, dropped, sync_task, async_task, async_tools, async_models, async_close,
             permissions, remote_permissions, remote_questions, examples):
    try:
        asyncio.run(test()) if asyncio.iscoroutinefunction(test) else test()
    except BaseException as error:
        import traceback
        case(f"{test.__name__} ends well", False, "".join(traceback.format_exception(error)))
sys.exit(case.finish())
