#!/usr/bin/env python3
"""An engine for Tests/c/soak_remote.c: its runs are prompts, and the way to it fails all the time, from a seed.

    faulty_runs.py [SEED]

Prints its port. The run of a prompt `say N` has the text "0 1 2 ... N-1 ", whole at its end.
"""
import random, re, sys, threading, time, uuid

from fault_engine import Engine

MOST_AT_ONCE = 200


class Faulty(Engine):
    def __init__(self, seed):
        super().__init__(log_rate=5000)
        self.random = random.Random(seed)
        threading.Thread(target=self.fail, daemon=True).start()

    def answer(self, method, target, connection, body):
        if method == "POST" and target.split("?")[0].endswith("/prompt_async"):
            return self.prompt(target.split("/")[2], body, connection)
        return super().answer(method, target, connection, body)

    def prompt(self, session, body, connection):
        run, count = str(uuid.uuid4()), int(re.search(r"say (\d+)", body.decode())[1])
        self.send(connection, 202, {"runID": run, "attachEventStream": "/event"})
        threading.Thread(target=self.run, args=(session, run, count), daemon=True).start()

    def run(self, session, run, count):
        self.start(session, run)
        for number in range(count):
            if self.active.get(session) != run:
                return
            self.delta(session, run, f"{number} ")
            if number % MOST_AT_ONCE == MOST_AT_ONCE - 1:
                time.sleep(0.01)
        if self.active.get(session) == run:
            self.message(session, run, "".join(f"{n} " for n in range(count)))
            self.finish(session, run)

    def fail(self):
        while True:
            time.sleep(self.random.uniform(0.02, 0.3))
            # A client that is refused comes ever more seldom: that it comes to nothing is no fault of its own.
            self.refusals = []
            what = self.random.randrange(40)
            if what < 12:
                self.cut()
            elif what < 20:
                self.cut(after_bytes=self.random.randrange(1, 3000))
            elif what < 24:
                self.noise(self.random.randrange(1, 3000))
            elif what < 28:
                self.doubling = self.random.choice([0, 0.05])
            elif what < 32:
                self.failing_reads = self.random.randrange(4)
            elif what < 36:
                self.refusals = [503] * 8
                self.cut()
            elif what < 39:
                self.stall()
                time.sleep(self.random.uniform(0.01, 0.2))
                self.cut()
            else:
                self.restart()


def main():
    engine = Faulty(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    print(engine.url.rsplit(":", 1)[1], flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
