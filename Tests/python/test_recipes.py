#!/usr/bin/env python3
"""Documented forms that take more than renaming: several requests for one call, results narrowed, keys that come back."""
import json, os, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from library import Cases, Client, Failure
from test_remote_operations import StandIn, finished


class Turns(list):
    """Replies of one route, one after the other."""


class Script:
    """A server that answers by method and path, and writes down what it was asked."""

    def __init__(self, replies):
        script = self
        self.replies, self.requests, self.held, self.go = replies, [], threading.Event(), threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version, disable_nagle_algorithm = "HTTP/1.1", True

            def log_message(self, *_):
                pass

            def any(self):
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                script.requests.append((f"{self.command} {self.path}", json.loads(raw) if raw else None))
                reply = script.replies.get(f"{self.command} {self.path.partition('?')[0]}", (404, {"error": "no such route"}))
                reply = reply.pop(0) if isinstance(reply, Turns) else reply
                if reply == "hold":
                    script.held.set()
                    script.go.wait(20)
                    reply = (200, {})
                status, body = reply if isinstance(reply, tuple) else (200, reply)
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = any

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None   # a client that is gone is no fault
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.go.set()
        self.server.shutdown()
        self.server.server_close()


CONFIG = {"incident_monitor": {"enabled": True, "repo": None, "default_destination_ids": ["a"], "routes": [
    {"route_id": "r", "destination_ids": ["a"]}, {"route_id": "s", "destination_ids": ["a", "b"]}],
    "destinations": [{"destination_id": "a"}, {"destination_id": "b", "name": None}]}}
ITEMS = [{"work_item_id": "w1", "status": "done"}, {"work_item_id": "w2", "status": "in_progress", "run_id": "r2"}]
QUESTION, ANSWER = [{"id": "q", "sessionID": "s"}], "POST /sessions/s/questions/q/answer"
GET_CONFIG, PATCH_CONFIG = "GET /config/incident-monitor", "PATCH /config/incident-monitor"
EVENT = "POST /mission/m/event"
FOUND = [{"id": "1", "content": "one", "metadata": {"tags": ["x", "y"]}}, {"id": "2", "content": "two", "metadata": {}}]
PENDING = {"id": "p", "status": "pending", "requestedAtMs": 2, "expiresAtMs": 1 << 50}
OLDER = {"id": "o", "status": "pending", "requestedAtMs": 1}
PAST = {"id": "d", "status": "once", "requestedAtMs": 0}


def changed(**members):
    return {"incident_monitor": {**CONFIG["incident_monitor"], **members}}


