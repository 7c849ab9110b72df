#!/usr/bin/env python3
"""The Python package: records, errors, generated methods, and the blocking client on the embedded engine."""
import copy, enum, gc, inspect, json, os, pathlib, pickle, re, signal, subprocess, sys, tempfile, threading, time

if not sys.flags.dev_mode:
    os.execv(sys.executable, [sys.executable, "-X", "dev", "-W", "error", *sys.argv])
ROOT = pathlib.Path(os.environ.get("TANDEM_TEST_ROOT", os.getcwd()))
sys.path.insert(0, str(ROOT / "bindings/python"))
import libtandem
from libtandem import Record, SyncTandemClient, _arguments, _errors, _operations, _records
from library import MODEL_URL, Cases

case = Cases()
SLOW = [{"text": " ".join(f"w{i}" for i in range(100)), "delay_ms": 100}]


def scripted(**options):
    providers = {"llama_cpp": {"url": MODEL_URL, "default_model": "scripted"}}
    return SyncTandemClient(default_provider="llama_cpp", providers=providers, discover=False, **options)


def set_script(name, replies):
    import urllib.request
    request = urllib.request.Request(f"{MODEL_URL}/_script/{name}", json.dumps(replies).encode(), method="PUT")
    urllib.request.urlopen(request, timeout=5).close()


def raised(kind, action):
    try:
        action()
    except kind as error:
        return error
    except Exception as error:
        return None if case(f"{kind.__name__} is raised", False, repr(error)) else None
    return None


def resources():
    gc.collect()
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))


def eventually(check, seconds=5):
    end = time.monotonic() + seconds
    while not check() and time.monotonic() < end:
        time.sleep(0.01)
    return check()


def records():
    record = Record({"runID": "r", "session_id": "s", "items": [1, 2], "nested": [Record({"a": 1})]})
    case("a member is an attribute and an item", record.session_id == record["session_id"] == "s")
    case("the other spelling reaches a member", (record.run_id, record.sessionId, record.sessionID) == ("r", "s", "s"))
    case("a list called items is a list and a method", record.items[0] == 1 and dict(record.items()) == dict(record))
    case("a record is equal to a dictionary", record == {"runID": "r", "session_id": "s", "items": [1, 2], "nested": [{"a": 1}]})
    case("json.dumps writes a record", json.loads(json.dumps(record)) == record)
    dumped = record.model_dump()
    case("model_dump gives plain dictionaries", type(dumped) is dict and type(dumped["nested"][0]) is dict and dumped == record)
    case("a record can be copied and pickled", copy.deepcopy(record) == record == pickle.loads(pickle.dumps(record)))
    error = raised(AttributeError, lambda: record.absent)
    case("a member that is not there is an AttributeError that lists the others", "session_id" in str(error))
    case("getattr with a default works", getattr(record, "absent", 5) == 5 and not hasattr(record, "absent"))
    case("dir lists the members", "session_id" in dir(record))


def errors():
    names = set(json.loads((ROOT / "contract/errors.json").read_text()))
    case("each name of the contract has a class", names == set(_errors.CLASSES), str(names ^ set(_errors.CLASSES)))
    case("each class is exported", all(hasattr(libtandem, kind.__name__) for kind in _errors.CLASSES.values()))
    error = _errors.error_of({"name": "run_conflict", "code": -9, "message": "busy", "status": 409, "retryable": True,
                              "op": "sessions.prompt_async", "detail": {"run_id": "r"}})
    case("an error has its members", (error.name, error.code, error.status, error.retryable, error.op, error.detail)
         == ("run_conflict", -9, 409, True, "sessions.prompt_async", {"run_id": "r"}) and isinstance(error, libtandem.Conflict))
    case("an error can be pickled", pickle.loads(pickle.dumps(error)).detail == {"run_id": "r"})
    case("a name of a later library is a TandemError", type(_errors.error_of({"name": "new"})) is libtandem.TandemError)


class Recorder:
    """In place of a core: keeps what a method asks for."""

    def call(self, operation, arguments, options, *, pick="", payload=None, fields=None, body="", returns=None, both=False):
        self.seen = operation, {**arguments, **(fields or {})}, payload
        return {}

    stream = call


