#!/usr/bin/env python3
"""Faults of an engine and of the way to it, over real sockets: what a stream tells stays true."""
import os, random, sys, threading, time

sys.path.insert(0, os.path.join(os.environ.get("TANDEM_TEST_ROOT", "."), "Tests/tools"))
from fault_engine import Engine
from library import Cases, Client, Failure

case = Cases()
SCHEDULES = 50


class Watch:
    """One run as a host sees it: reads the client's events until the stream is done."""

    def __init__(self, client, op, engine=None):
        self.client, self.op, self.engine = client, op, engine
        self.text, self.message, self.types, self.asked, self.resolved, self.done = "", None, [], [], [], None
        self.counts = {"gaps": 0, "duplicates": 0, "truncated": 0, "healed": 0}
        self.error = None

    def take(self, event):
        kind, properties = event["type"], event.get("properties", {})
        self.types.append(kind)
        if kind == "session.response":
            self.text += properties["delta"]
        elif kind == "session.message":
            self.message = properties["text"]
        elif kind == "permission.request":
            self.asked.append(properties["request_id"])
            if self.engine:
                self.client.submit("permissions.reply", {"request_id": properties["request_id"], "reply": "once"})
        elif kind == "permission.resolved":
            self.resolved.append(properties["request_id"])
        elif kind == "stream.resynced":
            for name in self.counts:
                self.counts[name] += properties[name]
        elif kind == "run.failed":
            self.error = properties["error"]["name"]
        elif kind == "done":
            self.done = event["result"]

    def read(self, seconds, until=lambda watch: watch.done):
        end = time.time() + seconds
        while not until(self) and time.time() < end:
            for event in self.client.next(50):
                if event["op"] == self.op:
                    self.take(event)
        return self

    @property
    def ends(self):
        return [t for t in self.types if t in ("run.completed", "run.failed", "run.cancelled", "run.timeout")]


def at_full_speed():
    """20,000 deltas, as fast as a program can publish them."""
    count = 20_000
    with Engine(reads=4000) as engine, Client(url=engine.url) as client:
        op = client.submit("engine.stream", {"session_id": "s"})
        watch = Watch(client, op).read(10, lambda w: w.types)
        engine.start("s", "r")
        watch.read(10, lambda w: "run.started" in w.types)
        words = [f"{n} \u00e9" for n in range(count)]
        for word in words:
            engine.delta("s", "r", word)
        whole = "".join(words)
        engine.message("s", "r", whole)
        engine.finish("s", "r")
        watch.read(90, lambda w: w.ends)
        case("20,000 deltas: the text is whole, to the letter", watch.text == whole, f"{len(watch.text)} of {len(whole)}")
        case("and the message, which was longer than a frame", watch.message == whole, str(watch.message and len(watch.message)))
        case("one end", watch.ends == ["run.completed"], str(watch.ends))
        case("what was lost is counted, and all of it came back", watch.counts["gaps"] + watch.counts["truncated"] == watch.counts["healed"] > 0, str(watch.counts))
        client.cancel(op)


