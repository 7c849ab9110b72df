#!/usr/bin/env python3
"""Faults between a client and a remote engine, each against a server that is a script."""
import os, resource, select, socket, ssl, subprocess, sys, tempfile, threading, time
from email.utils import formatdate

sys.path.insert(0, os.path.join(os.environ.get("TANDEM_TEST_ROOT", "."), "Tests/tools"))
import library
from library import Client, Failure
from server import JSON, Server, event, failed, name, open_stream, send

case = library.Cases()


def hang_up():
    with Server(lambda r, c: False) as server, Client(url=server.url) as client:
        failure, took = failed(lambda: client.call("sessions.get", {"session_id": "s"}))
        case("a server that closes after the request: engine_unavailable", name(failure) == "engine_unavailable", str(failure))
        case("a safe call was tried three times", len(server.requests) == 3 and took > 0.5, f"{len(server.requests)} {took}")
        failure, took = failed(lambda: client.call("sessions.create", {}))
        case("a call that is not safe is sent once", len(server.requests) == 4, str(len(server.requests)))
        failure, took = failed(lambda: client.call("sessions.get", {"session_id": "s", "$retries": 0}))
        case("without retries once", len(server.requests) == 5, str(len(server.requests)))


def reused_connection():
    def answer(request, connection):
        if len(server.requests) < 2:
            return send(connection, 200, {"id": "s"})
        return False

    with Server(answer) as server, Client(url=server.url) as client:
        client.call("sessions.create", {})
        failure, _ = failed(lambda: client.call("sessions.create", {}))
        case("on a live connection, too, it is sent once", len(server.requests) == 2 and name(failure) == "engine_unavailable",
             f"{len(server.requests)} {failure}")


def half_a_reply():
    def answer(request, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"id\":")
        return False

    with Server(answer) as server, Client(url=server.url, retries=0) as client:
        failure, _ = failed(lambda: client.call("engine.health"))
        case("half a reply: engine_unavailable", name(failure) == "engine_unavailable", str(failure))


def huge_reply():
    def answer(request, connection):
        known = "known" in request.target
        length = f"Content-Length: {1 << 30}\r\n" if known else "Transfer-Encoding: chunked\r\n"
        connection.sendall(f"HTTP/1.1 200 OK\r\n{JSON}{length}\r\n".encode())
        piece = b"x" * (1 << 20)
        for _ in range(1 << 10):
            connection.sendall(piece if known else b"100000\r\n" + piece + b"\r\n")
        return False

    with Server(answer) as server, Client(url=server.url, retries=0, reply_limit_bytes=8 << 20) as client:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for kind in ("known", "chunked"):
            failure, _ = failed(lambda: client.call("sessions.get", {"session_id": kind}))
            case(f"a 1 GiB reply ({kind}): limit", name(failure) == "limit", str(failure))
            error = client.done(client.submit("sessions.get", {"session_id": kind}))["error"]
            case(f"submitted as well ({kind})", error["name"] == "limit", str(error))
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        case("memory stays flat", grown < 64 << 10, f"{grown} KiB")


def endless_body():
    def answer(request, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"1\r\n \r\n")
            time.sleep(0.01)

    with Server(answer) as server, Client(url=server.url) as client:
        failure, took = failed(lambda: client.call("engine.health", {"$timeout_ms": 300}))
        case("an endless body ends at the deadline", name(failure) == "timeout" and took < 15, f"{failure} {took}")
        error, took = failed(lambda: client.done(client.submit("engine.health", {"$timeout_ms": 300}))["error"])
        case("submitted as well", error["name"] == "timeout" and took < 15, f"{error} {took}")


def retry_after():
    replies = []

    def answer(request, connection):
        status, headers = replies.pop(0) if replies else (200, "")
        body = {"healthy": True} if status == 200 else {"error": "slow down", "code": "RATE_LIMITED", "retryable": True}
        send(connection, status, body, JSON + headers)

    with Server(answer) as server, Client(url=server.url) as client:
        replies[:] = [(429, "Retry-After: 1\r\n")]
        result, took = failed(lambda: client.call("engine.health"))
        case("429 with seconds is waited for", result == {"healthy": True} and took >= 1, f"{result} {took}")
        replies[:] = [(429, f"Retry-After: {formatdate(time.time() + 2, usegmt=True)}\r\n")]
        result, took = failed(lambda: client.call("engine.health"))
        case("429 with a date is waited for", result == {"healthy": True} and took >= 0.5, f"{result} {took}")
        replies[:] = [(429, "Retry-After: 60\r\n")]
        result, took = failed(lambda: client.call("engine.health"))
        case("beyond the deadline the error comes at once", name(result) == "rate_limited" and took < 20, f"{result} {took}")
        case("and says how long to wait", result.error["detail"]["retry_after_ms"] == 60000, str(result.error))


