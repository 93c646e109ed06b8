//! One read for many claims, as the clients with an operating system do it.

use std::collections::VecDeque;

use redlatch_core::proof::{Heard, Need, proven};
use redlatch_core::{Answer, Command, Instant, Proof, Serial, Ticket, Token};

use crate::client::{Link, Route};

/// The reads of one link that were not sent.
#[derive(Default)]
pub(crate) struct Parking {
    reads: VecDeque<Read>,
    /// To be sent when there is room.
    unproven: VecDeque<Read>,
    /// The newest request, where that is a claim that has not left: its lock and token.
    pub(crate) fresh: Option<(Serial, usize, Token)>,
}

struct Read {
    claim: Serial,
    slot: usize,
    key: Vec<u8>,
    ticket: Ticket,
    token: Token,
    claimed: Option<Answer>,
}

/// An answer for a machine.
pub(crate) type Told = (usize, Ticket, Answer);

impl Link {
    /// Keeps the read of a claim that has not left.
    pub(crate) fn park(&mut self, slot: usize, key: &[u8], ticket: Ticket, now: Instant) -> bool {
        let fresh = self.parking.fresh.filter(|(_, asked, _)| *asked == slot);
        let Some((claim, _, token)) = fresh else { return false };
        self.parking.fresh = None;
        self.proof.park(key);
        let key = key.to_vec();
        self.parking.reads.push_back(Read { claim, slot, key, ticket, token, claimed: None });
        if self.proof.is_full() {
            self.cover(now);
        }
        true
    }

    /// Bytes are about to leave.
    pub(crate) fn cover(&mut self, now: Instant) {
        while let Some(read) = self.parking.unproven.pop_front() {
            if self.read(&read, now).is_none() {
                return self.parking.unproven.push_front(read);
            }
        }
        match self.proof.need() {
            Need::Nothing => {}
            Need::Witness => self.send_witness(now),
            Need::Reads => {
                let kept = self.parking.reads.len().saturating_sub(self.proof.parked());
                self.parking.unproven = self.parking.reads.split_off(kept);
                self.proof.resigned();
                self.cover(now);
            }
        }
    }

    fn send_witness(&mut self, now: Instant) {
        let Some(read) = self.parking.reads.pop_back() else { return self.proof.resigned() };
        match self.wire.submit(&Command::Read { key: &read.key }, now) {
            Ok(serial) => {
                self.proof.witnessed(serial, read.token);
                self.enter(&read, serial);
            }
            Err(_full) => self.parking.reads.push_back(read),
        }
    }

    fn read(&mut self, read: &Read, now: Instant) -> Option<()> {
        let serial = self.wire.submit(&Command::Read { key: &read.key }, now).ok()?;
        self.proof.mention(&read.key);
        self.enter(read, serial);
        Some(())
    }

    fn enter(&mut self, read: &Read, serial: Serial) {
        self.parking.fresh = None;
        let Read { slot, ticket, .. } = *read;
        self.routes.push_back(Route::Lock { serial, slot, ticket });
    }

    /// A request was answered: what that tells those whose reads are parked.
    pub(crate) fn hear(&mut self, serial: Serial, answer: Answer) -> Vec<Told> {
        let claimed = self.parking.reads.iter_mut().find(|read| read.claim == serial);
        if let Some(read) = claimed {
            read.claimed = Some(answer);
        }
        match self.proof.hear(serial, answer) {
            Heard::Nothing => Vec::new(),
            Heard::Proven => {
                let told = self.before(serial);
                let told = told.map(|read| {
                    let read_back = read.claimed.and_then(|claimed| proven(claimed, read.token));
                    (read.slot, read.ticket, read_back.unwrap_or(Answer::Unreachable))
                });
                told.collect()
            }
            Heard::Unproven => {
                let reads: VecDeque<_> = self.before(serial).collect();
                self.parking.unproven.extend(reads);
                Vec::new()
            }
        }
    }

    /// Takes the reads of the claims before a request.
    fn before(&mut self, serial: Serial) -> impl Iterator<Item = Read> + '_ {
        let count = self.parking.reads.iter().take_while(|read| read.claim < serial).count();
        self.parking.reads.drain(..count)
    }

    /// Those who are told that the connection has ended.
    pub(crate) fn abandon_parked(&mut self) -> Vec<Told> {
        self.proof = Proof::NEW;
        let Parking { reads, unproven, .. } = core::mem::take(&mut self.parking);
        let all = reads.into_iter().chain(unproven);
        all.map(|read| (read.slot, read.ticket, Answer::Lost)).collect()
    }
}
