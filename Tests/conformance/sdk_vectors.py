#!/usr/bin/env python3
"""Which calls of the official client the library has to make as that client does, and why not the others.

    sdk_vectors.py VECTORS --cmd CANDIDATE      replays the vectors and lists those that differ, each with its reason

The reasons come from the contract: the engine has no such operation or another one (`engine_0_7.json`), it would refuse the
request (the checks of the stand-in engine), the contract translates it: without translations it is as it should be; or a row of
compatibility.json, whose example gives the same empty value, says what becomes of that.
"""
import argparse, collections, json, os, pathlib, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FIXTURES = ROOT / "Tests/Fixtures"
sys.path.insert(0, str(ROOT / "Tests/tools"))
from standin_engine import Contract  # noqa: E402


class Reasons:
    def __init__(self):
        self.differences = json.loads((FIXTURES / "conformance/engine_0_7.json").read_text())
        self.engine = Contract(FIXTURES / "standin/operations.json", FIXTURES / "recordings")
        self.names = {}
        rows = json.loads((ROOT / "contract/compatibility.json").read_text())
        self.rows = {(row["operation"], row["documented"]): row["ours"] for row in rows if row["source"] == "python"}
        self.examples = json.loads((FIXTURES / "compatibility.json").read_text())
        for path in (ROOT / "contract/operations").glob("*.json"):
            file = json.loads(path.read_text())
            for name, entry in file["operations"].items():
                self.names[f"{file['namespace']}.{name}"] = names(entry)

    def why_not(self, vector):
        """Why the engine would not take these requests; None if it would."""
        operation = named(vector)
        if operation in self.differences:
            return "engine_0_7: " + self.differences[operation]
        for request in vector.get("requests") or [vector["request"]]:
            path = request["path"]
            for value in vector["args"].values():
                # The vectors' texts have slashes, which the engine's routes would be split at.
                path = path.replace(value, "x") if isinstance(value, str) and value else path
            found, arguments = self.engine.find(request["method"], path)
            if isinstance(found, int):
                return f"the engine answers {found}"
            raw = b"" if request["body_kind"] == "none" else json.dumps(request["body"]).encode()
            headers = {"x-tandem-request-source": "control_panel"}
            refusal = self.engine.refusal(found, arguments, dict(request["query"]), headers, request["body"], raw, "application/json")
            if refusal:
                return f"the engine answers {refusal[0]}: {refusal[1]}"
        return None

    def row(self, vector):
        """The row about an empty value that the call gives; None if there is none."""
        for (operation, documented), ours in self.rows.items():
            example = self.examples.get(operation, {}).get(documented)
            given = example.get("args", {}) if operation == named(vector) and isinstance(example, dict) else {}
            if any(not value and vector["args"].get(name) == value for name, value in given.items()):
                return f"{documented} {ours}"
        return None

    def translations(self, vector):
        """The contract's adapts and recipe of the operation."""
        return self.names.get(named(vector), [])


def named(vector):
    """The operation of a vector, by its name in the contract."""
    return vector.get("alias_of") or (vector["op"] if "." in vector["op"] else "engine." + vector["op"])


def names(entry):
    found = [argument["adapt"] for argument in entry.get("arguments", []) if "adapt" in argument]
    return list(dict.fromkeys(found + ([entry["recipe"]] if "recipe" in entry else [])))


def replay(vectors, command, strict):
    """What run_parity.py says of each vector."""
    with tempfile.TemporaryDirectory() as folder:
        report, chosen = pathlib.Path(folder, "report.json"), pathlib.Path(folder, "vectors.json")
        chosen.write_text(json.dumps(vectors))
        subprocess.run([sys.executable, HERE / "run_parity.py", "--vectors", chosen, "--cmd", command, "--returns",
                        "--loose-returns", "--report", report], env={**os.environ, "TANDEM_STRICT": strict, "TANDEM_METHODS": "1"},
                       stdout=subprocess.DEVNULL, cwd=HERE, timeout=200)
        return json.loads(report.read_text())["results"]


def judged(vectors, command):
    """Yields (vector, result, reason): the reason is None where the result has to be right."""
    reasons = Reasons()
    rows = [(vector, result, reasons.why_not(vector)) for vector, result in zip(vectors, replay(vectors, command, "0"))]
    doubtful = [vector for vector, result, reason in rows if reason is None and not is_right(result)]
    # What is as it should be without translations differs because of them.
    plain = iter(replay(doubtful, command, "1") if doubtful else [])
    for vector, result, reason in rows:
        if reason is None and not is_right(result) and next(plain)["ok"] and (used := reasons.translations(vector)):
            reason = "translated: " + ", ".join(used)
        if reason is None and not is_right(result):
            reason = reasons.row(vector)
        yield vector, result, reason


def is_right(result):
    """Requests as they should be, and of the value nothing missing and nothing different."""
    return result["ok"] and result["returns_ok"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors")
    parser.add_argument("--cmd", default=str(HERE / "candidate-python"))
    options = parser.parse_args()
    counts = collections.Counter()
    for vector, result, reason in judged(json.loads(pathlib.Path(options.vectors).read_text()), options.cmd):
        kind = "right" if is_right(result) else "wrong" if reason is None else "not the engine's"
        counts[kind] += 1
        if kind != "right":
            print(f"{vector['op']} ({vector['variant']}): {reason or [result['mismatches'], result['return_mismatch']]}")
    print(dict(counts))
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
