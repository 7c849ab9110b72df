#!/usr/bin/env python3
"""Makes Tests/Fixtures/streams of recordings of the real engine.

    recorded_streams.py RECORDINGS

The bytes of recorded streams are copied; the event lists of the scenarios below become streams of frames, one a file. What
is expected of each stands in Tests/Fixtures/expected: with TANDEM_TEST_REGENERATE=1 the Swift test RecordedStreamsTests writes
those files in place of comparing them, to be read by eye.
"""
import json, pathlib, shutil, sys

SCENARIOS = ["core-run-text", "core-run-unicode", "core-tools-reading", "core-tools-writing", "core-permissions", "core-questions",
             "core-run-errors", "core-cancel", "core-restart", "core-prompt-sync", "core-streams", "core-permission-rules",
             "auto-legacy", "auto-routines-runs", "auto-workflows", "data-audit", "data-resources", "more-context-runs-streams"]
TARGET = pathlib.Path(__file__).resolve().parent.parent / "Fixtures" / "streams"


def frame(event):
    """A frame that the engine cut is recorded as the text that was there."""
    text = event.get("unparsable") or json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return f"data: {text}\n\n"


def main():
    source = pathlib.Path(sys.argv[1])
    TARGET.mkdir(parents=True, exist_ok=True)
    for path in (source / "streams").glob("*.sse"):
        shutil.copy(path, TARGET / f"bytes-{path.name}")
    for scenario in SCENARIOS:
        path = source / f"{scenario}.json"
        if not path.exists():
            continue
        for step in json.loads(path.read_text())["steps"]:
            events = step.get("events") if "close" in step else None
            if isinstance(events, list) and events:
                (TARGET / f"{scenario}-{step['close'].replace(' ', '-')}.sse").write_text("".join(map(frame, events)))


if __name__ == "__main__":
    main()
