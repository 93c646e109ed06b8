//! Bytes between clients and servers.

use core::time::Duration;

use redlatch_core::{Answer, Incoming, Instant, Invalidation, Protocol, Reply, Ticket, Tracking};
use redlatch_model::Flow;

use crate::client::{Client, Route, Slot, Stage};
use crate::judge::Violation;
use crate::network::{Arrival, Connection, ConnectionId};
use crate::plan::{Bound, Fault};
use crate::world::{Happening, World};

/// Opening and ending.
impl World {
    /// Opens connections whose time has come, and ends those whose server is silent.
    pub(crate) fn tend_links(&mut self, client: usize) {
        for server in 0..self.nodes.len() {
            let now = self.clients[client].clock.instant(self.now);
            let link = &mut self.clients[client].links[server];
            match link.stage {
                Stage::Down { retry_at } if retry_at <= now => {
                    link.stage = Stage::Opening;
                    let refused = self.strikes(Fault::Unreachable);
                    let at = self.now + self.latency();
                    self.schedule(at, Happening::Opened { client, server, refused });
                }
                Stage::Greeting(_) | Stage::Ready(_) => {
                    link.wire.handle_timeout(now);
                    if link.wire.ended().is_some() {
                        self.end_link(client, server, "the server is silent");
                    }
                }
                _ => {}
            }
        }
    }

    pub(crate) fn opened(&mut self, client: usize, server: usize, refused: bool) {
        if self.clients[client].links[server].stage != Stage::Opening {
            return;
        }
        if refused {
            self.end_link(client, server, "cannot connect");
            return self.drive(client);
        }
        let now = self.server_now(server);
        let id = self.connections.len();
        let session = self.nodes[server].server.connect(now);
        self.nodes[server].sessions.insert(session, id);
        self.connections.push(Connection::new(client, self.owner(client), server, session));
        let plan = &self.plan;
        let link = &mut self.clients[client].links[server];
        link.reset(plan);
        link.stage = Stage::Greeting(id);
        self.trace.tell(self.now, || format!("c{client} - s{server}: connection {id}"));
        self.collect(server);
        self.drive(client);
    }

    /// The client gives a connection up: whatever was asked on it is in doubt.
    pub(crate) fn end_link(&mut self, client: usize, server: usize, why: &str) {
        let now = self.clients[client].clock.instant(self.now);
        let link = &mut self.clients[client].links[server];
        let ended = link.connection();
        let routes = core::mem::take(&mut link.routes);
        let pause = (self.plan.ttl / 100) << link.failures.min(4);
        link.failures += 1;
        self.unrest(client, self.now);
        let spread = self.dice.below(pause.max(1000));
        let retry_at = Instant::from_micros(now.as_micros() + 1 + spread);
        let link = &mut self.clients[client].links[server];
        link.stage = Stage::Down { retry_at };
        self.trace.tell(self.now, || format!("c{client} x s{server}: {why}"));
        if let Some(id) = ended {
            self.leave_behind(id);
        }
        for route in routes {
            if let Route::Lock { slot, ticket, .. } = route {
                self.answer(client, slot, ticket, Answer::Lost);
            }
        }
        for (slot, ticket, answer) in self.clients[client].links[server].abandon_parked() {
            self.answer(client, slot, ticket, answer);
        }
    }

    /// What a dead connection leaves behind arrives within a reply timeout, or never. It may arrive
    /// after the requests of the next.
    fn leave_behind(&mut self, id: ConnectionId) {
        let late = self.plan.breaks(Bound::LateRequests) && !self.is_healed;
        let bound = if late { 2 * self.plan.ttl } else { self.plan.reply_timeout * 99 / 100 };
        let (end, shift) = (self.now + bound, self.dice.below(bound));
        let connection = &mut self.connections[id];
        connection.is_open = false;
        connection.down.clear();
        let len = connection.up.len();
        let kept = if self.dice.chance(300) { self.dice.index(len + 1) } else { len };
        let shift = if self.dice.chance(500) { shift } else { 0 };
        let connection = &mut self.connections[id];
        let kept = if connection.is_silent { 0 } else { kept };
        for at in connection.up.leave(kept, self.now, shift, end) {
            self.schedule(at, Happening::Up(id));
        }
        let connection = &mut self.connections[id];
        let at = connection.up.push(self.now + self.plan.reply_timeout, Arrival::End);
        self.schedule(at, Happening::Up(id));
    }

    /// A fault broke it; the client notices now.
    pub(crate) fn notice_break(&mut self, id: ConnectionId) {
        let Connection { client, server, .. } = self.connections[id];
        if self.clients[client].links[server].connection() == Some(id) {
            self.end_link(client, server, "the connection broke");
            self.drive(client);
        }
    }
}

