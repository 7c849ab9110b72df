"""A remote engine whose runs are scripts in Python: what they ask is really waited for, as tandem-engine does it.

    engine = RunEngine({"hello": lambda run: run.final("Hi")})
    client = Client(url=engine.url)

A prompt names its script by containing [[name]]. Permissions are waited for `permission_s` seconds, questions not at all.
"""
import json, queue, re, threading, time, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Stopped(Exception):
    """The run was cancelled."""


class Run:
    """One run, as its script sees it."""

    def __init__(self, engine, session, prompt):
        self.engine, self.session, self.prompt = engine, session, prompt
        self.id, self.cancelled, self.ended = str(uuid.uuid4()), threading.Event(), threading.Event()

    def emit(self, kind, properties, has_run=True):
        if self.cancelled.is_set() and kind != "session.run.finished":
            raise Stopped
        if has_run:
            properties = {**properties, "runID": self.id}
        self.engine.publish(kind, {**properties, "sessionID": self.session}, self)

    def delta(self, text):
        self.emit("message.part.updated", {"part": {"id": "d", "type": "text", "text": text, "messageID": "u"}, "delta": text})

    def final(self, text):
        self.engine.messages[self.session].append({"info": {"id": str(uuid.uuid4()), "role": "assistant"}, "parts": [{"type": "text", "text": text}]})
        self.emit("message.part.updated", {"part": {"id": "f", "type": "text", "text": text, "messageID": "a"}})

    def usage(self, prompt=1, completion=2):
        self.emit("provider.usage", {"promptTokens": prompt, "completionTokens": completion, "totalTokens": prompt + completion,
                                     "usageSource": "provider", "providerID": "p", "modelID": "m"}, False)

    def tool(self, call, name, state, **more):
        self.emit("message.part.updated", {"part": {"id": call, "type": "tool", "tool": name, "state": state, **more}})

    def permission(self, name, **args):
        """Asks for a permission and gives the reply; None when nobody replied in time."""
        call, request = "call-" + name, str(uuid.uuid4())
        self.tool(call, name, "pending", args=args)
        waiting = queue.Queue()
        self.engine.permissions[request] = waiting, {
            "id": request, "sessionID": self.session, "tool": name, "args": args, "status": "pending", "requestedAtMs": 1,
            "expiresAtMs": int(time.time() * 1000) + 900_000}
        self.emit("permission.asked", {"requestID": request, "tool": name, "args": args, "requestedAtMs": 1, "expiresAtMs": int(time.time() * 1000) + 900_000}, False)
        end, reply = time.time() + self.engine.permission_s, None
        while reply is None and time.time() < end and not self.cancelled.is_set():
            try:
                reply = waiting.get(timeout=0.02)
            except queue.Empty:
                pass
        self.engine.permissions.pop(request, None)
        if reply is None and not self.cancelled.is_set():
            self.emit("permission.wait.timeout", {"messageID": "a", "tool": name, "requestID": request, "timeoutMs": 1}, False)
            self.tool(request, name, "failed", error="nobody answered")
        elif reply in ("once", "always", "allow"):
            self.emit("permission.replied", {"requestID": request, "reply": reply}, False)
            self.tool(request, name, "running", args={**args, "__session_id": self.session})
            self.tool(request, name, "completed", result="output of " + name)
        elif reply is not None:
            self.emit("permission.replied", {"requestID": request, "reply": reply}, False)
            self.tool(request, name, "denied", error="Permission denied by user")
        if self.cancelled.is_set():
            raise Stopped
        return reply

    def question(self, *texts):
        identifier = "q-" + str(uuid.uuid4())
        asked = {"id": identifier, "sessionID": self.session, "questions": [{"question": text} for text in texts]}
        self.engine.questions[identifier] = asked
        self.emit("question.asked", asked, False)

    def wait(self, seconds):
        if self.cancelled.wait(seconds):
            raise Stopped

    def finish(self, status="completed", **more):
        self.engine.active.pop(self.session, None)
        if not self.ended.is_set():
            self.ended.set()
            self.emit("session.run.finished", {"status": status, "finishedAtMs": int(time.time() * 1000), "error": None, **more})

    def play(self, script):
        try:
            self.emit("session.run.started", {"startedAtMs": 1, "clientID": None, "agentID": None})
            self.emit("message.part.updated", {"part": {"id": "e", "type": "text", "text": self.prompt, "messageID": "u"}, "delta": self.prompt, "agent": "build"})
            script(self)
            self.finish()
        except Stopped:
            pass


