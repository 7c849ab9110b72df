#!/usr/bin/env python3
"""sessions.run on both engines: its result, what it decides, and that no run stays behind."""
import os, sys, threading, time

sys.path.insert(0, os.path.join(os.environ.get("TANDEM_TEST_ROOT", "."), "Tests/tools"))
import library
from library import Client, Failure, scripted
from run_engine import RunEngine

case = library.Cases()
TERMINAL = ("run.completed", "run.failed", "run.cancelled", "run.timeout")


def until(condition, seconds=10):
    end = time.time() + seconds
    while not (found := condition()) and time.time() < end:
        time.sleep(0.01)
    return found


def plain(run):
    for piece in ("The ", "whole ", "answer."):
        run.delta(piece)
    run.usage(3, 4)
    run.final("The whole answer.")


def tools(run):
    run.delta("Let me see. ")
    reply = run.permission("bash", command="ls")
    run.permission("read", path="a")
    run.usage()
    run.final(f"bash: {reply}")


def asks(run):
    run.question("Which?")
    run.delta("I asked.")
    run.usage()
    run.final("I asked.")


def pages(run):
    for number in range(5000):
        run.delta(f"{number} ")
    run.usage()
    run.final("".join(f"{number} " for number in range(5000)))


def slow(run):
    for number in range(1000):
        run.delta("word ")
        run.wait(0.02)


def fails(run):
    run.emit("session.error", {"error": {"code": "PROVIDER_SERVER_ERROR", "message": "broken"}}, False)
    run.finish("error", error="broken", failureCategory="provider")


def silent_text(run):
    run.delta("only pieces")
    run.usage()
    run.engine.messages[run.session].append({"info": {"role": "assistant"}, "parts": [{"type": "text", "text": "the stored text"}]})


SCRIPTS = {"plain": plain, "tools": tools, "asks": asks, "pages": pages, "slow": slow, "fails": fails, "stored": silent_text}


def session_of(client):
    return client.call("sessions.create", {"title": "t"})["id"]


def events_of(client, op, seconds=30):
    """All events of an operation up to its end, and its result."""
    events, end = [], time.time() + seconds
    while time.time() < end:
        for event in client.next(100):
            if event["op"] == op and event["type"] == "done":
                return events, event["result"]
            if event["op"] == op:
                events.append(event)
    return events, None


def texts(events):
    return "".join(e["properties"]["delta"] for e in events if e["type"] == "session.response")


def results(engine, client):
    session = session_of(client)
    run = client.call("sessions.run", {"session_id": session, "prompt": "[[plain]]"})
    case("a run's result is whole", {k: run[k] for k in ("text", "status", "usage", "tools")} == {
        "text": "The whole answer.", "status": "completed", "tools": [],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "estimated": False}} and "missing" not in run, run)
    case("it names the run", run["run_id"] in engine.runs, run)
    run = client.call("sessions.run", {"session_id": session, "parts": [{"type": "text", "text": "[[fails]]"}]})
    case("a failed run is a result", run["status"] == "failed" and run["error"]["name"] == "provider_error" and run["error"]["message"] == "broken", run)
    run = client.call("sessions.run", {"session_id": session, "prompt": "[[stored]]"})
    case("a final text that the stream lacks is read", run["text"] == "the stored text" and "missing" not in run, run)
    run = client.call("sessions.run", {"session_id": session, "prompt": "[[pages]]"})
    case("a long text is whole", run["text"] == "".join(f"{n} " for n in range(5000)), run["text"][-100:])


def permissions(engine, client):
    session = session_of(client)
    for policy, reply, status in [({"default": "allow"}, "once", "completed"), ({"default": "deny"}, "reject", "denied"), ({}, "reject", "denied"),
                                  ({"default": "deny", "by_tool": {"ba*": "allow"}}, "once", "completed")]:
        run = client.call("sessions.run", {"session_id": session, "prompt": "[[tools]]", "permissions": policy})
        bash = run["tools"][0]
        case(f"permissions by {policy}", run["text"] == f"bash: {reply}" and bash["tool"] == "bash" and bash["status"] == status, run)
        case(f"arguments of the tools, {policy}", [t["arguments"] for t in run["tools"]] == [{"command": "ls"}, {"path": "a"}], run)
    op = client.submit("sessions.run", {"session_id": session, "prompt": "[[tools]]", "permissions": {"default": "manual"}})
    seen, result = [], None
    while result is None:
        for event in client.next(1000):
            seen.append(event)
            if event["type"] == "permission.request":
                client.call("permissions.reply", {"request_id": event["properties"]["request_id"], "reply": "once"})
            if event["type"] == "done":
                result = event["result"]
    case("permissions by hand", [t["status"] for t in result["ok"]["tools"]] == ["completed", "completed"], result)


