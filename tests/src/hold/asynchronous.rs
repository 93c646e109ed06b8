//! The program of the asynchronous adapters: only the runtime differs.

use std::process::ExitCode;
use std::time::Instant;

use redlatch_core::{Loss, Retry};
use redlatch_futures::{Client, Error, Guard, Runtime};

use super::{Arguments, Ending, Journal, Schedule, Step};

/// Does what the command line says, on the runtime of the caller.
pub async fn hold<R: Runtime>(program: &str) -> ExitCode {
    let mut journal = Journal::begin();
    let arguments = match Arguments::from_command_line(program) {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    let ending = run::<R>(&arguments, &mut journal).await;
    ending.unwrap_or_else(|error| journal.failed(&error)).into()
}

async fn run<R: Runtime>(arguments: &Arguments, journal: &mut Journal) -> Result<Ending, Error> {
    let runtime = R::current()?;
    let client = Client::<R>::connect(&arguments.urls).await?;
    let Some(mut guard) = acquire(&client, arguments).await? else {
        return Ok(journal.denied());
    };
    journal.acquired(guard.validity());
    let begun = Instant::now();

    let mut schedule = Schedule::new(arguments);
    loop {
        match schedule.step(begun.elapsed(), guard.validity()) {
            Step::Sleep(time) => runtime.sleep(time).await,
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
async fn acquire<R: Runtime>(
    client: &Client<R>,
    arguments: &Arguments,
) -> Result<Option<Guard>, Error> {
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
