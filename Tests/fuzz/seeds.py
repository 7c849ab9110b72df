#!/usr/bin/env python3
"""Writes the inputs that the fuzzers begin with, of Tests/Fixtures and of what hurts: seeds.py FOLDER

Each fuzzer gets a folder of its name below FOLDER. Their forms are told in the fuzzers.
"""
import base64, hashlib, json, pathlib, sys

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "Fixtures"
LARGEST = 16384
NUMBERS = ["-9223372036854775808", "-9223372036854775807", "9223372036854775807", "9223372036854775806", "0", "-1", "1e400", "18446744073709551616", "1.5"]
TEXTS = [r'"\ud800"', r'"\u0000"', '"\\ud83d\\ude80"', '"' + "é" * 300 + '"', "[" * 127 + "]" * 127, "[" * 129 + "]" * 129,
         "{" + ",".join(f'"k{i}":{i}' for i in range(200)) + "}", "-0.0", "1e999", "nul", "\ufeff{}", "[1,]", '{"a":1,"a":2}']


def parts(*all):
    return b"\0".join(p if isinstance(p, bytes) else p.encode("utf-8", "surrogatepass") for p in all)


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def vectors():
    return json.loads((FIXTURES / "conformance/engine_vectors-visible.json").read_text())


def streams():
    """The recorded streams, as they come for session s and run r."""
    for path in sorted((FIXTURES / "streams").glob("*.sse")):
        yield path.stem, path.read_bytes().replace(b"${sid}", b"s").replace(b"${rid}", b"r")[:LARGEST]


def frame(kind, seq, properties, event=None):
    envelope = f'"envelope":{{"event_id":"{event or seq}","seq":{seq},"occurred_at_ms":{seq},"session_id":"s","run_id":"r"}}'
    return f'data: {{"type":"{kind}","properties":{properties},{envelope}}}\n\n'


OPENED = 'data: {"type":"server.connected","properties":{}}\n\ndata: {"type":"engine.lifecycle.ready","properties":{"status":"ready"}}\n\n'


def rows(*events):
    return compact({"run_id": "r", "events": [
        {"event_id": str(seq), "seq": seq, "event_type": kind, "session_id": "s", "run_id": "r", "occurred_at_ms": 1, "payload": payload}
        for kind, seq, payload in events]})


def of_json():
    for vector in vectors()[::40]:
        yield parts("/response/json", compact(vector))
    for pointer in ("", "/a", "/a/0", "/a/-", "/~0~1", "/~2", "//", "ops", "op:sessions.get", "events", "errors"):
        for text in TEXTS + NUMBERS:
            yield parts(pointer, '{"a":[%s],"~/":%s}' % (text, text))


def of_call():
    for vector in vectors()[::6]:
        yield parts(vector["op"], compact(vector["args"]))
    for name in ("sessions.create", "sessions.list", "sessions.prompt_async", "sessions.run", "engine.run_events", "permissions.reply",
                 "questions.reply", "providers.set_defaults", "config.get", "todos.list", "engine.stream"):
        for value in NUMBERS + TEXTS:
            yield parts(name, '{"session_id":%s,"limit":%s,"prompt":%s,"$tag":%s}' % ((value,) * 4))
            yield parts(name, '{"$timeout_ms":%s,"$take":%s,"page":%s,"since_seq":%s,"tail":1}' % ((value,) * 4))


def of_open():
    options = {"engine": "embedded", "url": "http://127.0.0.1:9", "token": "t", "state": "fuzz-state", "workspace": ".", "timeout_ms": 5,
               "connect_timeout_ms": 5, "idle_timeout_ms": 5, "retries": 0, "on_conflict": "wait", "reply_limit_bytes": 5,
               "event_limit_bytes": 5, "transfers_limit": 1, "op_queue_bytes": 5, "ops_limit": 5, "results_limit_bytes": 5,
               "proxy": None, "ca_file": "none", "client_certificate": "none", "client_key": "none", "headers": {"a": "b"},
               "act_as": None, "environment": True, "discover": False, "default_provider": "p", "default_model": "m",
               "providers": {"llama_cpp": {"url": "http://127.0.0.1:9", "default_model": "m", "api_key": "k"}},
               "durability": "power", "deterministic": 1, "vocabulary": "both", "subscription": "session", "coalesce_ms": 5,
               "fold": True, "delivery": "thread", "log_level": "debug", "strict": True}
    yield compact(options).encode()
    for name, value in options.items():
        yield compact({name: value, "discover": False}).encode()
        for other in NUMBERS + TEXTS[:4]:
            yield ('{"%s":%s}' % (name, other)).encode()
    for url in ("unix:/x", "unix:", "embedded:", "http://", "http://[::1", "http://a:99999", "https://u:p@h/x?y#z", "ftp://x", "//", "\u00e9"):
        yield compact({"url": url}).encode()