def expired_permissions():
    with RunEngine(SCRIPTS, permission_s=0.3) as engine, Client(url=engine.url) as client:
        run = client.call("sessions.run", {"session_id": session_of(client), "prompt": "[[tools]]", "permissions": {"default": "manual"}})
        case("a permission that nobody gave has expired", [t["status"] for t in run["tools"]] == ["permission_expired"] * 2, run)
        case("and the run went on", run["text"] == "bash: None" and run["status"] == "completed", run)


def questions(engine, client):
    session = session_of(client)
    run = client.call("sessions.run", {"session_id": session, "prompt": "[[asks]]", "idempotency_key": "mine",
                                       "questions": {"default": "answer", "answer": "the second"}})
    case("an answer goes on as a prompt", run["text"] == "You said: the second", run)
    prompts = engine.asked("prompt_async")[-2:]
    case("under a key of its own", [p["key"] for p in prompts] == ["mine", "mine-2"], prompts)
    case("and by the question's route", engine.asked("/answer")[-1]["body"] == {"answer": "the second"}, engine.requests[-5:])
    run = client.call("sessions.run", {"session_id": session, "prompt": "[[asks]]"})
    case("nobody to ask rejects", run["text"] == "I asked." and until(lambda: engine.asked("/reject")), run)
    op = client.submit("sessions.run", {"session_id": session, "prompt": "[[asks]]", "questions": {"default": "manual"}})
    events, result, asked = [], None, None
    while result is None:
        for event in client.next(200):
            events.append(event)
            if event["type"] == "question.request":
                asked = event["properties"]["request_id"]
            if event["type"] == "done":
                result = event["result"]
        if asked and any(e["type"] == "run.completed" for e in events):
            client.call("questions.answer", {"session_id": session, "question_id": asked, "answer": "by hand"})
            asked = None
    case("an answer by hand goes on too", result["ok"]["text"] == "You said: by hand", result)
    case("both runs are shown", [e["type"] for e in events if e["type"] in TERMINAL] == ["run.completed"] * 2, events)


def forms(engine, client):
    session = session_of(client)
    op = client.submit("sessions.run", {"session_id": session, "prompt": "[[plain]]", "fold": True, "$tag": "t"})
    events, result = events_of(client, op)
    kinds = [e["type"] for e in events]
    case("events are the run's", kinds[0] == "stream.connected" and kinds[-1] == "run.completed" and texts(events) == "The whole answer.", kinds)
    case("each has the state so far", [e["state"]["text"] for e in events if e["type"] == "session.response"] == ["The ", "The whole ", "The whole answer."], events)
    case("the last state is the result's", events[-1]["state"]["status"] == "completed" and events[-1]["state"]["text"] == result["ok"]["text"], events[-1])
    case("events carry the tag", {e["tag"] for e in events} == {"t"}, kinds)
    op = client.submit("sessions.run", {"session_id": session, "prompt": "[[pages]]", "coalesce_ms": 50})
    events, result = events_of(client, op)
    pieces = [e for e in events if e["type"] == "session.response"]
    case("text is joined", len(pieces) < 1000 and texts(events) == result["ok"]["text"], len(pieces))
    op = client.submit("sessions.run", {"session_id": session, "prompt": "[[plain]]", "vocabulary": "both"})
    events, result = events_of(client, op)
    kinds = [e["type"] for e in events]
    case("both vocabularies", texts(events) == "The whole answer." and kinds[-2:] == ["session.run.finished", "run.completed"], kinds)
    case("each once", "".join(e["frame"]["properties"].get("delta", "") for e in events if e["type"] == "message.part.updated" and "agent" not in e["frame"]["properties"]) == "The whole answer.", kinds)
    op = client.submit("sessions.run", {"session_id": session, "prompt": "[[slow]]", "$take": 6})
    events, result = events_of(client, op)
    case("$take ends it", len(events) == 6 and result == {"ok": {"ended": False}}, (len(events), result))
    case("and its run", until(lambda: session not in engine.active), engine.active)


