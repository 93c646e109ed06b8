"""Waiters on redis.lock.Lock of redis-py, a thread each: told.rs says what they tell and are told.

usage: redis_py.py URL

Besides: `hold KEY` is answered with `held` once the key is held, and `free` with `freed AT`, the moment before
the release.
"""

import os
import sys
import threading
import time

import redis
from redis.lock import Lock

TTL = 30
CONNECTIONS = 100
mutex = threading.Lock()


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def tell(*lines):
    with mutex:
        sys.stdout.write("".join(line + "\n" for line in lines))
        sys.stdout.flush()


class Round:
    def __init__(self, client, key, first, count, hold, tells):
        self.client, self.key, self.hold, self.tells = client, key, hold, tells
        self.gate = threading.Condition()
        self.latest, self.ended = 0, False
        self.turns = []
        self.used = time.process_time_ns()
        self.threads = [threading.Thread(target=self.wait, args=(first + n,), daemon=True) for n in range(count)]
        for thread in self.threads:
            thread.start()

    def wait(self, waiter):
        lock = Lock(self.client, self.key, timeout=TTL)
        while True:
            asked = now()
            lock.acquire()
            took = now()
            if self.tells:
                tell(f"took {took}")
            self.next(took)
            ended = self.ended
            if not ended:
                time.sleep(self.hold)
            left = now()
            lock.release()
            self.turns.append(f"turn {waiter} {asked} {took} {left}")
            with self.gate:
                self.gate.wait_for(lambda: self.ended or self.latest > took)
            if ended or self.ended:
                return

    def next(self, at):
        with self.gate:
            self.latest = max(self.latest, at)
            self.gate.notify_all()

    def end(self):
        used = time.process_time_ns() - self.used
        with self.gate:
            self.ended = True
            self.gate.notify_all()
        for thread in self.threads:
            thread.join()
        tell(*self.turns, f"used {used}", "done")


def fail(what):
    """A waiter that fails would only be missing."""
    sys.excepthook(what.exc_type, what.exc_value, what.exc_traceback)
    os._exit(1)


def main():
    threading.excepthook = fail
    client = redis.Redis.from_url(sys.argv[1], max_connections=10_000)
    # Connections are not opened while hand-overs are measured.
    opened = [client.connection_pool.get_connection() for _ in range(CONNECTIONS)]
    for connection in opened:
        client.connection_pool.release(connection)
    tell("ready")
    running, lock = None, None
    for line in iter(sys.stdin.readline, ""):
        command, *arguments = line.split()
        if command == "begin":
            first, count, hold, tells = map(int, arguments[1:])
            running = Round(client, arguments[0], first, count, hold / 1e6, tells)
        elif command == "next":
            running.next(int(arguments[0]))
        elif command == "end":
            running.end()
        elif command == "hold":
            lock = Lock(client, arguments[0], timeout=TTL)
            lock.acquire()
            tell("held")
        elif command == "free":
            at = now()
            lock.release()
            tell(f"freed {at}")


main()
