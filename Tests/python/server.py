"""A server on loopback whose answers are a script, and what tests of a remote engine share beside it."""
import json, socket, threading, time

from library import Failure

JSON = "Content-Type: application/json\r\n"


class Request:
    def __init__(self, head, body):
        lines = head.decode().split("\r\n")
        self.method, self.target, _ = lines[0].split(" ")
        self.headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:] if ": " in line)}
        self.body = json.loads(body) if body else None


class Server:
    """Answers each request by a function of the request and the connection; it returns False to close it."""

    def __init__(self, answer, tls=None, host="127.0.0.1"):
        self.answer, self.requests, self.connections, self.tls = answer, [], 0, tls
        self.listener = socket.create_server((host, 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://{host}:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection:
                while request := self.read(connection):
                    self.requests.append(request)
                    if self.answer(request, connection) is False:
                        return
        except (OSError, ValueError):
            pass

    @staticmethod
    def read(connection):
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.decode().split("\r\n") if line.lower().startswith("content-length:")), 0)
        while len(body) < length:
            more = connection.recv(65536)
            if not more:
                return None
            body += more
        return Request(head, body)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def send(connection, status, body=b"", headers=JSON):
    body = json.dumps(body).encode() if not isinstance(body, bytes) else body
    connection.sendall(f"HTTP/1.1 {status} X\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body)


def event(connection, frame):
    connection.sendall(b"data: " + json.dumps(frame).encode() + b"\n\n")


def open_stream(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    event(connection, {"type": "server.connected", "properties": {}})
    event(connection, {"type": "engine.lifecycle.ready", "properties": {"status": "ready"}})


def failed(call):
    """The failure of a call and how long it took."""
    began = time.time()
    try:
        return call(), time.time() - began
    except Failure as e:
        return e, time.time() - began


def name(result):
    return result.name if isinstance(result, Failure) else "no failure"
