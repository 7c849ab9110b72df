#!/usr/bin/env python3
"""The option "delivery":"attend": who waits for a call does its network's part, and tandem-io does where nobody waits."""
import ctypes, select, sys, threading, time

import library
from library import Client, ID, INT, POINTER, TEXT, lib, taken
from server import Server, event, open_stream, send

case = library.Cases()
EVENT_FN = ctypes.CFUNCTYPE(None, POINTER, ID, TEXT)
for function, result, arguments in [
    (lib.tandem_wait, POINTER, [POINTER, ID, INT]), (lib.tandem_pump, INT, [POINTER, INT, INT]),
    (lib.tandem_wakeup_fd, INT, [POINTER]), (lib.tandem_set_handler, INT, [POINTER, EVENT_FN, POINTER, POINTER]),
]:
    function.restype, function.argtypes = result, arguments
ROUNDS = 60


class Answers:
    """A server that answers with the session that was asked for: at once, late, or when it is told to."""

    def __init__(self):
        self.delay_s, self.closes, self.opened, self.waiting = 0, False, threading.Event(), 0

    def __call__(self, request, connection):
        if request.target.startswith("/event"):
            open_stream(connection)
            return connection.recv(1) and None
        session = request.target.rsplit("/", 1)[1]
        if session.startswith("held"):
            self.waiting += 1
            self.opened.wait(30)
        time.sleep(self.delay_s)
        send(connection, 200, {"id": session})
        return not self.closes


def until(condition, seconds=20):
    end = time.time() + seconds
    while not condition() and time.time() < end:
        time.sleep(0.002)
    return condition()


def get(client, session):
    return client.submit("sessions.get", {"session_id": session})


def waited(client, session):
    return taken(lib.tandem_wait(client.handle, get(client, session), 20_000))


def polled(client, session):
    """By the descriptor, which may be readable for nothing."""
    op, readable = get(client, session), select.poll()
    readable.register(lib.tandem_wakeup_fd(client.handle), select.POLLIN)
    while readable.poll(20_000):
        for one in client.next():
            if one["type"] == "done" and one["op"] == op:
                return one["result"]
    return None


def pumped(client, session):
    op, readable, results = get(client, session), select.poll(), {}
    handler = EVENT_FN(lambda _, op, text: results.update({op: library.json.loads(text)}))
    lib.tandem_set_handler(client.handle, handler, None, None)
    readable.register(lib.tandem_wakeup_fd(client.handle), select.POLLIN)
    while op not in results and readable.poll(20_000):
        lib.tandem_pump(client.handle, 0, 0)
    lib.tandem_set_handler(client.handle, EVENT_FN(), None, None)
    return results.get(op, {}).get("result")


def nexted(client, session):
    return client.done(get(client, session))


FORMS = [waited, polled, pumped, nexted]


def forms():
    answers = Answers()
    for delivery in ("attend", "pump"):
        with Server(answers) as server, Client(url=server.url, delivery=delivery) as client:
            for form in FORMS:
                results = [form(client, f"s{i}") for i in range(ROUNDS)]
                good = [{"ok": {"id": f"s{i}"}} for i in range(ROUNDS)]
                case(f"{delivery}: each call has its answer, {form.__name__}", results == good, str(results[:3]))
            case(f"{delivery}: over connections that stay", server.connections <= 2, str(server.connections))


def late():
    """Past the time for which somebody attends."""
    answers = Answers()
    with Server(answers) as server, Client(url=server.url, delivery="attend") as client:
        waited(client, "first")
        answers.delay_s = 0.05
        for form in FORMS:
            results = [form(client, f"s{i}") for i in range(4)]
            case(f"a late answer comes, {form.__name__}", results == [{"ok": {"id": f"s{i}"}} for i in range(4)], str(results))


def unattended():
    answers = Answers()
    with Server(answers) as server, Client(url=server.url, delivery="attend") as client:
        waited(client, "first")
        ops = [get(client, f"s{i}") for i in range(8)]
        case("calls end while nobody attends", until(lambda: client.stats()["operations_running"] == 0), str(client.stats()))
        case("and have their results", [client.done(op) for op in ops] == [{"ok": {"id": f"s{i}"}} for i in range(8)])


def dropped_connections():
    answers = Answers()
    answers.closes = True
    with Server(answers) as server, Client(url=server.url, delivery="attend") as client:
        for form in FORMS:
            results = [form(client, f"s{i}") for i in range(8)]
            case(f"a server that closes each connection, {form.__name__}",
                 results == [{"ok": {"id": f"s{i}"}} for i in range(8)], str(results[:3]))


def stopped():
    answers = Answers()
    with Server(answers) as server:
        client = Client(url=server.url, delivery="attend")
        waited(client, "first")
        ends = {}

        def wait(op):
            ends[op] = taken(lib.tandem_wait(client.handle, op, 20_000))

        op = get(client, "held-1")
        thread = threading.Thread(target=wait, args=(op,))
        thread.start()
        until(lambda: answers.waiting == 1)
        client.cancel(op)
        thread.join(20)
        case("a wait ends with the cancel of another thread", ends.get(op, {}).get("error", {}).get("name") == "cancelled", str(ends))
        op = get(client, "held-2")
        thread = threading.Thread(target=wait, args=(op,))
        thread.start()
        until(lambda: answers.waiting == 2)
        closed = client.close()
        thread.join(20)
        case("and with a close", closed == 0 and op in ends and "error" in ends[op], f"{closed} {ends.get(op)}")
        answers.opened.set()


def threads():
    answers, wrong = Answers(), []

    def work(client, number):
        for i in range(ROUNDS):
            session = f"t{number}-{i}"
            if waited(client, session) != {"ok": {"id": session}}:
                wrong.append(session)

    with Server(answers) as server, Client(url=server.url, delivery="attend") as client:
        stream = client.submit("engine.stream", {"session_id": "s"})
        workers = [threading.Thread(target=work, args=(client, number)) for number in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        case("threads that wait at once, beside a stream", not wrong and not any(worker.is_alive() for worker in workers), str(wrong[:3]))
        client.cancel(stream)


def inside():
    """Where there is no network the option changes nothing."""
    with Client(delivery="attend") as client:
        op = client.submit("sessions.create", {"title": "t"})
        readable = select.poll()
        readable.register(lib.tandem_wakeup_fd(client.handle), select.POLLIN)
        case("the embedded engine", bool(readable.poll(20_000)) and client.done(op)["ok"]["title"] == "t")


for test in (forms, late, unattended, dropped_connections, stopped, threads, inside):
    test()
sys.exit(case.finish())