def starting():
    begun = []

    def answer(request, connection):
        begun.append(time.time())
        if time.time() - begun[0] < 1:
            return send(connection, 503, {"error": "starting", "code": "ENGINE_STARTING", "retryable": True})
        send(connection, 200, {"id": "s"})

    with Server(answer) as server, Client(url=server.url) as client:
        result, took = failed(lambda: client.call("sessions.create", {}))
        case("an engine that starts is waited for", result == {"id": "s"} and took >= 1, f"{result} {took}")


def redirect():
    with Server(lambda r, c: send(c, 200, {}), host="127.0.0.2") as other:
        def answer(request, connection):
            send(connection, 307, b"", f"Location: {other.url}/stolen\r\n")

        with Server(answer) as server, Client(url=server.url, token="secret") as client:
            failure, _ = failed(lambda: client.call("engine.health"))
            case("a redirect is an error", name(failure) == "protocol", str(failure))
            error = client.done(client.submit("engine.health"))["error"]
            case("submitted as well", error["name"] == "protocol", str(error))
            case("and to another host it is not followed", other.connections == 0, str(other.requests))
            case("the token is a header", server.requests[0].headers["authorization"] == "Bearer secret")
            case("no error shows the token", "secret" not in str(failure.error), str(failure.error))


def identifiers():
    with Server(lambda r, c: send(c, 200, {})) as server, Client(url=server.url, retries=0) as client:
        for text, path in [("a/b?c%d", "a%2Fb%3Fc%25d"), ("ü ☃", "%C3%BC%20%E2%98%83"), ("..", "%2E%2E")]:
            client.call("sessions.get", {"session_id": text})
            case(f"the id {text} is one segment", server.requests[-1].target == f"/session/{path}", server.requests[-1].target)
        client.call("resources.get", {"key": "project/a b/c"})
        case("a key keeps its slashes", server.requests[-1].target == "/resource/project/a%20b/c", server.requests[-1].target)
        case("no token, no header", "authorization" not in server.requests[-1].headers)
        case("reading is for nobody", "x-tandem-request-source" not in server.requests[-1].headers)
        client.call("sessions.create", {"title": "t"})
        made = server.requests[-1]
        case("changing is for the owner", made.headers.get("x-tandem-request-source") == "control_panel", str(made.headers))
        case("a body is JSON", made.headers.get("content-type") == "application/json" and made.body == {"title": "t"})
        client.call("sessions.create", {"$act_as": None, "$headers": {"X-Mine": "1"}})
        made = server.requests[-1]
        case("act_as null tells nothing", "x-tandem-request-source" not in made.headers and made.headers["x-mine"] == "1")
        case("one connection for all", server.connections == 1, str(server.connections))


def not_json():
    with Server(lambda r, c: send(c, 200, b"<html>", "Content-Type: text/html\r\n")) as server, Client(url=server.url) as client:
        failure, _ = failed(lambda: client.call("engine.health"))
        case("what is not JSON: protocol", name(failure) == "protocol", str(failure))


def error_bodies():
    kinds = [
        (404, {"error": "no", "code": "SESSION_NOT_FOUND", "retryable": False}, JSON, "not_found"),
        (409, {"error": "no", "code": "RESOURCE_REVISION_CONFLICT", "key": "k"}, JSON, "conflict"),
        (403, {"code": "TOOL_DISPATCH_DENIED"}, JSON, "permission_denied"), (404, b"", "", "not_found"),
        (405, b"", "Allow: GET\r\n", "not_supported"), (501, {"code": "PREMIUM_FEATURE_REQUIRED"}, JSON, "not_supported"),
        (422, b"missing field", "Content-Type: text/plain\r\n", "validation_failed"),
    ]
    replies = list(kinds)
    with Server(lambda r, c: send(c, *replies.pop(0)[:3])) as server, Client(url=server.url, retries=0) as client:
        for status, body, _, want in kinds:
            failure, _ = failed(lambda: client.call("sessions.get", {"session_id": "s"}))
            case(f"{status} {body} is {want}", name(failure) == want and failure.status == status, str(failure))


