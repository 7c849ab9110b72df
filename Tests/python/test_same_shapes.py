#!/usr/bin/env python3
"""Every operation that both engines have gives results of one shape: the embedded engine's own, and what a remote client
makes of every recorded reply of tandem-engine."""
import json, pathlib, re, sys, urllib.request

import library
from library import Cases, Client

ROOT = pathlib.Path(library.ROOT)
sys.path.insert(0, str(ROOT / "Tests/conformance"))
from recorder import Recorder, Response  # noqa: E402

case = Cases()
SCRIPTS = {
    "permission": [{"tool_calls": [{"name": "todo_write", "arguments": {"todos": [{"content": "paint"}]}}]}, {"text": "Done."}],
    "question": [{"tool_calls": [{"name": "question", "arguments": {"question": "Which colour?", "choices": ["red", "blue"]}}]}, {"text": "Done."}],
}
MODEL = {"default_provider": "llama_cpp",
         "providers": {"llama_cpp": {"url": library.MODEL_URL, "default_model": "scripted", "api_key": "fake"}}}

# Objects whose keys are data: the shapes of their values are one.
MAPS = {
    "providers.catalog": ["/all/*/models"],
    "providers.set_defaults": ["/effective/providers"],
    "providers.auth_status": ["/providers"],
}

# Objects and lists that are data through and through.
OPAQUE = {"engine.list_tools": ["/*/input_schema"], "permissions.list": ["/requests/*/args", "/past_requests/*/args"]}

# What one engine has and the other has not, and why that is right. A pointer into results, `*` for each item or any key.
TOLERATED = {
    "permissions.list/decisions/*/standingRuleID": "the engine gives it where an answer made a rule; none was recorded",
    "permissions.list/rules/*/sourceRequestID": "the same of the rule",
    "config.get/effective/*": "what is configured: another engine, another configuration",
    "config.get/layers": "the engine gives it too; the recorded reply was cut to the part that its scenario is about",
}


class Shape:
    """The types that values at one place have, and the shapes of what is in them."""

    def __init__(self):
        self.types, self.members, self.objects, self.items = set(), {}, 0, None

    def add(self, value, maps, opaque, path=""):
        if isinstance(value, (dict, list)) and path in opaque:
            self.types.add("object" if isinstance(value, dict) else "array")
        elif isinstance(value, dict):
            self.types.add("object")
            if path in maps:
                self.items = self.items or Shape()
                for member in value.values():
                    self.items.add(member, maps, opaque, path + "/*")
                return self
            self.objects += 1
            for key, member in value.items():
                shape, count = self.members.get(key, (Shape(), 0))
                self.members[key] = (shape.add(member, maps, opaque, f"{path}/{key}"), count + 1)
        elif isinstance(value, list):
            self.types.add("array")
            self.items = self.items or Shape()
            for item in value:
                self.items.add(item, maps, opaque, path + "/*")
        else:
            self.types.add("null" if value is None else "boolean" if isinstance(value, bool) else "number" if isinstance(value, (int, float)) else "string")
        return self

    def differences(self, theirs, path=""):
        """(pointer, words) for whatever a program could notice when it goes from one engine to the other."""
        if self.types - theirs.types:
            yield path, f"{sorted(self.types)} instead of {sorted(theirs.types)}"
        for key in sorted(self.members.keys() - theirs.members.keys() if theirs.objects else ()):
            yield f"{path}/{key}", "only the embedded engine has it"
        for key, (shape, count) in sorted(theirs.members.items()):
            mine, found = self.members.get(key, (None, 0))
            if count == theirs.objects and found < self.objects:
                yield f"{path}/{key}", "missing"
            if mine:
                yield from mine.differences(shape, f"{path}/{key}")
        if self.items and theirs.items and theirs.items.types:
            yield from self.items.differences(theirs.items, path + "/*")


