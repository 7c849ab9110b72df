#!/usr/bin/env python3
"""Recorded scenarios of the real engine, replayed through the C API on the embedded engine and compared.

Each step's operation and request become the arguments of tandem_call; each opened stream becomes a submitted
engine.stream in the engine's vocabulary. What may differ stands in the tables below, with its reason.
"""
import json, os, pathlib, re, sys, tempfile, time, urllib.parse, urllib.request

sys.path.insert(0, os.path.join(os.environ.get("TANDEM_TEST_ROOT", "."), "Tests/tools"))
import library
from library import Failure
from scenario import differ, dig, digest, fill, fill_keys

FIXTURES = pathlib.Path(library.ROOT, "Tests/Fixtures/recordings")
CONTRACT = pathlib.Path(library.ROOT, "contract/operations")

# Steps that the C API cannot make.
SKIPPED = {
    "create without a body": "the library always sends a body where one is required",
    "create with broken JSON": "a body is made from checked arguments",
    "create as text": "the content type is the library's business",
    "the /api twin": "a second path of the same operation",
}
# Steps whose request is changed before it is made.
REWRITTEN = {
    "create with camelCase names": ("sessions.create", lambda a: {k: v for k, v in a.items() if k != "workspaceRoot"},
                                    "the engine ignores workspaceRoot; the contract accepts it as workspace_root"),
    "unarchive": ("sessions.update", lambda a: a, "sessions.archive has archived as a constant"),
}
# Steps that may answer not_supported.
UNBUILT = {
    "status of all": "sessions.status is of a later issue",
    "init": "sessions.init is of a later issue",
}
# Replies that have another body for a reason.
ANOTHER_REPLY = {
    "prompt without return=run": "return=run is a constant of the contract: the reply has the run's identifiers",
}
# Events that need not come.
NO_EVENT = [
    (r"memory\..*", "the embedded engine has no memory yet"),
]
# Events whose properties are an engine's account of itself: only what they all have is compared.
OWN_ACCOUNT = {
    "context.budget.final": "the prompt is the embedded engine's own: no hooks, tool schemas or compaction",
    "tool.routing.decision": "runs have no tools yet",
}
COMMON = ("sessionID", "messageID", "iteration", "providerID", "modelID")
# Places in replies and events that may differ.
ELSEWHERE = [
    (r"\.(top_p|temperature)$", "the engine keeps 32-bit floats, the library the numbers as they were"),
]


def not_expected(kind):
    return any(re.fullmatch(p, kind or "") for p, _ in NO_EVENT)


def own_account(kind, properties):
    """The recorded properties, without those that are the engine's own business."""
    return {k: v for k, v in properties.items() if kind not in OWN_ACCOUNT or k in COMMON}


def real(problems):
    return [p for p in problems if not any(re.search(pattern, p.split(": ")[0]) for pattern, _ in ELSEWHERE)]


class Contract:
    """From a recorded request to an operation's arguments, and from a result back to the recorded reply."""

    def __init__(self):
        self.operations = {}
        for path in CONTRACT.glob("*.json"):
            file = json.loads(path.read_text())
            for name, operation in file["operations"].items():
                self.operations[f"{file['namespace']}.{name}"] = operation

    def arguments(self, name, request):
        operation = self.operations[name]
        path, _, query = request["path"].partition("?")
        arguments = self.path_arguments(operation, path)
        types = {a.get("wire", a["name"]): a for a in operation.get("arguments", [])}
        for key, text in urllib.parse.parse_qsl(query):
            if "const" not in types.get(key, {}):
                arguments[key] = self.typed(types.get(key, {}).get("type"), text)
        body = request.get("body")
        if isinstance(body, dict):
            arguments.update({k: v for k, v in body.items() if types.get(k, {}).get("const", None) != v})
        elif body is not None:
            arguments["$body"] = body
        return arguments

    @staticmethod
    def path_arguments(operation, path):
        for template in [operation["request"].split(" ")[1], *operation.get("paths", [])]:
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
            match = re.fullmatch(pattern, path)
            if match:
                return {k: urllib.parse.unquote(v) for k, v in match.groupdict().items()}
        raise ValueError(f"no path of the operation is {path}")

    @staticmethod
    def typed(kind, text):
        if kind == "integer" and re.fullmatch(r"-?\d+", text):
            return int(text)
        if kind == "boolean" and text in ("true", "false"):
            return text == "true"
        return text

    def reply(self, name, result, want):
        """The result without what the library added."""
        listed = self.operations[name].get("result", {}).get("list")
        return result[listed] if listed and isinstance(want, list) and isinstance(result, dict) else result


