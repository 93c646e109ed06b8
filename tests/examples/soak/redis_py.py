"""A worker of the soak on redis.lock.Lock of redis-py, on the single server.

usage: redis_py.py NUMBER SEED TTL_MS COUNTERS

It says what the other workers say (line.rs), and is told what they are told: the URL first.
"""

import ctypes
import os
import random
import signal
import struct
import sys
import threading
import time

import redis
from redis.lock import Lock

KEYS = 10
LANES = 2
PR_SET_PDEATHSIG = 1

quiet = threading.Event()
stop = threading.Event()
mutex = threading.Lock()


def tell(*lines):
    with mutex:
        sys.stdout.write("".join(line + "\n" for line in lines))
        sys.stdout.flush()


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def listen():
    for line in iter(sys.stdin.readline, ""):
        (quiet if line.strip() == "quiet" else stop).set()
    os._exit(1)  # The parent is gone.


class Lane:
    def __init__(self, client, number, lane, seed, ttl, counters):
        self.client, self.counters, self.ttl = client, counters, ttl
        self.random = random.Random(f"{seed} {lane}")
        self.first = (number + 1) << 56 | lane << 48
        self.writes = 0

    def run(self):
        while not stop.is_set():
            self.turn(self.random.randrange(KEYS))
            time.sleep(self.random.uniform(0, 0.03))

    def turn(self, key):
        lock = Lock(self.client, f"soak:{key}", timeout=self.ttl / 1e9, thread_local=False)
        patience = now() + self.random.choice([0, 300_000_000])
        asked, waited = now(), 0
        while True:
            # The lock is believed from before the request, less what redlatch takes off for clocks.
            begun = now()
            try:
                if lock.acquire(blocking=False):
                    break
            except redis.exceptions.RedisError:
                return tell("count unavailable")
            if now() > patience:
                return tell("count timed-out" if waited else "count held")
            waited = 1
            time.sleep(self.random.uniform(0, 0.02))
        since, until = now(), begun + self.ttl - self.ttl // 100 - 2_000_000
        lines = ["count acquired", f"took {'contended' if waited else 'free'} {since - asked}"]
        lines += self.update(key, until)
        left = now()
        lines.append(self.release(lock))
        lines.append(f"held {key} {asked} {since} {min(left, until)} {until} {waited}")
        tell(*lines)

    def update(self, key, until):
        version, writer = struct.unpack("<QQ", os.pread(self.counters, 16, key * 16))
        time.sleep(self.random.uniform(0, 0.002))
        if now() + self.ttl // 5 > until:
            return []
        self.writes += 1
        mine = self.first | self.writes
        os.pwrite(self.counters, struct.pack("<QQ", version + 1, mine), key * 16)
        late = int(now() >= until)
        return [f"wrote {key} {writer} {mine} {version + 1} {late}"]

    def release(self, lock):
        try:
            lock.release()
            return "count released"
        except redis.exceptions.LockError:
            return "count not-ours"
        except redis.exceptions.RedisError:
            return "count unconfirmed"


def main():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    number, seed, ttl = map(int, sys.argv[1:4])
    ttl *= 1_000_000
    counters = os.open(sys.argv[4], os.O_RDWR)
    url = sys.stdin.readline().split()[0]
    threading.Thread(target=listen, daemon=True).start()
    client = redis.Redis.from_url(url, socket_timeout=ttl / 5e9, socket_connect_timeout=ttl / 1e9)
    client.ping()
    tell("ready")
    lanes = [Lane(client, number, lane, seed, ttl, counters) for lane in range(LANES)]
    threads = [threading.Thread(target=lane.run) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tell("done")


main()
