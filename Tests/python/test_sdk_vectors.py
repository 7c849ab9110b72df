#!/usr/bin/env python3
"""Calls of the official client, made with the package: the same requests and values wherever the engine takes the request."""
import collections, json, os, pathlib, sys
from library import ROOT, Cases

sys.path.insert(0, os.path.join(ROOT, "Tests/conformance"))
from sdk_vectors import is_right, judged

FIXTURES = pathlib.Path(ROOT, "Tests/Fixtures/conformance")
CANDIDATE = str(pathlib.Path(ROOT, "Tests/conformance/candidate-python"))
case = Cases()

for version in ("0.7.2", "0.5.13"):
    counts = collections.Counter()
    for vector, result, reason in judged(json.loads((FIXTURES / f"sdk_vectors-{version}.json").read_text()), CANDIDATE):
        counts["all"] += 1
        counts["wanted"] += reason is None
        if reason is None and not is_right(result):
            case(f"{version} {vector['op']} ({vector['variant']})", False, str(result["mismatches"] or result["return_mismatch"]))
        counts["right"] += is_right(result)
    case(f"{version}: {counts['right']} of {counts['all']} calls are as the official client makes them",
         counts["right"] >= counts["wanted"] > 150, str(counts))
sys.exit(case.finish())