class AsyncRecorder(Recorder):
    async def call(self, *arguments, **options):
        return Recorder.call(self, *arguments, **options)


def finished(value):
    if inspect.iscoroutine(value):
        try:
            value.send(None)
        except StopIteration:
            pass


def contract():
    for path in sorted((ROOT / "contract/operations").glob("*.json")):
        file = json.loads(path.read_text())
        yield from ((f"{file['namespace']}.{name}", entry) for name, entry in file["operations"].items())
    yield from json.loads((ROOT / "contract/client.json").read_text())["operations"].items()


def methods():
    for operations, core in ((_operations.SyncOperations, Recorder()), (_operations.AsyncOperations, AsyncRecorder())):
        client, bad, count = operations(core), [], 0
        for name, entry in contract():
            namespace, method = name.split(".")
            function = getattr(getattr(client, namespace), method, None)
            if function is None:
                bad.append(f"{name} is not there")
                continue
            # What a program decides itself is sent by nobody.
            own = ("on_event", "on_permission", "on_question")
            names = [p.name for p in inspect.signature(function).parameters.values() if p.kind is not p.VAR_KEYWORD and p.name not in own]
            finished(function(**{n: n for n in names}))
            operation, arguments, payload = core.seen
            whole = arguments.pop("$body", payload)
            listed = {a["name"] for a in entry.get("arguments", []) if "const" not in a and not a["name"].startswith("$")}
            listed |= set(re.findall(r"\{(\w+)", entry["request"] or ""))
            if operation != name or sorted([*arguments.values(), *([whole] if whole else [])]) != sorted(names):
                bad.append(f"{name}: {core.seen}")
            # Where the whole body is a parameter, a member of its name goes into it.
            if listed - {whole} != set(arguments):
                bad.append(f"{name}: {listed ^ set(arguments)}")
            count += 1
        case(f"each operation is a method of {operations.__name__}", not bad and count == 611, f"{count} {bad[:5]}")
        case("what the documentation has at the top is there",
             all(hasattr(client, n) for n in ("health", "stream", "global_stream", "run_events", "list_tools", "execute_tool")))
        case("second names are there", client.stateful_runtime.cancel == client.stateful_runtime.cancel_goal)


def arguments():
    def packed(*given, **named):
        return json.loads(_arguments.packed(*given, **named))

    case("an argument that is None is not sent", packed({"a": 1, "b": None}, {}) == {"a": 1})
    case("an option is not an argument", packed({"a": 1}, {"timeout": 1.5, "tag": [1]}) == {"a": 1, "$timeout_ms": 1500, "$tag": [1]})
    case("another name is an argument", packed({}, {"workspaceRoot": "/w"}) == {"workspaceRoot": "/w"})
    case("None inside a payload is null", packed({"id": "x"}, {}, {"a": None}, {"b": None, "c": 1}) == {"id": "x", "a": None, "c": 1})
    case("a payload whose key is a path argument goes whole",
         packed({"channel": "discord"}, {}, {"channel": "x"}, {}) == {"channel": "discord", "$body": {"channel": "x"}})
    case("a payload that is no object goes whole", packed({}, {}, [1], {}) == {"$body": [1]})
    case("a path and a record are JSON", packed({"p": pathlib.Path("/a"), "r": Record({"x": 1})}, {}) == {"p": "/a", "r": {"x": 1}})
    awkward = 'a "quoted"\\ name\n\u2028\x00\ud83d'

    class Kind(str, enum.Enum):
        CHAT = "chat"

    for what, members in {"texts": {"a": "x", "b": ""}, "awkward texts": {awkward: awkward}, "a name that is no text": {1: "x"},
                          "texts and others": {"a": "x", "b": 1, "c": Kind.CHAT, "d": [True]}, "nothing": {}}.items():
        case(f"{what} are what json makes of them", packed(members, {}) == json.loads(json.dumps(members)), str(packed(members, {})))
    case("None is null where it is to be sent", packed({"a": "x", "b": None}, {}, keep_none=True) == {"a": "x", "b": None})
    case("what is no JSON is InvalidArgument", raised(libtandem.InvalidArgument, lambda: packed({"x": object()}, {})) is not None)


