#!/usr/bin/env python3
"""Results as classes: members by every spelling, defaults, model_dump; inputs; events; pages; exceptions for httpx programs."""
import asyncio, copy, importlib.util, json, os, pathlib, pickle, sys, types as kinds

if not sys.flags.dev_mode:
    os.execv(sys.executable, [sys.executable, "-X", "dev", "-W", "error", *sys.argv])
ROOT = pathlib.Path(os.environ.get("TANDEM_TEST_ROOT", os.getcwd()))
sys.path.insert(0, str(ROOT / "bindings/python"))
import libtandem
from libtandem import Record, SyncTandemClient, TandemClient, _arguments, _errors, _models, _pages, _records, types
from library import Cases

case = Cases()


def decoded(value, kind):
    return _models.typed(_records.decoded(json.dumps(value).encode()), kind)


def raised(kind, action):
    try:
        action()
    except kind as error:
        return error
    return None


def results():
    listing = decoded({"sessions": [{"id": "s", "title": "t", "createdAtMs": 5, "more": {"x": [1]}}], "count": 1}, "SessionListResponse")
    session = listing.sessions[0]
    case("a result and what is in it have their classes", type(listing) is libtandem.SessionListResponse
         and isinstance(session, types.SessionRecord) and isinstance(session, dict))
    case("a member by its documented name and by the wire's", (session.created_at_ms, session.createdAtMs, session["createdAtMs"],
         session["created_at_ms"]) == (5, 5, 5, 5))
    case("a member that is not there is None", session.workspace_root is None and session.archived is None)
    case("another one is an AttributeError", raised(AttributeError, lambda: session.nonsense) is not None)
    case("an item that is not there is a KeyError", raised(KeyError, lambda: session["archived"]) is not None)
    case("nothing of the reply is lost", session.more.x == [1] and dict(session)["more"] == {"x": [1]} and session.get("id") == "s")
    case("model_dump has the documented members", session.model_dump() == {"id": "s", "title": "t", "created_at_ms": 5, "directory": None,
         "workspace_root": None, "archived": None})
    case("without what is None", session.model_dump(exclude_none=True) == {"id": "s", "title": "t", "created_at_ms": 5}
         == session.model_dump(exclude_unset=True))
    case("in what is inside as well", listing.model_dump(exclude_none=True)["sessions"] == [session.model_dump(exclude_none=True)]
         == listing.model_dump(exclude_unset=True)["sessions"])
    case("some of them", session.model_dump(include={"id"}) == {"id": "s"} and "id" not in session.model_dump(exclude={"id"}))
    case("model_dump_json", json.loads(listing.model_dump_json()) == listing.model_dump() and listing.model_dump()["sessions"][0]["id"] == "s")
    case("a result is true, also an empty one", bool(types.SessionListResponse.__new__(types.SessionListResponse)))
    case("it can be copied, pickled and compared", copy.deepcopy(session) == copy.copy(session) == session == pickle.loads(pickle.dumps(session))
         and type(copy.copy(session)) is type(session) is type(pickle.loads(pickle.dumps(session))))
    twin = session.model_copy(update={"title": "u"})
    twin.created_at_ms = 6
    case("a copy can be changed", (twin.title, twin["createdAtMs"], session.title, session.createdAtMs) == ("u", 6, "t", 5))
    case("what is set", session.model_fields_set == {"id", "title", "created_at_ms"})
    case("one without checks", types.SessionRecord.model_construct(id=5) == {"id": 5})
    case("repr names the class", repr(session).startswith("SessionRecord({'id': 's'"))
    empty = decoded({}, "MemoryListResponse")
    case("a list that is not there is empty", empty.items == [] and list(empty.items) == [] and empty.count == 0 and dict(empty.items()) == {})
    full = decoded({"items": [{"content": "c"}]}, "MemoryListResponse")
    case("a list called items", full.items[0].text == full.items[0].content == "c" and type(full.items[0]) is types.MemoryItem)
    status = decoded({"discord": {"connected": True}}, "ChannelsStatusResponse")
    case("a record that is not there is one of defaults", status.discord.connected is True and status.slack.connected is False)
    wait = decoded({"nodes": [{"kind": "wait", "wait": {"kind": "timer"}}, {"kind": "terminal"}]}, "OrchestrationSpec")
    case("unions are told apart", [type(node).__name__ for node in wait.nodes] == ["OrchestrationWaitNodeSpec", "OrchestrationTerminalNodeSpec"])
    odd = [decoded(value, "SessionListResponse") for value in (None, 5, "x", [1], {"sessions": "no"}, {"sessions": [None, {}]})]
    case("a reply of another form stays what it is", odd[:4] == [None, 5, "x", [1]] and odd[4].sessions == "no" and odd[5].sessions[1].id is None)
    allowed = decoded({"engine": "odd", "templateID": "x"}, "OrchestrationSummary").model_dump()
    case("classes that keep the rest dump it", ("engine" in allowed) == (types.OrchestrationSummary._extra == "allow"))