class RunEngine:
    def __init__(self, scripts, permission_s=15.0, prompt_delay_s=0.0):
        self.scripts, self.permission_s, self.prompt_delay_s = scripts, permission_s, prompt_delay_s
        self.active, self.runs, self.permissions, self.questions, self.messages = {}, {}, {}, {}, {}
        self.requests, self.log, self.streams, self.seq, self.lock = [], {}, [], 0, threading.Lock()
        #: Sessions whose abort, cancel and prompts are not answered.
        self.silent = set()
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"engine": self}))
        server.daemon_threads = True
        server.handle_error = lambda *_: None   # a client that went away is no fault
        self.server, self.url = server, f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def publish(self, kind, properties, run=None):
        with self.lock:
            self.seq += 1
            envelope = {"event_id": str(uuid.uuid4()), "seq": self.seq, "schema_version": 1, "occurred_at_ms": int(time.time() * 1000),
                        "session_id": properties.get("sessionID")}
            if "runID" in properties:
                envelope["run_id"] = properties["runID"]
            frame = {"type": kind, "properties": properties, "envelope": envelope}
            if run is not None:
                self.log.setdefault(run.id, []).append(frame)
            for stream in self.streams:
                stream.put(frame)

    def begin(self, session, body):
        text = "".join(part.get("text", "") for part in body.get("parts") or [])
        name = re.findall(r"\[\[(\w+)\]\]", text)
        run = self.active[session] = Run(self, session, text)
        self.runs[run.id] = run
        self.messages.setdefault(session, []).append({"info": {"id": "u", "role": "user"}, "parts": [{"type": "text", "text": text}]})
        script = self.scripts.get(name[-1]) if name else None
        threading.Thread(target=run.play, args=(script or (lambda run: run.final("You said: " + text)),), daemon=True).start()
        return run

    def cancel(self, session, run=None):
        active = self.active.get(session)
        if active is None or run not in (None, active.id):
            return False
        self.active.pop(session, None)
        active.cancelled.set()
        active.finish("cancelled")
        return True

    def asked(self, path):
        return [r for r in self.requests if r["path"].endswith(path)]

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    engine = None

    def log_message(self, *_):
        pass

    def reply(self, body, status=200):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        self.engine.requests.append({"path": self.path.partition("?")[0], "body": body, "key": self.headers.get("Idempotency-Key")})
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[0] == "session" and len(parts) > 1 and parts[1] in self.engine.silent:
            return time.sleep(60)
        if parts == ["session"]:
            return self.reply({"id": str(uuid.uuid4()), "title": "made", "time": {"created": 1, "updated": 1}})
        if parts[0] == "permission":
            waiting, _ = self.engine.permissions.get(parts[1], (None, None))
            if waiting is None:
                return self.reply({"error": "no longer pending", "code": "APPROVAL_REPLY_INVALID", "retryable": False}, 409)
            waiting.put(body["reply"])
            return self.reply({"ok": True, "requestID": parts[1], "reply": body["reply"], "status": "applied"})
        if "question" in parts[0] or "questions" in parts:
            identifier = parts[3] if parts[0] == "sessions" else parts[1]
            if self.engine.questions.pop(identifier, None) is None:
                return self.reply({"error": "unknown", "code": "APPROVAL_REQUEST_NOT_FOUND", "retryable": False}, 404)
            self.engine.publish("question.replied", {"id": identifier, "ok": parts[-1] != "reject"})
            return self.reply({"ok": True})
        if parts[-1] in ("abort", "cancel"):
            run = parts[3] if len(parts) == 5 else None
            return self.reply({"ok": True, "cancelled": self.engine.cancel(parts[1], run)})
        if parts[-1] in ("prompt_async", "prompt_sync"):
            return self.prompt(parts[1], parts[-1], body)
        self.reply({"ok": True})

    def prompt(self, session, kind, body):
        active = self.engine.active.get(session)
        if active is not None:
            return self.reply({"error": "busy", "code": "SESSION_RUN_CONFLICT", "retryable": True, "sessionID": session,
                               "activeRun": {"runID": active.id}}, 409)
        run = self.engine.begin(session, body)
        if kind == "prompt_async":
            time.sleep(self.engine.prompt_delay_s)
            return self.reply({"runID": run.id, "attachEventStream": "/event"}, 202)
        while not (run.ended.is_set() or run.cancelled.is_set()):
            time.sleep(0.01)
        self.reply(self.engine.messages[session])

    def do_GET(self):
        path, _, query = self.path.partition("?")
        parts = path.strip("/").split("/")
        if path in ("/event", "/global/event"):
            return self.stream()
        if parts[-1] == "run":
            run = self.engine.active.get(parts[1])
            return self.reply({"active": run and {"runID": run.id}})
        if parts[-1] == "message":
            return self.reply(self.engine.messages.get(parts[1], []))
        if parts[0] == "runs":
            return self.reply(self.rows(parts[1], query))
        if path == "/question":
            return self.reply(list(self.engine.questions.values()))
        if path == "/permission":
            return self.reply({"requests": [request for _, request in list(self.engine.permissions.values())], "rules": [], "decisions": []})
        if parts[0] == "session":
            return self.reply({"id": parts[-1], "title": "made", "model": {"providerID": "p", "modelID": "m"}})
        self.reply({})

    def rows(self, run, query):
        after = int((re.search(r"(?:after|since)_seq=(\d+)", query) or [0, 0])[1])
        events = [{"event_id": f["envelope"]["event_id"], "seq": f["envelope"]["seq"], "schema_version": 1,
                   "occurred_at_ms": f["envelope"]["occurred_at_ms"], "session_id": f["envelope"]["session_id"], "run_id": run,
                   "event_type": f["type"], "payload": f["properties"]} for f in self.engine.log.get(run, []) if f["envelope"]["seq"] > after]
        return {"run_id": run, "events": events[:250], "count": len(events[:250]), "limit": 250}

    def stream(self):
        mine = queue.Queue()
        with self.engine.lock:   # who is told that the stream is there misses nothing from then on
            self.engine.streams.append(mine)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for kind in ("server.connected", "engine.lifecycle.ready"):
                self.frame({"type": kind, "properties": {"status": "ready"}})
            while True:
                try:
                    self.frame(mine.get(timeout=5))
                except queue.Empty:
                    self.wfile.write(b":\n\n")
                    self.wfile.flush()
        except OSError:
            pass
        finally:
            with self.engine.lock:
                self.engine.streams.remove(mine)

    def frame(self, event):
        self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")
        self.wfile.flush()
