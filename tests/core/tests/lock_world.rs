//! Many lock machines against a few servers in a seeded world: delays, resets with the request
//! applied or not, requests of an old connection that arrive after those of the new one, refusals,
//! forgotten scripts, paused clients, cancelled attempts, clocks that drift within the allowance.
//!
//! It works on commands and answers, without bytes; the clock jumps from event to event. Checked,
//! with the numbers of the invariants in the failure list: two holders never believe at the same
//! true moment (I1), a machine that calls itself settled has left no key behind (I5, R6), after the
//! faults end somebody acquires (I6), nothing but releases is sent once the owner let go (I9), work
//! per event is bounded (I10), the same seed gives the same trace (I11).
//!
//! `REDLATCH_SEED=n` runs one seed and tells what happens, `REDLATCH_SEEDS=n` runs that many.

use core::hash::{Hash, Hasher};
use core::time::Duration;
use std::collections::{BTreeMap, HashSet};
use std::hash::DefaultHasher;

use redlatch_core::{
    Answer, Command, Delay, Event, Instant, Lock, Output, Phase, Random, Refusal, Renew, Retry,
    Seat, Settings, Ticket, Token, Ttl,
};

const MILLI: u64 = 1_000;

/// What a server keeps under the one key.
#[derive(Clone, Copy)]
struct Entry {
    token: Token,
    expires: u64,
}

struct Server {
    /// Its clock runs this many parts per million too fast.
    drift: i64,
    entry: Option<Entry>,
    knows_scripts: bool,
}

struct Client {
    lock: Lock<&'static str, Vec<Seat>>,
    drift: i64,
    offset: u64,
    paused_until: u64,
    /// Key in the queue of the one wake-up that is planned.
    wake: Option<(u64, u64)>,
    links: Vec<Link>,
    /// The owner still wants the lock; then only releases may go out.
    wants: bool,
    /// True moment until which the client believes that it holds.
    believes_until: u64,
    tokens: HashSet<Token>,
    granted: u64,
}

#[derive(Default)]
struct Link {
    generation: u64,
    /// When each earlier generation broke.
    broken: Vec<u64>,
    up_at: u64,
    /// Nothing overtakes on one connection, in either direction.
    last_arrival: u64,
    last_reply: u64,
    in_flight: Vec<Ticket>,
}

#[derive(Clone, Copy, Debug)]
enum Request {
    Claim(Token, u64),
    Read,
    Extend(Token, u64, bool),
    Release(Token, bool),
}

#[derive(Clone, Copy, Debug)]
enum Happening {
    Arrive { client: usize, generation: u64, ticket: Ticket, request: Request },
    Reply { client: usize, generation: u64, ticket: Ticket, answer: Answer },
    Reset { client: usize, server: usize },
    Wake { client: usize },
    Act { client: usize },
}

struct World {
    random: Random,
    now: u64,
    serial: u64,
    queue: BTreeMap<(u64, u64), Happening>,
    servers: Vec<Server>,
    clients: Vec<Client>,
    ttl: u64,
    /// Per mille; all zero once the world is healed.
    faults: Faults,
    trace: DefaultHasher,
    events: u64,
    verbose: bool,
}

