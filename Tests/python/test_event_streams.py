#!/usr/bin/env python3
"""Event streams of every form, cut anywhere, against a reader of our own that has them whole."""
import os, pathlib, sys

ROOT = pathlib.Path(os.environ.get("TANDEM_TEST_ROOT", os.getcwd()))
sys.path[:0] = [str(ROOT / "Tests/conformance"), str(ROOT / "Tests/tools")]
from event_streams import Maker, frames, objects
from library import Cases, Client, Failure
from recorder import Recorder, Response

# How many streams, made of seeds from 1 on; more by hand: test_event_streams.py 20000.
COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 300
STREAMS = {"engine.global_stream": {}, "engine.stream": {"session_id": "s"}, "routines.events": {}, "resources.events": {},
           "context_runs.stream_events": {"run_id": "r"}, "stateful_runtime.events": {"goal_id": "g"}}


def read(client, operation, arguments):
    result = client.call(operation, {**arguments, "$vocabulary": "engine", "$reconnect": False})
    return [event["frame"] for event in result["events"] if "frame" in event]


def problems(client, recorder, operation, arguments, seeds, is_lines):
    for seed in seeds:
        maker = Maker(seed)
        data = maker.lines() if is_lines else maker.events()
        recorder.clear()
        recorder.respond_with(lambda _: Response(sse_chunks=maker.pieces(data), content_type="application/x-ndjson" if is_lines else "text/event-stream"))
        wanted = objects(data) if is_lines else frames(data)
        try:
            got = read(client, operation, arguments)
        except Failure as failure:
            got = str(failure)
        if got != wanted:
            yield f"seed {seed}: {str(got)[:300]} instead of {str(wanted)[:300]} out of {data[:300]!r}"


def main():
    case = Cases()
    with Recorder() as recorder, Client(url=recorder.base_url, token="secret", retries=0, subscription="session") as client:
        for operation, arguments in STREAMS.items():
            count = COUNT if operation == "engine.global_stream" else COUNT // 5
            bad = list(problems(client, recorder, operation, arguments, range(1, count + 1), is_lines=False))
            case(f"{operation}: {count} streams are read as the standard has it", not bad, " | ".join(bad[:2]))
        bad = list(problems(client, recorder, "audit.stream", {}, range(1, COUNT + 1), is_lines=True))
        case(f"audit.stream: {COUNT} streams of lines", not bad, " | ".join(bad[:2]))
    return case.finish()


if __name__ == "__main__":
    sys.exit(main())