def unresolved():
    client = Client(url="http://name-that-is-not.invalid", retries=2)
    failure, took = [], time.time()
    thread = threading.Thread(target=lambda: failure.append(failed(lambda: client.call("engine.health"))[0]))
    thread.start()
    time.sleep(0.05)
    client.close()
    took = time.time() - took
    thread.join()
    case("close does not wait for a name that does not resolve", took < 2, str(took))
    case("and the call ends", name(failure[0]) in ("closed", "engine_unavailable"), str(failure))


def cancelling():
    arrived = threading.Event()

    def answer(request, connection):
        arrived.set()
        connection.recv(1)

    with Server(answer) as server:
        client = Client(url=server.url)
        took = []

        def call():
            failed(lambda: client.call("engine.health"))
            took.append(time.time())

        thread = threading.Thread(target=call)
        thread.start()
        arrived.wait(5)
        began = time.time()
        client.close()
        thread.join()
        case("close ends a blocked call", took[0] - began < 10, str(took[0] - began))


def prompt_after_a_cut():
    runs, keys = {}, []

    def answer(request, connection):
        if request.target.startswith("/event"):
            open_stream(connection)
            connection.recv(1)
        elif request.method == "POST":
            key = request.headers["idempotency-key"]
            keys.append(key)
            runs.setdefault(key, f"run-{len(runs)}")
            if keys.count(key) == 1:
                return False
            send(connection, 202, {"runID": runs[key], "idempotentReplay": True})
        else:
            send(connection, 200, {"id": "s", "default": None})

    with Server(answer) as server, Client(url=server.url) as client:
        result, _ = failed(lambda: client.call("sessions.prompt_async", {"session_id": "s", "prompt": "hi"}))
        case("a prompt survives a cut connection", result["run_id"] == "run-0", str(result))
        case("with the same key, so one run starts", len(keys) == 2 and len(runs) == 1, str(keys))
        result = client.done(client.submit("sessions.prompt_async", {"session_id": "s", "prompt": "hi"}))["ok"]
        case("submitted as well", result["run_id"] == "run-1" and len(keys) == 4 and len(runs) == 2, f"{result} {keys}")
        order = [(r.method, r.target.split("?")[0]) for r in server.requests]
        case("the events were there first", order.index(("GET", "/event")) < order.index(("POST", "/session/s/prompt_async")), str(order))


def default_model():
    def answer(request, connection):
        if request.target == "/config/providers":
            send(connection, 200, {"default": "p", "providers": {"p": {"default_model": "m"}}})
        elif request.target == "/session/own":
            send(connection, 200, {"id": "own", "model": {"provider_id": "x", "model_id": "y"}})
        elif request.method == "POST":
            send(connection, 200, [{"info": {"role": "assistant"}, "parts": [{"type": "text", "text": "hello"}]}])
        else:
            send(connection, 200, {"id": "s"})

    with Server(answer) as server, Client(url=server.url) as client:
        for _ in range(2):
            result = client.call("sessions.prompt_sync", {"session_id": "s", "prompt": "hi"})
        targets = [r.target for r in server.requests]
        case("session and providers are read once", targets.count("/session/s") == targets.count("/config/providers") == 1, str(targets))
        sent = [r.body for r in server.requests if r.method == "POST"]
        case("the default is sent along", sent[-1]["model"] == {"providerID": "p", "modelID": "m"}, str(sent[-1]))
        case("the answer's text is the result", result["text"] == "hello", str(result))
        client.call("sessions.prompt_sync", {"session_id": "own", "prompt": "hi"})
        sent = [r.body for r in server.requests if r.method == "POST"]
        case("a session's own model stays", "model" not in sent[-1], str(sent[-1]))
        before = len(server.requests)
        client.call("sessions.prompt_sync", {"session_id": "new", "parts": [], "$strict": True})
        case("strict sends one request", len(server.requests) == before + 1)

    def bare(request, connection):
        send(connection, 200, {"id": "s", "default": None, "runID": "r"})

    with Server(bare) as server, Client(url=server.url, subscription="session") as client:
        client.call("providers.config", {})
        for session in ("a", "b"):
            client.call("sessions.prompt_async", {"session_id": session, "prompt": "hi"})
        targets = [r.target.split("?")[0] for r in server.requests]
        case("without a default, which the client has seen, a prompt is one request",
             targets == ["/config/providers", "/session/a/prompt_async", "/session/b/prompt_async"], str(targets))