#[derive(Clone, Copy, Default)]
struct Faults {
    reset: u64,
    slow: u64,
    refuse: u64,
    flush: u64,
    pause: u64,
    cancel: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut pick = |most: u64| random.next_u64() % most;
        let servers = [1, 1, 2, 3, 3, 5][pick(6) as usize];
        let clients = 2 + pick(4) as usize;
        let ttl = [50, 100, 300, 1000][pick(4) as usize];
        // Some worlds have no faults at all: they test that things get done.
        let mut rate = |most: u64| if pick(3) == 0 { 0 } else { pick(most) };
        let faults = Faults {
            reset: rate(60),
            slow: rate(60),
            refuse: rate(60),
            flush: rate(30),
            pause: rate(30),
            cancel: rate(100),
        };
        let drift = |random: &mut Random| (random.next_u64() % 8001) as i64 - 4000;
        let servers = (0..servers)
            .map(|_| Server { drift: drift(&mut random), entry: None, knows_scripts: true })
            .collect::<Vec<_>>();
        let clients = (0..clients)
            .map(|_| Client::new(servers.len(), ttl, drift(&mut random), &mut random))
            .collect();
        let mut world = Self {
            random,
            now: 0,
            serial: 0,
            queue: BTreeMap::new(),
            servers,
            clients,
            ttl: ttl * MILLI,
            faults,
            trace: DefaultHasher::new(),
            events: 0,
            verbose: number("REDLATCH_SEED").is_some(),
        };
        for client in 0..world.clients.len() {
            let at = world.pick(5 * MILLI);
            world.schedule(at, Happening::Act { client });
        }
        world
    }

    fn pick(&mut self, most: u64) -> u64 {
        self.random.next_u64() % most.max(1)
    }

    fn chance(&mut self, per_mille: u64) -> bool {
        self.pick(1000) < per_mille
    }

    fn schedule(&mut self, at: u64, what: Happening) -> (u64, u64) {
        self.serial += 1;
        let key = (at.max(self.now), self.serial);
        self.queue.insert(key, what);
        key
    }

    fn run_until(&mut self, end: u64) {
        while let Some(((at, serial), _)) = self.queue.first_key_value() {
            let key = (*at, *serial);
            if key.0 > end {
                break;
            }
            let what = self.queue.remove(&key).expect("just seen");
            self.now = key.0;
            self.events += 1;
            self.tell(&what);
            self.happen(what);
        }
        self.now = end;
    }

    fn tell(&self, what: &impl core::fmt::Debug) {
        if self.verbose {
            println!("{:>9.3} ms  {what:?}", self.now as f64 / 1000.0);
        }
    }

    fn happen(&mut self, what: Happening) {
        match what {
            Happening::Arrive { client, generation, ticket, request } => {
                self.arrive(client, generation, ticket, request);
            }
            Happening::Reply { client, generation, ticket, answer } => {
                if self.sleeps(client, what) {
                    return;
                }
                let link = &mut self.clients[client].links[ticket.server()];
                if link.generation == generation {
                    link.in_flight.retain(|other| *other != ticket);
                    self.answer(client, ticket, answer);
                }
            }
            Happening::Reset { client, server } => {
                if !self.sleeps(client, what) {
                    self.reset(client, server);
                }
            }
            Happening::Wake { client } => {
                self.clients[client].wake = None;
                if !self.sleeps(client, what) {
                    let now = self.clock(client);
                    self.clients[client].lock.handle_timeout(now);
                    self.drive(client);
                }
            }
            Happening::Act { client } => {
                if !self.sleeps(client, what) {
                    self.act(client);
                }
            }
        }
    }

    /// A paused client notices nothing; what happens to it happens when it goes on.
    fn sleeps(&mut self, client: usize, what: Happening) -> bool {
        let until = self.clients[client].paused_until;
        if until > self.now {
            let key = self.schedule(until, what);
            if let Happening::Wake { .. } = what {
                self.clients[client].wake = Some(key);
            }
        }
        until > self.now
    }

    /// What the client's clock says now.
    fn clock(&self, client: usize) -> Instant {
        let client = &self.clients[client];
        Instant::from_micros(client.offset + scale(self.now, client.drift))
    }

    fn act(&mut self, client: usize) {
        let now = self.clock(client);
        let next = self.now + self.pick(self.ttl);
        let choice = self.pick(10);
        let subject = &mut self.clients[client];
        match subject.lock.phase() {
            Phase::Idle => {
                subject.wants = true;
                subject.lock.acquire(now);
            }
            Phase::Held if choice < 4 => subject.lock.extend(now),
            Phase::Held => {
                subject.believes_until = 0;
                subject.wants = false;
                if choice < 8 { subject.lock.release(now) } else { subject.lock.abandon(now) }
            }
            Phase::Pausing if choice < 2 => subject.lock.hint(now),
            _ => {
                if self.chance(self.faults.cancel) {
                    let subject = &mut self.clients[client];
                    subject.believes_until = 0;
                    subject.wants = false;
                    subject.lock.abandon(now);
                }
            }
        }
        if self.chance(self.faults.pause) {
            self.clients[client].paused_until = self.now + self.pick(3 * self.ttl);
        }
        self.schedule(next, Happening::Act { client });
        self.drive(client);
    }

    fn answer(&mut self, client: usize, ticket: Ticket, answer: Answer) {
        let now = self.clock(client);
        self.clients[client].lock.handle_answer(ticket, answer, now);
        self.drive(client);
    }

    fn drive(&mut self, client: usize) {
        for _ in 0..64 {
            let now = self.clock(client);
            let token = fresh_token(&mut self.random);
            let subject = &mut self.clients[client];
            match subject.lock.poll_output() {
                Output::NeedToken => {
                    subject.tokens.insert(token);
                    subject.lock.provide(token, now).expect("fresh");
                }
                Output::Send { ticket, command } => {
                    let request = Request::of(&command);
                    let release = matches!(request, Request::Release(..));
                    assert!(subject.wants || release, "I9: {command:?} after the owner let go");
                    self.send(client, ticket, request);
                }
                Output::Event(event) => self.event(client, event),
                Output::Wait(at) => return self.sleep_until(client, at),
            }
        }
        panic!("I10: more than 64 outputs for one event");
    }

    fn sleep_until(&mut self, client: usize, at: Option<Instant>) {
        self.check_settled(client);
        let subject = &self.clients[client];
        let wake = at.map(|at| {
            let local = at.as_micros().saturating_sub(subject.offset);
            let mut wake = unscale(local, subject.drift).max(self.now);
            while subject.offset + scale(wake, subject.drift) < at.as_micros() {
                wake += 1;
            }
            wake
        });
        if let Some(old) = self.clients[client].wake.take() {
            self.queue.remove(&old);
        }
        self.clients[client].wake =
            wake.map(|wake| self.schedule(wake, Happening::Wake { client }));
    }

    fn event(&mut self, client: usize, event: Event) {
        self.tell(&(client, event));
        (client, self.now, format!("{event:?}")).hash(&mut self.trace);
        match event {
            Event::Acquired(lease) | Event::Extended(lease) => {
                let subject = &self.clients[client];
                let local = lease.until().as_micros() - subject.offset;
                let until = unscale(local, subject.drift);
                for (other, rival) in self.clients.iter().enumerate() {
                    assert!(
                        other == client || rival.believes_until <= self.now,
                        "I1: {client} holds at {} while {other} believes until {}",
                        self.now,
                        rival.believes_until
                    );
                }
                self.clients[client].believes_until = until;
                self.clients[client].granted += 1;
            }
            Event::Lost(_) | Event::Released(_) | Event::Denied(_) => {
                self.clients[client].believes_until = 0;
                self.clients[client].wants = false;
            }
            _ => {}
        }
    }

    fn send(&mut self, client: usize, ticket: Ticket, request: Request) {
        let server = ticket.server();
        if self.clients[client].links[server].up_at > self.now {
            let now = self.clock(client);
            return self.clients[client].lock.handle_answer(ticket, Answer::Unreachable, now);
        }
        if self.chance(self.faults.reset) {
            let at = self.now + self.pick(2 * MILLI);
            self.schedule(at, Happening::Reset { client, server });
        }
        let delay = self.delay();
        let link = &mut self.clients[client].links[server];
        link.in_flight.push(ticket);
        link.last_arrival = link.last_arrival.max(self.now + delay);
        let (at, generation) = (link.last_arrival, link.generation);
        self.schedule(at, Happening::Arrive { client, generation, ticket, request });
    }

    fn delay(&mut self) -> u64 {
        if self.chance(self.faults.slow) {
            self.pick(self.ttl * 6 / 5)
        } else {
            50 + self.pick(450)
        }
    }

    /// The server executes a request; also one that an old connection left behind.
    fn arrive(&mut self, client: usize, generation: u64, ticket: Ticket, request: Request) {
        if self.chance(self.faults.flush) {
            self.servers[ticket.server()].knows_scripts = false;
        }
        // The bound that clean-up stands on: what a dead connection left behind comes soon or never.
        let link = &self.clients[client].links[ticket.server()];
        let broken = link.broken.get(generation as usize);
        let late = broken.is_some_and(|at| self.now > at + self.ttl / 5);
        if late || broken.is_some() && self.chance(500) {
            return;
        }
        let answer = if self.chance(self.faults.refuse) {
            Answer::Refused(Refusal::Loading)
        } else {
            self.servers[ticket.server()].execute(request, self.now)
        };
        let delay = self.delay();
        let link = &mut self.clients[client].links[ticket.server()];
        link.last_reply = link.last_reply.max(self.now + delay);
        let at = link.last_reply;
        self.schedule(at, Happening::Reply { client, generation, ticket, answer });
    }

    fn reset(&mut self, client: usize, server: usize) {
        let up_at = self.now + self.pick(5 * MILLI);
        let link = &mut self.clients[client].links[server];
        link.generation += 1;
        link.broken.push(self.now);
        link.up_at = up_at;
        link.last_arrival = 0;
        link.last_reply = 0;
        for ticket in core::mem::take(&mut link.in_flight) {
            self.answer(client, ticket, Answer::Lost);
        }
    }

    /// I5: settled means that nothing of ours is left, nor on its way on a living connection.
    fn check_settled(&self, client: usize) {
        let subject = &self.clients[client];
        if !subject.lock.is_settled() {
            return;
        }
        for (at, server) in self.servers.iter().enumerate() {
            let left = server.live(self.now).filter(|entry| subject.tokens.contains(&entry.token));
            assert!(left.is_none(), "I5: {client} is settled, server {at} has its key");
        }
    }

    /// No more faults. Somebody must get the lock soon, and in the end nothing is left.
    fn heal(&mut self) {
        self.faults = Faults::default();
        let before: u64 = self.clients.iter().map(|client| client.granted).sum();
        self.run_until(self.now + 6 * self.ttl + 300 * MILLI);
        let after: u64 = self.clients.iter().map(|client| client.granted).sum();
        assert!(after > before, "I6: nobody acquires after the faults have ended");
        self.queue.retain(|_, what| !matches!(what, Happening::Act { .. }));
        for client in 0..self.clients.len() {
            let now = self.clock(client);
            self.clients[client].wants = false;
            self.clients[client].lock.abandon(now);
            self.drive(client);
        }
        self.run_until(self.now + 100 * MILLI);
        for (client, subject) in self.clients.iter().enumerate() {
            assert!(subject.lock.is_settled(), "I5: {client} does not come to rest");
        }
    }
}

