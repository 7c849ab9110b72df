#!/usr/bin/env python3
"""Records of a remote engine's requests, through the process's log and as events: what they say, and what they never say."""
import ctypes, json, os, sys, threading, time

import library
from library import Client, lib
from server import JSON, Server, event, failed, open_stream, send

case = library.Cases()
LEVELS = ("none", "error", "warning", "info", "debug")
TOKEN, HEADER, PROMPT, KEY, ECHO, GATEWAY = ("mark-token", "mark-header", "mark-prompt", "mark-key", "mark-echo", "mark-gateway")
MARKS = (TOKEN, HEADER, PROMPT, KEY, ECHO, GATEWAY)
LOG = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int32, ctypes.c_char_p)


class Log:
    """The process's log, collected."""

    def __init__(self, level):
        self.level, self.texts, self.function = level, [], LOG(lambda _, level, text: self.texts.append(text.decode()))

    def __enter__(self):
        lib.tandem_set_log(ctypes.cast(self.function, ctypes.c_void_p), None, None, self.level)
        return self

    def __exit__(self, *_):
        lib.tandem_set_log(None, None, None, 0)

    def records(self, message=None):
        found = [json.loads(text) for text in self.texts]
        return [r for r in found if message is None or r["message"] == message]


def answer(request, connection):
    """An engine whose refusals say back what they were told."""
    echo = {"error": f"{ECHO} {request.body} {request.headers}", "code": "X", "message": ECHO}
    if "/event" in request.target:
        open_stream(connection)
        event(connection, {"type": "message.part.updated", "properties": {"sessionID": "s", "delta": PROMPT}})
        return connection.recv(1) and None
    if "refused" in request.target:
        return send(connection, 400, echo)
    if "failing" in request.target:
        return send(connection, 500, echo)
    if "cut" in request.target:
        return False
    if "elsewhere" in request.target:
        return send(connection, 307, b"", f"Location: http://127.0.0.1:1/{ECHO}\r\n")
    if "plain" in request.target:
        return send(connection, 200, ECHO.encode())
    if request.target.endswith("/config/providers"):
        return send(connection, 200, {"default": "p", "providers": {"p": {"default_model": "m"}}})
    if "prompt_sync" in request.target:
        return send(connection, 200, [{"info": {"role": "assistant"}, "parts": [{"type": "text", "text": ECHO}]}])
    send(connection, 200, {"id": "s", "runID": "r", "token": KEY, "text": ECHO}, JSON + f"X-Echo: {HEADER}\r\n")


def everything(client):
    """Calls of all kinds with marks in all places, blocking and submitted."""
    calls = [
        ("sessions.get", {"session_id": "s-1"}), ("sessions.list", {"q": PROMPT, "page": 2}), ("sessions.get", {"session_id": "refused"}),
        ("sessions.get", {"session_id": "failing", "$retries": 1}), ("sessions.get", {"session_id": "cut", "$retries": 1}),
        ("sessions.get", {"session_id": "elsewhere"}), ("sessions.get", {"session_id": "plain"}),
        ("sessions.prompt_sync", {"session_id": "s", "prompt": PROMPT, "$headers": {"X-Mine": HEADER}}),
        ("sessions.prompt_async", {"session_id": "s", "prompt": PROMPT, "idempotency_key": HEADER}),
        ("providers.set_api_key", {"provider_id": "openai", "api_key": KEY}), ("auth.set_token", {"token": KEY}),
        ("resources.write", {"key": f"project/{PROMPT}", "value": PROMPT}), ("config.patch", {"providers": {"p": {"api_key": KEY}}}),
    ]
    for operation, arguments in calls:
        failed(lambda: client.call(operation, arguments))
    for operation, arguments in calls:
        try:
            client.results.clear()
            op = client.submit(operation, arguments)
        except library.Failure:
            continue
        yield from drained(client, op)
    stream = client.submit("engine.stream", {"session_id": "s"})
    end, seen = time.time() + 10, []
    while not any(e["type"] == "session.response" for e in seen) and time.time() < end:
        seen = client.next(100)
        yield from logged(seen)
    client.cancel(stream)
    yield from drained(client, stream)


def logged(events):
    return [e["properties"] for e in events if e["type"] == "log"]


def drained(client, op):
    end, is_over = time.time() + 20, False
    while not is_over and time.time() < end:
        events = client.next(100)
        is_over = any(e["op"] == op and e["type"] == "done" for e in events)
        yield from logged(events)


