//! What owners of locks do, and driving their machines.

use redlatch_core::{Answer, Command, Detached, Event, Instant, Output, Phase, Released};

use crate::client::{Client, Route, Stage};
use crate::judge::Violation;
use crate::node::short;
use crate::plan::{Bound, Fault};
use crate::world::{Happening, World};

/// Outputs of one machine in one turn from which on it is told to do too much.
const OUTPUTS_MAX: u32 = 100;

impl World {
    /// An owner decides what to do, and when to decide again.
    pub(crate) fn act(&mut self, client: usize, slot: usize) {
        if self.is_over {
            return;
        }
        if self.plan.contest.is_some() {
            return self.contend(client, slot);
        }
        let longest = if self.plan.hasty { self.plan.ttl / 16 } else { self.plan.ttl };
        let next = self.now + self.dice.below(longest);
        self.schedule(next, Happening::Act { client, slot });
        self.trouble_server();
        if self.strikes(Fault::Crash) {
            return self.crash(client);
        }
        if self.dice.chance(200) {
            // All at once: their claims leave together.
            (0..self.plan.keys).for_each(|slot| self.decide(client, slot));
        } else {
            self.decide(client, slot);
        }
        self.probe(client);
        self.pause(client);
        if self.breaks(Bound::ClientClock, 20) {
            let span = self.dice.below(self.plan.ttl);
            self.trace.tell(self.now, || format!("c{client}: its clock stood still for {span} us"));
            self.clients[client].clock.stood_still(span);
        }
        self.drive(client);
    }

    /// The process stands still, if that is its fate.
    pub(crate) fn pause(&mut self, client: usize) {
        if self.strikes(Fault::Pause) {
            let span = self.dice.below(3 * self.plan.ttl);
            self.trace.tell(self.now, || format!("c{client}: stands still for {span} us"));
            self.clients[client].paused_until = self.now + span;
            self.unrest(client, self.now + span);
        }
    }

    fn decide(&mut self, client: usize, slot: usize) {
        let now = self.clients[client].clock.instant(self.now);
        // Who is hasty does not keep a lock for long.
        let choice = self.dice.below(10).max(if self.plan.hasty { 4 } else { 0 });
        let cancels = self.strikes(Fault::Cancel);
        let hints = self.strikes(Fault::Hint);
        let is_out = self.clients[client].links.iter().any(|link| link.asks_for(slot));
        let subject = &mut self.clients[client].slots[slot];
        match subject.lock.phase() {
            Phase::Idle if subject.detached.is_some() => {
                // Who adopts it does not count either what is still out.
                let is_over = |detached: &Detached| detached.is_over(now);
                if !is_out && subject.detached.as_ref().is_some_and(|it| !is_over(it)) {
                    self.excused.retain(|token| Some(*token) != subject.token);
                }
                subject.adopt(now);
            }
            Phase::Idle if subject.queued && cancels => {
                subject.let_go();
                self.clients[client].leave(slot, now, self.plan.keys);
            }
            Phase::Idle if subject.queued => {}
            Phase::Idle => {
                self.clients[client].join(slot, now, self.plan.keys);
            }
            Phase::Held if choice < 4 => subject.lock.extend(now),
            Phase::Held if choice < 8 => {
                subject.let_go();
                subject.lock.release(now);
            }
            Phase::Held if choice < 9 => {
                subject.let_go();
                subject.lock.abandon(now);
            }
            Phase::Held => {
                subject.detached = subject.lock.detach(now);
                // Else the lease ran out before, and that is told.
                if subject.detached.is_some() {
                    subject.let_go();
                    // Nobody counts what is out for it. A process that stands still for long gives its
                    // connections up too late for the moment from which on nothing can be left.
                    self.excused.extend(subject.token);
                }
            }
            _ if cancels && choice < 7 => {
                subject.let_go();
                subject.lock.abandon(now);
            }
            _ if cancels => {
                subject.let_go();
                subject.lock.release(now);
            }
            _ if hints => {
                subject.hint(now);
            }
            _ => {}
        }
    }

    /// Asks for something whose answer is known.
    fn probe(&mut self, client: usize) {
        let server = self.dice.index(self.nodes.len());
        let text: [u8; 16] = core::array::from_fn(|_| b'a' + self.dice.below(26) as u8);
        let now = self.clients[client].clock.instant(self.now);
        let link = &mut self.clients[client].links[server];
        if matches!(link.stage, Stage::Ready(_)) {
            if let Ok(serial) = link.wire.submit(&[b"ECHO".as_slice(), &text], now) {
                link.parking.fresh = None;
                link.routes.push_back(Route::Probe { serial, text });
            }
        }
    }

    /// The process dies, and another is started in its place.
    fn crash(&mut self, client: usize) {
        self.trace.tell(self.now, || format!("c{client}: dies"));
        // What is on its way, what it then takes to expire, and what clocks may be off.
        let (ttl, under_way) = (self.plan.ttl, 2 * self.plan.ttl + self.plan.reply_timeout);
        let gone = self.now + under_way + ttl + ttl * self.plan.drift / 100_000 + 2000;
        self.orphans.push((gone, self.owner(client)));
        for server in 0..self.nodes.len() {
            self.end_link(client, server, "dies");
        }
        self.lives[client] += 1;
        let wake = self.clients[client].wake + 1;
        self.clients[client] = Client::new(&self.plan, &mut self.dice);
        self.clients[client].wake = wake;
        self.drive(client);
    }