impl Client {
    fn new(servers: usize, ttl: u64, drift: i64, random: &mut Random) -> Self {
        let delay =
            Delay::Exponential { base: Duration::from_millis(2), cap: Duration::from_millis(20) };
        let settings = Settings {
            retry: Retry { delay, retries: Some(20), deadline: None },
            wake: false,
            reply_timeout: Duration::from_millis(ttl / 5),
            renew: (random.next_u64() % 2 == 0)
                .then_some(Renew { divisor: 3, most: Some(Duration::from_millis(5 * ttl)) }),
            ..Settings::new(Ttl::from_millis(ttl).expect("a good ttl"))
        };
        let seats = vec![Seat::default(); servers];
        Self {
            lock: Lock::new("k", seats, settings, random.next_u64()),
            drift,
            offset: 1_000_000 + random.next_u64() % 1_000_000_000,
            paused_until: 0,
            wake: None,
            links: (0..servers).map(|_| Link::default()).collect(),
            wants: false,
            believes_until: 0,
            tokens: HashSet::new(),
            granted: 0,
        }
    }
}

impl Server {
    fn live(&self, now: u64) -> Option<Entry> {
        self.entry.filter(|entry| scale(now, self.drift) < entry.expires)
    }

    fn execute(&mut self, request: Request, now: u64) -> Answer {
        let clock = scale(now, self.drift);
        self.entry = self.live(now);
        match request {
            Request::Claim(token, ttl) => match self.entry {
                Some(_) => Answer::Nil,
                None => {
                    self.entry = Some(Entry { token, expires: clock + ttl });
                    Answer::Ok
                }
            },
            Request::Read => self.entry.map_or(Answer::Nil, |entry| Answer::Token(entry.token)),
            Request::Extend(_, _, false) | Request::Release(_, false) if !self.knows_scripts => {
                Answer::Refused(Refusal::NoScript)
            }
            Request::Extend(token, ttl, _) => {
                self.compare(token, |entry| Some(Entry { expires: clock + ttl, ..entry }))
            }
            Request::Release(token, _) => self.compare(token, |_| None),
        }
    }