class Streams:
    """Opened streams: their frames, as they come out of tandem_next."""

    def __init__(self, client):
        self.client, self.frames, self.ops = client, {}, {}

    def open(self, name, path):
        query = dict(urllib.parse.parse_qsl(path.partition("?")[2]))
        names = {"sessionID": "session_id", "runID": "run_id"}
        arguments = {names[k]: v for k, v in query.items()}
        operation = "engine.global_stream" if path.startswith("/global/") else "engine.stream"
        op = self.client.submit(operation, {**arguments, "vocabulary": "engine", "$tag": name})
        self.frames[name], self.ops[name] = [], op

    def read(self, timeout_ms=0):
        for event in self.client.next(timeout_ms):
            if event["type"] != "done" and event["tag"] in self.frames:
                self.frames[event["tag"]].append(event.get("frame", event))

    def wait(self, name, kind, count, seconds=10):
        end = time.time() + seconds
        while time.time() < end:
            self.read(50)
            found = [f for f in self.frames[name] if f.get("type") == kind]
            if len(found) >= count:
                return found[count - 1]
        return None

    def close(self, name):
        self.read(100)
        self.client.cancel(self.ops[name])
        return self.frames[name]


def check_reply(want, result, operation, contract, step):
    """Problems of one call's result against the recorded reply."""
    if isinstance(result, Failure):
        if want["status"] < 400:
            return [f"status {want['status']} became {result}"]
        return [] if result.status == want["status"] else [f"status {want['status']} became {result.status} ({result})"]
    if want["status"] >= 400:
        return [f"status {want['status']} became a result"]
    if step in ANOTHER_REPLY:
        return []
    recorded, body = want.get("body"), contract.reply(operation, result, want.get("body"))
    if operation == "engine.run_events":
        recorded = {**recorded, "events": [{**e, "payload": own_account(e["event_type"], e["payload"])}
                                           for e in recorded["events"] if not not_expected(e["event_type"])]}
        recorded["count"] = len(recorded["events"])
    return real(differ(recorded, body))


def check_stream(step, frames, variables):
    problems = []
    want = [{**e, "properties": own_account(e["type"], e["properties"])} for e in fill_keys(step["events"], variables)
            if not not_expected(e["type"])]
    kinds = [f.get("type") for f in frames]
    problems += [f"never seen: {kind}" for kind in dict.fromkeys(e["type"] for e in want) if kind not in kinds]
    for kind in dict.fromkeys(e["type"] for e in want):
        recorded = [e for e in want if e["type"] == kind]
        came = [f for f in frames if f.get("type") == kind]
        for a, b in zip(recorded, came):
            problems += [f"{kind}{p[1:]}" for p in real(differ(a, b))]
    lines, got = fill(step["digest"], variables), digest(frames)
    problems += [] if lines == got else [f"digest {lines} became {got}"]
    order = [k for k in kinds if k in {e["type"] for e in want}]
    if order != [e["type"] for e in want] and lines == got:
        problems.append(f"order {[e['type'] for e in want]} became {order}")
    return problems


def put_scripts(scripts):
    for name, replies in scripts.items():
        request = urllib.request.Request(f"{library.MODEL_URL}/_script/{name}", json.dumps(replies).encode(), method="PUT",
                                         headers={"Content-Type": "application/json"})
        urllib.request.urlopen(request).read()


def call(client, contract, step, variables):
    """(operation, result or Failure) of a recorded call."""
    operation = step["op"]
    request = fill(step["request"], variables)
    arguments = contract.arguments(operation, request)
    if step["call"] in REWRITTEN:
        operation, change, _ = REWRITTEN[step["call"]]
        arguments = change(arguments)
    try:
        return operation, client.call(operation, arguments)
    except Failure as failure:
        return operation, failure


def replay(path, cases):
    scenario, contract = json.loads(path.read_text()), Contract()
    name = scenario["scenario"]
    put_scripts(scenario.get("scripts", {}))
    with tempfile.TemporaryDirectory() as workspace, library.scripted(workspace=workspace) as client:
        variables, streams = {"workspace": os.path.realpath(workspace)}, Streams(client)
        for step in scenario["steps"]:
            title = f"{name}: {step.get('call') or step.get('open') or step.get('await') or step.get('close') or 'sleep'}"
            if "call" in step:
                if step["call"] in SKIPPED:
                    print(f"skipped {title}: {SKIPPED[step['call']]}")
                    continue
                operation, result = call(client, contract, step, variables)
                if step["call"] in UNBUILT and isinstance(result, Failure) and result.name == "not_supported":
                    print(f"skipped {title}: {UNBUILT[step['call']]}")
                    continue
                problems = check_reply(step["reply"], result, operation, contract, step["call"])
                for variable, where in step.get("bind", {}).items():
                    try:
                        variables[variable] = dig(result, where)
                    except (KeyError, IndexError, TypeError):
                        problems.append(f"cannot bind {variable}")
                cases(title, not problems, "; ".join(problems[:40]))
            elif "open" in step:
                streams.open(step["open"], fill(step["path"], variables))
            elif "await" in step:
                came = streams.wait(step["await"], step["type"], step.get("count", 1))
                cases(f"{title} {step['type']}", came is not None, "never arrived")
            elif "close" in step:
                problems = check_stream(step, streams.close(step["close"]), variables)
                cases(f"{title} (stream)", not problems, "; ".join(problems[:40]))
            elif "sleep" in step:
                time.sleep(min(step["sleep"], 0.5))


def main():
    cases = library.Cases()
    for path in sorted(FIXTURES.glob("core-*.json")):
        replay(path, cases)
    return cases.finish()


if __name__ == "__main__":
    sys.exit(main())