def conflicts():
    state = {"active": "r1"}

    def answer(request, connection):
        if request.target.startswith("/event"):
            open_stream(connection)
            connection.recv(1)
        elif request.target == "/session/s/run":
            now, state["polls"] = state["active"], state.get("polls", 0) + 1
            if state["polls"] >= 2:
                state["active"] = None
            send(connection, 200, {"active": {"runID": now} if now else None})
        elif request.target.endswith("/cancel"):
            state["active"] = None
            send(connection, 200, {"ok": True, "cancelled": True})
        elif request.method == "POST" and state["active"]:
            send(connection, 409, {"error": "busy", "code": "SESSION_RUN_CONFLICT", "retryable": True,
                                   "activeRun": {"runID": state["active"]}, "attachEventStream": "/event"})
        elif request.method == "POST":
            send(connection, 202, {"runID": "r2"})
        else:
            send(connection, 200, {"id": "s", "model": {}})

    with Server(answer) as server, Client(url=server.url) as client:
        def prompt(policy):
            state.update(active="r1", polls=0)
            return failed(lambda: client.call("sessions.prompt_async", {"session_id": "s", "prompt": "hi", "on_conflict": policy}))[0]

        failure = prompt("fail")
        case("on_conflict fail: run_conflict with the run", name(failure) == "run_conflict" and
             failure.error["detail"]["activeRun"]["runID"] == "r1", str(failure))
        result = prompt("attach")
        case("attach gives the active run", result["run_id"] == "r1" and result["attached"] is True, str(result))
        case("wait sends it again", prompt("wait")["run_id"] == "r2")
        case("cancel_active too", prompt("cancel_active")["run_id"] == "r2")
        state.update(active="r1", polls=0)
        op = client.submit("sessions.prompt_async", {"session_id": "s", "prompt": "hi", "on_conflict": "wait"})
        done = [e for _ in range(10) for e in client.next(500) if e["type"] == "done" and e["op"] == op]
        case("submitted as well", done and done[0]["result"]["ok"]["run_id"] == "r2", str(done))


def lost_stream():
    streams = []

    def answer(request, connection):
        if not request.target.startswith("/event"):
            return send(connection, 404, b"", "")
        streams.append(request)
        open_stream(connection)
        connection.sendall(b"data: {\"type\":\"cut...<truncated>\n\n")
        event(connection, {"type": "session.status", "properties": {"sessionID": "s", "status": f"number {len(streams)}"}})
        if len(streams) < 3:
            return False
        connection.recv(1)

    with Server(answer) as server, Client(url=server.url) as client:
        op = client.submit("engine.stream", {"session_id": "s"})
        events, end = [], time.time() + 20
        while sum(e["type"] == "engine.session.status" for e in events) < 3 and time.time() < end:
            events += client.next(1000)
        one = ["stream.connected", "engine.session.status"]
        types = [e["type"] for e in events]
        case("a lost stream is opened again, and says so", types == one + ["stream.interrupted"] + one + ["stream.interrupted"] + one, str(types))
        attempts = [e["properties"]["attempt"] for e in events if e["type"] == "stream.connected"]
        case("each connection has its number", attempts == [1, 2, 3], str(attempts))
        pauses = [e["properties"] for e in events if e["type"] == "stream.interrupted"]
        case("an interruption has its reason and how long it takes", all(p["reason"] and 0 < p["retry_in_ms"] <= 1000 for p in pauses), str(pauses))
        case("it can be cancelled", client.cancel(op) == 0 and client.next(2000)[-1]["result"]["error"]["name"] == "cancelled")


def refused_stream():
    streams = []

    def answer(request, connection):
        streams.append(request)
        if len(streams) > 1:
            return send(connection, 401, {"error": "no", "code": "AUTH_REQUIRED", "retryable": False})
        open_stream(connection)
        return False

    with Server(answer) as server, Client(url=server.url) as client:
        client.submit("engine.stream", {"session_id": "s"})
        events, end = [], time.time() + 20
        while not (events and events[-1]["type"] == "done") and time.time() < end:
            events += client.next(1000)
        case("a stream that is refused when it is opened again ends", events[-1]["result"].get("error", {}).get("name") == "unauthorized", str(events))
        case("after one interruption", [e["type"] for e in events[:-1]] == ["stream.connected", "stream.interrupted"], str(events))