    fn compare(&mut self, token: Token, change: impl Fn(Entry) -> Option<Entry>) -> Answer {
        self.knows_scripts = true;
        match self.entry {
            None => Answer::Integer(0),
            Some(entry) if entry.token != token => Answer::Integer(-1),
            Some(entry) => {
                self.entry = change(entry);
                Answer::Token(token)
            }
        }
    }
}

impl Request {
    fn of(command: &Command<'_>) -> Self {
        use redlatch_core::Form::Source;
        match *command {
            Command::Claim { token, ttl, .. } => Self::Claim(*token, ttl.as_millis() * MILLI),
            Command::Read { .. } => Self::Read,
            Command::Extend { token, ttl, form, .. } => {
                Self::Extend(*token, ttl.as_millis() * MILLI, form == Source)
            }
            Command::Release { token, form, .. } => Self::Release(*token, form == Source),
            _ => unreachable!("a lock asks for nothing else"),
        }
    }
}

fn fresh_token(random: &mut Random) -> Token {
    let mut bytes = [0; 20];
    bytes[..8].copy_from_slice(&random.next_u64().to_le_bytes());
    bytes[8..16].copy_from_slice(&random.next_u64().to_le_bytes());
    Token::from_random(bytes).expect("not constant")
}

/// True time to the time of a clock that is off by so many parts per million, and back.
fn scale(time: u64, drift: i64) -> u64 {
    (i128::from(time) * i128::from(1_000_000 + drift) / 1_000_000) as u64
}