def schedule(seed):
    draw = random.Random(seed)
    faults = []
    engine = Engine(log_rate=draw.choice([600, 6000]), log_delay=draw.choice([0, 0, 0.5, 1.5]))
    session, run = f"s{seed}", f"r{seed}"
    kind = draw.choice(["client", "session"])
    with engine, Client(url=engine.url, subscription=kind, idle_timeout_ms=1000, retries=1) as client:
        others = Watch(client, client.submit("engine.stream", {"session_id": "quiet"}))
        engine.start(session, run)
        op = client.submit("engine.stream", {"session_id": session, "run_id": run})
        watch = Watch(client, op, engine).read(10, lambda w: "run.started" in w.types)
        text, asked, restarted, refused = "", [], False, False
        if draw.random() < 0.2:
            faults.append("duplicates")
            engine.doubling = 0.2
        if draw.random() < 0.2:
            faults.append("failing reads")
            engine.failing_reads = draw.randrange(1, 4)
        for step in range(draw.randrange(3, 8)):
            for _ in range(draw.randrange(1, 40)):
                word = f"{draw.randrange(1000)} \U0001f642"
                text += word
                engine.delta(session, run, word)
            what = draw.randrange(10)
            if what == 0:
                faults.append("cut")
                engine.cut()
            elif what == 1:
                faults.append("cut at a byte")
                engine.cut(draw.randrange(1, 4000))
            elif what == 2:
                faults.append("stalled")
                engine.stall()
            elif what == 3 and kind == "client":
                faults.append("lagged")
                engine.noise(2049)
            elif what == 4:
                faults.append("long")
                engine.tool(session, run, "r" * draw.randrange(20_000, 60_000))
            elif what == 5:
                word = str(draw.randrange(10)) * 5000
                text += word
                engine.delta(session, run, word)
            elif what == 6:
                asked.append(f"{run}-{len(asked)}")
                engine.ask(session, run, asked[-1])
            elif what == 7 and draw.random() < 0.3:
                faults.append("restarted")
                restarted = True
                time.sleep(draw.random())
                engine.restart()
                engine.noise(3)
                break
            elif what == 8 and draw.random() < 0.3:
                faults.append("refused")
                refused = True
                engine.refusals = [503, 401]
                engine.cut()
                break
            watch.read(draw.random() * 0.5, lambda w: w.done)
        status = draw.choice(["completed", "completed", "cancelled"])
        if not restarted:
            if status == "completed":
                engine.message(session, run, text)
            engine.finish(session, run, status)
            if status == "cancelled":
                engine.finish(session, run, "completed")
        threading.Timer(3, engine.noise, [1]).start()   # a restarted engine is known by its numbers
        watch.read(75)   # what nothing tells of is found out by patience
        name = f"schedule {seed} {kind} {'+'.join(faults) or 'nothing'}"
        why = f"{watch.types[-8:]} {watch.done} {len(watch.text)}/{len(text)} {watch.counts} {watch.asked} {watch.resolved}"
        if refused:
            failure = (watch.done or {}).get("error", {}).get("name")
            return case(f"{name}: one clear error", failure == "unauthorized" or watch.ends, why)
        if restarted:
            return case(f"{name}: the run was interrupted", watch.ends == ["run.failed"] and watch.error == "interrupted" and
                        text.startswith(watch.text) and len(set(watch.asked)) == len(watch.asked), why)
        case(f"{name}: the whole truth", watch.ends == [f"run.{status}"] and (watch.text == text or kind == "session" and watch.message == text)
             and (status == "cancelled" or watch.message == text) and watch.asked == asked and len(set(watch.resolved)) == len(watch.resolved)
             and watch.counts["healed"] == watch.counts["gaps"] + watch.counts["truncated"] and (watch.done or {}).get("ok") == {"ended": True}, why)


def late_stream():
    """A stream for a run that is over, on a client that never saw it."""
    with Engine(log_rate=6000) as engine, Client(url=engine.url) as client:
        engine.start("s", "r")
        for n in range(1500):
            engine.delta("s", "r", f"{n} ")
        engine.message("s", "r", "all")
        engine.finish("s", "r")
        watch = Watch(client, client.submit("engine.stream", {"run_id": "r"})).read(20)
        case("a run that is over is read from its log", watch.text == "".join(f"{n} " for n in range(1500)) and watch.ends == ["run.completed"], str(watch.types[-5:]))
        case("and nothing is said to have been lost", "stream.resynced" not in watch.types)


def prompt_sync(kind):
    """A prompt that waits for its run has the run's events, and its answer last."""
    with Engine() as engine, Client(url=engine.url, subscription=kind) as client:
        watch = Watch(client, client.submit("sessions.prompt_sync", {"session_id": "s", "prompt": "hi"})).read(20)
        case(f"{kind}: prompt_sync has its run's events", watch.text == "Hello there" and watch.ends == ["run.completed"], str(watch.types))
        case("and its own result", watch.done["ok"]["text"] == "Hello there", str(watch.done))
        case("and nothing of a loss", "stream.resynced" not in watch.types, str(watch.types))


def prompt_sync_that_nobody_watches():
    """A call that blocks shows its events to nobody: it opens no connection for them."""
    with Engine() as engine, Client(url=engine.url, subscription="session") as client:
        result = client.call("sessions.prompt_sync", {"session_id": "s", "prompt": "hi"})
        case("a prompt_sync that blocks opens no stream of its own", result["text"] == "Hello there" and ("GET", "/event") not in engine.requests, str(engine.requests))


