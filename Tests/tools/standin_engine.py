#!/usr/bin/env python3
"""A stand-in for tandem-engine 0.7.2: it takes and refuses requests as the contract says, and answers from the recordings.

    standin_engine.py [--port 39731] [--token T] [--contract operations.json] [--recordings DIR] [--as-recorded]

For tests of a client, on loopback, standard library only. It keeps almost no state: a request is matched to an operation,
checked (method 405, path 404, token 401, JSON 400/415, required fields, types and enumerations 422, the owner's header
where the engine demands it 403 or 501), and answered with the recorded success of that operation whose request is most like it,
with the caller's own path parameters put in place of the recorded ones. A session's event stream plays a recorded text run
for every prompt on that session. `GET /_log` lists the requests: [{"op", "method", "path", "status", "why"}].
What it accepts, the real engine accepted in the same form; what a flow means over several calls, it does not know.
"""
import argparse, json, pathlib, queue, re, sys, threading, time, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote

HERE = pathlib.Path(__file__).resolve().parent
VAR = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
HUMAN = "x-tandem-request-source"
PLACES = {"workspace": "/srv/space", "state": "/var/engine/state", "home": "/var/engine"}
TEXTS = {400: "Failed to read the request: ", 415: "Expected request with `Content-Type: application/json`: ",
         422: "Failed to deserialize the JSON body into the target type: "}
KINDS = {"string": str, "boolean": bool, "object": dict, "integer": int, "number": (int, float)}


def names_of(path):
    return [p.strip("{}*") for p in re.findall(r"\{[^}]+\}", path)]


def pattern_of(op):
    wild = {p["name"] for p in op.get("path_params") or [] if p.get("wildcard")}
    parts = re.split(r"(\{[^}]+\})", op["path"])
    return re.compile("".join("(.+)" if p.startswith("{*") or p.strip("{}") in wild and p.startswith("{") else "([^/]+)" if p.startswith("{")
                              else re.escape(p) for p in parts) + r"\Z")


def fill(value, known):
    """Puts known values for ${name}; a name not known gets a new id that it keeps."""
    if isinstance(value, str):
        return VAR.sub(lambda m: str(known.setdefault(m[1], PLACES.get(m[1]) or str(uuid.uuid4()))), value)
    if isinstance(value, list):
        return [fill(v, known) for v in value]
    if isinstance(value, dict):
        return {fill(k, known): fill(v, known) for k, v in value.items()}
    return value