def sessions():
    with SyncTandemClient("embedded:", token="any", discover=False, timeout=20.0) as client:
        session_id = client.sessions.create(title="First")
        case("create returns the id", isinstance(session_id, str) and client.sessions.get(session_id).title == "First")
        case("health", client.health().ready is True)
        case("prompt_sync returns the text", client.sessions.prompt_sync(session_id, "Hello!") == "Echo: Hello!")
        run = client.sessions.prompt_async(session_id, "Again")
        events = list(client.stream(session_id, run.run_id))
        text = "".join(e.properties.delta for e in events if e.type == "session.response")
        case("a stream gives the text", text == "Echo: Again", text)
        case("a stream ends with the run", events[-1].type == "run.completed" and events[-1].run_id == run.run_id)
        case("run_events is a list", len(client.run_events(run.run_id)) > 0)
        case("list", [s.id for s in client.sessions.list(scope="global").sessions] == [session_id])
        case("messages is a list of records", client.sessions.messages(session_id)[0].info.role == "user")
        with client.stream(session_id, run.run_id, tag={"x": 1}, vocabulary="engine") as stream:
            event = next(stream)
        case("options of a call reach it", event.tag == {"x": 1} and "frame" in event)
        stream = client.follow("sessions.prompt_sync", {"session_id": session_id, "prompt": "Hi"})
        kinds = [event.type for event in stream]
        case("follow gives events and the result", kinds[-1] == "run.completed" and stream.result.text == "Echo: Hi", str(kinds))
        error = raised(libtandem.NotFound, lambda: client.sessions.get("nope"))
        case("an error of the engine", error and error.status == 404 and error.op == "sessions.get")
        case("an unknown argument", raised(libtandem.UnknownArgument, lambda: client.sessions.get(session_id, titel="x")) is not None)
        case("an unknown operation", raised(libtandem.UnknownOperation, lambda: client.call("no.such")) is not None)
        case("delete returns nothing", client.sessions.delete(session_id) is None)
        case("describe", "sessions.create" in libtandem.describe("ops"))
        case("nothing stays behind", eventually(lambda: client.stats().operations == 0), str(client.stats()))
    case("a closed client", raised(libtandem.Closed, lambda: client.health()) is not None)
    client.close()
    error = raised(libtandem.UnknownArgument, lambda: SyncTandemClient(no_such_option=1))
    case("an unknown option of a client", "no_such_option" in str(error), str(error))


def streams():
    set_script("slow", SLOW)
    with scripted() as client:
        session_id = client.sessions.create()
        run = client.sessions.prompt_async(session_id, "go [[slow]]")
        for event in client.stream(session_id, run.run_id):
            if event.type == "session.response":
                break
        del event
        gc.collect()
        case("a stream that is left is cancelled", eventually(lambda: client.stats().operations == 0), str(client.stats()))
        case("and its run goes on", client.sessions.active_run(session_id).active is not None)
        other = client.sessions.create()
        done = []

        def work():
            for i in range(20):
                done.append(client.sessions.get(other).id)
            done.append("".join(e.properties.delta for e in client.follow("sessions.prompt_sync", {"session_id": other, "prompt": "t"})
                                if e.type == "session.response"))

        thread = threading.Thread(target=work)
        thread.start()
        seen = 0
        for event in client.stream(session_id, run.run_id):
            seen += event.type == "session.response"
            client.sessions.get(other)
            if seen == 8:
                break
        thread.join()
        case("threads share a client", len(done) == 21 and done[-1] == "You said: t", str(done[-1:]))
        client.sessions.cancel(session_id)
        error = raised(libtandem.Timeout, lambda: client.sessions.prompt_sync(other, "t [[slow]]", timeout=0.2))
        case("a deadline in seconds", error is not None and error.retryable)


def interrupts():
    signal.signal(signal.SIGINT, signal.default_int_handler)   # a shell's background jobs begin with it ignored
    set_script("slow", SLOW)
    with scripted() as client:
        session_id = client.sessions.create()
        for name, action in [
            ("a call", lambda: client.sessions.prompt_sync(session_id, "go [[slow]]")),
            ("a stream", lambda: list(client.global_stream())),
        ]:
            sent = []

            def interrupt():
                time.sleep(0.3)
                sent.append(time.monotonic())
                os.kill(os.getpid(), signal.SIGINT)

            thread = threading.Thread(target=interrupt)
            thread.start()
            try:
                action()
                late = None
            except KeyboardInterrupt:
                late = time.monotonic() - sent[0]
            thread.join()
            case(f"Ctrl-C ends {name}", late is not None and late < 5, str(late))
        case("and cancels its run", eventually(lambda: client.sessions.active_run(session_id).active is None))
        case("and nothing is left of it", eventually(lambda: client.sessions.get(session_id) and client.stats().operations == 0),
             str(client.stats()))


