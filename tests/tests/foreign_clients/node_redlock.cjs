// node-redlock, one command a line on standard input, one answer a line on standard output.
//
// usage: node_redlock.cjs URL
//
// try KEY TTL_MS     held | refused
// wait KEY TTL_MS    held, after waiting as long as it takes; `release` then ends a `using`
// extend TTL_MS      extended | why not
// release            released | why not

"use strict";

const { once } = require("events");
const readline = require("readline");
const { default: Client } = require("ioredis");
const { default: Redlock, ExecutionError } = require("redlock");

const redlock = new Redlock([new Client(process.argv[2])], { retryCount: 0, retryDelay: 5, retryJitter: 3 });
const PATIENTLY = { retryCount: -1 };

// The last error of a failed vote says more than that the vote failed.
async function why(error) {
  if (!(error instanceof ExecutionError)) throw error;
  const votes = await Promise.all(error.attempts);
  const against = votes.flatMap((vote) => [...vote.votesAgainst.values()]);
  // A server that cannot be asked is a broken test, not an answer.
  const broken = against.find((cause) => cause.name !== "ResourceLockedError");
  if (broken) throw broken;
  return [error.name, ...against.map((cause) => cause.name)].join(" ");
}

function using(key, ttl) {
  return new Promise((resolve, reject) => {
    let leave;
    const ended = redlock.using([key], ttl, PATIENTLY, () => {
      resolve({ release: () => (leave(), ended) });
      return new Promise((left) => (leave = left));
    });
    ended.catch(reject);
  });
}

let lock;

async function answer(command, [first, second]) {
  switch (command) {
    case "try":
      try {
        lock = await redlock.acquire([first], Number(second));
        return "held";
      } catch (error) {
        await why(error);
        return "refused";
      }
    case "wait":
      lock = await using(first, Number(second));
      return "held";
    case "extend":
      lock = await lock.extend(Number(first));
      return "extended";
    case "release":
      await lock.release();
      return "released";
    default:
      throw new Error(`no such command: ${command}`);
  }
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [command, ...rest] = line.split(" ");
    const said = await answer(command, rest).catch(why);
    if (!process.stdout.write(`${said}\n`)) await once(process.stdout, "drain");
  }
  process.exit(0);
}

main();