def inputs():
    made = libtandem.AutomationWebhookTriggerCreateInput(provider="github", providerEventKind="push")
    case("an input is the dictionary of what was given", made == {"provider": "github", "provider_event_kind": "push"})
    error = raised(libtandem.TandemValidationError, lambda: libtandem.OrchestrationDraftInput(name="x", nonsense=1))
    case("what is wrong with one is said", error and "root_node_id is missing" in str(error) and "nonsense is unknown" in str(error))
    case("and is a ValueError", isinstance(error, ValueError))
    sent = json.loads(_arguments.packed({"automation_id": "a"}, {}, made, {"name": None}))
    contract = types.OrchestrationArtifactContract(artifact_type="a", schema_={"x": 1})
    case("a name that only Python needs is not sent", dict(contract) == {"artifact_type": "a", "schema": {"x": 1}}
         and contract.schema_ == {"x": 1} and contract.model_dump()["schema_"] == {"x": 1}, str(dict(contract)))
    contract.schema_ = 2
    case("nor when it is set later", contract["schema"] == 2 and "schema_" not in contract)
    case("what is None on purpose stays", libtandem.OrchestrationDraftInput(name="n", root_node_id="r", goal_policy=None)["goal_policy"] is None)
    case("it is sent as that", sent == {"automation_id": "a", "provider": "github", "provider_event_kind": "push"})
    draft = libtandem.OrchestrationDraftInput.model_validate({"name": "n", "root_node_id": "r", "nodes": [
        {"node_id": "r", "name": "x", "kind": "terminal", "outcome": "complete"}]})
    case("what is in one has its class", type(draft.nodes[0]).__name__ == "OrchestrationTerminalNodeSpec")
    case("from JSON too", libtandem.SessionRecord.model_validate_json('{"id": "a", "title": "b"}').title == "b")

    class Foreign:
        def model_dump(self, **options):
            return {"a": 1, "b": None} if not options.get("exclude_none") else {"a": 1}

    case("a model of another library is what was set in it", json.loads(_arguments.packed({}, {}, Foreign(), {})) == {"a": 1})


def bodies():
    def packed(*given, **named):
        return json.loads(_arguments.packed(*given, **named))

    case("without members a body is sent where the engine's client sends one", packed({"id": "x"}, {}, None, {"a": None}, body="empty")
         == {"id": "x", "$body": {}})
    case("with a member it is that", packed({"id": "x"}, {}, None, {"a": 1}, body="empty") == {"id": "x", "a": 1}
         == packed({"id": "x"}, {"a": 1}, None, {}, body="empty"))
    case("an empty payload too", packed({"id": "x"}, {}, {}, {}) == {"id": "x", "$body": {}})
    case("an open body takes any keyword", packed({}, {"extra": None, "timeout": 1}, None, {"path": "/p"}, body="open")
         == {"$body": {"path": "/p", "extra": None}, "$timeout_ms": 1000})
    case("an argument may be null on purpose", packed({"payload": _arguments.NULL}, {}) == {"payload": None})


