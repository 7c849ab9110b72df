#!/usr/bin/env python3
"""Every row of contract/compatibility.json by its example: the documented call through C and through Python, the request
that leaves, and what comes back.

    check_rows.py [OPERATION ...]        with no names: all rows

Examples are in Tests/Fixtures/compatibility.json, by operation and by what a row says is documented; a list of examples
are all to hold. Keys of an example:

  vector      the recorded call (Tests/Fixtures/conformance) whose reply is given, and whose arguments and request are
              meant where the example has none
  args        the arguments in the documented form
  request     "METHOD /path?query" of the one request that leaves, with `body` and `headers` (those named); or
  requests    a list of such; "none": nothing may leave; or `first`: the first one, of a stream
  reply       what every request is answered with, and its `status`; `replies`: by "METHOD /path"; `frames`: as a stream
  result      pointer into the result -> a value, or a pointer into the last reply that must be the same
  events      members of events that a stream has to give; `once`: types that come exactly once
  error       name of the error that the call ends with; `says`: a word of its message; `detail`: as `result`
  method      the Python method, where it is another than the operation's; it is then no function of the C library
  python, c   what differs on that side; `returns` in it: as `result`, of what the Python method returns
  untested    why the row has no example

A value {"$type": "integer"} stands for any of that type, {"$absent": true} for none at all, {"$is": TEXT} for a text that
begins with a slash and is no pointer.
"""
import argparse
import asyncio
import inspect
import json
import os
import pathlib
import subprocess
import sys
from urllib.parse import parse_qsl

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(PROJECT / "Tests/conformance"), str(PROJECT / "bindings/python")]
from recorder import Recorder, Response  # noqa: E402
from run_parity import Candidate, json_diff  # noqa: E402

TOKEN = "rows-token"
FIXTURES = PROJECT / "Tests/Fixtures"
KINDS = {"integer": int, "string": str, "object": dict, "array": list, "boolean": bool, "number": (int, float)}
MISSING = object()


def load(path):
    return json.loads((PROJECT / path).read_text())


class Vectors:
    def __init__(self):
        self.all = load("Tests/Fixtures/conformance/engine_vectors-visible.json")

    def find(self, operation, variant):
        """`variant` of that operation, or "operation#variant" of another."""
        operation, _, variant = variant.partition("#") if "#" in variant else (operation, "", variant)
        found = [v for v in self.all if v["op"] == operation and v["variant"] == variant]
        if not found:
            raise KeyError(f"no vector {operation}#{variant}")
        return found[0]


def recorded_run():
    """The frames of a recorded run, of session "sid" and run "rid"."""
    steps = load("Tests/Fixtures/recordings/core-run-text.json")["steps"]
    events = next(step["events"] for step in steps if "close" in step)
    return [json.dumps(event).replace("${sid}", "sid").replace("${rid}", "rid") for event in events]


def contract():
    operations = {}
    for path in sorted((PROJECT / "contract/operations").glob("*.json")):
        file = json.loads(path.read_text())
        operations.update({f"{file['namespace']}.{name}": entry for name, entry in file["operations"].items()})
    return operations


def at(value, pointer):
    """The member at a pointer, a record's by its other spellings too. `*` is each item of an array."""
    for i, step in enumerate(pointer.split("/")[1:]):
        step = step.replace("~1", "/").replace("~0", "~")
        if step == "*" and isinstance(value, list):
            rest = "/" + "/".join(pointer.split("/")[i + 2:])
            return [at(item, rest) if rest != "/" else item for item in value] if value else MISSING
        if isinstance(value, list):
            value = value[int(step)] if step.isdigit() and int(step) < len(value) else MISSING
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            value = getattr(value, step, MISSING)
        if value is MISSING:
            return MISSING
    return value