class Contract:
    def __init__(self, contract, recordings, as_recorded=False):
        self.as_recorded = as_recorded
        doc = json.load(open(contract))
        self.types = doc["types"]
        self.ops = [o for o in doc["operations"] if o.get("path") and o.get("engine_0_7") != "absent"]
        self.ops.sort(key=lambda o: (o["path"].count("{"), -len(o["path"])))   # the most literal path first
        self.routes = [(o, pattern_of(o)) for o in self.ops]
        self.good, self.run_events, refused = {}, [], {}
        for f in sorted(pathlib.Path(recordings).glob("*.json")):
            scenario = json.load(open(f))
            for step in scenario["steps"]:
                if "call" in step and step.get("op"):
                    head = {k.lower() for k in step["request"].get("headers") or {}}
                    if step["reply"]["status"] < 300:
                        self.good.setdefault(step["op"], []).append((step, HUMAN in head))
                    elif step["reply"]["status"] in (401, 403, 501) and HUMAN not in head:
                        refused.setdefault(step["op"], step["reply"])
                if f.stem == "core-run-text" and "close" in step and not self.run_events:
                    self.run_events = step["events"]
        self.human = {op: refused[op] for op, rows in self.good.items() if op in refused and all(h for _, h in rows)}

    def find(self, method, path):
        """(operation, path arguments) or (the status to answer with, the methods allowed)."""
        method = "GET" if method == "HEAD" else method
        others = []
        for op, pattern in self.routes:
            m = pattern.match(path)
            if m and op["method"] == method:
                return op, dict(zip(names_of(op["path"]), map(unquote, m.groups())))
            if m:
                others.append(op["method"])
        return (405 if others else 404), others

    def wrong(self, value, field, where):
        """Why the engine would not read this value, or None."""
        kind = field.get("type") or "any"
        if value is None:
            return None if kind == "any" or not field.get("required") else f"{where}: null"
        if field.get("enum") and isinstance(value, str) and value not in field["enum"]:
            return f"{where}: unknown variant `{value}`"
        if kind.startswith("array"):
            if not isinstance(value, list):
                return f"{where}: expected a sequence"
            for i, item in enumerate(value):
                why = self.wrong(item, {"type": kind[6:-1] if "<" in kind else "any", "struct": field.get("struct"), "required": True}, f"{where}[{i}]")
                if why:
                    return why
            return None
        need = KINDS.get(kind)
        if need and (not isinstance(value, need) or isinstance(value, bool) and kind != "boolean"):
            return f"{where}: expected {kind}"
        spec = self.types.get(field.get("struct") or "")
        if isinstance(value, dict) and spec:
            return self.wrong_struct(value, spec, where)
        return None

    def wrong_struct(self, value, spec, where):
        if spec.get("kind") == "enum":
            if spec.get("tagging") == "external":
                variant = next((v for v in spec["variants"] if set(value) == {v["name"]}), None)
                return None if variant else f"{where}: unknown variant"
            return None
        return self.wrong_fields(value, spec.get("fields") or [], where)

    def wrong_fields(self, value, fields, where):
        for f in fields:
            key = next((k for k in [f["wire"], *f.get("aliases", [])] if k in value), None)
            if key is None:
                if f.get("required") and f.get("engine", True) and "default_from" not in f:
                    return f"{where}: missing field `{f['wire']}`"
                continue
            why = self.wrong(value[key], f, f"{where}.{key}")
            if why:
                return why
        return None

    def refusal(self, op, args, query, headers, body, raw, kind):
        """(status, why) when the engine would not take this request."""
        if op["id"] in self.human and headers.get(HUMAN, "").lower() not in ("control_panel", "local_control_panel", "desktop"):
            return self.human[op["id"]]["status"], "the owner's header is missing"
        for f in op.get("query") or []:
            if f["wire"] in query:
                v = query[f["wire"]]
                if f.get("type") == "integer" and not re.fullmatch(r"-?\d+", v) or f.get("type") == "boolean" and v not in ("true", "false"):
                    return 400, f"query {f['wire']}"
                if f.get("enum") and v not in f["enum"]:
                    return 400, f"query {f['wire']}: {v}"
            elif f.get("required") and "const" not in f:
                return 400, f"query {f['wire']} is missing"
        b = op["body"]
        if b["kind"] == "none":
            return None
        if raw and "json" not in kind or not raw and b.get("required"):
            return 415, "no JSON body"
        if raw and body is None and raw.strip() != b"null":
            return 400, "the body is not JSON"
        if b["kind"] == "wrapped" and (not isinstance(body, dict) or b["wrap"] not in body):
            return 422, f"missing field `{b['wrap']}`"
        if body is not None and not isinstance(body, dict) and b["kind"] != "payload":
            return 422, "the body is no object"
        if b["kind"] == "wrapped" and all(f["wire"] != b["wrap"] for f in b["fields"]):
            body = body[b["wrap"]]
        why = self.wrong_fields(body, b["fields"], "body") if isinstance(body, dict) else None
        return (422, why) if why else None

    def answer(self, op, args, query, body):
        rows = self.good.get(op["id"])
        if not rows:
            return None
        def likeness(row):
            q = row[0]["request"]
            theirs = q.get("body")
            same = sum(1 for k in body if k in theirs) - sum(1 for k in theirs if k not in body) if isinstance(body, dict) and isinstance(theirs, dict) else 0
            if body == theirs:
                same += 5
            recorded = dict(parse_qsl(q["path"].partition("?")[2]))
            return same + sum(1 for k in query if k in recorded) - abs(len(query) - len(recorded))
        def fullness(row):
            b = row[0]["reply"].get("body")
            return sum(bool(v) for v in ([b] if isinstance(b, list) else b.values() if isinstance(b, dict) else []) if isinstance(v, list))
        def is_refusal(row):
            reply = row[0]["reply"].get("body")
            return isinstance(reply, dict) and reply.get("ok") is False
        # A refusal with status 200 is for what it was recorded for; of equals, the one with most lists filled.
        rows = not self.as_recorded and [row for row in rows if not is_refusal(row)] or rows
        step = max(rows, key=lambda row: (likeness(row), fullness(row)))[0]
        known = {}
        m = pattern_of(op).match(step["request"]["path"].partition("?")[0])
        for name, recorded in zip(names_of(op["path"]), m.groups() if m else []):
            if VAR.fullmatch(recorded) and name in args:
                known[VAR.fullmatch(recorded)[1]] = args[name]
        return step["reply"], known


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True   # head and body are two writes
    contract, token, log, streams, running, lock = None, "", [], {}, set(), threading.Lock()
    logs, published = {}, 0   # the rows of each run, the number of the newest event

    def log_message(self, *_):
        pass

    def _send(self, status, body=None, headers=None):
        data = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        if data:
            self.send_header("Content-Type", "text/plain; charset=utf-8" if isinstance(body, str) else "application/json")
        for k, v in (headers or {}).items():
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _note(self, op, status, why=""):
        with self.lock:
            self.log.append({"op": op, "method": self.command, "path": self.path, "status": status, "why": why})

    def _any(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        if path == "/_log":
            return self._send(200, self.log)
        headers = {k.lower(): v for k, v in self.headers.items()}
        given = headers.get("x-agent-token") or headers.get("x-tandem-token") or headers.get("authorization", "")[7:]
        if self.token and given != self.token and path != "/global/health":
            self._note(None, 401)
            return self._send(401, {"error": "Unauthorized: missing or invalid API token", "code": "AUTH_REQUIRED", "retryable": False})
        op, args = self.contract.find(self.command, path)
        if isinstance(op, int):
            self._note(None, op, "no such route")
            return self._send(op, headers={"Allow": ",".join(args)} if op == 405 else None)
        query = dict(parse_qsl(query, keep_blank_values=True))
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None
        no = self.contract.refusal(op, args, query, headers, body, raw, headers.get("content-type", ""))
        if no:
            self._note(op["id"], *no)
            if no[0] in (401, 403, 501):
                return self._send(no[0], fill(self.contract.human[op["id"]].get("body"), dict(args)))
            return self._send(no[0], TEXTS[no[0]] + no[1])
        if op["response"] == "sse":
            return self._stream(op, args, query)
        found = self.contract.answer(op, args, query, body)
        if not found:
            self._note(op["id"], 200, "never recorded")
            return self._send(200, {"ok": True})
        reply, known = found
        self._note(op["id"], reply["status"])
        if op["id"] == "engine.run_events" and args["run_id"] in self.logs:
            return self._send(200, self._rows(args["run_id"], query))
        if op["id"] == "sessions.create" and isinstance(body, dict):
            known["sid"] = str(uuid.uuid4())
        answer = fill(reply.get("body"), known)
        if op["id"] in ("sessions.prompt_async", "sessions.prompt_async_parts"):
            rid = answer.get("runID") if isinstance(answer, dict) else str(uuid.uuid4())
            self.running.add(rid)
            threading.Timer(0.05, self._play, (args["session_id"], rid)).start()
        self._send(reply["status"], answer, fill(reply.get("headers") or {}, known))

    def _play(self, session, run):
        known = {"sid": session, "rid": run}
        events = [fill(e, known) for e in self.contract.run_events if e.get("type") not in ("server.connected", "engine.lifecycle.ready")]
        with self.lock:
            targets = [q for sid, queues in self.streams.items() if sid in (session, None) for q in queues]
            if not self.contract.as_recorded:
                self._publish(run, [e for e in events if "envelope" in e])
                self._put(events, targets)
        if self.contract.as_recorded:   # runs at once come mixed
            self._put(events, targets)
        self.running.discard(run)

    @staticmethod
    def _put(events, targets):
        for q in targets:
            for e in events:
                q.put(e)

    def _publish(self, run, events):
        """Numbers events as those of one engine: the recording's are another's; keeps them as the run's log."""
        for e in events:
            Handler.published += 1
            e["envelope"] = {**e["envelope"], "seq": Handler.published, "event_id": str(uuid.uuid4())}
        self.logs[run] = [{**e["envelope"], "run_id": run, "event_type": e["type"], "payload": e["properties"]} for e in events]

    def _rows(self, run, query):
        after, limit = int(query.get("after_seq", query.get("since_seq", 0))), int(query.get("limit", 250))
        rows = [row for row in self.logs[run] if row["seq"] > after][:limit]
        rows = rows[-int(query["tail"]):] if "tail" in query else rows
        numbers = [row["seq"] for row in rows] or [None]
        return {"run_id": run, "events": rows, "count": len(rows), "first_seq": numbers[0], "last_seq": numbers[-1], "limit": limit,
                "tail": None, "sequence_scope": "runtime_event_bus"}

    def _stream(self, op, args, query):
        run = args.get("run_id", "")
        if "/run/" in op["path"] and run not in self.running and not re.match(r"(session|routine|automation-v2)-", run):
            self._note(op["id"], 404, "no active run")   # as the engine: no stream of a run that is over
            return self._send(404)
        self._note(op["id"], 200)
        sid, mine = query.get("sessionID"), queue.Queue()
        with self.lock:
            self.streams.setdefault(sid, []).append(mine)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for first in ({"type": "server.connected", "properties": {}},
                          {"type": "engine.lifecycle.ready", "properties": {"status": "ready", "transport": "sse", "timestamp_ms": int(time.time() * 1000)}}):
                self._frame(first)
            while True:
                try:
                    self._frame(mine.get(timeout=10))
                except queue.Empty:
                    self.wfile.write(b":\n\n")
                    self.wfile.flush()
        except OSError:
            pass
        finally:
            with self.lock:
                self.streams[sid].remove(mine)

    def _frame(self, event):
        self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _any


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):   # a client that went away is no fault
            super().handle_error(request, client_address)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--port", type=int, default=39731)
    p.add_argument("--token", default="")
    p.add_argument("--contract", default=str(HERE.parent / "Fixtures" / "standin" / "operations.json"))
    p.add_argument("--recordings", default=str(HERE.parent / "Fixtures" / "recordings"))
    p.add_argument("--as-recorded", action="store_true", help="numbers, event ids and logs as the recording has them, for every run; "
                   "and the reply that is most like a request, if it is a refusal too")
    a = p.parse_args()
    Handler.contract, Handler.token = Contract(a.contract, a.recordings, a.as_recorded), a.token
    server = Server(("127.0.0.1", a.port), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
