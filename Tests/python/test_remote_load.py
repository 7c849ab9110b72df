#!/usr/bin/env python3
"""Many calls at once on a remote engine: turns, what is cancelled before its turn, and the figures of tandem_stats."""
import gc, resource, sys, threading, time

import library
from library import Client
from server import Server, event, failed, name, open_stream, send

case = library.Cases()
MANY = 10_000


class Gate:
    """A server that answers nothing until it is opened; counts what waits at it."""

    def __init__(self):
        self.opened, self.lock, self.arrived, self.now, self.most = threading.Event(), threading.Lock(), [], 0, 0

    def __call__(self, request, connection):
        if request.target.startswith("/event"):
            open_stream(connection)
            event(connection, {"type": "session.status", "properties": {"sessionID": "s"}})
            return connection.recv(1) and None
        with self.lock:
            self.arrived.append(request.target)
            self.now += 1
            self.most = max(self.most, self.now)
        self.opened.wait(30)
        with self.lock:
            self.now -= 1
        send(connection, 200, {"id": request.target.rsplit("/", 1)[1]})

    def wait(self, count, seconds=20):
        end = time.time() + seconds
        while len(self.arrived) < count and time.time() < end:
            time.sleep(0.005)
        return len(self.arrived)


def ten_thousand():
    gate = Gate()
    with Server(gate) as server, Client(url=server.url, timeout_ms=120_000) as client:
        ops = [client.submit("sessions.get", {"session_id": f"s{i}"}) for i in range(MANY)]
        gate.wait(64)
        time.sleep(0.2)
        stats = client.stats()
        case("ten thousand calls open as many connections as the limit says", server.connections == 64 == stats["connections_open"],
             f"{server.connections} {stats}")
        case("a call on this thread does not wait behind them", gate.opened.set() or client.call("sessions.get", {"session_id": "mine"})["id"] == "mine")
        results, end = {}, time.time() + 60
        while len(results) < MANY and time.time() < end:
            results.update((e["op"], e["result"]["ok"]["id"]) for e in client.next(500) if e["type"] == "done")
        case("all are answered, each with its own", [results.get(op) for op in ops] == [f"s{i}" for i in range(MANY)], str(len(results)))
        case("never more at once than the limit, and that call", 64 <= gate.most <= 65, str(gate.most))
        case("over connections that stay", server.connections <= 70, str(server.connections))


def turns():
    gate = Gate()
    with Server(gate) as server, Client(url=server.url, transfers_limit=1) as client:
        first, second, third, fourth, last = (client.submit("sessions.get", {"session_id": f"n{i}", **more}) for i, more in
                                              enumerate(({}, {}, {}, {"$timeout_ms": 100}, {})))
        gate.wait(1)
        began = time.time()
        client.cancel(second)
        error = client.done(second).get("error", {})
        case("cancelled before its turn it ends at once and was not sent", error.get("name") == "cancelled" and
             error["detail"]["sent"] is False and time.time() - began < 1, str(error))
        error = client.done(fourth).get("error", {})
        case("its deadline before its turn is a timeout that was not sent", error.get("name") == "timeout" and
             error["detail"]["sent"] is False, str(error))
        prompt = client.submit("sessions.prompt_sync", {"session_id": "p", "prompt": "x", "$strict": True, "$timeout_ms": 20_000})
        stream = client.submit("engine.stream", {"session_id": "s"})
        seen, end = set(), time.time() + 10
        while "engine.session.status" not in seen and time.time() < end:
            seen |= {e["type"] for e in client.next(100) if e["op"] == stream}
        case("a stream does not wait for its turn", "engine.session.status" in seen, str(seen))
        case("nor does a prompt that waits for its run", gate.wait(2) == 2 and gate.arrived[1].startswith("/session/p/prompt_sync"), str(gate.arrived))
        gate.opened.set()
        results = [client.done(op) for op in (first, third, last)]
        case("the others are answered", [r["ok"]["id"] for r in results] == ["n0", "n2", "n4"], str(results))
        case("in their order, and no other", [t for t in gate.arrived if "/session/n" in t] == ["/session/n0", "/session/n2", "/session/n4"], str(gate.arrived))
        client.cancel(prompt)


