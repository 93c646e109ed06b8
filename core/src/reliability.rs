//! What was tried to break redlatch, what that found, and what happens where the bounds are broken.
//!
//! Locks are believed for their failures. So every attempt here is a command that anybody can repeat,
//! and every figure comes from a run of it, on two processors, in November 2026.
//!
//! # What is promised, inside of which bounds
//!
//! At no moment do two owners both see time left on their lease, if
//!
//! * the clocks of clients and servers run at speeds that differ by no more than [`Drift`](crate::Drift)
//!   allows: 0.4 % off on each side, unless set otherwise;
//! * the wall clocks of servers do not jump, because keys expire by them;
//! * the clock of the client is monotonic, and goes on while the machine sleeps;
//! * a server that has lost keys has no vote until the longest ttl has passed: it keeps every change on
//!   disk, or clients [let it abstain](crate::Greeting::abstains_for) after a restart; and it evicts none;
//! * servers answer each request once, and in order, as the protocol says.
//!
//! Whoever loses interest, or a reply, leaves no key behind for longer than a moment, if also
//!
//! * what a dead connection had on its way arrives within one reply timeout, or never.
//!
//! Otherwise such a key is left to its ttl, and no longer.
//!
//! # What happens where a bound is broken
//!
//! One bound at a time, in 2000 seeded worlds each, which have all the usual faults as well: 2 to 6 clients
//! and 1 to 7 servers, for 30 ttls.
//!
//! | broken | how | worlds with two holders | times, of grants | worlds with a key left behind |
//! | --- | --- | --- | --- | --- |
//! | `forget` | servers start again without their keys, and vote at once | 482 | 1894 of 117 831 | 0 |
//! | `evict` | servers evict keys | 392 | 1037 of 116 315 | 0 |
//! | `serverclock` | wall clocks of servers jump, by up to a ttl, forward or back | 160 | 313 of 115 226 | 7 |
//! | `clientclock` | clocks of clients stand still for up to a ttl | 64 | 91 of 114 274 | 0 |
//! | `drift3percent` | clocks are off by up to 3 % | 28 | 31 of 114 292 | 1 |
//! | `drift6permille` | clocks are off by up to 0.6 % | 0 | 0 of 114 482 | 0 |
//! | `laterequests` | what a dead connection had on its way arrives up to two ttls later | 0 | 0 of 113 128 | 911 |
//! | `replies` | servers add replies that nobody asked for, and leave some out | 0 | 0 of 114 769 | 92 |
//!
//! `cargo run --release --example simulate -- --seeds 0..2000 --break forget`, or another name of the table.
//! That a world has two holders says that they overlap at some moment, not that they do harm: most
//! overlaps are short against the ttl. The tests show the same on real servers: after an eviction, an empty
//! restart, a fail-over to a replica that lagged, and a clock that jumped, two clients hold one lock.
//!
//! What helps: several independent servers, against one that forgets; `appendfsync always` or a restart
//! delay, against restarts; `noeviction`, against eviction; clocks that are slewed and never stepped. Against
//! the rest, and against a process that is stopped between its last look at the lease and its act, only
//! a resource that checks fencing tokens helps. Redlatch gives none yet.
//!
//! Replies too many, or too few, never grant a lock: only a token does that is read back. Clients with an
//! operating system send one read [for many claims](crate::proof). It shows any number of replies too many,
//! or too few, before it. It does not show a reply too many and another too few that cancel out between two
//! such reads, at most 64 claims apart: then a claim that came to nothing can be told as held. A test of
//! `redlatch-client` makes that happen; in 600 worlds whose servers added and left out replies, with 52 795
//! grants, it did not. Microcontrollers read back every claim. And where a server [deletes by a
//! command of its own](crate::dialect), it says `1` and not the token, and a `1` that slipped in from
//! elsewhere passes for a release. Then the key is left to its ttl, and its owner was told that it had been
//! given back.
//!
//! # What was tried
//!
//! | attempt | command | what it came to |
//! | --- | --- | --- |
//! | **Simulation**: the machines and the bytes between clients and the model server, with eighteen kinds of faults inside of the bounds | `cargo run --release --example simulate` | 30 500 worlds, 2072 simulated hours, 1.5 thousand million events, 1.75 million grants, no violation; with waiters that are told, and look before they try when they came too late, 1200 worlds, 76 hours, 0.2 million grants, no violation: CI lives through these |
//! | **Contests**: the same machines, 2 to 8 clients that want one key all the time and hold it for a millisecond | `cargo run --release --example simulate -- --contest` | 300 worlds, 2.6 million grants: each client has at least a fifth of an equal share on one server, and a tenth on several, whatever the others are; where all pass the lock on among their own, none is passed over for more than four rounds. CI lives through 60 |
//! | **Small worlds**: all that can happen to two clients and one to three servers, in every order, with at most one fault | `cargo run --release -p redlatch-core-tests --example explore` | 41 million states and 150 million transitions in 44 worlds, 43 of them to their ends and one to 10 million states, no violation |
//! | **Boards**: the client for microcontrollers over serial lines that lose and add bytes | `REDLATCH_SEEDS=0..3000 cargo nextest run --release -p redlatch-testkit --test board_world` | 12 000 worlds, 10 simulated hours, no violation |
//! | **Fuzzing**: eleven properties under libFuzzer, proptest and 1800 stored inputs | `.ci/fuzz` | 260 million executions; CI runs each target for 20 s under AddressSanitizer |
//! | **Faults on real servers**: a named test for each known fault | `cargo nextest run -p redlatch-testkit --test faults` | 57 tests on Redis 6.2, 7.0, 8.2 and Valkey 9.1, in RESP2 and RESP3 |
//! | **Soak**: four runtimes and redis-py in processes of their own, on four servers, with seventeen kinds of faults | `cargo run --release --example soak -- --minutes 30` | half an hour: 1.63 million locks held, 1.97 million updates, 899 faults; no two holders, no update lost, no key left; once a holder was told that its key was gone, which a reply that comes twice can say |
//! | **Secrets**: a password planted everywhere, looked for in everything that is shown | `cargo nextest run -p redlatch-testkit --test secrets` | eleven tests over all adapters, nothing found |
//!
//! # Would these notice?
//!
//! A check that cannot fail shows nothing. So `.ci/defects` gives the core 42 named defects, one after the
//! other: a release without a comparison, half of the servers as a majority, a lease that counts from the reply, no
//! allowance for drift. The simulation exposes 41, most within ten worlds; of those that every world can show,
//! the rarest in the 206th: who is told again and again tries every time. One does no harm: without the check that
//! a reply can be the answer to its request, a connection that is out of step is closed later, and what protects is
//! the token that must be read back. The small worlds expose 26 of 27. Every fuzz target was seen to fail on a fault
//! made for it, the soak catches fourteen workers that cheat, and the tests on real servers were tried with sixteen
//! faults.
//!
//! `.ci/mutants` changes the core in 1044 small ways and runs its tests on each. At first these noticed 87 % of the
//! changes that compile and end. After what that led to, mostly tests and some simpler code, nothing is left that
//! no test notices, but six changes that change nothing. `.ci/coverage` tells which lines of the core these tests
//! run: 99.4 %, after 89 %.
//!
//! # What was found
//!
//! Each of these was a fault of redlatch, is mended, and has a test of its own:
//!
//! * a loss was not told when the lock was asked for again, or adopted another, in the moment its lease ran
//!   out (fuzzing the lock);
//! * a handshake that a server had refused asked again when polled again, with the password (fuzzing);
//! * renewals came without a pause where the policy divides the ttl by a huge number (fuzzing);
//! * a lock that was being extended went on to ask servers for their votes (fuzzing);
//! * a server that was started a moment ago can say that it has been up for a second, because it
//!   subtracts clocks that are cut to seconds, and was then believed to be old: with a restart delay of a
//!   second two clients could hold one lock (soak);
//! * no client could log in to Valkey 9 where `HELLO` was renamed away and a password set (faults on real
//!   servers);
//! * a release that could not be delivered was given up as "the key has expired" while an extension that
//!   nobody waited for any more could still arrive (simulation, in its 26 268th world);
//! * a lock that a bare majority held was told as stolen when an extension was not answered in time and the
//!   claim to another server had come to nothing meanwhile: that server counted twice (simulation);
//! * a surplus null in front of the `OK` to a claim left the key to its ttl (faults on real servers);
//! * who waited for several servers mostly tried as its policy says instead of being told: a server that refused
//!   after the attempt had failed was never asked to tell, and so the others were not relied on (simulation);
//! * whoever was told of a change a moment before its policy was due could sleep on until the key had expired
//!   (small worlds);
//! * a connection that was refused once for now never asked again to be told of changes (a table of answers);
//! * of clients that waited for one key, the one that had waited longest paused longest before it tried, so that it
//!   missed the moments in which others held back and could be shut out for seconds (a bench, and then contests);
//! * a server that was about to be given back, for its proof was refused, counted as extended: with three servers a
//!   lease was believed for which one key was left (fuzzing; the small worlds have a world for it now);
//! * a server that let nobody ask for its uptime had a vote at once, whatever the restart delay (simulation, as soon
//!   as missing rights were among its refusals);
//! * whoever lets others come first began anew each time it was told, and could do so for long on a server that tells
//!   of changes without end, although the key was free (simulation, in its 2171st world).
//!
//! # What none of this shows
//!
//! The simulation, the explorer and the fuzz targets know servers as a model, which the tests compare
//! with real ones reply by reply, and a network as streams of bytes. Real servers, schedulers and kernels
//! come in with the soak and the tests of faults, for minutes and on one machine. Nothing here ran over
//! a network between machines, or on a cluster that moves its slots while locks are held.
