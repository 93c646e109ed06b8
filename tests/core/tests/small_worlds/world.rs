//! The state of a small world, and what happens to it.
//!
//! What is on its way stands in two queues for each connection. A connection that has died is noticed later; what
//! it left behind is lost, or executed at any moment until a reply timeout after it was noticed, the bound that
//! the lock's clean-up stands on.

use super::choice::{Act, Choice, Fault, Refusing};
use super::link::{Line, Link};
use super::machine::{Id, Input, Machines, Out};
use super::rules::Rules;
use super::server::{Defect, Entry, Reply, Request, Server};

pub(crate) const CLIENTS: usize = 2;

/// What all states of one exploration share.
pub(crate) struct Shared {
    pub(crate) rules: Rules,
    pub(crate) machines: [Machines; CLIENTS],
    /// What happens, in words, if somebody wants to read it.
    pub(crate) story: Option<Vec<String>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) machines: [Id; CLIENTS],
    pub(crate) owners: [Owner; CLIENTS],
    /// Those of the first client to each server, then those of the second.
    pub(crate) links: Vec<Link>,
    pub(crate) servers: Vec<Server>,
    pub(crate) fault_left: bool,
    /// How often time may pass yet although something on its way could arrive.
    pub(crate) delays: u8,
    /// How many replies may be on their way for a while yet. The others arrive at once.
    pub(crate) late_replies: u8,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Owner {
    pub(crate) acquires: u8,
    pub(crate) extends: u8,
    /// Has asked for the lock and not let it go.
    pub(crate) wants: bool,
    pub(crate) held: bool,
    /// Has given it back and waits to be told how that went; whether it was held then.
    pub(crate) releasing: Option<bool>,
    /// Servers that have deleted the key of the current or last attempt for a release.
    pub(crate) returned: u8,
    /// Servers that were given back while the others sufficed: a release does not count them.
    pub(crate) needless: u8,
    /// Servers that were asked in this attempt to tell of changes, and those that said that they will.
    pub(crate) asked: u8,
    pub(crate) told: u8,
    pub(crate) paused: bool,
}

pub(crate) type Broken = String;

impl Shared {
    pub(crate) fn new(rules: Rules) -> Self {
        let machines = [0, 1].map(|client| Machines::new(client, rules.servers, rules.settings));
        Self { rules, machines, story: None }
    }

    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push(line());
        }
    }
}

impl World {
    pub(crate) fn new(rules: &Rules) -> Self {
        let owner = |client: usize| Owner {
            acquires: rules.owners[client].acquires,
            extends: rules.owners[client].extends,
            wants: false,
            held: false,
            releasing: None,
            returned: 0,
            needless: 0,
            asked: 0,
            told: 0,
            paused: false,
        };
        Self {
            machines: [Machines::IDLE; CLIENTS],
            owners: [owner(0), owner(1)],
            links: vec![Link::NEW; CLIENTS * rules.servers],
            servers: vec![Server::NEW; rules.servers],
            fault_left: true,
            delays: rules.delays,
            late_replies: rules.late_replies.unwrap_or(0),
        }
    }

    pub(crate) fn link(&mut self, client: usize, server: usize) -> &mut Link {
        let at = client * self.servers.len() + server;
        &mut self.links[at]
    }

    /// Does what was chosen. What is wrong about it is told in words.
    pub(crate) fn apply(&mut self, choice: Choice, shared: &mut Shared) -> Result<(), Broken> {
        shared.tell(|| choice.to_string());
        match choice {
            Choice::Own { client, act } => self.own(client, act, shared),
            Choice::Arrive { client, server, late } => {
                self.arrive(client, server, None, shared)?;
                if shared.rules.late_replies.is_some() {
                    self.late_replies -= u8::from(late);
                }
                if late { Ok(()) } else { self.answer(client, server, shared) }
            }
            Choice::Answer { client, server } => self.answer(client, server, shared),
            Choice::Orphan { client, server } => {
                let request = self.link(client, server).orphans.remove(0);
                if self.link(client, server).orphans.is_empty() {
                    self.link(client, server).orphans_left = None;
                }
                let before = self.servers[server].entry;
                self.execute(client, server, request, shared)?;
                self.tell(server, before);
                Ok(())
            }
            Choice::Wake { client } => self.wake(client, shared),
            Choice::Pass => {
                self.pass(shared);
                Ok(())
            }
            Choice::Notice { client, server, line } => self.notice(client, server, line, shared),
            Choice::Connect { client, server } => {
                self.link(client, server).line = Line::Up;
                self.connected(client, shared)
            }
            Choice::Resume { client } => {
                self.owners[client].paused = false;
                Ok(())
            }
            Choice::Strike(fault) => {
                self.fault_left = false;
                self.strike(fault, shared)
            }
        }
    }

