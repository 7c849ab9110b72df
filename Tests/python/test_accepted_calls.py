#!/usr/bin/env python3
"""Calls that the real engine took, made without strict: the same request and a result, or docs/compatibility.md says why not."""
import argparse, json, os, pathlib, sys

ROOT = pathlib.Path(os.environ.get("TANDEM_TEST_ROOT", os.getcwd()))
sys.path[:0] = [str(ROOT / "Tests/conformance"), str(ROOT / "Tests/tools")]
from arguments import Arguments
from library import Cases, Client, Failure
from recorder import Recorder
from run_parity import compare_request, response_of

TOKEN = "secret"
OPTIONS = argparse.Namespace(strict_path=False, null_equals_absent=False)


class Rows:
    """The rows of contract/compatibility.json, by the translations that they name."""

    def __init__(self):
        self.rows = json.loads((ROOT / "contract/compatibility.json").read_text())

    def reason(self, operation, vector, is_error):
        """What a row says of this call's translations: why it is another without strict; None: no row says so."""
        adapts = [a["adapt"] for a in operation.get("arguments", []) if "adapt" in a and a["name"] in vector["args"]]
        names = [f"adapt {name}" for name in adapts]
        if operation.get("refuses_with_ok_false"):
            names.append("refuses_with_ok_false")
        found = [row for row in self.rows if row["operation"] == vector["op"] and any(name in row["ours"] for name in names)]
        # A recipe is one for several operations, and a row may stand at that which it helps.
        found += [row for row in self.rows if "recipe" in operation and f"recipe {operation['recipe']}" in row["ours"]]
        return next((f"{row['documented']} -> {row['ours']}" for row in found if ("error" in row["ours"]) == is_error), None)


def problem(client, recorder, vector, body):
    """How the call differs, "" where it does not, and whether that is an error."""
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
        return f"{len(sent)} requests: {[r['path'] for r in sent]} {failed}", False
    for want, got in zip(wanted, sent):
        if vector.get("any_empty_body") and (got["body_kind"], got["body"]) in (("none", None), ("json", {}), ("json", None)):
            want = {**want, "body_kind": got["body_kind"], "body": got["body"]}
        if bad := compare_request(want, got, TOKEN, OPTIONS)[0]:
            return str(bad), False
    return failed, bool(failed)


def main():
    case, operations = Cases(), Arguments(str(ROOT)).operations
    vectors = json.loads((ROOT / "Tests/Fixtures/conformance/engine_vectors-visible.json").read_text())
    accepted = [v for v in vectors if v["outcome"] == "ok" and "json" in v["response"]]
    rows, explained = Rows(), {}
    with Recorder() as recorder, Client(url=recorder.base_url, token=TOKEN, retries=0, subscription="session") as client:
        for vector in accepted:
            operation = operations[vector["op"]]
            bad, is_error = problem(client, recorder, vector, operation.get("body", "").split(":")[0] in ("payload", "wrapped"))
            why = bad and rows.reason(operation, vector, is_error)
            if why:
                explained.setdefault(why, []).append(vector["op"])
            else:
                case(f"{vector['op']} ({vector['variant']})", not bad, bad)
    case("few are made otherwise, each as a row of the compatibility says", sum(map(len, explained.values())) < 20, json.dumps(explained))
    return case.finish()


if __name__ == "__main__":
    sys.exit(main())
