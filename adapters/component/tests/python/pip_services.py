"""RedisLock of pip-services4-redis, one command a line on standard input, one answer a line on standard output.

usage: pip_services.py HOST PORT

open                        opened
close                       closed
try KEY TTL_MS              True | False
acquire KEY TTL_MS TIMEOUT  acquired
release KEY                 released, also when it was not held

Instead of an answer comes what was raised: its class, and its code where it has one.
"""

import sys

from pip_services4_components.config import ConfigParams
from pip_services4_components.context import Context
from pip_services4_redis.lock import RedisLock


def answer(lock, context, command, arguments):
    if command == "open":
        lock.open(context)
        return "opened"
    if command == "close":
        lock.close(context)
        return "closed"
    if command == "try":
        key, ttl = arguments
        return str(lock.try_acquire_lock(context, key, int(ttl)))
    if command == "acquire":
        key, ttl, timeout = arguments
        lock.acquire_lock(context, key, int(ttl), int(timeout))
        return "acquired"
    if command == "release":
        (key,) = arguments
        lock.release_lock(context, key)
        return "released"
    raise ValueError(command)


def main():
    host, port = sys.argv[1:]
    lock = RedisLock()
    # Its own documentation sets host and port at the root, which it does not read.
    lock.configure(ConfigParams.from_tuples("connection.host", host, "connection.port", port))
    context = Context.from_trace_id("123")
    for line in iter(sys.stdin.readline, ""):
        command, *arguments = line.split()
        try:
            text = answer(lock, context, command, arguments)
        except Exception as error:
            text = " ".join([type(error).__name__, getattr(error, "code", None) or ""]).strip()
        print(text, flush=True)


main()