def dropped():
    SyncTandemClient(discover=False).close()
    before = resources()
    for _ in range(10):
        client = SyncTandemClient(discover=False)
        sessions = client.sessions
        session_id = sessions.create()
        next(client.stream(session_id, client.sessions.prompt_async(session_id, "x").run_id))
        del client, sessions
    case("a dropped client leaves no thread and no descriptor", eventually(lambda: resources() == before), f"{before} {resources()}")


def state():
    with tempfile.TemporaryDirectory() as folder:
        with SyncTandemClient(f"embedded:{folder}/state", discover=False) as client:
            session_id = client.sessions.create(title="kept")
            error = raised(libtandem.StateLocked, lambda: SyncTandemClient(f"embedded:{folder}/state"))
            case("a state has one owner", error is not None and error.detail.pid == os.getpid())
        with SyncTandemClient(state=f"{folder}/state", discover=False) as client:
            case("a state stays", client.sessions.get(session_id).title == "kept")


def documentation():
    for path in ("README.md", "bindings/python/README.md", "docs/python.md"):
        for text in re.findall(r"^```python\n(.*?)^```", (ROOT / path).read_text(), re.M | re.S):
            result = subprocess.run([sys.executable, "-X", "dev", "-W", "error", "-c", text], capture_output=True, text=True,
                                    env={**os.environ, "PYTHONPATH": str(ROOT / "bindings/python")}, timeout=60)
            case(f"the program of {path} runs", result.returncode == 0 and result.stdout.strip() and not result.stderr,
                 result.stdout + result.stderr)


def processes():
    client = SyncTandemClient(discover=False)
    pid = os.fork()
    if pid == 0:
        try:
            client.health()
        except libtandem.Forked:
            os._exit(7)
        os._exit(1)
    case("a forked child gets Forked", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7)
    client.close()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "bindings/python"), "LIBTANDEM_PATH": "/no/such/library.so"}
    result = subprocess.run([sys.executable, "-c", "import libtandem"], env=environment, capture_output=True, text=True)
    case("LIBTANDEM_PATH decides alone", result.returncode and "/no/such/library.so" in result.stderr, result.stderr[-300:])
    environment["LIBTANDEM_PATH"] = str(ROOT / "build/lib")
    program = "import libtandem; c = libtandem.SyncTandemClient(discover=False); s = c.sessions.create(); it = c.global_stream()"
    result = subprocess.run([sys.executable, "-X", "dev", "-W", "error", "-c", program], env=environment, capture_output=True,
                            text=True, timeout=20)
    case("a program may end without closing", result.returncode == 0 and result.stderr == "", result.stderr[-500:])


def numbers():
    digits = "1" * 5000
    record = _records.decoded(f'{{"big":{digits},"negative":-{digits},"exact":{2**63},"float":1.5}}'.encode())
    case("an integer of 5000 digits is a float", (record.big, record.negative) == (float("inf"), float("-inf")))
    case("one beside it stays exact", record.exact == 2**63 and type(record.exact) is int and record.float == 1.5)
    case("4300 digits stay exact", _records.decoded(b"-" + b"1" * 4300) == -int("1" * 4300))
    before = sys.get_int_max_str_digits()
    try:
        sys.set_int_max_str_digits(640)
        case("whatever the interpreter's own limit", _records.decoded(b'{"big":' + b"1" * 700 + b"}").big == float("inf"))
    finally:
        sys.set_int_max_str_digits(before)


for test in (records, numbers, errors, methods, arguments, sessions, streams, interrupts, dropped, state, documentation, processes):
    try:
        test()
    except Exception as error:
        import traceback
        case(test.__name__, False, "".join(traceback.format_exception(error)[-4:]))
sys.exit(case.finish())
