#!/usr/bin/env python3
"""An engine that behaves as the real one does where it hurts, for tests over real sockets; standard library only.

    with Engine() as engine: engine.play("s", "r", [...]); engine.cut(); engine.restart() ...

A bus with one numbering, of which each reader keeps the newest 2,048 events; frames cut at 16,000 bytes; deltas at 4,000; a
log that is written behind, `log_rate` rows a second and `log_delay` seconds late; permissions; runs that a restart forgets.
"""
import json, random, socket, threading, time, uuid
from collections import deque
from urllib.parse import parse_qsl, unquote

BROADCAST, FRAME, DELTA, MARK = 2048, 16000, 4000, "...<truncated>"


class Reader:
    """One connection to /event: what is published waits here, and is lost where the reader is too slow."""

    def __init__(self, session=None, speed=None):
        self.queue, self.ready, self.session, self.speed = deque(maxlen=BROADCAST), threading.Condition(), session, speed
        self.is_closed = self.is_stalled = False
        self.bytes_left = None

    def put(self, frame):
        with self.ready:
            self.queue.append(frame)
            self.ready.notify()

    def end(self):
        with self.ready:
            self.is_closed = True
            self.ready.notify()


class Engine:
    def __init__(self, log_rate=600, log_delay=0.0, reads=None):
        self.lock, self.readers, self.rows, self.active, self.permissions = threading.Lock(), [], {}, {}, {}
        self.seq, self.log_rate, self.log_delay, self.logged_at = 0, log_rate, log_delay, 0.0
        self.refusals, self.failing_reads, self.doubling, self.requests, self.speed = [], 0, 0, [], reads
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.cut()

    # What happens in it.
    def publish(self, kind, session, run, properties=None, names_run=True, whole=None):
        with self.lock:
            self.seq += 1
            ids = {"sessionID": session, **({"runID": run} if names_run else {})}
            envelope = {"event_id": str(uuid.uuid4()), "seq": self.seq, "schema_version": 1, "occurred_at_ms": int(time.time() * 1000),
                        "session_id": session, **({"run_id": run} if names_run else {})}
            event = {"type": kind, "properties": {**(properties or {}), **ids}, "envelope": envelope}
            if kind == "session.run.started":
                self.active[session] = run
            if run and (names_run or self.active.get(session) == run):
                self.logged_at = max(self.logged_at + 1 / self.log_rate, time.monotonic() + self.log_delay)
                row = {**envelope, "run_id": run, "event_type": kind, "payload": {**(whole or properties or {}), **ids}}
                self.rows.setdefault(run, []).append((self.logged_at, row))
            if kind == "session.run.finished" and self.active.get(session) == run:
                del self.active[session]
            data = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
            if len(data) > FRAME:
                data = data[:FRAME].decode("utf-8", "ignore").encode() + MARK.encode()
            frame = b"data: " + data + b"\n\n"
            for reader in self.readers:
                if reader.session in (None, session):
                    reader.put(frame)
                    if self.doubling and random.random() < self.doubling:
                        reader.put(frame)

    def delta(self, session, run, text):
        data = text.encode()
        shown = data[:DELTA].decode("utf-8", "ignore") + MARK if len(data) > DELTA else text
        part = {"id": "p", "messageID": f"prompt-{run}", "sessionID": session, "type": "text"}
        self.publish("message.part.updated", session, run, {"delta": shown, "part": part}, whole={"delta": text, "part": part})

    def message(self, session, run, text):
        part = {"id": "m", "messageID": f"answer-{run}", "sessionID": session, "text": text, "type": "text"}
        self.publish("message.part.updated", session, run, {"part": part})

    def tool(self, session, run, result):
        part = {"id": "call", "messageID": f"prompt-{run}", "result": result, "sessionID": session, "state": "completed", "tool": "read", "type": "tool"}
        self.publish("message.part.updated", session, run, {"part": part})

    def start(self, session, run):
        self.publish("session.run.started", session, run, {"startedAtMs": 1})

    def finish(self, session, run, status="completed"):
        self.publish("session.run.finished", session, run, {"status": status, "finishedAtMs": 2})

    def ask(self, session, run, request):
        self.permissions[request] = {"id": request, "sessionID": session, "status": "pending", "tool": "write", "args": {},
                                     "expiresAtMs": int(time.time() * 1000) + 900_000}
        self.publish("permission.asked", session, run, {"requestID": request, "tool": "write", "args": {}}, names_run=False)

    def noise(self, count):
        for _ in range(count):
            self.publish("mcp.tools.updated", "elsewhere", None, names_run=False)

    def cut(self, after_bytes=None):
        with self.lock:
            for reader in self.readers:
                if after_bytes is None:
                    reader.end()
                else:
                    reader.bytes_left = after_bytes

    def stall(self):
        with self.lock:
            for reader in self.readers:
                reader.is_stalled = True

    def restart(self):
        """Runs, numbers, and rows that were not written are gone."""
        with self.lock:
            now = time.monotonic()
            self.seq, self.active, self.logged_at = 0, {}, now
            self.rows = {run: [(at, row) for at, row in rows if at <= now] for run, rows in self.rows.items()}
            for permission in self.permissions.values():
                if permission["status"] == "pending":
                    permission["status"] = "runtime_restarted"
        self.cut()

    # How it answers.
    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = b""
        try:
            with connection:
                while True:
                    while b"\r\n\r\n" not in data:
                        more = connection.recv(65536)
                        if not more:
                            return
                        data += more
                    head, _, data = data.partition(b"\r\n\r\n")
                    lines = head.decode().split("\r\n")
                    length = next((int(line[15:]) for line in lines if line.lower().startswith("content-length:")), 0)
                    while len(data) < length:
                        more = connection.recv(65536)
                        if not more:
                            return
                        data += more
                    body, data = data[:length], data[length:]
                    method, target, _ = lines[0].split(" ")
                    if self.answer(method, target, connection, body) is False:
                        return
        except OSError:
            pass

    def answer(self, method, target, connection, body):
        path, _, query = target.partition("?")
        query = dict(parse_qsl(query))
        self.requests.append((method, path))
        parts = [unquote(p) for p in path.strip("/").split("/")]
        if path in ("/event", "/global/event"):
            return self.stream(connection, query.get("sessionID"))
        if method == "POST" and parts[0] == "permission":
            known = self.permissions[parts[1]]
            known["status"] = "once"
            self.publish("permission.replied", known["sessionID"], self.active.get(known["sessionID"]), {"requestID": parts[1], "reply": "once"}, names_run=False)
            return self.send(connection, 200, {"ok": True})
        if parts[0] == "runs":
            if self.failing_reads:
                self.failing_reads -= 1
                return self.send(connection, 503, {"error": "not now", "code": "BUSY", "retryable": True})
            with self.lock:
                now, after = time.monotonic(), int(query.get("after_seq", 0))
                rows = [row for at, row in self.rows.get(parts[1], []) if at <= now and row["seq"] > after]
            return self.send(connection, 200, {"run_id": parts[1], "events": rows[:int(query.get("limit", 250))]})
        if parts[-1] == "prompt_sync":
            return self.run_at_once(parts[1], connection)
        if parts[0] == "session" and len(parts) == 2:
            return self.send(connection, 200, {"id": parts[1], "model": {"providerID": "p", "modelID": "m"}})
        if parts[0] == "session" and parts[-1] == "run":
            run = self.active.get(parts[1])
            return self.send(connection, 200, {"active": {"runID": run} if run else None})
        if path == "/permission":
            return self.send(connection, 200, {"requests": list(self.permissions.values()), "rules": [], "decisions": []})
        if path == "/question":
            return self.send(connection, 200, [])
        return self.send(connection, 404, {})

    def run_at_once(self, session, connection):
        """A prompt that is answered when its run has ended."""
        run = f"run-of-{session}"
        self.start(session, run)
        for word in ("Hello ", "there"):
            self.delta(session, run, word)
        self.message(session, run, "Hello there")
        self.finish(session, run)
        return self.send(connection, 200, [{"info": {"role": "assistant"}, "parts": [{"type": "text", "text": "Hello there"}]}])

    def stream(self, connection, session):
        if self.refusals:
            status = self.refusals.pop(0)
            return self.send(connection, status, {"error": "no", "code": "AUTH_REQUIRED" if status == 401 else "BUSY", "retryable": status >= 500})
        reader = Reader(session, self.speed)
        with self.lock:   # who is told that the stream is there misses nothing from then on
            self.readers.append(reader)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
                           b'data: {"type":"server.connected","properties":{}}\n\n'
                           b'data: {"type":"engine.lifecycle.ready","properties":{"status":"ready"}}\n\n')
        try:
            self.pump(connection, reader)
        finally:
            with self.lock:
                self.readers.remove(reader)
        return False

    def pump(self, connection, reader):
        while True:
            with reader.ready:
                while not (reader.queue or reader.is_closed):
                    if not reader.ready.wait(10):
                        connection.sendall(b":\n\n")
                if reader.is_closed:
                    return
                if reader.is_stalled:
                    while not reader.is_closed:
                        reader.ready.wait(1)
                    return
                frames = [reader.queue.popleft() for _ in range(min(len(reader.queue), 64))]
            data = b"".join(frames)
            if reader.bytes_left is not None:
                data = data[:reader.bytes_left]
                reader.bytes_left -= len(data)
            connection.sendall(data)
            if reader.bytes_left == 0:
                return
            if reader.speed:
                time.sleep(len(frames) / reader.speed)

    @staticmethod
    def send(connection, status, body):
        data = json.dumps(body).encode()
        connection.sendall(f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
