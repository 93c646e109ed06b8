//! Takes a lock, holds it, and says what happens: `hold-tokio URL[,URL...] KEY TTL_MS HOLD_MS [--wait
//! MS] [--extend]`.
//!
//! Every adapter has this program, with the same arguments, lines and exit status, so that two of
//! them can be tried against each other from a shell. The contract is told in
//! `redlatch_testkit::hold`.

use std::process::ExitCode;
use std::time::Instant;

use redlatch_testkit::hold::{Arguments, Ending, Journal, Schedule, Step};
use redlatch_tokio::{Client, Error, Guard, Loss, Retry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut journal = Journal::begin();
    let arguments = match Arguments::from_command_line("hold-tokio") {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    let ending = run(&arguments, &mut journal).await.unwrap_or_else(|error| match error {
        Error::Lost(loss) => journal.lost(loss),
        Error::Config(_) => journal.misused(&error),
        _ => journal.error(&error),
    });
    ending.into()
}

async fn run(arguments: &Arguments, journal: &mut Journal) -> Result<Ending, Error> {
    let client = Client::connect(&arguments.urls).await?;
    let Some(mut guard) = acquire(&client, arguments).await? else {
        return Ok(journal.denied());
    };
    journal.acquired(guard.validity());
    let begun = Instant::now();

    let mut schedule = Schedule::new(arguments);
    loop {
        match schedule.step(begun.elapsed(), guard.validity()) {
            Step::Sleep(time) => tokio::time::sleep(time).await,
            Step::Extend => match guard.extend().await {
                Ok(validity) => journal.extended(validity),
                // The old validity still stands: the next third tries again.
                Err(Error::NotExtended { .. }) => {}
                Err(error) => return Err(error),
            },
            Step::Release => break,
            Step::Expired => return Ok(journal.lost(Loss::Expired)),
        }
    }
    match guard.release().await? {
        true => Ok(journal.released()),
        false => Ok(journal.lost(Loss::Deleted)),
    }
}

/// `None`: somebody else has it.
async fn acquire(client: &Client, arguments: &Arguments) -> Result<Option<Guard>, Error> {
    let key = arguments.key.as_slice();
    let Some(wait) = arguments.wait else {
        return client.try_lock(key, arguments.ttl).await;
    };
    match client.lock_with(key, arguments.ttl, Retry::until(wait)).await {
        Ok(guard) => Ok(Some(guard)),
        Err(Error::TimedOut { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