def events():
    record = _records.decoded(b'{"type": "session.response", "op": 1, "seq": 2, "properties": {"delta": "d"}, "session_id": "s", "run_id": null}')
    event = _models.as_event(record)
    case("an event has the class of its type", type(event) is types.SessionResponseEvent and event is record)
    case("and the official members", (event.properties["delta"], event.properties.delta, event.session_id, event.timestamp, event.cursor,
         event.event_id) == ("d", "d", "s", None, None, None))
    other = _models.as_event(_records.decoded(b'{"type": "x.y", "frame": {"type": "x.y", "properties": {"a": 1}, "timestamp": "t"}}'))
    case("an engine's event has what its frame has", type(other) is types.UnknownEvent and other.properties.a == 1 and other.timestamp == "t")
    case("also as an item", other["properties"] == {"a": 1})
    goal = _models.as_event(_records.decoded(b'{"type": "g", "frame": {"cursor": 7, "event": {"payload": {"b": 2}, "event_id": "e"}}}'))
    nested = b'{"type": "g", "session_id": "s", "run_id": null, "frame": {"sessionId": "t", "event": {"run_id": "r"}}}'
    owned = _models.as_event(_records.decoded(nested))
    case("whose it is, where only the frame says so", (owned.session_id, owned.run_id) == ("s", "r"))
    plain = _models.as_event(_records.decoded(b'{"type": "g", "frame": {"sessionID": "t", "runId": "u"}}'))
    case("in each spelling", (plain.session_id, plain.run_id) == ("t", "u") and "run_id" in plain)
    case("and nothing where nobody does", "run_id" not in _models.as_event(_records.decoded(b'{"type": "g", "frame": {}}')))
    case("also where the frame holds another", (goal.cursor, goal.event_id, goal.properties) == (7, "e", {"b": 2}))
    case("an event without properties has none", _models.as_event(_records.decoded(b'{"type": "g", "frame": {}}')).properties == {})
    case("an event is dumped as the official client does", other.model_dump()["properties"] == {"a": 1} and other.model_dump()["session_id"] is None)


class Pages:
    """An operation of so many items."""

    def __init__(self, count):
        self.items, self.asked = [Record({"id": str(i), "seq": i + 1}) for i in range(count)], []

    def page(self, page, page_size):
        self.asked.append((page, page_size))
        return Record({"sessions": self.items[(page - 1) * page_size:page * page_size]})

    def offset(self, offset, limit):
        self.asked.append((offset, limit))
        return Record({"items": self.items[offset:offset + limit]})

    def after(self, limit, after_seq=0):
        self.asked.append((after_seq, limit))
        return [item for item in self.items if item["seq"] > after_seq][:limit]

    def cursor(self, goal_id, limit, cursor=0):
        self.asked.append((cursor, limit))
        found = [item for item in self.items if item["seq"] > cursor][:limit]
        return Record({"events": found, "last_cursor": found[-1]["seq"] if found else cursor})


RULES = {"page": _pages.Paging("page", "page", "page_size", "sessions", ""),
         "offset": _pages.Paging("offset", "offset", "limit", "items", ""),
         "after": _pages.Paging("after", "after_seq", "limit", "", "seq"),
         "cursor": _pages.Paging("after", "cursor", "limit", "events", "last_cursor")}


def pages():
    for name, rule in RULES.items():
        for count, size in ((0, None), (1, None), (250, None), (300, None), (7, 3), (6, 3), (250, 200)):
            source = Pages(count)
            given = {rule.size: size, **({"goal_id": "g"} if name == "cursor" else {})}
            found = [int(item.id) for item in _pages.walk(getattr(source, name), rule, given, {})]
            asked = len(source.asked)
            case(f"{name}: {count} items, {size} at once", found == list(range(count)) and asked <= count // min(size or 100, 100) + 2,
                 f"{len(found)} {source.asked}")
    case("a size that cannot be is the engine's to refuse", list(_pages.walk(lambda **_: [], RULES["after"], {"limit": -1}, {})) == [])
    source = Pages(10)

    def shifting(page, page_size):
        found = source.page(page, page_size)
        if page == 1:
            source.items.insert(0, Record({"id": "new"}))
        return found

    found = [item.id for item in _pages.walk(shifting, RULES["page"], {"page_size": 4}, {})]
    case("what is added meanwhile repeats nothing", len(found) == len(set(found)) == 10, str(found))
    lazy = Pages(1000)
    first = next(_pages.walk(lazy.page, RULES["page"], {}, {}))
    case("only what is needed is read", first.id == "0" and len(lazy.asked) == 1)


