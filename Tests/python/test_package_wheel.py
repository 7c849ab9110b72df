#!/usr/bin/env python3
"""The Python package as users get it: types by mypy --strict, the wheel in a fresh environment, other Pythons."""
import glob, os, pathlib, shutil, subprocess, sys, tempfile
import pypi
from library import Cases

ROOT = pathlib.Path(os.environ.get("TANDEM_TEST_ROOT", os.getcwd()))
case = Cases()

TYPED = """\
import libtandem
from libtandem.types import SessionResponseEvent
from typing import List

def use(client: libtandem.SyncTandemClient) -> List[str]:
    text: str = client.sessions.prompt_sync(client.sessions.create(title="x"), "hi", temperature=0.5)
    runs: List[libtandem.Record] = client.routines.list_runs(limit=1)
    session: libtandem.SessionRecord = client.sessions.get("s")
    titles: List[str] = [session.title, *(one.title for one in client.sessions.list(archived=False).sessions)]
    text += "".join(titles) + str(session.created_at_ms or 0) + str(session.anything_else)
    draft = libtandem.OrchestrationDraftInput(name="x", root_node_id="a")
    text += client.orchestrations.create(draft).model_dump_json()
    text += "".join(one.id for one in client.sessions.iterate(page_size=5))
    return [text, *(event.type for event in client.stream("s", run_id="r"))] + [str(run.id) for run in runs]

async def wait(client: libtandem.TandemClient) -> str:
    async for event in client.global_stream():
        if isinstance(event, SessionResponseEvent):
            return str(event.properties.get("delta", "")) + event.type + str(event.timestamp)
    async for session in client.sessions.iterate():
        return session.id
    return await client.sessions.create(title="x", provider="p", model="m")

libtandem.SyncTandemClient("embedded:", timeout=1.5, discover=False, headers={"a": "b"})
"""
WRONG = """\
import libtandem
client = libtandem.SyncTandemClient(discover='x')
client.sessions.create(title=5)
number: int = client.sessions.get("s").title
client.sesions
"""


def run(command, **options):
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "LIBTANDEM_PATH", "LD_LIBRARY_PATH")}
    environment.update(options)
    done = subprocess.run([str(word) for word in command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=240, cwd=tempfile.gettempdir())
    return done.returncode, done.stdout


def mypy():
    """The command that runs mypy; None where it cannot be had."""
    if found := shutil.which("mypy"):
        return [found]
    python = pypi.python("mypy")
    return python and [python, "-m", "mypy"]


def types():
    tool = mypy()
    if tool is None:
        print("skipped: mypy cannot be installed")
        return
    code, output = run([*tool, "--strict", "--cache-dir", ROOT / "build/mypy", ROOT / "bindings/python/libtandem"])
    case("mypy --strict is content with the package", code == 0, output[-1500:])
    for name, text, wanted in (("a typed program", TYPED, 0), ("a program with wrong types", WRONG, 4)):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder, "program.py")
            program.write_text(text)
            _, output = run([*tool, "--strict", "--cache-dir", ROOT / "build/mypy", program],
                            MYPYPATH=str(ROOT / "bindings/python"))
            errors = sum(": error:" in line for line in output.splitlines())
            case(f"mypy finds {wanted} errors in {name}", errors == wanted, output[-1500:])


def wheel():
    with tempfile.TemporaryDirectory() as folder:
        code, output = run([sys.executable, ROOT / "scripts/wheel", "--out", folder])
        if not case("the wheel is built", code == 0, output[-1500:]):
            return
        again = run([sys.executable, ROOT / "scripts/wheel", "--out", pathlib.Path(folder, "again")])
        path, = glob.glob(f"{folder}/*.whl")
        case("twice the same", again[0] == 0
             and pathlib.Path(path).read_bytes() == pathlib.Path(folder, "again", pathlib.Path(path).name).read_bytes())
        place = pathlib.Path(folder, "fresh")
        if not case("a fresh environment", run([sys.executable, "-m", "venv", place])[0] == 0):
            return
        code, output = run([place / "bin/pip", "install", "--no-index", "--disable-pip-version-check", path])
        case("pip installs it without a network", code == 0, output[-1500:])
        program = ("import libtandem._library as l, libtandem\n"
                   f"assert l.lib._name.startswith({str(place)!r}), l.lib._name\n"
                   "with libtandem.SyncTandemClient(discover=False) as c:\n"
                   "    print(c.sessions.prompt_sync(c.sessions.create(), 'Hello!'))\n")
        code, output = run([place / "bin/python", "-c", program])
        case("it runs with the library inside it", code == 0 and output.strip() == "Echo: Hello!", output[-1500:])


def pythons():
    """3.10 to 3.13 where there are any."""
    places = [*os.environ.get("PATH", "").split(":"), *glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin"))]
    program = ("import asyncio, libtandem\n"
               "async def main():\n"
               "    async with libtandem.TandemClient(discover=False) as c:\n"
               "        session_id = await c.sessions.create()\n"
               "        run = await c.sessions.prompt_async(session_id, 'Hello!')\n"
               "        text = ''.join([e.properties['delta'] async for e in c.stream(session_id, run.run_id) if e.type == 'session.response'])\n"
               "        ids = [s.id async for s in c.sessions.iterate()]\n"
               "        print(text if isinstance(run, libtandem.PromptAsyncResult) and ids == [session_id] else run)\n"
               "asyncio.run(main(), debug=True)\n")
    for version in ("3.10", "3.11", "3.12", "3.13"):
        names = (pathlib.Path(place, f"python{version}") for place in places)
        found = next((p for p in names if p.exists() and run([p, "-c", "import ctypes"])[0] == 0), None)
        if found is None:
            print(f"skipped: no Python {version}")
            continue
        code, output = run([found, "-X", "dev", "-W", "error", "-c", program], PYTHONPATH=str(ROOT / "bindings/python"))
        # A callback that is slow on a busy machine is no fault.
        said = [line for line in output.splitlines() if " took " not in line]
        case(f"Python {version}", code == 0 and said == ["Echo: Hello!"], output[-1500:])


for test in (types, wheel, pythons):
    try:
        test()
    except Exception as error:
        case(test.__name__, False, repr(error))
sys.exit(case.finish())
