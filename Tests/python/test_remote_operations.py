#!/usr/bin/env python3
"""Every operation of the contract, called on the stand-in engine: by a blocking call and by submit."""
import json, os, pathlib, subprocess, sys, time, urllib.request

sys.path.insert(0, os.path.join(os.environ.get("TANDEM_TEST_ROOT", "."), "Tests/tools"))
import library
from arguments import Arguments
from library import Client, Failure

TOOLS = pathlib.Path(library.ROOT, "Tests/tools")


class StandIn:
    def __enter__(self):
        command = [sys.executable, TOOLS / "standin_engine.py", "--port", "0", "--token", "secret"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = "http://127.0.0.1:" + self.process.stdout.readline().strip()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def log(self):
        request = urllib.request.Request(self.url + "/_log", headers={"Authorization": "Bearer secret"})
        return json.load(urllib.request.urlopen(request))


def blocking(client, name, arguments):
    try:
        client.call(name, arguments)
    except Failure as e:
        return e
    return None


def finished(client, ops):
    """The failure, or None, of each operation by its id."""
    done, end = {}, time.time() + 30
    while len(done) < len(ops) and time.time() < end:
        for event in client.next(1000):
            if event["type"] == "done":
                error = event["result"].get("error")
                done[event["op"]] = Failure(error) if error else None
    return done


def main():
    case = library.Cases()
    arguments = Arguments(library.ROOT)
    names = sorted(arguments.operations)
    plain = [n for n in names if not arguments.is_stream(n)]
    streams = [n for n in names if n not in plain]
    with StandIn() as engine, Client(url=engine.url, token="secret", retries=0) as client:
        failures = {n: blocking(client, n, arguments.of(n)) for n in plain}
        bad = {n: str(e) for n, e in failures.items() if e}
        case(f"all {len(plain)} plain operations are answered on the caller's thread", not bad, json.dumps(bad, indent=1))
        log = engine.log()
        wrong = [(r["path"], r["status"], r["why"]) for r in log if r["status"] >= 400]
        case("none of their requests is refused", not wrong, str(wrong))
        seen = {r["op"] for r in log}
        ops = {client.submit(n, arguments.of(n)): n for n in plain}
        done = finished(client, ops)
        case("submitted, they all end", len(done) == len(ops), str([ops[o] for o in ops if o not in done]))
        bad = {ops[o]: str(e) for o, e in done.items() if e}
        case("submitted, none is refused", not bad, json.dumps(bad, indent=1))
        for name in streams:
            failure = blocking(client, name, {**arguments.of(name), "$take": 1, "$timeout_ms": 300, "$strict": True})
            case(f"{name} streams", failure is None, str(failure))
        wrong = [(r["path"], r["status"], r["why"]) for r in engine.log() if r["status"] >= 400]
        case("no request at all is refused", not wrong, str(wrong))
    return case.finish()


if __name__ == "__main__":
    sys.exit(main())
