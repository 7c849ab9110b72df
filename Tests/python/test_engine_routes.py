#!/usr/bin/env python3
"""What leaves strictly for every operation of the engine, against what the engine reads: thousands of calls made from its facts."""
import json, os, pathlib, sys
from urllib.parse import unquote

ROOT = pathlib.Path(os.environ.get("TANDEM_TEST_ROOT", os.getcwd()))
sys.path[:0] = [str(ROOT / "Tests/conformance"), str(ROOT / "Tests/tools")]
from engine_routes import Routes
from library import Cases, Client, Failure
from recorder import Recorder
from run_parity import json_diff

# Read by the engine and of no use there, so not offered: they are refused by name.
NOT_OFFERED = {
    "agent_teams.delete_template": {"workspaceRoot"}, "agent_teams.list_templates": {"workspaceRoot"},
    "automations.get_runs_for_automation": {"routine_id"}, "automations_v2.list_all_runs": {"routine_id"},
    "automations_v2.list_runs": {"routine_id"},
    "sessions.append_message": {"agent", "context_mode", "max_tokens", "prewrite_requirements", "strict_kb_grounding", "temperature",
                                "tool_allowlist", "tool_mode", "top_p", "write_required"},
}
# An argument of the query that goes into the body, where it has no effect either; a text that is the whole prompt.
OTHERWISE = {("agent_teams.create_template", "workspaceRoot"), ("agent_teams.update_template", "workspaceRoot"),
             ("sessions.append_message", "parts"), ("sessions.prompt_async", "parts"), ("sessions.prompt_async_parts", "parts"),
             ("sessions.prompt_sync", "parts")}


def differences(routes, name, arguments, recorder, failure):
    """How what arrived differs from what had to."""
    if failure:
        return failure
    if len(recorder.requests) != 1:
        return f"{len(recorder.requests)} requests"
    got = recorder.requests[0]
    method, path, query, body, headers = routes.request(name, arguments)
    sent = {key.lower(): value for key, value in got.all_headers}
    if (method, unquote(path)) != (got.method, unquote(got.raw_path)) or path.count("/") != got.raw_path.count("/"):
        return f"{got.method} {got.raw_path} instead of {method} {path}"
    if sorted(query) != sorted(map(list, got.query)):
        return f"query {got.raw_query} instead of {query}"
    if got.body_kind == "bytes" or (bad := json_diff(routes.by_first_names(name, body), routes.by_first_names(name, got.body))):
        return f"body {got.body_bytes[:200]!r} instead of {json.dumps(body)[:200]}"
    wrong = [key for key, value in {**headers, "authorization": "Bearer secret"}.items() if sent.get(key) != value]
    return f"header {wrong}" if wrong else ""


def main():
    case = Cases()
    routes = Routes(ROOT / "Tests/Fixtures/standin/operations.json")
    calls, refused = 0, {}
    with Recorder() as recorder, Client(url=recorder.base_url, token="secret", retries=0, strict=True) as client:
        recorder.respond(json_body={"a": 1})
        for name, entry in routes.operations.items():
            if entry["response"] != "json":
                continue
            bad = []
            for about, arguments in routes.calls(name):
                unknown = NOT_OFFERED.get(name, set()) & arguments.keys()
                recorder.clear()
                try:
                    client.call(name, arguments)
                    failure = ""
                except Failure as e:
                    failure = str(e)
                    if unknown and e.name == "unknown_argument":
                        refused.setdefault(name, set()).add(e.error["detail"]["argument"])
                        continue
                calls += 1
                if any((name, key) in OTHERWISE for key in arguments if about.startswith((key, "all"))):
                    continue
                if why := differences(routes, name, arguments, recorder, failure):
                    bad.append(f"{about}: {why}")
            case(f"{name}: what leaves is what the engine reads", not bad, "; ".join(bad[:3]))
    case(f"there were thousands of calls ({calls})", calls > 3000)
    case("names that are not offered are refused", refused.keys() == NOT_OFFERED.keys(), str(refused))
    return case.finish()


if __name__ == "__main__":
    sys.exit(main())