def of_host():
    call = {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "free", "arguments": "{}"}}]}
    asked = json.loads(compact(call).replace("free", "asked"))
    question = json.loads(compact(call).replace("free", "question"))
    question["tool_calls"][0]["function"]["arguments"] = compact({"questions": [{"question": "Q?", "header": "H", "options": [{"label": "yes"}]}]})
    for message in (call, asked, question, {"role": "assistant", "content": "Hi"}):
        yield parts(compact({"ok": {"message": message, "usage": {"prompt_tokens": 1, "completion_tokens": 2}}}), '{"ok":"5"}', '{"ok":"once"}')
        yield parts("C" + compact(message), 'C"more"', '{"ok":{"finish_reason":"tool_calls"}}', '{"error":{"message":"no","retryable":true}}')
    for value in NUMBERS + TEXTS:
        yield parts('{"ok":%s}' % value, 'C%s' % value, '{"error":%s}' % value)
        yield parts('{"ok":{"message":%s,"usage":{"prompt_tokens":%s,"completion_tokens":%s,"total_tokens":%s}}}' % ((value,) * 4))
        yield parts(compact({"ok": {"message": call}}), '{"ok":{"output":%s,"metadata":%s}}' % (value, value), '{"ok":["a",%s]}' % value)
        yield parts('C{"content":%s,"tool_calls":[{"index":%s,"id":%s,"function":{"name":"free","arguments":%s}}]}' % ((value,) * 4))
        yield parts('{"ok":{"message":{"tool_calls":[{"id":%s,"function":{"name":"todo_write","arguments":%s}}]}}}' % (value, value))


def chunk(delta, **more):
    return "data: " + compact({"choices": [{"index": 0, "delta": delta, **more}]}) + "\n\n"