def same(want, got):
    """None, or where a value is not as an example says."""
    if isinstance(want, dict) and set(want) == {"$type"}:
        return None if isinstance(got, KINDS[want["$type"]]) else f"{got!r} is no {want['$type']}"
    if isinstance(want, dict) and isinstance(got, dict):
        for key in [*want, *(k for k in got if k not in want)]:
            if key not in got or key not in want:
                return f"{key} is {'missing' if key not in got else 'too much'}"
            if why := same(want[key], got[key]):
                return f"{key}: {why}"
        return None
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        return next((f"{i}: {why}" for i, (a, b) in enumerate(zip(want, got)) if (why := same(a, b))), None)
    difference = json_diff(want, got)
    return None if difference is None else f"{got!r} instead of {want!r}"


class Example:
    """One example on one side, its defaults filled in from the recorded call."""

    def __init__(self, operation, entry, example, side, vectors):
        given = {**example, **example.get(side, {})}
        self.operation, self.entry, self.side = operation, entry, side
        self.vector = vectors.find(operation, given["vector"]) if "vector" in given else None
        self.args = given["args"] if "args" in given else self.vector["args"] if self.vector else {}
        self.method, self.positional = given.get("method"), given.get("positional")
        self.error, self.says = given.get("error"), given.get("says", "")
        self.result, self.returns = given.get("result", {}), given.get("returns")
        self.detail, self.events, self.once = given.get("detail", {}), given.get("events", []), given.get("once", [])
        self.only_first = "first" in given
        self.is_stream = entry.get("response") in ("sse", "json_lines") and entry.get("recipe") != "prompt_sync"
        self.requests = self._requests(given)
        self.replies = {key: self._reply(value, vectors) for key, value in given.get("replies", {}).items()}
        self.reply = self._default_reply(given)
        self.last_reply = None

    def _requests(self, given):
        if given.get("requests") == "none" or not self.vector and not {"first", "request", "requests"} & given.keys():
            return []
        if "first" in given:
            return [{"request": given["first"]}]
        if "requests" in given:
            return given["requests"]
        if "request" in given:
            return [{key: given[key] for key in ("request", "body", "headers") if key in given}]
        recorded = self.vector["request"]
        query = "?" + recorded["raw_query"] if recorded["raw_query"] else ""
        request = {"request": f"{recorded['method']} {recorded['path']}{query}", "headers": given.get("headers", {})}
        if not self.vector.get("any_empty_body"):
            request["body"] = given.get("body", recorded["body"])
        return [request]

    def _default_reply(self, given):
        if "frames" in given:
            frames = recorded_run() if given["frames"] == "core-run-text" else given["frames"]
            texts = [frame if isinstance(frame, str) else json.dumps(frame) for frame in frames]
            return Response(sse_chunks=[f"data: {text}\n\n".encode() for text in texts]), None
        if "reply" in given:
            return Response(status=given.get("status", 200), json_body=given["reply"]), given["reply"]
        return self._reply_of(self.vector) if self.vector else (Response(json_body={}), {})

    def _reply(self, value, vectors):
        return self._reply_of(vectors.find(self.operation, value)) if isinstance(value, str) else (Response(json_body=value), value)

    @staticmethod
    def _reply_of(vector):
        reply = vector["response"]
        if "text" in reply:
            return Response(status=reply["status"], raw_body=reply["text"].encode(), content_type=reply["content_type"]), reply["text"]
        return (Response(status=reply["status"], json_body=reply["json"]), reply["json"]) if "json" in reply else (Response(status=reply["status"]), None)

    def answer(self, request):
        response, self.last_reply = self.replies.get(f"{request.method} {request.path}", self.reply)
        return response

    def wrong_requests(self, seen):
        if self.is_stream:
            # What a stream asks for beside its frames is not what a row is about.
            return list(wrong_request(self.requests[0], seen[0])) if seen and self.only_first else []
        # A submitted prompt is listened to as well.
        seen = [request for request in seen if request.path != "/event"]
        if len(seen) != len(self.requests):
            return [f"requests {[f'{r.method} {r.target} {r.body}' for r in seen]} instead of {self.requests}"]
        return [why for want, got in zip(self.requests, seen) for why in wrong_request(want, got)]

    def wrong_result(self, value, expected):
        for pointer, want in expected.items():
            got = at(value, pointer)
            if want == {"$absent": True}:
                if got is not MISSING:
                    yield f"{pointer} is {got!r}"
                continue
            if isinstance(want, dict) and set(want) == {"$is"}:
                want = want["$is"]
            elif isinstance(want, str) and want.startswith("/"):
                want = at(self.last_reply, want) if want != "/" else self.last_reply
                if want is MISSING:
                    yield f"the reply has no {expected[pointer]}"
            if got is MISSING:
                yield f"no {pointer} in {str(value)[:300]}"
            elif why := same(want, got):
                yield f"{pointer}: {why}"


    def wrong_events(self, value):
        # Python gives the engine's events under their own names.
        events = [{**event, "type": event["type"].removeprefix("engine.")} for event in value["events"]] if self.is_stream else []
        for want in ({**want, "type": want["type"].removeprefix("engine.")} for want in self.events):
            if not any(all(at(event, "/" + key) is not MISSING and same(v, at(event, "/" + key)) is None for key, v in want.items()) for event in events):
                yield f"no event {want} in {[{key: event.get(key) for key in ('type', 'session_id', 'run_id', 'seq')} for event in events]}"
        types = [event["type"] for event in events]
        yield from (f"{types.count(name)} times {name}" for name in self.once if types.count(name) != 1)


