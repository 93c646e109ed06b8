//! Takes a lock, holds it, and says what happens: `hold-std URL[,URL...] KEY TTL_MS HOLD_MS [--wait
//! MS] [--extend]`.
//!
//! Every adapter has this program, with the same arguments, lines and exit status, so that two of
//! them can be tried against each other from a shell. The contract is told in
//! `redlatch_testkit::hold`.

use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use redlatch_std::{Client, Error, Guard, Loss, Retry};
use redlatch_testkit::hold::{Arguments, Ending, Journal, Schedule, Step};

fn main() -> ExitCode {
    let mut journal = Journal::begin();
    let arguments = match Arguments::from_command_line("hold-std") {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    let ending = run(&arguments, &mut journal);
    ending.unwrap_or_else(|error| journal.failed(&error)).into()
}

fn run(arguments: &Arguments, journal: &mut Journal) -> Result<Ending, Error> {
    let client = Client::connect(&arguments.urls)?;
    let Some(mut guard) = acquire(&client, arguments)? else {
        return Ok(journal.denied());
    };
    journal.acquired(guard.validity());
    let begun = Instant::now();

    let mut schedule = Schedule::new(arguments);
    loop {
        match schedule.step(begun.elapsed(), guard.validity()) {
            Step::Sleep(time) => thread::sleep(time),
            Step::Extend => match guard.extend() {
                Ok(validity) => journal.extended(validity),
                // The old validity still stands: the next third tries again.
                Err(Error::NotExtended { .. }) => {}
                Err(error) => return Err(error),
            },
            Step::Release => break,
            Step::Expired => return Ok(journal.lost(Loss::Expired)),
        }
    }
    match guard.release()? {
        true => Ok(journal.released()),
        false => Ok(journal.lost(Loss::Deleted)),
    }
}

/// `None`: somebody else has it.
fn acquire(client: &Client, arguments: &Arguments) -> Result<Option<Guard>, Error> {
    let key = arguments.key.as_slice();
    let Some(wait) = arguments.wait else {
        return client.try_lock(key, arguments.ttl);
    };
    match client.lock_with(key, arguments.ttl, Retry::until(wait)) {
        Ok(guard) => Ok(Some(guard)),
        Err(Error::TimedOut { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
