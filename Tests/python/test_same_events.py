#!/usr/bin/env python3
"""The quick start's calls on both kinds of engine: the same events in the same order."""
import os, pathlib, subprocess, sys, tempfile

import library
from library import Cases, Client

case = Cases()
TOOLS = pathlib.Path(library.ROOT, "Tests/tools")
ROOT = pathlib.Path(library.ROOT)
# What differs by the engine: how a connection begins, and the engine's own events under their own names.
OWN = ("stream.connected", "engine.")
# The scripted model answers this as it answered the recorded run that the stand-in plays.
WORDS = "Summarize the README and list the top 3 TODOs [[hello]]"
MODEL = {"default_provider": "llama_cpp", "providers": {"llama_cpp": {"url": library.MODEL_URL, "default_model": "scripted"}}}


class StandIn:
    def __enter__(self):
        command = [sys.executable, TOOLS / "standin_engine.py", "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = "http://127.0.0.1:" + self.process.stdout.readline().strip()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def begun(client, form):
    """The arguments of the stream of a new session's run, begun as the C or the Python quick start does."""
    session = client.call("sessions.create", {"directory": "."})["id"]
    if form == "c":
        parts = [{"type": "file", "mime": "text/markdown", "filename": "README.md", "url": "README.md"},
                 {"type": "text", "text": WORDS}]
        run = client.call("sessions.prompt_async_parts",
                          {"session_id": session, "max_tokens": 300, "temperature": 0.1, "parts": parts})
    else:
        run = client.call("sessions.prompt_async", {"session_id": session, "prompt": WORDS})
    return {"session_id": session, "run_id": run["run_id"]}


def collected(client, form):
    """(type, delta) of every event of a run's stream, taken one after another until it is done."""
    arguments, events = begun(client, form), []
    op = client.submit("engine.stream", arguments)
    for _ in range(200):
        for event in client.next(100):
            if event["op"] != op:
                continue
            if event["type"] == "done":
                return events + [("done", event["result"].get("ok", event["result"]).get("ended"))]
            if not event["type"].startswith(OWN):
                events.append((event["type"], event["properties"].get("delta")))
    return events


def blocking(client, form):
    """The same of a blocking stream."""
    result = client.call("engine.stream", {**begun(client, form), "$timeout_ms": 20000})
    events = [(e["type"], e["properties"].get("delta")) for e in result["events"] if not e["type"].startswith(OWN)]
    return events + [("done", result["ended"])]


def programs(url):
    """The two examples themselves: what they print for the run that the stand-in plays, and that they run embedded."""
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/quickstart"
        subprocess.run(["gcc", "-I", ROOT / "include", ROOT / "examples/c/quickstart.c", "-o", program, f"-L{ROOT}/build/lib", "-ltandem"],
                       check=True)
        pathlib.Path(folder, "README.md").write_text("A project.\n")
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "bindings/python")}
        for where in (url, "embedded:"):
            printed = []
            for name, command in (("C", [program]), ("Python", [sys.executable, ROOT / "examples/python/quickstart.py"])):
                p = subprocess.run([*command, where], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                                   cwd=folder, env=environment)
                engine = "embedded" if where == "embedded:" else "on the stand-in"
                case(f"the {name} quick start runs {engine}", p.returncode == 0 and p.stdout.strip(), p.stdout + p.stderr)
                printed.append(p.stdout)
            if where == url:
                case("both print the same there", printed[0] == printed[1], str(printed))


def main():
    with StandIn() as engine:
        for form in ("c", "python"):
            for way in (collected, blocking):
                with Client(workspace=str(ROOT), **MODEL) as embedded, Client(url=engine.url) as remote:
                    here, there = way(embedded, form), way(remote, form)
                name = f"the {form} quick start, {way.__name__}"
                case(f"{name}: the same events in the same order", here == there, f"embedded {here}, remote {there}")
                types = [t for t, _ in here]
                case(f"{name}: from its start to its end", types[0] == "run.started" and types[-2:] == ["run.completed", "done"], str(types))
                case(f"{name}: with text in between", types.count("session.response") > 1, str(types))
        programs(engine.url)
    return case.finish()


if __name__ == "__main__":
    sys.exit(main())