def wrong_request(want, got):
    method, _, target = want["request"].partition(" ")
    path, _, query = target.partition("?")
    if (method, path) != (got.method, got.path):
        yield f"{got.method} {got.path} instead of {method} {path}"
    if sorted(map(list, parse_qsl(query, keep_blank_values=True))) != sorted(got.query):
        yield f"query {got.raw_query} instead of {query}"
    if "body" in want and (why := same(want["body"], got.body)):
        yield f"body {why}: {json.dumps(got.body)}"
    for name, value in want.get("headers", {}).items():
        if name not in got.headers or value != "*" and got.headers[name] != value:
            yield f"header {name} is {got.headers.get(name)!r} instead of {value!r}"


class InC:
    """The C library behind the line protocol."""

    def __init__(self, url):
        self.candidate = Candidate(f"{PROJECT}/Tests/conformance/candidate-c", url, TOKEN, None, True)
        self.candidate.env["TANDEM_STRICT"] = "0"

    def call(self, example):
        """(error name, message) or None, and the result."""
        message = {"id": 1, "op": example.operation, "args": example.args}
        if example.is_stream:
            message["vocabulary"] = "normalized"
        answer = self.candidate.ask(message, 20)
        if answer.get("ok"):
            return None, answer["value"]
        try:
            error = json.loads(answer["error"])["error"]
            return (error["name"], error["message"]), error
        except ValueError:
            return ("no answer", answer["error"]), None

    def close(self):
        self.candidate.stop()


class InPython:
    """The Python package's own methods; every second example by asyncio."""

    def __init__(self, url):
        import libtandem
        self.package, self.loop, self.calls = libtandem, asyncio.new_event_loop(), 0
        options = {"retries": 0, "subscription": "session"}
        self.sync = libtandem.SyncTandemClient(url, TOKEN, **options)
        self.asynchronous = libtandem.TandemClient(url, TOKEN, **options)

    def call(self, example):
        self.calls += 1
        client = self.sync if self.calls % 2 else self.asynchronous
        namespace, name = example.operation.split(".")
        name = example.method or name
        place = getattr(client, namespace)
        method = getattr(place, name if hasattr(place, name) else name + "_")
        positional = example.positional or []
        named = {} if example.positional is not None else {self.spelled(key): value for key, value in example.args.items()}
        if example.is_stream:
            named["reconnect"] = False
        try:
            return None, self.taken(method(*positional, **named))
        except self.package.TandemError as error:
            return (error.name, str(error)), error

    @staticmethod
    def spelled(name):
        """A parameter's name: Python's own words end in _."""
        return name + "_" if name in ("from", "in", "class", "global", "import") else name

    def taken(self, value):
        """What an awaitable gives, or the events of a stream."""
        if inspect.isawaitable(value):
            return self.loop.run_until_complete(value)
        if hasattr(value, "__aiter__"):
            return self.loop.run_until_complete(self.all_of(value))
        return {"events": [*value]} if hasattr(value, "__next__") else value

    @staticmethod
    async def all_of(stream):
        return {"events": [event async for event in stream]}

    def close(self):
        self.sync.close()
        self.loop.run_until_complete(self.asynchronous.close())
        self.loop.close()