def prompts(engine, client):
    session = session_of(client)
    op = client.submit("sessions.prompt_sync", {"session_id": session, "prompt": "[[plain]]"})
    events, result = events_of(client, op)
    kinds = [e["type"] for e in events]
    case("prompt_sync gives its events", texts(events) == "The whole answer." and kinds[-1] == "run.completed" and "run.started" in kinds, kinds)
    case("and its result", result["ok"]["text"] == "The whole answer." and len(result["ok"]["messages"]) == 2, result)
    before = len(engine.asked("prompt_sync"))
    result = client.call("sessions.prompt_sync", {"session_id": session, "prompt": "[[plain]]"})
    case("a blocking prompt_sync is one request", result["text"] == "The whole answer." and len(engine.asked("prompt_sync")) == before + 1, result)
    op = client.submit("sessions.prompt_sync", {"session_id": session, "prompt": "[[slow]]"})
    until(lambda: session in engine.active)
    client.cancel(op)
    events, result = events_of(client, op)
    case("a cancelled prompt_sync takes its run along", result["error"]["name"] == "cancelled" and result["error"]["detail"]["run_cancelled"], result)
    case("none is left", session not in engine.active, engine.active)
    op = client.submit("sessions.prompt_sync", {"session_id": session, "prompt": "[[plain]]", "$strict": True})
    events, result = events_of(client, op)
    case("a strict prompt_sync is the plain request", not events and isinstance(result["ok"], list), result)


def cancelled(engine, client, name, script, arrived, arguments={}):
    """Cancels a run as soon as something has come of it: None at once, "prompt" when the engine has it, or an event."""
    session = session_of(client)
    op = client.submit("sessions.run", {"session_id": session, "prompt": f"[[{script}]]", **arguments})
    if arrived == "prompt":
        until(lambda: session in engine.active)
    while arrived not in (None, "prompt") and arrived not in [e["type"] for e in client.next(1000)]:
        pass
    began = time.time()
    client.cancel(op)
    _, result = events_of(client, op)
    ok = result is not None and result.get("error", {}).get("name") == "cancelled" and time.time() - began < 6
    case(f"cancelled {name}", ok, (result, time.time() - began))
    case(f"cancelled {name}: no run is left", until(lambda: session not in engine.active) and client.call("sessions.active_run", {"session_id": session})["active"] is None, engine.active)
    return result


def cancels(engine, client):
    result = cancelled(engine, client, "while it begins", "slow", None)
    result = cancelled(engine, client, "at its first event", "slow", "run.started")
    case("it says that the run was cancelled", result["error"]["detail"] == {"sent": True, "run_cancelled": True}, result)
    cancelled(engine, client, "in its text", "slow", "session.response", {"coalesce_ms": 100, "fold": True})
    cancelled(engine, client, "while a permission waits", "tools", "permission.request", {"permissions": {"default": "manual"}})
    session = session_of(client)
    began = time.time()
    try:
        client.call("sessions.run", {"session_id": session, "prompt": "[[slow]]", "$timeout_ms": 300})
        case("a deadline is an error", False)
    except Failure as failure:
        case("a deadline is an error", failure.name == "timeout" and failure.error["detail"]["run_cancelled"] and time.time() - began < 15, failure.error)
    case("and leaves no run", session not in engine.active, engine.active)
    op = client.submit("sessions.run", {"session_id": session, "prompt": "[[asks]]", "questions": {"default": "manual"}})
    until(lambda: any(e["type"] == "run.completed" for e in client.next(100)))
    client.cancel(op)
    _, result = events_of(client, op)
    case("cancelled while an answer is waited for", result["error"]["detail"] == {"sent": True, "run_cancelled": False}, result)


def hard_cancels():
    with RunEngine(SCRIPTS, prompt_delay_s=1.0) as engine, Client(url=engine.url) as client:
        cancelled(engine, client, "while its prompt is under way", "slow", "prompt")
        session = session_of(client)
        op = client.submit("sessions.run", {"session_id": session, "prompt": "[[slow]]"})
        until(lambda: session in engine.active)
        client.close()
        case("close takes the run along", until(lambda: session not in engine.active, 1), engine.active)
    with RunEngine(SCRIPTS, prompt_delay_s=30.0) as engine, Client(url=engine.url) as client:
        result = cancelled(engine, client, "while its prompt hangs", "slow", "prompt")
        case("by the session's abort", engine.asked("/abort") and result["error"]["detail"]["run_cancelled"], result)
    with RunEngine(SCRIPTS) as engine, Client(url=engine.url) as client:
        session = session_of(client)
        op = client.submit("sessions.run", {"session_id": session, "prompt": "[[slow]]"})
        until(lambda: session in engine.active)
        engine.silent.add(session)
        began = time.time()
        client.cancel(op)
        _, result = events_of(client, op)
        case("an engine that is silent is not waited for", result["error"]["detail"]["run_cancelled"] is False and time.time() - began < 6, (result, time.time() - began))