    fn own(&mut self, client: usize, act: Act, shared: &mut Shared) -> Result<(), Broken> {
        let owner = &mut self.owners[client];
        let input = match act {
            Act::Acquire => {
                owner.acquires -= 1;
                owner.wants = true;
                Input::Acquire
            }
            Act::Extend => {
                owner.extends -= 1;
                Input::Extend
            }
            Act::Release => {
                owner.releasing = Some(owner.held);
                (owner.wants, owner.held) = (false, false);
                Input::Release
            }
            Act::Abandon => {
                owner.releasing = None;
                (owner.wants, owner.held) = (false, false);
                Input::Abandon
            }
        };
        self.input(client, input, shared)
    }

    fn wake(&mut self, client: usize, shared: &mut Shared) -> Result<(), Broken> {
        self.input(client, Input::Timeout, shared)?;
        let timer = shared.machines[client].view(self.machines[client]).timer;
        if timer == Some(0) {
            return Err(format!("I10: client {client} was woken and wants to be woken at once"));
        }
        Ok(())
    }

    fn input(&mut self, client: usize, input: Input, shared: &mut Shared) -> Result<(), Broken> {
        self.call(client, input, shared).map(drop)
    }

    /// Gives a machine an input and does what it wants. Returns how much it has sent.
    fn call(&mut self, client: usize, input: Input, shared: &mut Shared) -> Result<u32, Broken> {
        let step = shared.machines[client].step(self.machines[client], input);
        self.machines[client] = step.to;
        if step.endless {
            return Err(format!("I10: the outputs of client {client} have no end"));
        }
        let (mut sends, mut unsent) = (0, Vec::new());
        for out in &step.outputs {
            match *out {
                Out::Send { server, request } => {
                    sends += 1;
                    unsent.iter_mut().for_each(|age| *age += 1);
                    if !self.send(client, server, request, shared)? {
                        unsent.push(1);
                    }
                }
                Out::Told(told) => self.told(client, told, shared)?,
            }
        }
        let mut later = 0;
        for age in unsent {
            let input = Input::Answer { age: age + later, reply: Reply::Unreachable };
            later += self.call(client, input, shared)?;
        }
        Ok(sends + later)
    }

    /// Whether the request could be sent.
    fn send(
        &mut self,
        client: usize,
        server: usize,
        request: Request,
        shared: &mut Shared,
    ) -> Result<bool, Broken> {
        shared.tell(|| format!("    client {client} asks server {server}: {request:?}"));
        let is_release = matches!(request, Request::Release { .. });
        if !is_release && !self.owners[client].wants {
            return Err(format!("I9: client {client} asks although its owner let go"));
        }
        let current = shared.machines[client].view(self.machines[client]).token;
        let owner = &mut self.owners[client];
        match request {
            Request::Claim { .. } => {
                (owner.returned, owner.needless, owner.asked, owner.told) = (0, 0, 0, 0);
            }
            Request::Release { token, .. } if owner.wants && token == current => {
                owner.needless |= 1 << server;
            }
            Request::Expiry if (owner.asked & !owner.told) & 1 << server != 0 => {
                return Err(format!("I10: client {client} asks twice in one pause"));
            }
            Request::Expiry => {
                owner.asked |= 1 << server;
                owner.told &= !(1 << server);
            }
            _ => {}
        }
        for at in 0..self.servers.len() {
            self.link(client, at).grow_older();
        }
        let link = self.link(client, server);
        match link.line {
            Line::Up => link.requests.push((1, request)),
            Line::Dead => link.void.push(1),
            Line::Down => return Ok(false),
        }
        Ok(true)
    }

    fn answer(&mut self, client: usize, server: usize, shared: &mut Shared) -> Result<(), Broken> {
        let (age, reply) = self.link(client, server).replies.remove(0);
        match reply {
            Reply::Push => return self.input(client, Input::Hint, shared),
            Reply::Left(_) | Reply::Gone => {
                let owner = &mut self.owners[client];
                owner.told |= owner.asked & 1 << server;
            }
            _ => {}
        }
        self.input(client, Input::Answer { age, reply }, shared)
    }

    /// A server executes the oldest request on a connection, or refuses it.
    fn arrive(
        &mut self,
        client: usize,
        server: usize,
        refusing: Option<Refusing>,
        shared: &mut Shared,
    ) -> Result<(), Broken> {
        let (age, request) = self.link(client, server).requests.remove(0);
        let (asks, before) = (request == Request::Expiry, self.servers[server].entry);
        let executed = match refusing {
            None | Some(Refusing::OtherDone) => {
                self.execute(client, server, request, shared).map(Some)?
            }
            Some(_) => None,
        };
        let reply = match (refusing, executed) {
            (None, Some(reply)) => reply,
            (Some(Refusing::Loading), _) => Reply::Loading,
            (Some(Refusing::NoAuth), _) => Reply::NoAuth,
            _ => Reply::Other,
        };
        shared.tell(|| format!("    server {server} replies: {reply:?}"));
        self.link(client, server).replies.push((age, reply));
        if asks && executed.is_some() && shared.rules.defect != Defect::TellsNobody {
            self.servers[server].watchers |= 1 << client;
        }
        self.tell(server, before);
        Ok(())
    }

