#!/usr/bin/env python3
"""The conformance vectors through both candidates: every call and every event stream of Tests/Fixtures/conformance."""
import os, pathlib, re, subprocess, sys
from library import Cases

ROOT = pathlib.Path(os.environ.get("TANDEM_TEST_ROOT", os.getcwd()))
FOLDER = ROOT / "Tests/conformance"
case = Cases()

made = subprocess.run([ROOT / "scripts/candidates"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
case("the candidate in C is built", made.returncode == 0, made.stdout[-1500:])
for kind, option in (("engine", "--vectors"), ("sse", "--sse")):
    vectors = ROOT / f"Tests/Fixtures/conformance/{kind}_vectors-visible.json"
    if not vectors.exists():
        print(f"skipped: no {vectors.name}")
        continue
    running = {candidate: subprocess.Popen([sys.executable, FOLDER / "run_parity.py", option, vectors, "--cmd", FOLDER / candidate],
                                           cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
               for candidate in ("candidate-python", "candidate-c")}
    for candidate, process in running.items():
        output, _ = process.communicate(timeout=200)
        match = re.search(r"^(\d+) of (\d+) (?:vectors|streams) match(?:, (\d+) more)?", output, re.M)
        good = match and int(match[1]) + int(match[3] or 0) == int(match[2])
        rows = [line[:150] for line in output.splitlines() if not re.match("by |remarks|return", line)]
        case(f"{candidate}: {match[0] if match else kind}", good, " | ".join(rows[-12:]))
sys.exit(case.finish())
