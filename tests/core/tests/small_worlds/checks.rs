//! The invariants.

use redlatch_core::{Phase, Released};

use super::link::Link;
use super::machine::Told;
use super::server::{Request, TokenId};
use super::world::{Broken, Shared, World};

impl World {
    /// What must hold in every state.
    pub(crate) fn check(&self, shared: &Shared) -> Result<(), Broken> {
        let views = [0, 1].map(|client| shared.machines[client].view(self.machines[client]));
        if views.iter().all(|view| view.believes > 0) {
            return Err("I1: both clients believe that they hold the lock".into());
        }
        for (client, view) in views.into_iter().enumerate() {
            let alone = !self.has_majority(client, shared) && !shared.rules.faults.amnesia;
            if view.believes > 0 && alone {
                return Err(format!("I8: client {client} believes, and no majority has its key"));
            }
            if view.phase == Phase::Pausing && self.sleeps_on(client, view.timer, shared) {
                return Err(format!("I6: client {client} sleeps, and the key is free"));
            }
            if view.settled {
                self.check_settled(client)?;
            }
            let holds = matches!(view.phase, Phase::Held | Phase::Extending);
            if holds != self.owners[client].held {
                return Err(format!("I9: client {client} was not told where the lock stands"));
            }
        }
        Ok(())
    }

    /// Whether a client that was refused sleeps on although the key is free and all that there was to tell has
    /// arrived. When a key expires it knows only as well as the answer was quick.
    fn sleeps_on(&self, client: usize, timer: Option<u64>, shared: &Shared) -> bool {
        let (owner, servers) = (&self.owners[client], self.servers.len());
        let links = &self.links[client * servers..(client + 1) * servers];
        let is_free =
            self.servers.iter().filter(|it| it.entry.is_none()).count() >= self.majority();
        let will_hear = owner.asked != 0 && owner.asked == owner.told && !owner.paused;
        let spread = if servers > 1 { 20_000 } else { 0 };
        let patience = shared.rules.unit * (1 + u64::from(shared.rules.delays)) + spread;
        let is_late = timer.is_none_or(|timer| timer > patience);
        owner.wants && is_free && will_hear && is_late && !links.iter().any(Link::is_busy)
    }

    /// I5: settled means that nothing of ours is left or comes yet.
    fn check_settled(&self, client: usize) -> Result<(), Broken> {
        let ours = |token: TokenId| token.client() == client;
        let is_claim = |request: &Request| matches!(request, Request::Claim { .. });
        if self.servers.iter().any(|server| server.entry.is_some_and(|e| ours(e.token))) {
            return Err(format!("I5: client {client} is settled, and a server has its key"));
        }
        let servers = self.servers.len();
        for link in &self.links[client * servers..(client + 1) * servers] {
            let on_its_way = link.requests.iter().map(|(_, request)| request);
            if on_its_way.chain(&link.orphans).any(is_claim) {
                return Err(format!("I5: client {client} is settled, and a claim is on its way"));
            }
        }
        Ok(())
    }

    /// What a machine tells must be true and expected.
    pub(crate) fn told(
        &mut self,
        client: usize,
        told: Told,
        shared: &mut Shared,
    ) -> Result<(), Broken> {
        shared.tell(|| format!("    client {client} tells: {told:?}"));
        let majority = self.majority();
        let believes = shared.machines[client].view(self.machines[client]).believes;
        let holds = believes > 0 && self.has_majority(client, shared);
        let owner = &mut self.owners[client];
        let returned = owner.returned.count_ones() as usize;
        let (expected, honest) = match told {
            Told::Acquired => (owner.wants && !owner.held, holds),
            Told::Denied => (owner.wants && !owner.held, true),
            Told::Extended => (owner.wants && owner.held, holds),
            Told::NotExtended | Told::Lost => (owner.wants && owner.held, true),
            Told::Released(how) => {
                let was_held = owner.releasing == Some(true);
                let honest = match how {
                    Released::Confirmed => returned >= majority,
                    Released::NotHeld => !was_held || returned < majority,
                    Released::Unconfirmed => true,
                };
                (owner.releasing.is_some(), honest)
            }
        };
        match told {
            Told::Acquired => owner.held = true,
            Told::Denied | Told::Lost => (owner.wants, owner.held) = (false, false),
            Told::Released(_) => owner.releasing = None,
            Told::Extended | Told::NotExtended => {}
        }
        if !expected {
            return Err(format!("I9: client {client} tells {told:?} out of turn or twice"));
        }
        if !honest && !shared.rules.faults.amnesia {
            return Err(format!("I8: client {client} tells {told:?}, and no majority did that"));
        }
        Ok(())
    }

    /// Whether a majority has the client's key for as long as the client believes that it holds the lock.
    fn has_majority(&self, client: usize, shared: &Shared) -> bool {
        let view = shared.machines[client].view(self.machines[client]);
        let believes = shared.rules.clocks[client].true_time(view.believes);
        let entries = self.servers.iter().filter_map(|server| server.entry);
        let keys = entries.filter(|entry| entry.token == view.token && entry.left >= believes);
        keys.count() >= self.majority()
    }

    fn majority(&self) -> usize {
        self.servers.len() / 2 + 1
    }
}