    fn execute(
        &mut self,
        client: usize,
        server: usize,
        request: Request,
        shared: &mut Shared,
    ) -> Result<Reply, Broken> {
        shared.tell(|| format!("    server {server} executes: {request:?}"));
        let reply = self.servers[server]
            .execute(request, shared.rules.defect)
            .map_err(|_| format!("I4: server {server} changes a key that is another's"))?;
        let token = shared.machines[client].view(self.machines[client]).token;
        if let (Request::Release { .. }, Reply::Shows(shown)) = (request, reply) {
            let owner = &mut self.owners[client];
            if shown == token {
                owner.returned |= 1 << server & !owner.needless;
            }
        }
        Ok(reply)
    }

    /// Whoever asked to be told is, once, if the key has changed. The sender hears of it behind the reply.
    fn tell(&mut self, server: usize, before: Option<Entry>) {
        if self.servers[server].entry == before {
            return;
        }
        let watchers = core::mem::take(&mut self.servers[server].watchers);
        for client in (0..CLIENTS).filter(|client| watchers & 1 << client != 0) {
            self.link(client, server).tell();
        }
    }

    /// Nobody knows what has changed meanwhile.
    fn connected(&mut self, client: usize, shared: &mut Shared) -> Result<(), Broken> {
        if shared.rules.settings.wake { self.input(client, Input::Hint, shared) } else { Ok(()) }
    }

    fn strike(&mut self, fault: Fault, shared: &mut Shared) -> Result<(), Broken> {
        match fault {
            Fault::Reset { client, server, orphans } => {
                self.link(client, server).die(orphans);
                self.servers[server].watchers &= !(1 << client);
            }
            Fault::Restart { server, keeps } => {
                for client in 0..CLIENTS {
                    self.link(client, server).die(false);
                }
                let kept = self.servers[server].entry.filter(|_| keeps);
                self.servers[server] = Server { entry: kept, knows_scripts: false, watchers: 0 };
            }
            Fault::Flush { server } => self.servers[server].knows_scripts = false,
            Fault::Refuse { client, server, how } => {
                self.arrive(client, server, Some(how), shared)?;
            }
            Fault::Pause { client } => self.owners[client].paused = true,
        }
        Ok(())
    }

    /// A client notices that a connection has died: everything on it is lost.
    fn notice(
        &mut self,
        client: usize,
        server: usize,
        line: Line,
        shared: &mut Shared,
    ) -> Result<(), Broken> {
        let lasts = shared.rules.clocks[client].true_time(shared.rules.orphans_last);
        let link = self.link(client, server);
        link.line = line;
        link.orphans_left = (!link.orphans.is_empty()).then_some(lasts);
        let replies = core::mem::take(&mut link.replies);
        let void = core::mem::take(&mut link.void);
        let mut later = 0;
        let replies = replies.into_iter().filter(|(_, reply)| *reply != Reply::Push);
        for age in replies.map(|(age, _)| age).chain(void) {
            let input = Input::Answer { age: age + later, reply: Reply::Lost };
            later += self.call(client, input, shared)?;
        }
        if line == Line::Up { self.connected(client, shared) } else { Ok(()) }
    }

    /// The longest step of time in which nothing is due.
    pub(crate) fn quiet(&self, shared: &Shared) -> u64 {
        let timers =
            (0..CLIENTS).filter(|client| !self.owners[*client].paused).filter_map(|client| {
                let timer = shared.machines[client].view(self.machines[client]).timer?;
                Some(shared.rules.clocks[client].true_time(timer))
            });
        let expiries = self.servers.iter().filter_map(|server| Some(server.entry?.left));
        let orphans = self.links.iter().filter_map(|link| link.orphans_left);
        let unit = shared.rules.unit;
        timers.chain(expiries).chain(orphans).min().unwrap_or(unit).min(unit)
    }

    /// Whether something on its way could arrive, or a client could go on.
    pub(crate) fn is_busy(&self) -> bool {
        self.links.iter().any(Link::is_busy) || self.owners.iter().any(|owner| owner.paused)
    }

    /// Whether anything depends on time.
    pub(crate) fn waits(&self, shared: &Shared) -> bool {
        let view = |client: usize| shared.machines[client].view(self.machines[client]);
        (0..CLIENTS).any(|client| view(client).timer.is_some())
            || self.servers.iter().any(|server| server.entry.is_some())
            || self.links.iter().any(|link| link.orphans_left.is_some())
    }

    fn pass(&mut self, shared: &mut Shared) {
        self.delays -= u8::from(self.is_busy());
        let span = self.quiet(shared);
        for client in 0..CLIENTS {
            let local = shared.rules.clocks[client].local(span);
            let step = shared.machines[client].step(self.machines[client], Input::Pass(local));
            self.machines[client] = step.to;
        }
        self.servers.iter_mut().for_each(|server| server.pass(span));
        self.links.iter_mut().for_each(|link| link.pass(span));
        shared.tell(|| format!("    {span} microseconds"));
    }
}