def prompt_sync_without_events():
    """An engine that refuses the stream still answers the prompt."""
    with Engine() as engine, Client(url=engine.url, subscription="session", retries=0) as client:
        engine.refusals = [401, 401]
        watch = Watch(client, client.submit("sessions.prompt_sync", {"session_id": "s", "prompt": "hi"})).read(20)
        case("a refused stream does not hold up the prompt", watch.done["ok"]["text"] == "Hello there", str(watch.done))
        case("which has no events then", watch.ends == [], str(watch.types))


def dropped_on_a_filtered_stream():
    """Nothing on the stream tells of a piece that the bus dropped: the log does, at the run's end."""
    with Engine() as engine, Client(url=engine.url, subscription="session") as client:
        watch = Watch(client, client.submit("engine.stream", {"session_id": "s"}))
        watch.read(10, lambda w: w.types and engine.readers)
        engine.start("s", "r")
        for n in range(5):
            engine.delta("s", "r", f"{n} ")
        watch.read(10, lambda w: w.text == "0 1 2 3 4 ")
        readers, engine.readers = engine.readers, []
        for n in range(5, 8):
            engine.delta("s", "r", f"{n} ")
        engine.tool("s", "r", "nine")
        engine.readers = readers
        engine.delta("s", "r", "8 ")
        engine.message("s", "r", "".join(f"{n} " for n in range(9)))
        engine.finish("s", "r")
        watch.read(40, lambda w: w.ends)
        case("a dropped piece: the message is whole", watch.message == "".join(f"{n} " for n in range(9)), str(watch.message))
        case("the stream says how many are missing", watch.counts == {"gaps": 4, "duplicates": 0, "truncated": 0, "healed": 1}, str(watch.counts))
        case("a tool's result comes late", watch.types.count("session.tool_result") == 1, str(watch.types))
        case("before the one end", watch.ends == ["run.completed"] and watch.types[-1] == "run.completed", str(watch.types))


def other_streams():
    """Streams that are none of the bus: their first frames, their cursor, what may be lost."""
    from test_remote import Server, open_stream, send, event
    targets = []

    def answer(request, connection):
        targets.append(request.target)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        if request.target.startswith("/goals"):
            first = int(request.target.partition("cursor=")[2] or 0)
            connection.sendall(f'event: ready\ndata: {{"goal_id":"g","cursor":{first}}}\n\n'.encode())
            for n in (first, first + 1, first + 2):
                if n:
                    connection.sendall(f'id: {n}\nevent: stateful_runtime.goal.moved\ndata: {{"cursor":{n},"event":{{}}}}\n\n'.encode())
        else:
            event(connection, {"status": "ready", "stream": "routines", "timestamp_ms": 1})
            event(connection, {"type": "routine.fired", "properties": {"routineID": "r"}})
        if len(targets) < 3:
            return False
        connection.recv(1)

    with Server(answer) as server, Client(url=server.url) as client:
        result = client.call("stateful_runtime.events", {"goal_id": "g", "$take": 11, "$timeout_ms": 15000})
        seen = [e["properties"].get("cursor", e["type"]) if e["type"].startswith("engine.") else e["type"] for e in result["events"]]
        case("a goal's stream goes on by its cursor", seen == ["stream.connected", 1, 2, "stream.interrupted", "stream.connected", 3, 4,
                                                              "stream.interrupted", "stream.connected", 5, 6], f"{seen} {targets}")
        targets.clear()
        result = client.call("routines.events", {"$take": 6, "$timeout_ms": 15000})
        seen = [e["type"] for e in result["events"]]
        case("one without says what may be missing", seen == ["stream.connected", "engine.routine.fired", "stream.interrupted",
                                                             "stream.connected", "stream.resynced", "engine.routine.fired"], str(seen))


def main():
    bodies = [at_full_speed, late_stream, lambda: prompt_sync("client"), lambda: prompt_sync("session"), prompt_sync_without_events, prompt_sync_that_nobody_watches,
              dropped_on_a_filtered_stream, other_streams, *[lambda seed=seed: schedule(seed) for seed in range(1, SCHEDULES + 1)]]
    running = []

    def guarded(body):
        try:
            body()
        except Exception as e:
            case(f"{getattr(body, '__name__', 'schedule')} raises nothing", False, repr(e))

    guarded(bodies[0])
    queue = bodies[1:]
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                if not queue:
                    return
                body = queue.pop(0)
            guarded(body)

    running = [threading.Thread(target=work) for _ in range(10)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return case.finish()


if __name__ == "__main__":
    sys.exit(main())