    pub(crate) fn wake(&mut self, client: usize) {
        let now = self.clients[client].clock.instant(self.now);
        self.clients[client].wake_at = u64::MAX;
        for slot in &mut self.clients[client].slots {
            if slot.lock.poll_timeout() <= now {
                slot.lock.handle_timeout(now);
            }
        }
        self.drive(client);
    }

    /// Does what the machines of a client want, until all of them wait.
    pub(crate) fn drive(&mut self, client: usize) {
        self.count_turn(client);
        self.judge_orphans();
        self.tend_links(client);
        self.start_greetings(client);
        for slot in 0..self.plan.slots() {
            self.drive_lock(client, slot);
        }
        self.tend_lines(client);
        self.flush(client);
        self.judge_leases(client);
        self.judge_settled(client);
        self.judge_pauses(client);
        self.plan_wake(client);
    }

    /// On a connection that was just opened nobody has said anything yet.
    fn start_greetings(&mut self, client: usize) {
        for server in 0..self.nodes.len() {
            let link = &self.clients[client].links[server];
            match link.stage {
                Stage::Greeting(id) if link.wire.in_flight() == 0 => self.greet(client, server, id),
                _ => {}
            }
        }
    }

    pub(crate) fn drive_lock(&mut self, client: usize, slot: usize) {
        for _ in 0..OUTPUTS_MAX {
            let Client { slots, links, clock, .. } = &mut self.clients[client];
            let (subject, now) = (&mut slots[slot], clock.instant(self.now));
            match subject.lock.poll_output() {
                Output::NeedToken => self.provide(client, slot, now),
                Output::Send { ticket, command } => {
                    let server = ticket.server();
                    let sent = links[server].submit(slot, ticket, &command, now);
                    self.trace.tell(self.now, || line(client, server, &command, sent));
                    let asks = matches!(command, Command::Expiry { .. });
                    let again = asks && !subject.waiting.ask(ticket, self.now);
                    let is_late = !subject.wants && !matches!(command, Command::Release { .. });
                    if is_late {
                        let text = format!("c{client} sends {command:?} after its owner let go");
                        self.violate(Violation::AfterTheEnd(text));
                    }
                    if again {
                        let text = format!("c{client} asks s{server} twice in one pause");
                        self.violate(Violation::Unbounded(text));
                    }
                    if let Err(answer) = sent {
                        self.answer(client, slot, ticket, answer);
                    }
                }
                Output::Event(event) => self.hear(client, slot, event),
                Output::Wait(_) => return,
            }
        }
        self.violate(Violation::Unbounded(format!("c{client}, key {slot}: too many outputs")));
    }

    fn provide(&mut self, client: usize, slot: usize, now: Instant) {
        self.note_attempt(client, slot);
        self.tokens += 1;
        let token = self.dice.token(self.owner(client), self.tokens, slot);
        let subject = &mut self.clients[client].slots[slot];
        subject.token = Some(token);
        if subject.lock.provide(token, now).is_err() {
            self.violate(Violation::AfterTheEnd("a fresh token is refused".to_owned()));
        }
    }

    fn hear(&mut self, client: usize, slot: usize, event: Event) {
        self.trace.tell(self.now, || format!("c{client}: {event:?} (key {slot})"));
        self.trace.bytes(format!("{event:?}").as_bytes());
        let token = self.clients[client].slots[slot].token;
        self.judge_event(client, slot, token, event);
        self.go_on(client, slot, event);
        let subject = &mut self.clients[client].slots[slot];
        match event {
            Event::Acquired(lease) => {
                (subject.holds, subject.believes) = (true, Some(lease));
                self.had_at[slot % self.plan.keys] = self.now;
                self.tally.grants += 1;
                self.note_run(client, slot % self.plan.keys);
            }
            Event::Extended(lease) => {
                subject.believes = Some(lease);
                self.had_at[slot % self.plan.keys] = self.now;
                self.tally.extensions += 1;
            }
            Event::Lost(_) => {
                subject.let_go();
                self.tally.losses += 1;
            }
            Event::Denied(_) => {
                subject.let_go();
                self.tally.denials += 1;
            }
            Event::Released(Released::Confirmed) => self.tally.releases += 1,
            Event::Released(Released::Unconfirmed) => self.tally.unconfirmed += 1,
            _ => {}
        }
    }
}

/// A request in the timeline.
fn line(client: usize, server: usize, command: &Command<'_>, sent: Result<(), Answer>) -> String {
    let what = match command {
        Command::Claim { token, .. } => format!("claim {}", short(token)),
        Command::Extend { token, form, .. } => format!("extend {}, {form:?}", short(token)),
        Command::Release { token, form, .. } => format!("release {}, {form:?}", short(token)),
        other => format!("{other:?}").to_lowercase(),
    };
    let how = sent.err().map(|answer| format!(": not sent, {answer:?}")).unwrap_or_default();
    format!("c{client} > s{server}: {what}{how}")
}