# What is called, what the engine answers, the requests that have to leave, and what the result has to hold.
CALLS = [
    ("missions.apply_event", {"mission_id": "m", "event": {"type": "work_item.completed"}},
     {"GET /mission/m": {"mission": {"work_items": ITEMS}}, EVENT: {"mission": {"mission_id": "m"}}},
     [("GET /mission/m", None), (EVENT, {"event": {"type": "run_finished", "mission_id": "m", "work_item_id": "w2",
                                                   "run_id": "r2", "status": "success"}})],
     {"mission": {"mission_id": "m", "id": "m"}}),
    ("missions.apply_event", {"mission_id": "m", "type": "mission_started"}, {EVENT: {}},
     [(EVENT, {"event": {"type": "mission_started", "mission_id": "m"}})], {}),
    ("questions.reply", {"question_id": "q", "answer": "A"}, {"GET /question": QUESTION, ANSWER: {"ok": True}},
     [("GET /question", None), (ANSWER, {"answer": "A"})], {"ok": True}),
    ("questions.reply", {"question_id": "q"}, {"POST /question/q/reply": {"ok": True}}, [("POST /question/q/reply", {})], {}),
    ("incident_monitor.upsert_destination", {"destination": {"destination_id": "b", "kind": "k", "repo": None}},
     {GET_CONFIG: CONFIG, PATCH_CONFIG: CONFIG},
     [(GET_CONFIG, None), (PATCH_CONFIG, changed(destinations=[{"destination_id": "a"}, {"destination_id": "b", "kind": "k"}]))], {}),
    ("incident_monitor.remove_destination", {"destination_id": "a"}, {GET_CONFIG: CONFIG, PATCH_CONFIG: CONFIG},
     [(GET_CONFIG, None), (PATCH_CONFIG, changed(destinations=[{"destination_id": "b", "name": None}], default_destination_ids=[],
                                                 routes=[{"route_id": "s", "destination_ids": ["b"]}]))], {}),
    ("incident_monitor.upsert_route", {"route": {"route_id": "t"}}, {GET_CONFIG: CONFIG, PATCH_CONFIG: CONFIG},
     [(GET_CONFIG, None), (PATCH_CONFIG, changed(routes=[*CONFIG["incident_monitor"]["routes"], {"route_id": "t"}]))], {}),
    ("incident_monitor.remove_route", {"route_id": "r"}, {GET_CONFIG: CONFIG, PATCH_CONFIG: CONFIG},
     [(GET_CONFIG, None), (PATCH_CONFIG, changed(routes=CONFIG["incident_monitor"]["routes"][1:]))], {}),
    ("bug_monitor.get_config", {}, {GET_CONFIG: CONFIG}, [(GET_CONFIG, None)],
     {"bug_monitor": CONFIG["incident_monitor"], "incident_monitor": CONFIG["incident_monitor"]}),
    ("bug_monitor.report", {"title": "t"}, {"POST /incident-monitor/report": {}},
     [("POST /incident-monitor/report", {"report": {"title": "t"}})], {}),
    ("optimizations.action", {"optimization_id": "o", "action": "apply", "experiment_id": "e"},
     {"POST /optimizations/o/experiments/e": {"applied": True}}, [("POST /optimizations/o/experiments/e", None)], {"applied": True}),
    ("capabilities.readiness", {}, {"POST /capabilities/readiness": (409, {"readiness": {"runnable": False}})},
     [("POST /capabilities/readiness", {})], {"readiness": {"runnable": False}}),
    ("permissions.list", {}, {"GET /permission": {"requests": [PAST, PENDING, OLDER], "rules": []}}, [("GET /permission", None)],
     {"requests": [OLDER, PENDING], "past_requests": [PAST], "rules": []}),
    ("sessions.revert", {"session_id": "s"}, {"POST /session/s/revert": {"ok": False}}, [("POST /session/s/revert", None)], {"ok": False}),
    ("memory.search", {"query": "q", "tags": ["y"]}, {"POST /memory/search": {"results": FOUND}},
     [("POST /memory/search", {"query": "q", "run_id": "local", "partition": {
         "org_id": "local", "workspace_id": "local", "project_id": "default", "tier": "session"}})],
     {"results": [{**FOUND[0], "text": "one", "tags": ["x", "y"]}], "count": 1}),
    ("resources.write", {"key": "agent-config/50%", "value": 1},
     {"PUT /resource/project/any/agent-config/50%2525": {"resource": {"key": "project/any/agent-config/50%25", "rev": 1}}},
     [("PUT /resource/project/any/agent-config/50%2525", {"value": 1})], {"key": "agent-config/50%", "rev": 1, "ok": True}),
    ("resources.list", {"prefix": "agent-config/"}, {"GET /resource": {"resources": [{"key": "project/any/agent-config/a"}], "count": 1}},
     [("GET /resource?prefix=project%2Fany%2Fagent-config%2F", None)],
     {"items": [{"key": "agent-config/a"}], "resources": [{"key": "agent-config/a"}], "count": 1}),
    ("resources.delete", {"key": "a//b"}, {"DELETE /resource/project/any/a/%252Fb": {"deleted": True, "key": "project/any/a/%2Fb"}},
     [("DELETE /resource/project/any/a/%252Fb", {})], {"deleted": True, "key": "a//b"}),
    ("automations.list_runs", {"automation_id": "a"}, {"GET /automations/runs": {"runs": []}},
     [("GET /automations/runs?routine_id=a", None)], {}),
    ("sessions.list", {"$all": True, "page_size": 1}, {"GET /session": Turns([[{"id": "1"}], [{"id": "2"}], []])},
     [(f"GET /session?page_size=1&page={n}", None) for n in (1, 2, 3)], {"sessions": [{"id": "1"}, {"id": "2"}], "count": 2}),
]

REFUSED = [
    ("missions.apply_event", {"mission_id": "m", "event": {"type": "work_item.completed"}}, "work_item_id"),
    ("incident_monitor.remove_route", {"route_id": " "}, "route_id"),
    ("incident_monitor.upsert_destination", {"destination": {}}, "destination_id"),
    ("optimizations.action", {"optimization_id": "o", "action": "apply"}, "experiment_id"),
    ("memory.put", {"text": "t", "tags": [], "metadata": 7}, "metadata"),
    ("resources.get", {"key": ""}, "key"),
    ("resources.list", {"$all": True}, "$all"),
]

# Forms of the documentation that the engine refuses, and that it takes when they are translated.
DOCUMENTED = [
    ("automations.create", {"automation_id": "a", "name": "n", "schedule": "0 8 * * *", "mission": {"objective": "o"}}),
    ("routines.create", {"name": "n", "schedule": "0 8 * * *", "entrypoint": "mission.default"}),
    ("automations_v2.create", {"name": "n", "schedule": {"type": "manual", "timezone": "UTC", "misfire_policy": "run_once"},
                               "agents": [], "flow": {"nodes": []}}),
    ("agent_teams.spawn", {"role": "builder", "justification": "j", "missionID": "m"}),
    ("agent_teams.list_instances", {"status": "active"}),
    ("skills.import_skill", {"location": "workspace", "content": "c"}),
    ("skills.preview", {"location": "builtin", "file_or_path": "/a"}),
    ("memory.put", {"text": "t", "run_id": "r"}),
    ("memory.search", {"query": "q"}),
    ("memory.promote", {"memory_id": "m"}),
    ("memory.demote", {"memory_id": "m"}),
    ("memory.import_path", {"path": "/a"}),
    ("sessions.create", {"model": "m", "provider": "p"}),
]