def problems(example, side, recorder):
    """What is wrong with an example on one side."""
    recorder.clear()
    recorder.respond_with(example.answer)
    error, value = side.call(example)
    bad = example.wrong_requests(recorder.requests)
    if example.error:
        if error is None or error[0] != example.error or example.says not in error[1]:
            return bad + [f"error {error or 'none'} instead of {example.error} {example.says}"]
        return bad + list(example.wrong_result(at(value, "/detail"), example.detail))
    if error is not None:
        return bad + [f"error {error}"]
    if example.side == "python" and example.returns is not None:
        return bad + list(example.wrong_result(value, example.returns))
    if example.side == "python" and "python" in (example.entry.get("result") or {}) and example.entry["result"]["python"] != "$body" and example.result:
        return bad + ["the method returns a part of the result only: the example says nothing of it (`python`: `returns`)"]
    return bad + list(example.wrong_events(value)) + list(example.wrong_result(value, example.result))


def missing_examples(rows, examples):
    known = {(operation, documented) for operation, by in examples.items() for documented in by}
    wanted = {(row["operation"], row["documented"]) for row in rows}
    return wanted - known, known - wanted


def exports():
    return set((PROJECT / "libtandem.symbols").read_text().split())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("operations", nargs="*")
    chosen = parser.parse_args().operations
    rows, examples = load("contract/compatibility.json"), load("Tests/Fixtures/compatibility.json")
    operations, vectors, functions = contract(), Vectors(), exports()
    passed = failed = 0

    def case(name, bad):
        nonlocal passed, failed
        passed, failed = passed + (not bad), failed + bool(bad)
        print(f"{'FAILED' if bad else 'ok'} {name}" + "".join(f"\n    {b}" for b in bad), flush=True)

    if not chosen:
        without, strange = missing_examples(rows, examples)
        case("every row has an example", [f"{o}: {d}" for o, d in sorted(without)])
        case("every example is a row's", [f"{o}: {d}" for o, d in sorted(strange)])
        bare = [f"{o}: {d}" for o, by in examples.items() for d, e in by.items() if isinstance(e, dict) and "untested" in e and len(e["untested"]) < 20]
        case("a row without a test says why", bare)
    with Recorder() as recorder:
        sides = {"c": InC(recorder.base_url), "python": InPython(recorder.base_url)}
        for operation, by in examples.items():
            if chosen and operation not in chosen and operation.split(".")[0] not in chosen:
                continue
            for documented, given in by.items():
                if "untested" in given:
                    continue
                for side in sides:
                    bad = []
                    for one in given if isinstance(given, list) else [given]:
                        name = one.get("operation", operation)
                        if side in one and one[side] is None:
                            continue
                        try:
                            bad += problems(Example(name, operations[name], one, side, vectors), sides[side], recorder)
                            if "method" in one and f"tandem_{name.split('.')[0]}_{one['method']}" in functions:
                                bad.append("the second name is a function in C")
                        except (KeyError, AttributeError, TypeError) as error:
                            bad.append(repr(error))
                    case(f"{side}: {operation}: {documented}", bad)
        for side in sides.values():
            side.close()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
