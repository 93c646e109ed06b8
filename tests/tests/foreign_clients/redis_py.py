"""redis.lock.Lock, one command a line on standard input, one answer a line on standard output.

usage: redis_py.py URL

try KEY TTL_MS     held | refused
wait KEY TTL_MS    held, after waiting as long as it takes
extend TTL_MS      extended | the name of what was raised
release            released | the name of what was raised
"""

import sys

import redis
from redis.lock import Lock


def seconds(millis):
    return int(millis) / 1000


def main():
    client = redis.Redis.from_url(sys.argv[1])
    lock = None
    for line in iter(sys.stdin.readline, ""):
        command, *arguments = line.split()
        try:
            if command in ("try", "wait"):
                key, ttl = arguments
                fresh = Lock(client, key, timeout=seconds(ttl), sleep=0.005)
                held = fresh.acquire(blocking=command == "wait")
                # Whom an attempt refuses may still have to release what it had before.
                lock = fresh if held else lock
                answer = "held" if held else "refused"
            elif command == "extend":
                lock.extend(seconds(arguments[0]), replace_ttl=True)
                answer = "extended"
            elif command == "release":
                lock.release()
                answer = "released"
            else:
                raise ValueError(line)
        except redis.exceptions.LockError as error:
            answer = type(error).__name__
        print(answer, flush=True)


main()