def conflicts(engine, client):
    session = session_of(client)
    first = client.submit("sessions.run", {"session_id": session, "prompt": "[[slow]]"})
    until(lambda: session in engine.active)
    try:
        client.call("sessions.run", {"session_id": session, "prompt": "x"})
        case("a second run is a conflict", False)
    except Failure as failure:
        case("a second run is a conflict", failure.name == "run_conflict", failure.error)
    second = client.submit("sessions.run", {"session_id": session, "prompt": "x", "on_conflict": "attach"})
    run = engine.active[session].id
    until(lambda: any(e["op"] == second and e["type"] == "session.response" for e in client.next(100)))
    client.cancel(second)
    case("who attached leaves the run alone", client.done(second)["error"]["detail"]["run_cancelled"] is False and session in engine.active, engine.active)
    third = client.submit("sessions.run", {"session_id": session, "prompt": "[[plain]]", "on_conflict": "cancel_active"})
    result = client.done(third)
    case("the active run may be cancelled first", result["ok"]["text"] == "The whole answer.", result)
    result = client.done(first)
    case("whose result says so", result["ok"]["status"] == "cancelled" and result["ok"]["run_id"] == run, result)


def slow_takers(engine, client):
    """A permission is answered in time though nobody takes the events before it."""
    session = session_of(client)

    def chatty(run):
        for number in range(9000):
            run.delta("x" * 300)
        reply = run.permission("bash", command="ls")
        run.final(f"{reply}")

    engine.scripts["chatty"] = chatty
    op = client.submit("sessions.run", {"session_id": session, "prompt": "[[chatty]]", "permissions": {"default": "allow"}})
    case("a run goes on while nobody looks", until(lambda: session in engine.active) and until(lambda: session not in engine.active, 30), engine.active)
    events, result = events_of(client, op)
    case("and its taker gets all of it", texts(events) == "x" * 2_700_000 and result["ok"]["text"] == "once" and "permission.request" in [e["type"] for e in events], len(texts(events)))


def many(engine, client):
    sessions = [session_of(client) for _ in range(8)]
    got = {}

    def one(session, number):
        got[number] = client.call("sessions.run", {"session_id": session, "prompt": f"[[tools]] {number}", "permissions": {"default": "allow"}})

    threads = [threading.Thread(target=one, args=(session, n)) for n, session in enumerate(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    case("eight runs at once", len(got) == 8 and all(r["text"] == "bash: once" and len(r["tools"]) == 2 for r in got.values()), got)


def embedded():
    with scripted() as client:
        session = session_of(client)
        run = client.call("sessions.run", {"session_id": session, "prompt": "[[hello]]"})
        case("embedded: a run's result", run["text"] == "Hello there friend" and run["status"] == "completed" and run["usage"]["total_tokens"] > 0 and "missing" not in run, run)
        run = client.call("sessions.run", {"session_id": session, "prompt": "[[fail500]]"})
        case("embedded: a failed run is a result", run["status"] == "failed" and run["error"]["name"] == "provider_error", run)
        op = client.submit("sessions.run", {"session_id": session, "prompt": "[[many]]", "coalesce_ms": 20, "fold": True})
        events, result = events_of(client, op)
        case("embedded: events and result agree", texts(events) == result["ok"]["text"] == events[-1]["state"]["text"], len(texts(events)))
        for name, arrived in [("at once", None), ("at its start", "run.started"), ("in its text", "session.response")]:
            op = client.submit("sessions.run", {"session_id": session, "prompt": "[[slow]]"})
            while arrived and arrived not in [e["type"] for e in client.next(1000)]:
                pass
            client.cancel(op)
            result = client.done(op)
            active = client.call("sessions.active_run", {"session_id": session})["active"]
            case(f"embedded: cancelled {name}", result["error"]["name"] == "cancelled" and active is None, (result, active))
        try:
            client.call("sessions.run", {"session_id": "nowhere", "prompt": "x"})
            case("embedded: an unknown session is an error", False)
        except Failure as failure:
            case("embedded: an unknown session is an error", failure.name == "not_found", failure.error)


with RunEngine(SCRIPTS) as engine, Client(url=engine.url) as client:
    for part in (results, permissions, questions, forms, prompts, cancels, conflicts, slow_takers, many):
        part(engine, client)
expired_permissions()
hard_cancels()
embedded()
sys.exit(case.finish())