def sessions():
    with SyncTandemClient(discover=False) as client:
        ids = {client.sessions.create(title=f"{i}") for i in range(7)}
        found = [session.id for session in client.sessions.iterate(page_size=3, scope="global")]
        case("sessions.iterate gives all sessions", len(found) == 7 and set(found) == ids, str(found))
        run = client.sessions.prompt_async(found[0], "Hello!")
        for _ in client.stream(found[0], run.run_id):
            pass
        events = [event.type for event in client.iterate_run_events(run.run_id, limit=2)]
        case("iterate_run_events gives all events", events == [event.type for event in client.run_events(run.run_id)] and len(events) > 3)

    async def both():
        async with TandemClient(discover=False) as client:
            ids = {await client.sessions.create() for _ in range(5)}
            return ids == {session.id async for session in client.sessions.iterate(page_size=2, scope="global")}

    case("and with async for", asyncio.run(both(), debug=True))


ERROR = {"name": "not_found", "code": -9, "status": 404, "message": "no session", "op": "sessions.get", "detail": {"error": "x", "code": "C"}}


def replies():
    error = _errors.error_of(ERROR)
    case("an error has its reply", (error.response.status_code, error.response.json(), error.response.reason_phrase)
         == (404, {"error": "x", "code": "C"}, "Not Found") and error.response.is_error and not error.response.is_success)
    case("and its request", (error.request.method, error.request.url) == ("GET", "/session/{session_id}") and error.response.request == error.request)
    text = _errors.error_of({"name": "validation_failed", "status": 422, "message": "role: unknown variant"})
    case("a reply of text", text.response.text == "role: unknown variant" and text.response.content == b"role: unknown variant")
    case("an error of the library has none", _errors.error_of({"name": "closed"}).response is None)
    case("without httpx an error is just its class", type(error) is libtandem.NotFound or "httpx" in sys.modules)


def httpx_module():
    """httpx where there is one, else what matters of it."""
    if importlib.util.find_spec("httpx"):
        import httpx
        return httpx
    module = kinds.ModuleType("httpx")

    class HTTPError(Exception):
        def __init__(self, message):
            super().__init__(message)
            self._request = None

        @property
        def request(self):
            raise RuntimeError("The .request property has not been set.")

    class HTTPStatusError(HTTPError):
        def __init__(self, message, *, request, response):
            raise AssertionError("not to be called")

    class TransportError(HTTPError):
        pass

    class TimeoutException(TransportError):
        pass

    for kind in (HTTPError, HTTPStatusError, TransportError, TimeoutException):
        setattr(module, kind.__name__, kind)
    for name, base in (("ReadTimeout", TimeoutException), ("ConnectError", TransportError), ("RemoteProtocolError", TransportError)):
        setattr(module, name, type(name, (base,), {}))
    return module


def httpx():
    module = sys.modules["httpx"] = httpx_module()
    try:
        with SyncTandemClient(discover=False) as client:
            error = raised(module.HTTPStatusError, lambda: client.sessions.get("nope"))
            case("except httpx.HTTPStatusError catches a refusal", error is not None and error.response.status_code == 404)
            case("which is caught by our class too", isinstance(error, libtandem.NotFound) and error.status == 404 and isinstance(error, module.HTTPError))
            case("with its request", error.request.method == "GET")
            case("and by no other of httpx", not isinstance(error, module.TimeoutException))
            case("an error of the arguments is no reply", not isinstance(raised(libtandem.UnknownArgument, lambda: client.sessions.get("x", nonsense=1)),
                 module.HTTPError))
        for name, above in (("timeout", "TimeoutException"), ("engine_unavailable", "ConnectError"), ("tls", "TransportError")):
            error = _errors.error_of({"name": name, "message": "m", "retryable": True})
            case(f"{name} is httpx.{above}", isinstance(error, getattr(module, above)) and type(error).__name__ == _errors.CLASSES[name].__name__)
        both = _errors.error_of({"name": "validation_failed", "status": 422, "message": "m"})
        case("a refused value is a ValueError and an httpx.HTTPStatusError", isinstance(both, ValueError) and isinstance(both, module.HTTPStatusError))
        twin = pickle.loads(pickle.dumps(_errors.error_of(ERROR)))
        case("such an error can be pickled", isinstance(twin, module.HTTPStatusError) and twin.detail == ERROR["detail"])
        case("the same class each time", type(twin) is type(_errors.error_of(ERROR)))
    finally:
        del sys.modules["httpx"]


for test in (results, inputs, bodies, events, pages, sessions, replies, httpx):
    try:
        test()
    except Exception as error:
        import traceback
        case(test.__name__, False, "".join(traceback.format_exception(error)[-4:]))
sys.exit(case.finish())