/// From clients to servers.
impl World {
    /// Puts what is queued on its way.
    pub(crate) fn flush(&mut self, client: usize) {
        for server in 0..self.nodes.len() {
            let now = self.clients[client].clock.instant(self.now);
            let link = &mut self.clients[client].links[server];
            let Some(id) = link.connection() else { continue };
            link.cover(now);
            let pending = link.wire.io().pending.to_vec();
            if pending.is_empty() {
                continue;
            }
            link.wire.wrote(pending.len());
            link.parking.fresh = None;
            self.trouble_request(server);
            if self.strikes(Fault::Silence) {
                self.trace.tell(self.now, || format!("connection {id} carries nothing any more"));
                self.connections[id].is_silent = true;
            }
            self.send(id, &pending, true);
            if self.strikes(Fault::Reset) {
                let at = self.now + self.dice.below(self.plan.ttl / 20);
                self.schedule(at, Happening::Broken(id));
            }
        }
    }

    /// Sends bytes in one direction, in pieces.
    pub(crate) fn send(&mut self, id: ConnectionId, bytes: &[u8], up: bool) {
        self.trace.bytes(bytes);
        let drips = self.strikes(Fault::Drip);
        let mut rest = bytes;
        while !rest.is_empty() && !self.connections[id].is_silent {
            let most = if drips { 1 + self.dice.index(8) } else { rest.len() };
            let (piece, behind) = rest.split_at(most.min(rest.len()));
            rest = behind;
            self.put(id, Arrival::Bytes(piece.to_vec()), up);
        }
    }

    fn put(&mut self, id: ConnectionId, arrival: Arrival, up: bool) {
        let at = self.now + self.latency();
        let connection = &mut self.connections[id];
        let pipe = if up { &mut connection.up } else { &mut connection.down };
        let at = pipe.push(at, arrival);
        let client = connection.client;
        // Whoever was told may ask before it tries, so what a client asks counts as well.
        if at > self.now + self.usual_latency() {
            self.unrest(client, at);
        }
        let what = if up { Happening::Up(id) } else { Happening::Down(id) };
        self.schedule(at, what);
    }

    fn latency(&mut self) -> u64 {
        let slow = self.dice.below(self.plan.ttl * 6 / 5);
        let usual = 50 + self.dice.below(self.usual_latency() - 50);
        if self.strikes(Fault::Slow) { slow } else { usual }
    }

    /// The longest that bytes take unless they are slow.
    pub(crate) fn usual_latency(&self) -> u64 {
        self.plan.latency
    }

    pub(crate) fn arrive_at_server(&mut self, id: ConnectionId) {
        let server = self.connections[id].server;
        let frozen_until = self.nodes[server].frozen_until;
        if frozen_until > self.now {
            // What a connection that is dead by then had sent is gone with it, or else it would come
            // later than the bound says.
            if !self.connections[id].is_open && !self.plan.breaks(Bound::LateRequests) {
                return self.end_session(id);
            }
            return self.schedule(frozen_until, Happening::Up(id));
        }
        while let Some(arrival) = self.connections[id].up.pop(self.now) {
            match arrival {
                Arrival::Bytes(bytes) => self.serve(id, &bytes),
                Arrival::End => self.end_session(id),
            }
        }
    }

    fn serve(&mut self, id: ConnectionId, bytes: &[u8]) {
        let Connection { server, session: Some(session), .. } = self.connections[id] else {
            return;
        };
        self.tally.requests += 1;
        let now = self.server_now(server);
        self.nodes[server].server.receive(session, bytes, now);
        let changed = self.observe(server);
        self.collect(server);
        self.echo_pushes(server, &changed);
    }

    fn end_session(&mut self, id: ConnectionId) {
        self.connections[id].up.clear();
        let server = self.connections[id].server;
        if let Some(session) = self.connections[id].session.take() {
            self.nodes[server].server.disconnect(session);
            self.nodes[server].sessions.remove(&session);
        }
    }

    /// Puts what a server has to say on its way.
    pub(crate) fn collect(&mut self, server: usize) {
        while let Some(session) = self.nodes[server].server.poll_ready() {
            let mut bytes = Vec::new();
            let flow = self.nodes[server].server.take_output(session, &mut bytes);
            let Some(&id) = self.nodes[server].sessions.get(&session) else { continue };
            self.send(id, &bytes, false);
            if flow == Flow::Close {
                self.nodes[server].sessions.remove(&session);
                self.connections[id].session = None;
                self.connections[id].up.clear();
                if !self.connections[id].is_silent {
                    self.put(id, Arrival::End, false);
                }
            }
        }
    }
}

/// From servers to clients.
impl World {
    pub(crate) fn arrive_at_client(&mut self, id: ConnectionId) {
        let Connection { client, server, .. } = self.connections[id];
        let mut has_arrived = false;
        while let Some(arrival) = self.connections[id].down.pop(self.now) {
            has_arrived = true;
            if self.clients[client].links[server].connection() != Some(id) {
                return;
            }
            let bytes = match arrival {
                Arrival::Bytes(bytes) => bytes,
                Arrival::End => Vec::new(),
            };
            self.take_in(client, server, &bytes);
        }
        // Else it came together with an earlier piece.
        if !has_arrived {
            return;
        }
        self.drive(client);
        // Now and then in the middle of a vote.
        if self.dice.chance(100) {
            self.pause(client);
        }
    }

