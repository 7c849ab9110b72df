#!/usr/bin/env python3
"""Runs with tools on the embedded engine, with the scripted model server: questions, permissions, lists, and a kill -9
while a tool waits."""
import json, os, subprocess, sys, tempfile, urllib.request

import library
from library import Failure

DONE = {"text": "All done."}
QUESTION = {"tool_calls": [{"name": "question", "arguments": {"question": "Which colour?", "choices": ["red", "blue"]}}]}
TODOS = {"tool_calls": [{"name": "todo_write", "arguments": {"todos": [{"content": "paint"}, {"content": "dry"}]}}],
         "text": "Let me plan."}


def server(path, method="GET", body=None):
    request = urllib.request.Request(library.MODEL_URL + path, json.dumps(body).encode() if body is not None else None, method=method)
    return json.loads(urllib.request.urlopen(request).read())


def script(name, *answers):
    server(f"/_script/{name}", "PUT", list(answers))


def prompt(client, session, text, **more):
    """Starts a run; its id, and the operation that streams it."""
    arguments = {"session_id": session, "prompt": [{"type": "text", "text": text}], **more}
    run = client.call("sessions.prompt_async", arguments)["run_id"]
    return run, client.submit("engine.stream", {"session_id": session, "run_id": run})


def follow(client, op, until="done", seconds=20):
    """Events of an operation up to the first of that type."""
    events = []
    for _ in range(seconds * 10):
        for event in client.next(100):
            if event["op"] == op:
                events.append(event)
                if event["type"] == until:
                    return events
    return events


def of(events, kind):
    return [e["properties"] for e in events if e["type"] == kind]


def question(cases):
    script("ask", QUESTION, DONE)
    with library.scripted() as client:
        session = client.call("sessions.create", {})["id"]
        server("/_requests", "DELETE")
        _, op = prompt(client, session, "paint it [[ask]]", tool_allowlist=["question"])
        asked = of(follow(client, op, "question.request"), "question.request")
        cases("a question is asked", bool(asked) and asked[0]["questions"][0]["question"] == "Which colour?", str(asked))
        listed = client.call("questions.list")["questions"]
        cases("and listed", [q["id"] for q in listed] == [asked[0]["request_id"]], str(listed))
        client.call("questions.reply", {"question_id": asked[0]["request_id"], "$body": {"answers": [["blue"]]}})
        events = follow(client, op)
        cases("the run goes on with the answer", events[-2]["type"] == "run.completed", str([e["type"] for e in events]))
        results = of(events, "session.tool_result")
        cases("the answer is the tool's result", [r["result"] for r in results] == ["blue"], str(results))
        last = server("/_requests")[-1]["body"]
        calls = last["messages"][-2]["tool_calls"]
        cases("the model gets its call back", calls[0]["function"]["name"] == "question", str(calls))
        cases("and the result under its id", last["messages"][-1] == {"role": "tool", "content": "blue", "tool_call_id": calls[0]["id"]},
              str(last["messages"][-1]))
        cases("only the named tool is offered", [t["function"]["name"] for t in last["tools"]] == ["question"], str(last.get("tools")))
        refused = None
        try:
            client.call("questions.reject", {"question_id": asked[0]["request_id"]})
        except Failure as failure:
            refused = failure
        cases("an answered question is gone", refused is not None and refused.name == "not_found", str(refused))


def permission(cases):
    script("plan", TODOS, DONE)
    with library.scripted() as client:
        session = client.call("sessions.create", {"permission": [{"permission": "todo_write", "action": "ask"}]})["id"]
        _, op = prompt(client, session, "[[plan]]", tool_allowlist=["todo_write"])
        asked = of(follow(client, op, "permission.request"), "permission.request")
        cases("a permission is asked for", bool(asked) and asked[0]["tool"] == "todo_write", str(asked))
        cases("nothing happens before the answer", client.call("sessions.todos", {"session_id": session}) == [])
        client.call("permissions.reply", {"request_id": asked[0]["request_id"], "reply": "once"})
        events = follow(client, op)
        cases("the answer is told", [r["reply"] for r in of(events, "permission.resolved")] == ["once"])
        todos = client.call("sessions.todos", {"session_id": session})
        cases("the list is kept", [t["content"] for t in todos] == ["paint", "dry"], str(todos))
        cases("and told", [t["todos"] for t in of(events, "todo.updated")] == [todos], str(of(events, "todo.updated")))
        message = client.call("sessions.messages", {"session_id": session})
        parts = [p["type"] for p in message[0]["parts"]]
        cases("the call stands in the user's message", parts == ["text", "tool"], str(parts))
        try:
            client.call("permissions.reply", {"request_id": asked[0]["request_id"], "reply": "once"})
            cases("a second answer is refused", False, "it was taken")
        except Failure as failure:
            cases("a second answer is refused", failure.name == "permission_expired", str(failure))