def waiting_as_asked():
    times = []

    def answer(request, connection):
        if not request.target.startswith("/event"):
            return send(connection, 404, b"", "")
        times.append(time.time())
        open_stream(connection)
        connection.sendall(b"retry: 1500\n\n")
        if len(times) > 1:
            connection.recv(1)
        return False

    with Server(answer) as server, Client(url=server.url) as client:
        op = client.submit("engine.stream", {"session_id": "s"})
        end = time.time() + 20
        while len(times) < 2 and time.time() < end:
            client.next(100)
        case("retry: is obeyed", len(times) == 2 and 1.4 < times[1] - times[0] < 5, str(times))
        client.cancel(op)


def signs_of_life():
    plain = b'data: {"type": "t", "properties": {"x": "plain"}}\n\n'

    def answer(request, connection):
        open_stream(connection)
        for kind in (b"ready", b"heartbeat", b"keepalive"):
            connection.sendall(b"event: " + kind + b"\n" + plain)
        connection.sendall(b"event: Heartbeat\ndata: {}\n\n")
        for piece in (b'data: {"type":"t","properties":{"x":"\xe2\x82', b'"}}\n\n', b'data: {"type":"t","properties":{"x":"\xc3',
                      b'\xa9\xff"}}\n\n', plain):
            connection.sendall(piece)
            time.sleep(0.01)
        return False

    with Server(answer) as server, Client(url=server.url, retries=0) as client:
        client.submit("engine.global_stream", {"$reconnect": False, "$vocabulary": "engine"})
        events, end = [], time.time() + 10
        while not (events and events[-1]["type"] == "done") and time.time() < end:
            events += client.next(1000)
        seen = [(e["type"], e["frame"].get("properties", {}).get("x")) for e in events[2:-1]]
        case("frames named ready, heartbeat and keepalive are no events; bytes that are no text are replaced",
             seen == [("Heartbeat", None), ("t", "\ufffd"), ("t", "\u00e9\ufffd"), ("t", "plain")], str(events))


def silent_stream():
    def answer(request, connection):
        if not request.target.startswith(("/event", "/global/event")):
            return send(connection, 404, b"", "")
        open_stream(connection)
        connection.recv(1)

    with Server(answer) as server, Client(url=server.url, idle_timeout_ms=300) as client:
        failure, took = failed(lambda: client.call("engine.global_stream", {"$reconnect": False, "$timeout_ms": 5000}))
        case("a stream without a byte ends", name(failure) == "engine_unavailable", f"{failure} {took}")
        result, took = failed(lambda: client.call("engine.global_stream", {"$take": 3, "$timeout_ms": 15000}))
        types = [e["type"] for e in result["events"]]
        case("or is opened again", types == ["stream.connected", "stream.interrupted", "stream.connected"], f"{types} {took}")
        result, took = failed(lambda: client.call("engine.global_stream", {"$timeout_ms": 450}))
        case("while it is away its deadline holds", took < 20 and not result["ended"], f"{result} {took}")


def tls():
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = f"{folder}/key.pem", f"{folder}/cert.pem"
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                               "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=127.0.0.1",
                               "-addext", "subjectAltName=IP:127.0.0.1"], capture_output=True)
        if made.returncode:
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        with Server(lambda r, c: send(c, 200, {"healthy": True}), context) as server:
            with Client(url=server.url) as client:
                failure, _ = failed(lambda: client.call("engine.health"))
                case("a certificate that nobody vouches for: tls", name(failure) == "tls", str(failure))
                case("no request was sent", not server.requests)
            with Client(url=server.url, ca_file=certificate) as client:
                result, _ = failed(lambda: client.call("engine.health"))
                case("with its authority it is trusted", result == {"healthy": True}, str(result))
            with Client(url=f"https://localhost:{server.port}", ca_file=certificate) as client:
                failure, _ = failed(lambda: client.call("engine.health"))
                case("but not under another name", name(failure) == "tls", str(failure))


def unix_socket():
    with tempfile.TemporaryDirectory() as folder, Server(lambda r, c: send(c, 200, {"healthy": True})) as server:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"{folder}/engine.sock")
        listener.listen()
        threading.Thread(target=lambda: server.serve(listener.accept()[0]), daemon=True).start()
        with Client(url=f"unix:{folder}/engine.sock") as client:
            case("a socket in the file system", client.call("engine.health") == {"healthy": True})