    /// Hands bytes to the connection; none at all are the end of the stream.
    fn take_in(&mut self, client: usize, server: usize, bytes: &[u8]) {
        let mut rest = bytes;
        loop {
            let wire = &mut self.clients[client].links[server].wire;
            let space = wire.io().space;
            let count = space.len().min(rest.len());
            space[..count].copy_from_slice(&rest[..count]);
            rest = &rest[count..];
            wire.received(count);
            if let Err(why) = self.take_replies(client, server) {
                return self.end_link(client, server, &why);
            }
            if rest.is_empty() {
                return;
            }
        }
    }

    fn take_replies(&mut self, client: usize, server: usize) -> Result<(), String> {
        loop {
            let login = self.clients[client].login();
            let Client { slots, links, clock, .. } = &mut self.clients[client];
            let link = &mut links[server];
            let incoming = link.wire.poll().map_err(|error| error.to_string())?;
            let (serial, reply) = match incoming {
                Some(Incoming::Reply { serial, reply }) => (serial, reply),
                Some(Incoming::Push(push)) => {
                    if let Some(changed) = Invalidation::read(push) {
                        let heard = hear(slots, changed, clock.instant(self.now));
                        self.tally.hints += heard;
                    }
                    continue;
                }
                Some(_) => continue,
                None => return Ok(()),
            };
            if let Stage::Greeting(id) = link.stage {
                let taken = link.handshake.handle_reply(&login, reply);
                taken.map_err(|error| format!("{error}"))?;
                self.greet(client, server, id);
                continue;
            }
            let answer = Answer::from(reply);
            match link.routes.pop_front() {
                Some(Route::Probe { serial: asked, text }) if asked == serial => {
                    if !matches!(reply, Reply::Bulk(said) if said == text) && is_plain(answer) {
                        let text = format!("c{client} asked s{server} for an echo: {reply:?}");
                        self.out_of_step(text);
                        return Err("out of step".to_owned());
                    }
                }
                Some(Route::Tracking { serial: asked }) if asked == serial => {
                    if !link.tracking.heard(answer) {
                        return Err("out of step".to_owned());
                    }
                }
                Some(Route::Lock { serial: asked, slot, ticket }) if asked == serial => {
                    if !ticket.fits(answer) {
                        self.answer(client, slot, ticket, Answer::Lost);
                        return Err("out of step".to_owned());
                    }
                    let answer = ticket.hear(answer, &mut link.dialect);
                    let told = ticket.asks_expiry().then(|| link.tracking.told(answer));
                    let answer = told.unwrap_or(answer);
                    self.trace.tell(self.now, || format!("s{server} > c{client}: {answer:?}"));
                    self.answer(client, slot, ticket, answer);
                }
                _ => return Err("out of step".to_owned()),
            }
            let link = &mut self.clients[client].links[server];
            for (slot, ticket, answer) in link.hear(serial, answer) {
                self.answer(client, slot, ticket, answer);
            }
        }
    }

    /// I7. Servers that add and omit replies are out of step, of course.
    fn out_of_step(&mut self, text: String) {
        if !self.plan.breaks(Bound::Replies) {
            self.violate(Violation::OutOfStep(text));
        }
    }

    /// Goes on with the handshake. A connection that is ready wakes those who wait.
    pub(crate) fn greet(&mut self, client: usize, server: usize, id: ConnectionId) {
        let login = self.clients[client].login();
        let now = self.clients[client].clock.instant(self.now);
        let longest = Duration::from_micros(self.plan.ttl);
        let forgets = self.plan.breaks(Bound::Forget);
        let link = &mut self.clients[client].links[server];
        while let Some(command) = link.handshake.poll_command(&login) {
            let _ = link.wire.submit(&command, now);
        }
        if let Some(greeting) = link.handshake.finished() {
            let abstains = if forgets { Duration::ZERO } else { greeting.abstains_for(longest) };
            link.dialect = greeting.dialect;
            link.tracking = Tracking::new(greeting.protocol);
            link.can_push = greeting.protocol == Protocol::Resp3;
            link.abstains_until = now.saturating_add(abstains);
            link.stage = Stage::Ready(id);
            link.failures = 0;
            for slot in self.clients[client].slots.iter_mut().filter(|slot| slot.is_asking()) {
                slot.hint(now);
            }
            self.unrest(client, self.now);
        }
    }

    pub(crate) fn answer(&mut self, client: usize, slot: usize, ticket: Ticket, answer: Answer) {
        let now = self.clients[client].clock.instant(self.now);
        self.clients[client].slots[slot].lock.handle_answer(ticket, answer, now);
        self.note_answer(client, slot, ticket, answer);
    }
}

/// Tells those who wait for a key that it has changed. Gives how many that are.
fn hear(slots: &mut [Slot], changed: Invalidation<'_>, now: Instant) -> u64 {
    let asking = slots.iter_mut().filter(|slot| slot.is_asking());
    let concerned = asking.filter(|slot| changed.covers(slot.lock.key()));
    concerned.map(|slot| u64::from(slot.hint(now))).sum()
}

/// Whether it is no refusal: those may stand in the place of any answer.
const fn is_plain(answer: Answer) -> bool {
    !matches!(answer, Answer::Refused(_))
}