def plain(cases):
    with library.scripted() as client:
        session = client.call("sessions.create", {})["id"]
        server("/_requests", "DELETE")
        client.call("sessions.prompt_sync", {"session_id": session, "prompt": [{"type": "text", "text": "[[hello]]"}]})
        body = server("/_requests")[-1]["body"]
        cases("a plain prompt speaks of no tools", "tools" not in body and "tool_choice" not in body, str(body))


def victim(state):
    """One run waits for an answer, another for a permission; then the process is killed."""
    with library.scripted(state=state) as client:
        rules = {"permission": [{"permission": "todo_write", "action": "ask"}]}
        sessions = [client.call("sessions.create", rules)["id"] for _ in range(2)]
        runs = []
        for session, name, tool, until in zip(sessions, ["ask", "plan"], ["question", "todo_write"],
                                              ["question.request", "permission.request"]):
            run, op = prompt(client, session, f"[[{name}]]", tool_allowlist=[tool])
            follow(client, op, until)
            runs.append(run)
        print(json.dumps([sessions, runs]), flush=True)
        while True:
            client.next(1000)


def killed(cases):
    script("ask", QUESTION, DONE)
    script("plan", TODOS, DONE)
    with tempfile.TemporaryDirectory() as folder:
        state = os.path.join(folder, "state")
        process = subprocess.Popen([sys.executable, __file__, "victim", state], stdout=subprocess.PIPE)
        sessions, runs = json.loads(process.stdout.readline())
        process.kill()
        process.wait()
        with library.scripted(state=state) as client:
            for session, run in zip(sessions, runs):
                stream = client.call("engine.stream", {"session_id": session, "run_id": run, "$timeout_ms": 5000})
                last = stream["events"][-1]
                cases(f"kill -9: run {runs.index(run) + 1} is marked interrupted",
                      last["type"] == "run.failed" and last["properties"]["error"]["name"] == "interrupted", str(last))
            parts = client.call("sessions.messages", {"session_id": sessions[0]})[0]["parts"]
            tool = [p for p in parts if p["type"] == "tool"]
            cases("kill -9: the call that was begun says that its outcome is unknown",
                  len(tool) == 1 and "not known" in (tool[0]["error"] or ""), str(parts))
            cases("kill -9: its question is gone", client.call("questions.list")["questions"] == [])
            requests = client.call("permissions.list")
            statuses = [r["status"] for r in requests["requests"] + requests.get("past_requests", [])]
            cases("kill -9: the permission request is settled", statuses == ["runtime_restarted"], str(statuses))
            cases("kill -9: the tool that waited for it did nothing", client.call("sessions.todos", {"session_id": sessions[1]}) == [])
            answer = client.call("sessions.prompt_sync", {"session_id": sessions[0], "prompt": [{"type": "text", "text": "and now [[hello]]"}]})
            cases("kill -9: the session goes on", answer["text"] == "Hello there friend", str(answer)[:300])
            sent = server("/_requests")[-1]["body"]["messages"]
            cases("kill -9: the model is told that the outcome is unknown",
                  any(m["role"] == "tool" and "not known" in m["content"] for m in sent), str(sent))


def main():
    cases = library.Cases()
    for part in (question, permission, plain, killed):
        part(cases)
    return cases.finish()


if __name__ == "__main__":
    if sys.argv[1:2] == ["victim"]:
        victim(sys.argv[2])
    else:
        sys.exit(main())
