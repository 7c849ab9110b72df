#!/usr/bin/env python3
"""What is committed survives: kill -9 at 50 random moments of scripted runs, a state that cannot grow, a log that cannot.

The program runs itself as the victim, which reports each thing once the library has confirmed it.
"""
import contextlib, json, os, random, resource, signal, sqlite3, subprocess, sys, tempfile, time

import library
from library import Failure

ROUNDS, SEED = 50, 3
TEXT = "".join(f"piece{i} " for i in range(20))


def say(*words):
    os.write(1, (json.dumps(words) + "\n").encode())


def victim(state):
    """Keeps four runs going until it is killed."""
    with library.scripted(state=state) as client:
        say("open")
        while True:
            runs = {}
            for _ in range(4):
                session = client.call("sessions.create", {"title": "victim"})["id"]
                say("session", session)
                prompt = f"[[brief]] {session}"
                run = client.call("sessions.prompt_async", {"session_id": session, "prompt": [{"type": "text", "text": prompt}]})["run_id"]
                say("run", session, run)
                client.submit("engine.stream", {"session_id": session, "run_id": run})
                runs[run] = session
            while runs:
                for event in client.next(1000):
                    if event["type"] == "run.completed":
                        say("answer", runs.pop(event["run_id"]), event["run_id"])


def reports(moment, state):
    """Starts a victim, kills it after a while, and returns what it had reported."""
    process = subprocess.Popen([sys.executable, __file__, "victim", state], stdout=subprocess.PIPE)
    first = process.stdout.readline()
    time.sleep(moment)
    process.kill()
    rest = process.stdout.read()
    process.wait()
    return [json.loads(line) for line in (first + rest).splitlines() if line.endswith(b"]")]


def texts(client, session, role):
    messages = client.call("sessions.messages", {"session_id": session})
    return ["".join(p.get("text", "") for p in m["parts"]) for m in messages if m["info"]["role"] == role]


def examine(client, said):
    """(problems, interrupted runs) of what one victim had reported."""
    problems, interrupted = [], 0
    answered = {run for kind, *rest in said if kind == "answer" for run in rest[1:]}
    for session in [rest[0] for kind, *rest in said if kind == "session"]:
        try:
            client.call("sessions.get", {"session_id": session})
        except Failure as failure:
            problems.append(f"session {session}: {failure}")
    for session, run in [rest for kind, *rest in said if kind == "run"]:
        events = client.call("engine.run_events", {"run_id": run, "limit": 1000})["events"]
        last = events[-1] if events else {}
        status = last.get("payload", {}).get("status")
        if last.get("event_type") != "session.run.finished" or status not in ("completed", "error"):
            problems.append(f"run {run} ends with {last.get('event_type')} {status}")
        if f"[[brief]] {session}" not in texts(client, session, "user"):
            problems.append(f"run {run}: its prompt is lost")
        if run in answered and status != "completed":
            problems.append(f"run {run}: was completed and is {status}")
        if status == "completed" and texts(client, session, "assistant") != [TEXT] and texts(client, session, "assistant") != [TEXT.strip()]:
            problems.append(f"run {run}: its answer is lost")
        if client.call("sessions.active_run", {"session_id": session})["active"] is not None:
            problems.append(f"run {run}: still active")
        if status == "error":
            interrupted += 1
            problems += marked(client, session, run)
    return problems, interrupted


def marked(client, session, run):
    """Problems of an interrupted run's stream: its last event is run.failed, with the error interrupted."""
    stream = client.call("engine.stream", {"session_id": session, "run_id": run, "$timeout_ms": 5000})
    last = stream["events"][-1] if stream["events"] else {}
    error = last.get("properties", {}).get("error") or {}
    if not stream["ended"] or last.get("type") != "run.failed":
        return [f"run {run}: its stream ends with {last.get('type')}"]
    return [] if (error.get("name") or error.get("code")) == "interrupted" else [f"run {run}: error {error}"]


