#!/usr/bin/env python3
"""An engine on loopback that does nothing but ask its user, standard library only.

    asking_engine.py [--port 0]

Prints its port. `POST /_event` publishes the frame in its body on every open `/event` stream; `POST /_ask` makes a pending
permission request or question of its body ({"kind", "id", "sessionID", ...}), publishes it, and lists it until it is
answered; `POST /_break` ends all streams; `GET /_replies` gives the answers that came, as [path, body].
"""
import argparse, json, queue, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOCK = threading.Lock()
STREAMS, REPLIES = [], []
PENDING = {"permission": {}, "question": {}}


def publish(frame):
    with LOCK:
        for stream in STREAMS:
            stream.put(frame)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, value, status=200):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def frame(self, value):
        self.wfile.write(b"data: " + json.dumps(value).encode() + b"\n\n")
        self.wfile.flush()

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/event":
            return self.stream()
        with LOCK:
            if path == "/permission":
                value = {"requests": list(PENDING["permission"].values()), "rules": [], "decisions": []}
            elif path == "/question":
                value = list(PENDING["question"].values())
            elif path == "/_replies":
                value = REPLIES
            else:
                value = {"healthy": True, "version": "0.7.2"}
        self.answer(value)

    def stream(self):
        frames = queue.Queue()
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.frame({"type": "server.connected", "properties": {}})
        self.frame({"type": "engine.lifecycle.ready", "properties": {"status": "ready"}})
        with LOCK:
            STREAMS.append(frames)
        try:
            while (value := frames.get()) is not None:
                self.frame(value)
        except OSError:
            pass
        with LOCK:
            STREAMS.remove(frames)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
        if self.path == "/_event":
            publish(body)
        elif self.path == "/_break":
            publish(None)
        elif self.path == "/_ask":
            self.ask(body)
        else:
            return self.reply(body)
        self.answer({"ok": True})

    def ask(self, body):
        kind = body.pop("kind")
        record = {"status": "pending", **body}
        with LOCK:
            PENDING[kind][body["id"]] = record
        properties = {**body, "requestID": body["id"]} if kind == "permission" else body
        publish({"type": kind + ".asked", "properties": properties})

    def reply(self, body):
        kind = "permission" if "/permission/" in self.path else "question"
        parts = self.path.split("/")
        id = parts[parts.index(kind if kind in parts else "questions") + 1]
        with LOCK:
            REPLIES.append([self.path, body])
            known = PENDING[kind].pop(id, None)
        if known is None:
            return self.answer({"error": "no such request", "code": "APPROVAL_REQUEST_NOT_FOUND"}, 404)
        name = "requestID" if kind == "permission" else "id"
        publish({"type": kind + ".replied", "properties": {name: id, "sessionID": known.get("sessionID")}})
        self.answer({"ok": True})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    # A client that goes away is nothing to report.
    ThreadingHTTPServer.handle_error = lambda *_: None
    server = ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
