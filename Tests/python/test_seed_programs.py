#!/usr/bin/env python3
"""The programs of the documentation page, on a stand-in engine: every statement runs, and the engine refuses nothing.

What a program expects of the values is judged on a real engine only: the stand-in answers from recordings.
"""
import concurrent.futures, importlib.util, json, os, pathlib, re, shutil, subprocess, sys, tempfile, urllib.request
import pypi
from library import MODEL_URL, ROOT, Cases

ROOT = pathlib.Path(ROOT)
PROGRAMS = ROOT / "Tests/conformance/seed_programs"
TOKEN = "secret"
# A fresh engine has no experiments; the program reads the first.
EXPECTED_ERRORS = {"24_optimizations.py": ["IndexError", "IndexError"]}
case = Cases()


def python_for(program):
    """A Python that has what the program imports; None if there is none."""
    if "import httpx" not in program.read_text() or importlib.util.find_spec("httpx"):
        return sys.executable
    return pypi.python("httpx")


class StandIn:
    def __enter__(self):
        self.folder = tempfile.mkdtemp()
        for path in (ROOT / "Tests/Fixtures/seed_programs.json", ROOT / "Tests/Fixtures/recordings/core-run-text.json"):
            shutil.copy(path, self.folder)
        command = [sys.executable, ROOT / "Tests/tools/standin_engine.py", "--port", "0", "--token", TOKEN,
                   "--recordings", self.folder]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = "http://127.0.0.1:" + self.process.stdout.readline().strip()
        return self

    def log(self):
        request = urllib.request.Request(self.url + "/_log", headers={"Authorization": "Bearer " + TOKEN})
        return json.load(urllib.request.urlopen(request, timeout=10))

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()
        shutil.rmtree(self.folder)


def run(program):
    """(how it ended, what the engine was asked)"""
    python = python_for(program)
    if python is None:
        return None, []
    with StandIn() as engine, tempfile.TemporaryDirectory() as workspace:
        environment = {**os.environ, "SEED_CLIENT_MODULE": "libtandem", "PYTHONPATH": str(ROOT / "bindings/python"),
                       "TANDEM_BASE_URL": engine.url, "TANDEM_TOKEN": TOKEN, "SEED_WORKSPACE": workspace,
                       "SEED_MODEL_URL": MODEL_URL}
        report = pathlib.Path(workspace, "report.json")
        subprocess.run([python, PROGRAMS / "run_seed_programs.py", "--report", report, program.name[:2]], env=environment,
                       stdout=subprocess.DEVNULL, timeout=100)
        return json.loads(report.read_text())["programs"][0], engine.log()


programs = sorted(path for path in PROGRAMS.glob("*.py") if re.match(r"\d\d_", path.name))
case("there are 25 programs", len(programs) == 25, str(len(programs)))
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    for program, (result, log) in zip(programs, pool.map(run, programs)):
        if result is None:
            print(f"skipped: {program.name} needs httpx")
            continue
        errors = [error["exception"] for error in result.get("errors", [])]
        expected = EXPECTED_ERRORS.get(program.name, [])
        good = errors == expected and result["verdict"] in ("works", "wrong", *(["raises"] if expected else []))
        case(f"{program.name}: every statement runs", good, f"{result['verdict']} {result.get('errors')}")
        refused = [row for row in log if row["status"] >= 400]
        case(f"{program.name}: the engine refuses nothing", log and not refused, str(refused))
sys.exit(case.finish())