def killed(cases):
    moments, interrupted = random.Random(SEED), 0
    with tempfile.TemporaryDirectory() as folder:
        state, sessions = os.path.join(folder, "state"), set()
        for i in range(ROUNDS):
            said = reports(moments.uniform(0.0, 0.35), state)
            try:
                with library.scripted(state=state) as client:
                    problems, n = examine(client, said)
                    interrupted += n
                    sessions |= {rest[0] for kind, *rest in said if kind == "session"}
                    if i % 10 == 9:
                        last = list(sessions)[-1]
                        answer = client.call("sessions.prompt_sync", {"session_id": last, "prompt": [{"type": "text", "text": "[[hello]]"}]})
                        problems += [] if answer["text"] == "Hello there friend" else [f"a new prompt gives {answer['text']}"]
                    if i == ROUNDS - 1:
                        for session in sessions:
                            client.call("sessions.get", {"session_id": session})
            except Failure as failure:
                problems = [str(failure)]
            cases(f"kill -9, round {i + 1}: nothing is lost, what was interrupted is marked", not problems, "; ".join(problems[:1]))
        cases("some runs were interrupted", interrupted > 0, str(interrupted))
        print(f"{len(sessions)} sessions, {interrupted} interrupted runs")


def full(state):
    """In a child: fills the state until no file may grow, then lifts the limit."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    client, made, error = library.Client(state=state), [], None
    make = lambda: made.append(client.call("sessions.create", {"title": "full", "source_metadata": {"pad": "x" * 20000}})["id"])
    for _ in range(5):
        make()
    largest = max(os.path.getsize(os.path.join(state, f)) for f in os.listdir(state))
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 300_000, hard))
    try:
        for _ in range(2000):
            make()
    except Failure as failure:
        error = failure.error
    readable = 0
    for session in made:
        try:
            readable += client.call("sessions.get", {"session_id": session})["id"] == session
        except Failure:
            pass
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    try:
        make()
        again = True
    except Failure as failure:
        again = str(failure)
    client.close()
    say(made, error, readable, again)


def full_disk(cases):
    with tempfile.TemporaryDirectory() as folder:
        state = os.path.join(folder, "state")
        output = subprocess.run([sys.executable, __file__, "full", state], stdout=subprocess.PIPE, timeout=120).stdout
        if not cases("full: the process lives", output.strip() != b""):
            return
        made, error, readable, again = json.loads(output)
        cases("full: the error is state_full", error is not None and error["name"] == "state_full", str(error))
        cases("full: with code E_STATE", error is not None and error["code"] == -13, str(error))
        cases("full: what is there can be read", readable == len(made) - (again is True), f"{readable} of {len(made)}")
        cases("full: with room again it goes on", again is True, str(again))
        with library.Client(state=state) as client:
            lost = []
            for session in made:
                try:
                    client.call("sessions.get", {"session_id": session})
                except Failure as failure:
                    lost.append(str(failure))
            cases("full: nothing is lost", not lost, str(lost[:3]))


def used_up(cases):
    """A log whose last number is taken: nothing could come after it."""
    with tempfile.TemporaryDirectory() as state:
        with library.Client(state=state) as client:
            session = client.call("sessions.create", {})["id"]
            client.call("sessions.prompt_sync", {"session_id": session, "prompt": "hi"})
        with contextlib.closing(sqlite3.connect(os.path.join(state, "tandem.db"))) as database, database:
            database.execute("UPDATE event_groups SET last = 9223372036854775807 WHERE last = (SELECT max(last) FROM event_groups)")
        try:
            library.Client(state=state).close()
            name = "opened"
        except Failure as failure:
            name = failure.error["name"]
        cases("a log without a number left is state_corrupt", name == "state_corrupt", name)


def main():
    cases = library.Cases()
    killed(cases)
    full_disk(cases)
    used_up(cases)
    return cases.finish()


if __name__ == "__main__":
    if sys.argv[1:2] == ["victim"]:
        victim(sys.argv[2])
    elif sys.argv[1:2] == ["full"]:
        full(sys.argv[2])
    else:
        sys.exit(main())