def discovery():
    with Server(lambda r, c: send(c, 200, {"healthy": True, "ready": True})) as server:
        os.environ["TANDEM_BASE_URL"], os.environ["TANDEM_API_TOKEN"] = server.url, "found"
        with Client(engine="discover", environment=True) as client:
            case("discovery asks nothing before the first call", not server.requests)
            client.call("engine.health")
            case("discovery finds the engine of the environment", len(server.requests) == 2 and
                 server.requests[0].headers.get("authorization") == "Bearer found", str(len(server.requests)))
        del os.environ["TANDEM_BASE_URL"], os.environ["TANDEM_API_TOKEN"]


def started_while_looking():
    looked, found = threading.Event(), threading.Event()

    def answer(request, connection):
        if "health" in request.target:
            looked.set()
            found.wait(10)
            return send(connection, 200, {"healthy": True, "ready": True})
        send(connection, 200, {"id": "s"})

    with Server(answer) as server:
        os.environ["TANDEM_BASE_URL"] = server.url
        with Client(engine="discover", environment=True, transfers_limit=1) as client:
            ops = [client.submit("sessions.get", {"session_id": str(i)}) for i in range(50)]
            looked.wait(10)
            threads = [open(f"/proc/self/task/{task}/comm").read().strip() for task in os.listdir("/proc/self/task")]
            case("one thread looks for the engine, whatever is started meanwhile", threads.count("tandem-discover") == 1,
                 str(threads.count("tandem-discover")))
            client.cancel(ops[7])
            found.set()
            results = [client.done(op) or {} for op in ops]
            case("what was started is done then", sum("ok" in r for r in results) == 49, str(results[:3]))
            wanted = [f"/session/{i}" for i in range(50) if i != 7]
            asked = [r.target for r in server.requests if "health" not in r.target]
            case("in its order, and nothing that was cancelled meanwhile", asked == wanted, str(asked))
        del os.environ["TANDEM_BASE_URL"]


def held_back():
    streams = []

    def answer(request, connection):
        if not request.target.startswith("/event"):
            return send(connection, 200, {"healthy": True, "ready": True})
        open_stream(connection)
        event(connection, {"type": "session.status", "properties": {"sessionID": "s"}})
        streams.append(connection)
        connection.recv(1)

    def until(client, kind):
        seen, end = [], time.time() + 20
        while kind not in seen and time.time() < end:
            seen += [e["type"] for e in client.next(100) if "s" == e.get("session_id") or e["type"].startswith("stream.")]
        return seen

    with Server(answer) as server:
        os.environ["TANDEM_BASE_URL"] = server.url
        for engine, configuration in (("a named engine", {"url": server.url}), ("a discovered one", {"engine": "discover", "environment": True})):
            with Client(subscription="session", **configuration) as client:
                op = client.submit("engine.stream", {"session_id": "s"})
                until(client, "engine.session.status")
                library.lib.tandem_pause(client.handle, op, 1)
                before, end = client.stats()["bytes_received"], time.time() + 20
                event(streams[-1], {"type": "todo.updated", "properties": {"sessionID": "s", "todos": []}})
                while client.stats()["bytes_received"] == before and time.time() < end:
                    time.sleep(0.001)
                client.done(client.submit("engine.health"))  # behind the event on the same thread
                library.lib.tandem_pause(client.handle, op, 0)
                seen = until(client, "todo.updated")
                case(f"{engine}: what a pause held back was not lost, and nothing says so", seen == ["todo.updated"], str(seen))
        del os.environ["TANDEM_BASE_URL"]