def of_model():
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "add", "arguments": '{"a"'}}
    rest = {"index": 0, "function": {"arguments": ":1}"}}
    stream = chunk({"role": "assistant", "content": ""}) + chunk({"content": "He"}) + chunk({"content": "llo"}, finish_reason="stop")
    usage = 'data: {"choices":[],"usage":{"prompt_tokens":%s,"completion_tokens":%s,"total_tokens":%s}}\n\n'
    done = "data: [DONE]\n\n"
    for way in "\0\1\2\3":
        yield way.encode() + parts("S" + stream + done)
        yield way.encode() + parts("S" + chunk({"tool_calls": [call]}) + chunk({"tool_calls": [rest]}, finish_reason="tool_calls") + done, "S" + stream)
        yield way.encode() + parts("S" + stream + usage % (1, 2, 3) + done)
    whole = {"choices": [{"message": {"content": "Hi", "tool_calls": [call]}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 1}}
    yield b"\0" + parts("H" + "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + compact(whole))
    for status in ("401", "429", "500", "400", "302", "204"):
        yield b"\0" + parts("H" + f"HTTP/1.1 {status} X\r\nRetry-After: 1e400\r\nretry-after-ms: nan\r\nContent-Length: 2\r\n\r\n{{}}")
        yield b"\0" + parts("E" + status + '{"error":{"message":"context length","code":"429","type":"t"}}')
    for value in NUMBERS + TEXTS:
        yield b"\0" + parts("S" + stream + usage % ((value,) * 3) + done)
        yield b"\1" + parts('S: c\nevent: e\nid: %s\nretry: %s\ndata: {"error":{"message":%s,"code":%s}}\n\n' % ((value,) * 4))
        yield b"\2" + parts('Sdata: {"choices":[{"delta":{"content":%s,"tool_calls":[{"index":%s,"id":%s,"function":%s}]}}]}\r\r' % ((value,) * 4))


def of_engine():
    for name, stream in streams():
        for ways in (b"\0\2", b"\1\x13", b"\2\x14", b"\3\x15", b"\0\x1c", b"\x08\x1b", b"\0\6", b"\x14\x26"):
            yield ways + parts("engine.stream", b"S" + stream, "R" + rows(("session.run.started", 1, {}), ("session.run.finished", 99, {"status": "completed"})))
    for vector in json.loads((FIXTURES / "conformance/sse_vectors-visible.json").read_text())["vectors"]:
        data = b"".join(base64.b64decode(c) for c in vector["chunks_base64"])
        yield b"\1\4" + parts("engine.stream", b"S" + data.replace(b"\0", b" ")[:LARGEST])
    for vector in vectors()[::4]:
        body = compact(vector.get("response", {}).get("json"))
        if len(body) < LARGEST:
            yield b"\0\0" + parts(vector["op"], "R" + body)
            yield b"\0\1" + parts(vector["op"], "E404" + body, "R" + body)
    for name in ("stateful_runtime.events", "context_runs.stream_events", "audit.stream", "routines.events", "engine.run_events"):
        for value in NUMBERS:
            yield b"\0\1" + parts(name, 'Sevent: ready\ndata: {}\n\nevent: a\nid: %s\nretry: %s\ndata: {"cursor":%s,"seq":%s,"properties":{"seq":%s}}\n\n' % ((value,) * 5))
            yield b"\0\1" + parts(name, 'S{"type":"a","seq":%s}\n{"type":"b","seq":1}\n{' % value)
    for a in NUMBERS[:6]:
        for b in NUMBERS[:6]:
            yield b"\4\x15" + parts("x", "S" + OPENED + frame("session.run.started", a, "{}") + frame("session.run.finished", b, '{"status":"completed"}'))
            yield b"\4\x1a" + parts("x", "S" + OPENED + frame("session.run.started", a, "{}") + frame("x", b, "{}"),
                                    'R{"events":[{"event_id":"e","seq":%s,"event_type":"session.run.finished","payload":{}}]}' % b)
        lost = '{"sessionID":"s","runID":"r","gaps":%s,"truncated":%s,"healed":%s,"duplicates":%s}' % ((a,) * 4)
        yield b"\4\x1d" + parts("x", "S" + OPENED + frame("session.run.started", 1, "{}") + 'data: {"type":"stream.resynced","properties":%s}\n\n' % lost)
        yield b"\x14\x15" + parts("x", "S" + OPENED + 'data: {"type":"permission.asked","properties":{"sessionID":"s","requestID":"p","tool":"t","args":{},'
                                  '"requestedAtMs":%s,"expiresAtMs":%s}}\n\n' % (a, a))
        yield b"\4\7" + parts("x", 'R{"runID":"r","attachEventStream":"/event"}', "S" + OPENED + frame("session.run.started", a, "{}")
                              + frame("provider.usage", 2, '{"promptTokens":%s,"completionTokens":%s,"totalTokens":%s}' % (a, a, a))
                              + frame("session.run.finished", 3, '{"status":"completed"}'))
    cut = "S" + OPENED + frame("session.run.started", 1, "{}") + 'data: {"type":"message.part.updated","properties":{"part":{"messageID":"m","sessionID":"s","text":"lo...<truncated>\n\n'
    yield b"\0\2" + parts("x", cut + frame("session.run.finished", 4, '{"status":"completed"}'), "R" + rows(("message.part.updated", 2, {"delta": "x"}), ("session.run.finished", 4, {})))
    yield b"\0\2" + parts("x", "H" + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n5\r\ndata:\r\nffffffffffffffff\r\n")
    yield b"\0\0" + parts("sessions.get", "HHTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\nRetry-After: 99999999999999999999\r\n\r\n{}")
    yield b"\0\0" + parts("sessions.get", "HHTTP/1.1 503 X\r\nRetry-After: Sun, 06 Nov 9999 23:59:60 GMT\r\nContent-Length: 2\r\n\r\n{}")


def of_state():
    for place in (0, 18, 24, 28, 40, 60, 96, 100, 103, 107, 4096, 4100, 8192, 12288, 16384, 20480, 32768):
        for value in (0, 1, 127, 255):
            yield bytes([place >> 16, place >> 8 & 255, place & 255, value])
            yield b"".join(bytes([at >> 16, at >> 8 & 255, at & 255, value]) for at in range(place, place + 64))


SEEDS = {"json": of_json, "call": of_call, "open": of_open, "host": of_host, "model": of_model, "engine": of_engine, "state": of_state}


def write(folder):
    for name, seeds in SEEDS.items():
        place = pathlib.Path(folder, name)
        place.mkdir(parents=True, exist_ok=True)
        for seed in seeds():
            (place / hashlib.sha1(seed).hexdigest()).write_bytes(seed)


if __name__ == "__main__":
    write(sys.argv[1])