def holds(result, wanted):
    """Whether everything that is wanted is there."""
    if isinstance(wanted, dict):
        return isinstance(result, dict) and all(k in result and holds(result[k], v) for k, v in wanted.items())
    if isinstance(wanted, list):
        return isinstance(result, list) and len(result) == len(wanted) and all(map(holds, result, wanted))
    return result == wanted


def copied(replies):
    return {route: Turns(reply) if isinstance(reply, Turns) else reply for route, reply in replies.items()}


def calls(case):
    for number, (name, arguments, replies, requests, wanted) in enumerate(CALLS):
        for form in ("blocking", "submitted"):
            with Script(copied(replies)) as script, Client(url=script.url, token="t", retries=0) as client:
                try:
                    if form == "blocking":
                        result = client.call(name, arguments)
                    else:
                        client.submit(name, arguments)
                        result = client.next(20_000)[-1]["result"].get("ok")
                except Failure as e:
                    result = str(e)
                case(f"{number} {name}, {form}: the requests", script.requests == requests, json.dumps(script.requests))
                case(f"{number} {name}, {form}: the result", holds(result, wanted), json.dumps(result))


def refusals(case):
    with Script({"GET /mission/m": {"mission": {"work_items": []}}}) as script, Client(url=script.url, token="t") as client:
        for name, arguments, said in REFUSED:
            try:
                error = str(client.call(name, arguments))
            except Failure as e:
                error = e
            good = isinstance(error, Failure) and error.name == "invalid_argument" and said in str(error)
            case(f"{name} {json.dumps(arguments)} is refused by name", good, str(error))
        case("none of them sends anything but a question", [r for r, _ in script.requests] == ["GET /mission/m"], str(script.requests))


def cancels(case):
    with Script({"GET /question": QUESTION, ANSWER: "hold"}) as script, Client(url=script.url, token="t") as client:
        op = client.submit("questions.reply", {"question_id": "q", "answer": "A"})
        case("the second request is under way", script.held.wait(20))
        began = time.monotonic()
        client.cancel(op)
        events = client.next(20_000)
        good = events and events[-1]["result"]["error"]["name"] == "cancelled" and time.monotonic() - began < 10
        case("cancelling a call ends it in its second step", good, json.dumps(events))


def embedded(case):
    with Client(engine="embedded") as client:
        ids = [client.call("sessions.create", {"title": str(n)})["id"] for n in range(5)]
        page = client.call("sessions.list", {"scope": "global", "page_size": 2})
        everything = client.call("sessions.list", {"scope": "global", "page_size": 2, "$all": True})
        case("the engine inside gives a page, and with $all everything",
             len(page["sessions"]) == 2 and sorted(s["id"] for s in everything["sessions"]) == sorted(ids) and everything["count"] == 5)
        run = client.call("sessions.prompt_async", {"session_id": ids[0], "prompt": "hi"})["run_id"]
        client.call("engine.stream", {"session_id": ids[0], "run_id": run})
        log = client.call("engine.run_events", {"run_id": run, "limit": 1000})["events"]
        paged = client.call("engine.run_events", {"run_id": run, "limit": 2, "$all": True})
        case("the log of a run comes whole in pages", len(log) > 2 and paged["events"] == log, f"{len(log)} {len(paged['events'])}")


def stand_in(case):
    with StandIn() as engine, Client(url=engine.url, token="secret", retries=0) as client:
        for name, arguments in DOCUMENTED:
            failures = []
            for more in ({}, {"$strict": True}):
                try:
                    failures.append(client.call(name, {**arguments, **more}) and None)
                except Failure as e:
                    failures.append(e)
            case(f"{name}: the engine takes the documented form, translated", failures[0] is None, str(failures[0]))
            case(f"{name}: strictly it refuses it", failures[1] is not None and failures[1].status in (400, 422), str(failures[1]))
        ops = {client.submit(name, arguments): name for name, arguments in DOCUMENTED}
        bad = {ops[op]: str(e) for op, e in finished(client, ops).items() if e}
        case("submitted, they are taken too", not bad, json.dumps(bad))


def main():
    case = Cases()
    for part in (calls, refusals, cancels, embedded, stand_in):
        part(case)
    return case.finish()


if __name__ == "__main__":
    sys.exit(main())
