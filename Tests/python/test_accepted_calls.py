#!/usr/bin/env python3
"""Calls that the real engine took, made without strict: the same request and a result, or the contract says why not."""
import argparse, json, os, pathlib, sys

ROOT = pathlib.Path(os.environ.get("TANDEM_TEST_ROOT", os.getcwd()))
sys.path[:0] = [str(ROOT / "Tests/conformance"), str(ROOT / "Tests/tools")]
from arguments import Arguments
from library import Cases, Client, Failure
from recorder import Recorder
from run_parity import compare_request, response_of

TOKEN = "secret"
OPTIONS = argparse.Namespace(strict_path=False, null_equals_absent=False)
# Recipes that may ask the engine something first.
ASKING = {"prompt", "prompt_sync", "answer_question", "mission_event", "destination_upsert", "destination_remove", "route_upsert",
          "route_remove"}


def reason(operation, vector):
    """What in the contract makes this call another without strict; None: nothing does."""
    reply = vector["response"].get("json")
    adapts = {a.get("adapt") for a in operation.get("arguments", []) if a["name"] in vector["args"]}
    if "routine_filter" in adapts:
        return "routine_filter"
    if operation.get("refuses_with_ok_false") and isinstance(reply, dict) and isinstance(reply.get("error"), str):
        return "refuses_with_ok_false"
    if operation.get("recipe") == "prompt_sync" and "ENGINE_ERROR: " in json.dumps(reply):
        return "prompt_sync"
    return operation["recipe"] if operation.get("recipe") in ASKING else None


def problem(client, recorder, vector, body):
    """How the call differs; "" where it does not."""
    arguments = {("$body" if body and name == "body" else name): value for name, value in vector["args"].items()}
    recorder.clear()
    recorder.respond(response_of(vector["response"]))
    try:
        client.call(vector["op"], arguments)
        failed = ""
    except Failure as e:
        failed = str(e)
    wanted, sent = vector.get("requests") or [vector["request"]], [r.as_vector() for r in recorder.requests]
    if len(sent) != len(wanted):
        return f"{len(sent)} requests: {[r['path'] for r in sent]} {failed}"
    for want, got in zip(wanted, sent):
        if vector.get("any_empty_body") and (got["body_kind"], got["body"]) in (("none", None), ("json", {}), ("json", None)):
            want = {**want, "body_kind": got["body_kind"], "body": got["body"]}
        if bad := compare_request(want, got, TOKEN, OPTIONS)[0]:
            return str(bad)
    return failed


def main():
    case, operations = Cases(), Arguments(str(ROOT)).operations
    vectors = json.loads((ROOT / "Tests/Fixtures/conformance/engine_vectors-visible.json").read_text())
    accepted = [v for v in vectors if v["outcome"] == "ok" and "json" in v["response"]]
    explained = {}
    with Recorder() as recorder, Client(url=recorder.base_url, token=TOKEN, retries=0, subscription="session") as client:
        for vector in accepted:
            operation = operations[vector["op"]]
            bad = problem(client, recorder, vector, operation.get("body", "").split(":")[0] in ("payload", "wrapped"))
            why = bad and reason(operation, vector)
            if why:
                explained.setdefault(why, []).append(vector["op"])
            else:
                case(f"{vector['op']} ({vector['variant']})", not bad, bad)
    case("few are made otherwise, each by a rule of the contract", sum(map(len, explained.values())) < 20, json.dumps(explained))
    return case.finish()


if __name__ == "__main__":
    sys.exit(main())