def operations():
    for path in sorted((ROOT / "contract/operations").glob("*.json")):
        file = json.loads(path.read_text())
        for name, entry in file["operations"].items():
            if entry.get("embedded"):
                yield f"{file['namespace']}.{name}", {**entry, "name": f"{file['namespace']}.{name}"}


def recorded(names):
    """Of each operation the results that a remote client makes of the recorded replies."""
    vectors = json.loads((ROOT / "Tests/Fixtures/conformance/engine_vectors-visible.json").read_text())
    found = {name: [] for name in names}
    # Replies of scenarios that the recorded calls do not have.
    more = json.loads((ROOT / "Tests/Fixtures/replies.json").read_text())
    with Recorder() as engine, Client(url=engine.base_url, retries=0) as client:
        for v in vectors:
            if v["op"] not in found or v["outcome"] != "ok" or "json" not in v["response"]:
                continue
            engine.respond(Response(status=v["response"]["status"], json_body=v["response"]["json"]))
            try:
                found[v["op"]].append(client.call(v["op"], v["args"]))
            except library.Failure:
                # A failed run answers prompt_sync with status 200.
                if v["op"] != "sessions.prompt_sync":
                    raise
        for name in more.keys() & found.keys():
            for reply in more[name]:
                engine.respond(Response(json_body=reply))
                found[name].append(client.call(name, {"question_id": "q"} if name == "questions.reply" else {}))
    return found


class Embedded:
    """A client of the embedded engine in a state where its operations have something to give."""

    def __init__(self, client):
        self.client, self.scripts = client, 0
        self.empty = client.call("sessions.create", {"title": "Empty", "directory": "."})["id"]
        self.chat = client.call("sessions.create", {"title": "Chat", "model": {"providerID": "llama_cpp", "modelID": "scripted"}})["id"]
        client.call("sessions.prompt_sync", {"session_id": self.chat, "prompt": "Say hello [[hello]]"})
        self.run = client.call("sessions.prompt_async", {"session_id": self.chat, "prompt": "Say hello again [[hello]]"})["run_id"]
        client.call("engine.stream", {"session_id": self.chat, "run_id": self.run})

    def idle(self):
        return {"session_id": self.client.call("sessions.create", {})["id"]}

    def busy(self):
        """The session of a run that goes on until it is cancelled."""
        session = self.idle()
        return {**session, "run_id": self.client.call("sessions.prompt_async", {**session, "prompt": "Slowly [[slow]]"})["run_id"]}

    def asked(self, name):
        """A permission request or a question that waits, as the arguments of the operations that answer it."""
        # A script of its own: that of a run before this one may be read still.
        self.scripts += 1
        script = f"{name}{self.scripts}"
        request = urllib.request.Request(f"{library.MODEL_URL}/_script/{script}", json.dumps(SCRIPTS[name]).encode(), method="PUT")
        urllib.request.urlopen(request).close()
        tool = SCRIPTS[name][0]["tool_calls"][0]["name"]
        session = self.client.call("sessions.create", {"permission": [{"permission": "todo_write", "action": "ask"}]})["id"]
        run = self.client.call("sessions.prompt_async", {"session_id": session, "prompt": f"[[{script}]]", "tool_allowlist": [tool]})["run_id"]
        op = self.client.submit("engine.stream", {"session_id": session, "run_id": run})
        for _ in range(200):
            for event in self.client.next(100):
                if event["op"] == op and event["type"] == name + ".request":
                    request = event["properties"]["request_id"]
                    return {"session_id": session, "request_id": request, "tool_call_id": request, "question_id": request}
        raise TimeoutError(f"no {name} was asked")

    def arguments(self):
        """Of each operation the calls that show what it gives."""
        empty, chat = {"session_id": self.empty}, {"session_id": self.chat}
        return {
            "config.get": [{}],
            "permissions.reply": [lambda: {**self.asked("permission"), "reply": "once"}, lambda: {**self.asked("permission"), "reply": "always"}],
            "permissions.approve_tool_call": [lambda: self.asked("permission")],
            "permissions.deny_tool_call": [lambda: self.asked("permission")],
            "permissions.list": [{}, lambda: self.asked("permission") and {}],
            "questions.answer": [lambda: {**self.asked("question"), "answer": "red"}],
            "questions.reply": [lambda: {**self.asked("question"), "answer": "red"}],
            "questions.reject": [lambda: self.asked("question")],
            "questions.list": [lambda: self.asked("question") and {}],
            "engine.list_tools": [{}],
            "engine.list_tool_ids": [{}],
            "engine.health": [{}],
            "engine.run_events": [{"run_id": self.run}, {"run_id": "unknown"}, {"run_id": self.run, "tail": 2}],
            "providers.catalog": [{}],
            "providers.auth_status": [{}],
            "providers.set_defaults": [{"provider_id": "llama_cpp", "model_id": "scripted"}],
            "sessions.create": [{}, {"title": "T", "model": {"providerID": "llama_cpp", "modelID": "scripted"}, "temperature": 0.5}],
            "sessions.list": [{}, {"scope": "global"}],
            "sessions.get": [empty, chat],
            "sessions.update": [{**empty, "title": "New"}, {**chat, "title": "New"}],
            "sessions.archive": [empty],
            "sessions.messages": [empty, chat],
            "sessions.todos": [empty],
            "sessions.active_run": [empty, self.busy],
            "sessions.prompt_async": [lambda: {**self.idle(), "prompt": "Hello [[hello]]"}],
            "sessions.prompt_async_parts": [lambda: {**self.idle(), "parts": [{"type": "text", "text": "Hello [[hello]]"}]}],
            "sessions.prompt_sync": [{**chat, "prompt": "Hello [[hello]]"}],
            "sessions.abort": [empty, self.busy],
            "sessions.cancel": [empty, self.busy],
            "sessions.cancel_run": [{**empty, "run_id": "unknown"}, self.busy],
            "sessions.delete": [self.busy, self.idle],
        }


