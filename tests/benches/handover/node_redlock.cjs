// Waiters on node-redlock over ioredis: told.rs says what they tell and are told.
//
// usage: node_redlock.cjs URL

"use strict";

const readline = require("readline");
const { default: Client } = require("ioredis");
const { default: Redlock } = require("redlock");

const TTL = 30_000;
const redis = new Client(process.argv[2]);
// Delay and jitter are its own: 200 ms, 100 ms more or less.
const redlock = new Redlock([redis], { retryCount: -1 });

const now = () => process.hrtime.bigint();
const tell = (...lines) => process.stdout.write(lines.map((line) => `${line}\n`).join(""));

function used() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

class Round {
  constructor(key, first, count, hold, tells) {
    Object.assign(this, { key, hold, tells, latest: 0n, ended: false, resting: [], turns: [], used: used() });
    this.waiters = Array.from({ length: count }, (_, n) => this.wait(first + n));
  }

  async wait(waiter) {
    for (;;) {
      const asked = now();
      const lock = await redlock.acquire([this.key], TTL);
      const took = now();
      if (this.tells) tell(`took ${took}`);
      this.next(took);
      const ended = this.ended;
      // In step with the timers of its waiters: Node has no others.
      if (!ended) await new Promise((over) => setTimeout(over, this.hold));
      const left = now();
      await lock.release();
      this.turns.push(`turn ${waiter} ${asked} ${took} ${left}`);
      while (!this.ended && this.latest <= took) await new Promise((wake) => this.resting.push(wake));
      if (ended || this.ended) return;
    }
  }

  next(at) {
    if (at > this.latest) this.latest = at;
    this.resting.splice(0).forEach((wake) => wake());
  }

  async end() {
    const spent = used() - this.used;
    this.ended = true;
    this.next(0n);
    await Promise.all(this.waiters);
    tell(...this.turns, `used ${spent}`, "done");
  }
}

async function main() {
  await redis.ping();
  tell("ready");
  let running;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [command, ...rest] = line.split(" ");
    if (command === "begin") {
      const [first, count, hold, tells] = rest.slice(1).map(Number);
      running = new Round(rest[0], first, count, hold / 1000, tells === 1);
    } else if (command === "next") running.next(BigInt(rest[0]));
    else if (command === "end") await running.end();
  }
  process.exit(0);
}

main();
