//! The invariants.

use redlatch_core::{Phase, Released};

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