def cancelled_on_the_way():
    gate = Gate()
    with Server(gate) as server, Client(url=server.url) as client:
        op = client.submit("sessions.get", {"session_id": "s"})
        gate.wait(1)
        client.cancel(op)
        error = client.done(op).get("error", {})
        case("cancelled on its way it was sent", error.get("name") == "cancelled" and error["detail"]["sent"] is True, str(error))
        gate.opened.set()


def closing():
    gate = Gate()
    with Server(gate) as server:
        client = Client(url=server.url)
        for i in range(MANY):
            client.submit("sessions.get", {"session_id": f"s{i}"})
        gate.wait(64)
        began = time.time()
        client.close()
        # each call has 20 s
        case("close does not wait for calls before their turn", time.time() - began < 15, str(time.time() - began))
        gate.opened.set()
        case("and sends none of them", len(gate.arrived) <= 64, str(len(gate.arrived)))


def figures():
    def answer(request, connection):
        if "slow" in request.target:
            time.sleep(0.1)
        if "cut" in request.target:
            return False
        send(connection, 200, {"id": "s", "filling": "x" * 1000})

    with Server(answer) as server, Client(url=server.url) as client:
        stats = client.stats()
        case("before the first answer no latency is known", stats["latency_p50_us"] is None and stats["latency_max_us"] is None, str(stats))
        for _ in range(98):
            client.call("sessions.get", {"session_id": "s"})
        for _ in range(2):
            client.call("sessions.create", {"title": "t" * 100})
        client.call("sessions.get", {"session_id": "slow"})
        stats = client.stats()
        case("requests are counted", stats["requests"] == 101 and stats["retries"] == stats["transfers_failed"] == 0, str(stats))
        case("one connection for calls after each other", (stats["connections_opened"], stats["connections_open"]) == (1, 1), str(stats))
        case("the bytes of bodies", 200 < stats["bytes_sent"] < 300 and 101_000 < stats["bytes_received"] < 105_000, str(stats))
        case("quantiles of latency in their order", 0 < stats["latency_p50_us"] <= stats["latency_p90_us"] <= stats["latency_p99_us"]
             <= stats["latency_max_us"], str(stats))
        case("the longest is the slow one", stats["latency_max_us"] >= 100_000 > stats["latency_p90_us"], str(stats))
        failed(lambda: client.call("sessions.get", {"session_id": "cut", "$retries": 1}))
        stats = client.stats()
        case("a retry and failures are counted", (stats["requests"], stats["retries"], stats["transfers_failed"]) == (103, 1, 2), str(stats))
        case("with the connections that ended", stats["connections_opened"] >= 2 and stats["connections_open"] <= 1, str(stats))


def memory():
    def answer(request, connection):
        server.requests.clear()
        send(connection, 200, {"id": "s"})

    def resident():
        gc.collect()
        with open("/proc/self/statm") as f:
            return int(f.read().split()[1]) * resource.getpagesize() >> 10

    with Server(answer) as server, Client(url=server.url) as client:
        for kind, one in (("blocking", lambda: client.call("sessions.get", {"session_id": "s"})),
                          ("submitted", lambda: client.done(client.submit("sessions.get", {"session_id": "s"})))):
            for _ in range(1000):
                one()
                client.results.clear()
            before = resident()
            for _ in range(5000):
                one()
                client.results.clear()
            grown = resident() - before
            case(f"five thousand {kind} calls leave nothing behind", grown < 1500, f"{grown} KiB")


def main():
    for body in (ten_thousand, turns, cancelled_on_the_way, closing, figures, memory):
        try:
            body()
        except Exception as e:
            case(f"{body.__name__} raises nothing", False, repr(e))
    return case.finish()


if __name__ == "__main__":
    sys.exit(main())