def results(client, entry, calls):
    known = {a["name"] for a in entry.get("arguments", [])} | set(re.findall(r"{(\w+)", entry["request"]))
    for arguments in calls:
        arguments = arguments() if callable(arguments) else arguments
        yield client.call(entry["name"], {key: value for key, value in arguments.items() if key in known})


def tolerated(name, pointer):
    steps = pointer.split("/")
    for known in TOLERATED:
        operation, _, rest = known.partition("/")
        others = rest.split("/")
        if operation in (name, "*") and len(others) == len(steps) - 1 and all(a in (b, "*") for a, b in zip(others, steps[1:])):
            return known
    return None


def main():
    entries = {name: entry for name, entry in operations() if not entry.get("stream") or entry.get("recipe") == "prompt_sync"}
    theirs, used = recorded(entries), set()
    with Client(**MODEL) as client:
        embedded = Embedded(client)
        calls = embedded.arguments()
        case("every operation of both engines is walked", calls.keys() == entries.keys(), str(sorted(calls.keys() ^ entries.keys())))
        for name in sorted(calls.keys() & entries.keys()):
            maps, opaque = MAPS.get(name, []), OPAQUE.get(name, [])
            ours, other = Shape(), Shape()
            for result in results(client, entries[name], calls[name]):
                ours.add(result, maps, opaque)
            for result in theirs[name]:
                other.add(result, maps, opaque)
            if not theirs[name]:
                case(f"{name} was recorded", False)
                continue
            bad = []
            for pointer, words in ours.differences(other):
                if (known := tolerated(name, pointer)) is not None:
                    used.add(known)
                else:
                    bad.append(f"{pointer or '/'}: {words}")
            case(f"{name} gives the same shape", not bad, "\n".join(bad))
    case("every tolerated difference is still there", used == TOLERATED.keys(), str(sorted(TOLERATED.keys() - used)))
    return case.finish()


if __name__ == "__main__":
    sys.exit(main())
