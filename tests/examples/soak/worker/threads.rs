//! Lanes that are threads, on the blocking adapter.

use core::time::Duration;
use std::thread;

use redlatch_std::{Client, Error, Guard, Loss};

use super::cheat::Cheater;
use super::diary::{kind, lost};
use super::lane::{RECONNECT, SHUTDOWN, SLICE, Shared};
use super::script::{Act, Ending, Hold, Script};
use super::stay::Stay;
use crate::clock;
use crate::keys::{Group, name};
use crate::line::Line;

/// Works until the end. Whether everything was given back.
pub(crate) fn work(shared: Shared) -> Result<bool, String> {
    let clients = Group::BOTH.map(|group| connect(&shared, group).map_err(|e| e.to_string()));
    let [single, quorum] = clients;
    let (single, quorum) = (single?, quorum?);
    shared.diary.tell(&[Line::Ready]);
    thread::scope(|scope| {
        for (number, group, script) in shared.lanes() {
            let client = if group == Group::Single { &single } else { &quorum };
            let (client, renewing) = (client.clone(), client.renewing(shared.renew()));
            let lane = Lane { number, shared: &shared, client, renewing };
            scope.spawn(move || lane.run(script));
        }
    });
    let paid = [single, quorum].map(|client| client.shutdown(SHUTDOWN));
    Ok(paid == [true, true])
}

fn connect(shared: &Shared, group: Group) -> Result<Client, Error> {
    let builder = Client::builder()
        .servers(shared.url(group))
        .protocol(shared.protocol())
        .reply_timeout(shared.reply_timeout())
        .reconnect(RECONNECT.0, RECONNECT.1);
    match shared.restart_delay(group) {
        Some(delay) => builder.restart_delay(delay).connect(),
        None => builder.connect(),
    }
}

struct Lane<'a> {
    number: u64,
    shared: &'a Shared,
    client: Client,
    renewing: Client,
}

impl Lane<'_> {
    fn run(&self, mut script: Script) {
        let mut cheater = Cheater::new(self.shared, self.number);
        while !self.shared.orders.are_stop() {
            let act = script.next();
            match self.acquire(&act) {
                Some((guard, stay)) => self.hold(&act, guard, stay),
                None => cheater.refused(act.key),
            }
            cheater.turn();
            thread::sleep(act.rest);
        }
        cheater.ends(&self.client);
    }

    fn acquire(&self, act: &Act) -> Option<(Guard, Stay<'_>)> {
        let client = if let Hold::Renewing(_) = act.hold { &self.renewing } else { &self.client };
        let (key, ttl) = (name(act.key), self.shared.worker.ttl());
        let asked = clock::now();
        let stay = |waited| Stay::begin(self.shared, act.key, asked, waited);
        let failed = match client.try_lock(&*key, ttl) {
            Ok(Some(guard)) => return Some((guard, stay(false))),
            Ok(None) => match act.patience {
                Some(patience) => match client.lock_with(&*key, ttl, patience) {
                    Ok(guard) => return Some((guard, stay(true))),
                    Err(error) => kind(&error),
                },
                None => "held",
            },
            Err(error) => kind(&error),
        };
        self.shared.diary.tell(&[Line::Count(failed.to_owned())]);
        None
    }

    fn hold(&self, act: &Act, mut guard: Guard, mut stay: Stay<'_>) {
        stay.count("acquired");
        match act.hold {
            Hold::Once(time) => {
                self.update(time, &guard, &mut stay);
            }
            Hold::Renewing(time) => self.stay(time, &mut guard, &mut stay, false),
            Hold::Extending(time) => self.stay(time, &mut guard, &mut stay, true),
        }
        let loss = guard.loss();
        if let Some(loss) = loss {
            stay.count(lost(loss));
        }
        stay.leave(|| guard.validity(), guard.loss());
        let word = match act.ending {
            Ending::Forget if !self.shared.orders.are_quiet() => {
                core::mem::forget(guard);
                "forgotten"
            }
            Ending::Release | Ending::ReleaseAndGo => match guard.release() {
                Ok(true) => "released",
                Ok(false) => "not-ours",
                Err(error) => kind(&error),
            },
            Ending::Drop | Ending::Forget => {
                drop(guard);
                "dropped"
            }
        };
        let deleted = matches!(loss, Some(Loss::Deleted | Loss::Stolen));
        stay.end(word, deleted || word == "not-ours");
    }

    /// Updates the counter again and again, until the time is over or the lock is lost.
    fn stay(&self, time: Duration, guard: &mut Guard, stay: &mut Stay<'_>, extending: bool) {
        let begun = clock::now();
        let (third, mut extended) = (self.shared.worker.ttl() / 3, begun);
        while clock::since(begun) < time && !self.shared.orders.are_stop() {
            if !self.update(SLICE, guard, stay) {
                return;
            }
            if extending && clock::since(extended) > third {
                extended = clock::now();
                stay.count(guard.extend().map_or_else(|error| kind(&error), |_| "extended"));
            }
        }
    }

    fn update(&self, time: Duration, guard: &Guard, stay: &mut Stay<'_>) -> bool {
        let Some(read) = stay.read() else { return false };
        thread::sleep(time);
        stay.write(self.number, read, || guard.validity())
    }
}
