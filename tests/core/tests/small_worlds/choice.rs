//! What may happen next.

use core::fmt;

use redlatch_core::Phase;

use super::link::Line;
use super::rules::Owns;
use super::world::{CLIENTS, Shared, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Own {
        client: usize,
        act: Act,
    },
    /// A request arrives, is executed and answered; the answer arrives too, unless it is late.
    Arrive {
        client: usize,
        server: usize,
        late: bool,
    },
    Answer {
        client: usize,
        server: usize,
    },
    Orphan {
        client: usize,
        server: usize,
    },
    Wake {
        client: usize,
    },
    Pass,
    Notice {
        client: usize,
        server: usize,
        line: Line,
    },
    Connect {
        client: usize,
        server: usize,
    },
    Resume {
        client: usize,
    },
    Strike(Fault),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Acquire,
    Extend,
    Release,
    Abandon,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Reset { client: usize, server: usize, orphans: bool },
    Restart { server: usize, keeps: bool },
    Flush { server: usize },
    Refuse { client: usize, server: usize, how: Refusing },
    Pause { client: usize },
}

/// How a request is refused: surely not executed, for now or for good, or with an error that says nothing,
/// executed or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusing {
    Loading,
    NoAuth,
    OtherNot,
    OtherDone,
}

impl World {
    /// All that may happen next, into `choices`.
    pub(crate) fn choices(&self, shared: &Shared, choices: &mut Vec<Choice>) {
        choices.clear();
        let mut due = false;
        for client in 0..CLIENTS {
            if self.owners[client].paused {
                choices.push(Choice::Resume { client });
            } else {
                due |= self.due(client, shared);
                self.awake(client, shared, choices);
            }
            self.network(client, shared, choices);
        }
        if !due && self.waits(shared) && (self.delays > 0 || !self.is_busy()) {
            choices.push(Choice::Pass);
        }
        if self.fault_left {
            self.faults(shared, choices);
        }
    }

    fn due(&self, client: usize, shared: &Shared) -> bool {
        shared.machines[client].view(self.machines[client]).timer == Some(0)
    }

    /// What a client may do that does not stand still.
    fn awake(&self, client: usize, shared: &Shared, choices: &mut Vec<Choice>) {
        let owner = &self.owners[client];
        let phase = shared.machines[client].view(self.machines[client]).phase;
        let Owns { releases, abandons, .. } = shared.rules.owners[client];
        let holds = matches!(phase, Phase::Held | Phase::Extending);
        let mut own = |allowed: bool, act: Act| {
            if allowed {
                choices.push(Choice::Own { client, act });
            }
        };
        own(owner.acquires > 0 && !owner.wants && phase == Phase::Idle, Act::Acquire);
        own(owner.extends > 0 && holds, Act::Extend);
        own(releases && owner.wants, Act::Release);
        own(abandons && (owner.wants || owner.releasing.is_some()), Act::Abandon);
        if shared.rules.roused || self.due(client, shared) {
            choices.push(Choice::Wake { client });
        }
        for server in 0..self.servers.len() {
            let link = &self.links[client * self.servers.len() + server];
            if !link.replies.is_empty() {
                choices.push(Choice::Answer { client, server });
            }
            if link.line == Line::Dead {
                choices.push(Choice::Notice { client, server, line: Line::Up });
                choices.push(Choice::Notice { client, server, line: Line::Down });
            }
            if link.line == Line::Down {
                choices.push(Choice::Connect { client, server });
            }
        }
    }

    fn network(&self, client: usize, shared: &Shared, choices: &mut Vec<Choice>) {
        for server in 0..self.servers.len() {
            let link = &self.links[client * self.servers.len() + server];
            if !link.requests.is_empty() {
                let bounded = shared.rules.late_replies.is_some();
                if !bounded || self.late_replies > 0 {
                    choices.push(Choice::Arrive { client, server, late: true });
                }
                if bounded && link.is_answered() && !self.owners[client].paused {
                    choices.push(Choice::Arrive { client, server, late: false });
                }
            }
            if !link.orphans.is_empty() {
                choices.push(Choice::Orphan { client, server });
            }
        }
    }

    fn faults(&self, shared: &Shared, choices: &mut Vec<Choice>) {
        let may = shared.rules.faults;
        let mut strike = |allowed: bool, fault: Fault| {
            if allowed {
                choices.push(Choice::Strike(fault));
            }
        };
        for server in 0..self.servers.len() {
            for client in 0..CLIENTS {
                let link = &self.links[client * self.servers.len() + server];
                strike(may.reset, Fault::Reset { client, server, orphans: false });
                let reset = Fault::Reset { client, server, orphans: true };
                strike(may.reset && !link.requests.is_empty(), reset);
                use Refusing::{Loading, NoAuth, OtherDone, OtherNot};
                for how in [Loading, NoAuth, OtherNot, OtherDone] {
                    let refuse = Fault::Refuse { client, server, how };
                    strike(may.refuse && !link.requests.is_empty(), refuse);
                }
            }
            strike(may.restart, Fault::Restart { server, keeps: true });
            strike(may.amnesia, Fault::Restart { server, keeps: false });
            strike(may.flush, Fault::Flush { server });
        }
        for client in 0..CLIENTS {
            let phase = shared.machines[client].view(self.machines[client]).phase;
            strike(may.pause && phase != Phase::Idle, Fault::Pause { client });
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own { client, act } => write!(f, "the owner at client {client}: {act:?}"),
            Self::Arrive { client, server, late } => {
                let how = if *late { "" } else { ", answered at once" };
                write!(f, "a request of client {client} arrives at server {server}{how}")
            }
            Self::Answer { client, server } => {
                write!(f, "a reply of server {server} arrives at client {client}")
            }
            Self::Orphan { client, server } => {
                write!(
                    f,
                    "what a dead connection of client {client} left arrives at server {server}"
                )
            }
            Self::Wake { client } => write!(f, "client {client} wakes up"),
            Self::Pass => f.write_str("time passes"),
            Self::Notice { client, server, line } => {
                write!(f, "client {client} notices that server {server} hung up; line {line:?}")
            }
            Self::Connect { client, server } => {
                write!(f, "client {client} is connected to server {server} again")
            }
            Self::Resume { client } => write!(f, "client {client} goes on"),
            Self::Strike(fault) => write!(f, "FAULT: {fault:?}"),
        }
    }
}
