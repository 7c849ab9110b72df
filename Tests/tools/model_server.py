#!/usr/bin/env python3
"""A scripted OpenAI-compatible model server for tests, on loopback, standard library only.

    model_server.py [--port 0] [--delay-ms 0]

Prints its port. The scripts of `scripts.json` beside it are there from the start.

`POST /v1/chat/completions` (stream or not) answers from scripts. A prompt names its script by
containing `[[name]]`; `PUT /_script/<name>` sets it, as a JSON array of replies, consumed one per
request, the last one repeated:

    {"text": "Hello there"}                       words streamed one delta each ("chunks": [..] to choose)
    {"counted": ["w%d ", 6000]}                   so many deltas: w0 w1 w2 ...
    {"text": "..", "delay_ms": 50}                pause before each delta
    {"text": "..", "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}
    {"tool_calls": [{"name": "read", "arguments": {"path": "a.txt"}}], "text": "optional, before them"}
    {"status": 500, "body": {"error": {"message": "boom"}}}     an HTTP error
    {"text": "partial", "cut": true}              drops the connection after the text, inside the next event
    {"text": "early", "hang_ms": 60000}           silent for that long after the text
    {"html": "<html>..</html>"}                   a web page with status 200
    {"raw": "data: {...}\\n\\n"}                  these exact bytes
    {"stall_ms": 5000, "text": "late"}            silent for that long first

With no marker, or no such script, it answers "You said: <last user text>".
`GET /_requests` lists the request bodies received; `DELETE /_requests` clears them.
Also: `GET /v1/models`.
"""
import argparse, json, os, re, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SCRIPTS, REQUESTS, LOCK = {}, [], threading.Lock()
MARK = re.compile(r"\[\[([A-Za-z0-9_.-]+)\]\]")


def text_of(content):
    if isinstance(content, str):
        return content
    return " ".join(p.get("text", "") for p in content or [] if isinstance(p, dict))


def choose(body):
    """The reply for this request: from the last named script in the messages, else an echo."""
    messages = body.get("messages") or []
    for m in reversed(messages):
        marks = MARK.findall(text_of(m.get("content")))
        for name in reversed(marks):
            with LOCK:
                queue = SCRIPTS.get(name)
                if queue:
                    return queue.pop(0) if len(queue) > 1 else queue[0]
    users = [text_of(m.get("content")) for m in messages if m.get("role") == "user"]
    return {"text": "You said: " + (users[-1] if users else "")}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    delay = 0.0

    def log_message(self, *_):
        pass

    def _json(self, status, value=None):
        data = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        if data:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _page(self, text):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def _body(self):
        n = int(self.headers.get("Content-Length") or 0)
        return json.loads(self.rfile.read(n) or b"null")

    def do_PUT(self):
        name = self.path.rsplit("/", 1)[-1]
        with LOCK:
            SCRIPTS[name] = list(self._body())
        self._json(200, {"ok": True})

    def do_DELETE(self):
        with LOCK:
            REQUESTS.clear()
        self._json(200, {"ok": True})

    def do_GET(self):
        if self.path.startswith("/_requests"):
            with LOCK:
                return self._json(200, list(REQUESTS))
        if self.path.endswith("/models"):
            return self._json(200, {"object": "list", "data": [{"id": "scripted", "object": "model"}]})
        self._json(404, {"error": {"message": "no such path"}})

    def do_POST(self):
        body = self._body()
        if not self.path.endswith("/chat/completions"):
            return self._json(404, {"error": {"message": "no such path"}})
        with LOCK:
            REQUESTS.append({"path": self.path, "authorization": self.headers.get("Authorization"), "body": body})
        reply = choose(body)
        if reply.get("stall_ms"):
            time.sleep(reply["stall_ms"] / 1000)
        if "html" in reply:
            return self._page(reply["html"])
        if reply.get("status"):
            return self._json(reply["status"], reply.get("body", {"error": {"message": "scripted failure"}}))
        calls = [{"id": c.get("id", f"call_{i}"), "type": "function", "index": i,
                  "function": {"name": c["name"], "arguments": json.dumps(c.get("arguments", {}))}}
                 for i, c in enumerate(reply.get("tool_calls", []))]
        text = reply.get("text", "")
        usage = reply.get("usage", {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18})
        finish = reply.get("finish_reason", "tool_calls" if calls else "stop")
        if not body.get("stream"):
            message = {"role": "assistant", "content": text or None}
            if calls:
                message["tool_calls"] = calls
            return self._json(200, {"id": "chatcmpl-1", "object": "chat.completion", "model": body.get("model"),
                                    "choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": usage})
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            if "raw" in reply:
                self.wfile.write(reply["raw"].encode())
                return
            pause = reply.get("delay_ms", 0) / 1000 or self.delay
            if "counted" in reply:
                form, n = reply["counted"]
                reply = {**reply, "chunks": [form % i for i in range(n)]}
            chunks = reply.get("chunks") or re.findall(r"\S+\s*|\s+", text)
            for piece in chunks:
                self._frame({"choices": [{"index": 0, "delta": {"content": piece}}]}, pause)
            if reply.get("hang_ms"):
                time.sleep(reply["hang_ms"] / 1000)
                return
            if reply.get("cut"):
                self.wfile.write(b'data: {"choices": [{"ind')
                self.wfile.flush()
                return self.connection.shutdown(2)
            for call in calls:
                self._frame({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}, pause)
            self._frame({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}, 0)
            self._frame({"choices": [], "usage": usage}, 0)
            self.wfile.write(b"data: [DONE]\n\n")
        except (BrokenPipeError, ConnectionResetError):
            pass

    def _frame(self, value, pause):
        if pause:
            time.sleep(pause)
        self.wfile.write(b"data: " + json.dumps({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "scripted", **value}).encode() + b"\n\n")
        self.wfile.flush()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--delay-ms", type=float, default=0)
    a = p.parse_args()
    Handler.delay = a.delay_ms / 1000
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "scripts.json")) as f:
        SCRIPTS.update(json.load(f))
    server = Server(("127.0.0.1", a.port), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