fn unscale(time: u64, drift: i64) -> u64 {
    (i128::from(time) * 1_000_000 / i128::from(1_000_000 + drift)) as u64
}

struct Outcome {
    trace: u64,
    events: u64,
    granted: u64,
}

fn run(seed: u64) -> Outcome {
    let mut world = World::new(seed);
    world.run_until(10 * world.ttl + 300 * MILLI);
    world.heal();
    Outcome {
        trace: world.trace.finish(),
        events: world.events,
        granted: world.clients.iter().map(|client| client.granted).sum(),
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn no_seed_breaks_an_invariant() {
    let seeds = match number("REDLATCH_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("REDLATCH_SEEDS").unwrap_or(400),
    };
    let (mut events, mut granted) = (0, 0);
    for seed in seeds.clone() {
        let outcome = std::panic::catch_unwind(|| run(seed))
            .unwrap_or_else(|_| panic!("seed {seed}: REDLATCH_SEED={seed} replays it"));
        events += outcome.events;
        granted += outcome.granted;
    }
    println!("{} seeds, {events} events, {granted} grants, 0 violations", seeds.count());
}

#[test]
fn same_seed_same_trace() {
    for seed in 0..20 {
        assert_eq!(run(seed).trace, run(seed).trace, "I11: seed {seed}");
    }
}