def lines_held_back():
    """A stream of lines whose consumer pauses: the server waits, and nothing is lost."""
    count, held, go_on = 40_000, threading.Event(), threading.Event()
    lines = b"".join(b'{"type":"tool.effect.recorded","n":%d,"text":"%s"}\n' % (n, b"x" * 1000) for n in range(count))

    def answer(request, connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n")
        rest, wait = memoryview(lines), 1
        while rest:
            if not select.select([], [connection], [], wait)[1]:
                held.set()
                go_on.wait(30)
                wait = 30
                continue
            rest = rest[connection.send(rest, socket.MSG_DONTWAIT):]
        return False

    with Server(answer) as server, Client(url=server.url) as client:
        op = client.submit("audit.stream", {"$vocabulary": "engine", "$reconnect": False})
        library.lib.tandem_pause(client.handle, op, 1)
        case("a paused stream of lines holds its server back", held.wait(30))
        kept = client.stats()["bytes_received"]
        case("what was read meanwhile is little", kept < len(lines) // 8, str(kept))
        library.lib.tandem_pause(client.handle, op, 0)
        go_on.set()
        seen, others, result, end = [], [], None, time.time() + 60
        while result is None and time.time() < end:
            for e in client.next(1000):
                if e["type"] == "done":
                    result = e["result"]
                elif "n" in e.get("frame", {}):
                    seen.append(e["frame"]["n"])
                else:
                    others.append(e["type"])
        whole = seen == list(range(count)) and not others and result and "ok" in result
        case(f"all {count} lines come, in their order, and nothing says that any was lost", whole, f"{len(seen)} {others[:5]} {str(result)[:300]}")


def lines_taken_slowly():
    """More lines at once than wait for a consumer."""
    count = 40_000
    lines = b"".join(b'{"type":"tool.effect.recorded","n":%d}\n' % n for n in range(count))

    def answer(request, connection):
        if request.target == "/audit/stream":
            return send(connection, 200, lines, "Content-Type: application/x-ndjson\r\n")
        send(connection, 200, {"healthy": True, "ready": True})

    with Server(answer) as server, Client(url=server.url) as client:
        result = client.call("audit.stream", {"$vocabulary": "engine", "$take": count + 1, "$timeout_ms": 60000})
        seen = [e["frame"]["n"] for e in result["events"] if "n" in e.get("frame", {})]
        case(f"a call that takes {count} lines has all", seen == list(range(count)), f"{len(seen)} {seen[:3]} {seen[-3:]}")
        op = client.submit("audit.stream", {"$reconnect": False})
        library.lib.tandem_pause(client.handle, op, 1)
        client.done(client.submit("engine.health"))
        case("one that is paused is cancelled", client.cancel(op) == 0 and client.done(op)["error"]["name"] == "cancelled")


def many_streams():
    lock, count = threading.Lock(), 300

    def answer(request, connection):
        if not request.target.startswith("/event"):
            return send(connection, 404, b"", "")
        open_stream(connection)
        event(connection, {"type": "session.status", "properties": {"sessionID": "s"}})
        connection.recv(1)

    with Server(answer) as server, Client(url=server.url, subscription="session") as client:
        threads = len(os.listdir("/proc/self/task"))
        ops = {client.submit("engine.stream", {"session_id": "s"}) for _ in range(count)}
        seen, end = set(), time.time() + 30
        while len(seen) < count and time.time() < end:
            seen |= {e["op"] for e in client.next(1000) if e["type"] == "engine.session.status"}
        case(f"{count} streams at once", seen == ops, str(len(seen)))
    with Server(answer) as server, Client(url=server.url) as client:
        ops = {client.submit("engine.stream", {"session_id": "s"}) for _ in range(1000)}
        seen, end = set(), time.time() + 30
        while len(seen) < 1000 and time.time() < end:
            seen |= {e["op"] for e in client.next(1000) if e["type"] == "stream.connected"}
        streams = sum(r.target.startswith("/event") for r in server.requests)
        case("1000 streams share one connection", seen == ops and streams == 1, f"{len(seen)} {streams}")


def eight_threads():
    with Server(lambda r, c: send(c, 200, {"id": "s"})) as server, Client(url=server.url) as client:
        results = []

        def work():
            results.extend(failed(lambda: client.call("sessions.get", {"session_id": "s"}))[0] for _ in range(50))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        case("8 threads call on one client", results == [{"id": "s"}] * 400, str([r for r in results if r != {"id": "s"}][:3]))
        case("over few connections", server.connections <= 8, str(server.connections))


def main():
    for body in (hang_up, reused_connection, half_a_reply, huge_reply, endless_body, retry_after, starting, redirect, identifiers,
                 not_json, error_bodies, unresolved, cancelling, prompt_after_a_cut, default_model, conflicts, lost_stream, refused_stream, waiting_as_asked,
                 signs_of_life, silent_stream, tls, unix_socket, discovery, started_while_looking, held_back, lines_held_back, lines_taken_slowly, many_streams, eight_threads):
        try:
            body()
        except Exception as e:
            case(f"{body.__name__} raises nothing", False, repr(e))
    return case.finish()


if __name__ == "__main__":
    sys.exit(main())