def secrets():
    with Server(answer) as server:
        for number, level in enumerate(LEVELS):
            with Log(number) as log:
                options = {"token": TOKEN, "headers": {"X-Static": HEADER}, "log_level": level,
                           "providers": {"p": {"url": "http://127.0.0.1:1", "api_key": KEY}}}
                with Client(url=f"{server.url}/{GATEWAY}", **options) as client:
                    events = list(everything(client))
            texts = [json.dumps(e) for e in events]
            found = [(mark, text) for mark in MARKS for text in [*texts, *log.texts] if mark in text]
            case(f"{level}: no mark is in any record", not found, str(found[:2]))
            levels = [r["level"] for r in [*events, *log.records()]]
            case(f"{level}: no record is above it", all(0 < l <= number for l in levels), str(sorted(set(levels))))
            wanted = {"none": set(), "error": set(), "warning": {2}, "info": {2, 3}, "debug": {2, 3, 4}}[level]
            case(f"{level}: both ways have records of each level", wanted <= {r["level"] for r in events} and
                 wanted <= {r["level"] for r in log.records()}, f"{len(events)} {len(log.texts)}")


def details():
    with Server(answer) as server, Log(4) as log, Client(url=server.url) as client:
        client.call("sessions.list", {"q": PROMPT, "page": 2})
        fields = log.records("request")[-1]["fields"]
        case("a request's record", fields["operation"] == "sessions.list" and fields["method"] == "GET" and fields["status"] == 200
             and fields["attempt"] == 1 and fields["duration_ms"] >= 0 and fields["bytes_received"] > 0 and fields["bytes_sent"] == 0, str(fields))
        case("its query's words are left out, its numbers not", fields["path"] == "/session?q=…&page=2", fields["path"])
        failed(lambda: client.call("sessions.get", {"session_id": "cut", "$retries": 1}))
        tries = [r["fields"]["attempt"] for r in log.records("request")][-2:]
        case("each try has a record", tries == [1, 2], str(tries))
        again = log.records("a request is sent again")
        case("sending again is information", len(again) == 1 and again[0]["level"] == 3 and again[0]["fields"]["retry_in_ms"] > 0
             and again[0]["fields"]["failure"] == "engine_unavailable", str(again))
        lost = log.records("a connection was lost")
        case("a lost connection is a warning", len(lost) == 2 and lost[0]["level"] == 2 and lost[0]["fields"]["failure"] == "cut", str(lost))
        failed(lambda: client.call("sessions.get", {"session_id": "elsewhere"}))
        refused = log.records("a redirect was refused")
        case("a redirect that is refused is a warning", len(refused) == 1 and refused[0]["fields"]["status"] == 307, str(refused))
        failed(lambda: client.call("sessions.get", {"session_id": "failing", "$retries": 0}))
        case("an engine's failure is a warning", log.records("the engine failed a request")[0]["fields"]["status"] == 500)
        before = len(log.texts)
        failed(lambda: client.call("sessions.get", {"session_id": "refused"}))
        case("a plain refusal is a record of its request", len(log.texts) == before + 1)
    with Log(4) as log, Client(url="http://127.0.0.1:1", retries=0) as client:
        failed(lambda: client.call("engine.health"))
        fields = log.records("a request failed")[0]["fields"]
        case("nobody there is a warning", fields["failure"] == "connect" and fields["operation"] == "engine.health", str(fields))


def lost_stream():
    def short(request, connection):
        open_stream(connection)
        connection.sendall(b"data: {")
        return False

    with Server(short) as server, Log(4) as log, Client(url=server.url) as client:
        op = client.submit("engine.stream", {"session_id": "s", "$reconnect": False})
        client.done(op)
        case("a stream's beginning and end are logged", bool(log.records("a stream began")) and
             bool(log.records("a stream ended") or log.records("a stream's connection was lost")), str(log.texts))


def silence():
    with Server(answer) as server, Client(url=server.url) as client, Log(2) as log:
        client.call("sessions.get", {"session_id": "s"})
        case("with level warning an ordinary request makes no record", not log.texts, str(log.texts))


def main():
    for body in (secrets, details, lost_stream, silence):
        try:
            body()
        except Exception as e:
            case(f"{body.__name__} raises nothing", False, repr(e))
    return case.finish()


if __name__ == "__main__":
    sys.exit(main())
