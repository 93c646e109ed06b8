//! Many claims proven by one read.
//!
//! Only a read that shows our token grants, because the `OK` to a claim may be a reply that slipped in
//! from elsewhere. But replies slip together: where a read shows the token that nobody but this read
//! can have brought, requests and replies are in step, and so were those before it. So of many claims
//! that leave together, a driver sends the read of the newest, the *witness*, and *parks* the others.
//!
//! ```text
//!   SET a   SET b   SET c   GET c           parked: the reads of a and b
//!   OK      null    OK      c's token  -->  proven: a is ours, b is another's
//! ```
//!
//! # Invariants
//!
//! * A parked read is answered by a witness that was submitted after its claim, or it is sent.
//! * A witness proves nothing once another request was submitted that may show the same token: then a
//!   reply that came too early or too late could pass for its own. Every other request that shows
//!   the value of the key is such a one, and a key is told by its hash: two keys that share one only
//!   cost a read.
//! * So whatever the number of replies too many, or too few, before a witness: it does not show its
//!   token, and its claims are read one by one. What it cannot see is a reply too many and another
//!   too few that cancel out between two witnesses; so no witness stands for more than
//!   [`Proof::CLAIMS_MAX`] claims.

use crate::answer::Answer;
use crate::connection::Serial;
use crate::defect::{Defect, has};
use crate::token::Token;

/// What a driver does about the reads that it has parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: none is parked, or a witness is out.
    Nothing,
    /// Send the newest and call [`Proof::witnessed`].
    Witness,
    /// Send all that were parked since the last witness, and call [`Proof::resigned`].
    Reads,
}

/// What the answer to a request says about the claims before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing, or nothing yet.
    Nothing,
    /// All of them were answered as they should be: see [`proven`].
    Proven,
    /// A witness has failed them: send their reads.
    Unproven,
}

/// What is known about the claims on one connection. It holds no request: those are the driver's.
#[derive(Clone, Copy, Debug)]
pub struct Proof {
    /// Reads parked since the last witness.
    parked: usize,
    newest: Candidate,
    /// A ring: the oldest stands at `first`.
    witnesses: [Option<Witness>; Self::WITNESSES_MAX],
    first: usize,
    out: usize,
}

/// The newest claim whose read is parked.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    key: u64,
    is_spoiled: bool,
}

#[derive(Clone, Copy, Debug)]
struct Witness {
    serial: Serial,
    key: u64,
    token: Token,
    is_spoiled: bool,
}

impl Proof {
    /// Claims that one witness stands for, its own among them.
    pub const CLAIMS_MAX: usize = 64;
    /// Witnesses in flight: as many as a thousand tasks have, that write early in small batches. When there
    /// are more claims, their reads are sent.
    const WITNESSES_MAX: usize = 64;

    /// A connection on which nothing was asked.
    pub const NEW: Self = Self {
        parked: 0,
        newest: Candidate { key: 0, is_spoiled: true },
        witnesses: [None; Self::WITNESSES_MAX],
        first: 0,
        out: 0,
    };

    /// The read of the newest request, a claim of this key, is parked. No request was submitted after
    /// that claim.
    pub fn park(&mut self, key: &[u8]) {
        self.parked = self.parked.saturating_add(1);
        self.newest = Candidate { key: hash(key), is_spoiled: false };
    }

    /// A request that may show the value of this key is about to be submitted.
    pub fn mention(&mut self, key: &[u8]) {
        if self.parked == 0 && self.out == 0 {
            return;
        }
        let key = hash(key);
        self.newest.is_spoiled |= self.newest.key == key;
        self.spoil(key);
    }

    fn spoil(&mut self, key: u64) {
        for at in 0..self.out {
            let at = self.first.wrapping_add(at) % Self::WITNESSES_MAX;
            if let Some(Some(witness)) = self.witnesses.get_mut(at) {
                witness.is_spoiled |= witness.key == key;
            }
        }
    }

    /// Whether as many reads are parked as one witness may stand for: see to them now.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.parked >= Self::CLAIMS_MAX
    }

    /// What to do before bytes leave.
    #[must_use]
    pub const fn need(&self) -> Need {
        match self.parked {
            0 => Need::Nothing,
            _ if self.newest.is_spoiled || self.out >= Self::WITNESSES_MAX => Need::Reads,
            _ => Need::Witness,
        }
    }

    /// How many reads were parked since the last witness: the newest ones.
    #[must_use]
    pub const fn parked(&self) -> usize {
        self.parked
    }

    /// The newest parked read was sent as this request; its claim has this token.
    pub fn witnessed(&mut self, serial: Serial, token: Token) {
        let key = self.newest.key;
        // This read may also show the token of an older one.
        self.spoil(key);
        let at = self.first.wrapping_add(self.out) % Self::WITNESSES_MAX;
        if let (Need::Witness, Some(slot)) = (self.need(), self.witnesses.get_mut(at)) {
            *slot = Some(Witness { serial, key, token, is_spoiled: false });
            self.out = self.out.saturating_add(1);
        }
        self.resigned();
    }

    /// All that were parked since the last witness were sent, or are given up.
    pub const fn resigned(&mut self) {
        self.parked = 0;
        self.newest.is_spoiled = true;
    }

    /// A request was answered. Every answer is to be heard, in order.
    pub fn hear(&mut self, serial: Serial, answer: Answer) -> Heard {
        let Some(slot) = self.witnesses.get_mut(self.first) else { return Heard::Nothing };
        let Some(witness) = slot.take_if(|oldest| oldest.serial == serial) else {
            return Heard::Nothing;
        };
        self.first = self.first.wrapping_add(1) % Self::WITNESSES_MAX;
        self.out = self.out.saturating_sub(1);
        let shown = !witness.is_spoiled && answer == Answer::Token(witness.token);
        if shown || has(Defect::WitnessUnheard) {
            Heard::Proven
        } else if self.promises() {
            Heard::Nothing
        } else {
            Heard::Unproven
        }
    }

    /// Whether a witness is out that can still prove something.
    fn promises(&self) -> bool {
        self.witnesses.iter().flatten().any(|witness| !witness.is_spoiled)
    }
}

/// What the parked read of a claim would have said, when a witness has shown that `claimed` is the
/// claim's own answer. `None` when the claim's answer leaves that open, or ends the vote by itself.
#[must_use]
pub const fn proven(claimed: Answer, token: Token) -> Option<Answer> {
    match claimed {
        Answer::Ok => Some(Answer::Token(token)),
        Answer::Nil => Some(Answer::Value),
        _ => None,
    }
}

/// FNV-1a, with 64 bits.
fn hash(key: &[u8]) -> u64 {
    const START: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    key.iter().fold(START, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}
