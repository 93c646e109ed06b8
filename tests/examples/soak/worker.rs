//! A worker process: lanes that take locks until they are told to stop.
//!
//! It speaks on standard output ([`crate::line`]) and listens on standard input: first the URLs, then
//! `quiet` (leave nothing behind any more) and `stop`. It ends with its parent, however that ends.

mod cheat;
mod diary;
mod lane;
mod orders;
mod scan;
mod script;
mod stay;
mod tasks;
mod threads;

use std::panic;
use std::process::ExitCode;

use rustix::process::{Signal, set_parent_process_death_signal};

use crate::line::Line;
use crate::options::{Runtime, Worker};
use diary::Diary;
use lane::Shared;
use orders::Orders;

/// Works as it is told.
pub(crate) fn run(worker: Worker) -> ExitCode {
    // Also a worker that is stopped ends so.
    let bound = set_parent_process_death_signal(Some(Signal::KILL));
    let begun = bound.map_err(Into::into).and_then(|()| begin(worker));
    let ended = begun.map_err(|error| error.to_string()).and_then(work);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn begin(worker: Worker) -> std::io::Result<Shared> {
    let diary = Diary;
    panic::set_hook(Box::new({
        let diary = diary.clone();
        move |what| diary.tell(&[Line::Panic(what.to_string())])
    }));
    let orders = Orders::listen()?;
    Shared::new(worker, diary, orders)
}

fn work(shared: Shared) -> Result<(), String> {
    let diary = shared.diary.clone();
    let paid = match shared.worker.runtime {
        Runtime::Std => threads::work(shared),
        Runtime::Tokio => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            let runtime = builder.worker_threads(1).enable_all().build();
            let runtime = runtime.map_err(|error| error.to_string())?;
            runtime.block_on(tasks::work::<redlatch_tokio::Tokio>(shared))
        }
        Runtime::Smol => {
            scan::listen(&shared);
            smol::block_on(tasks::work::<redlatch_smol::Smol>(shared))
        }
        Runtime::AsyncStd => {
            async_std::task::block_on(tasks::work::<redlatch_async_std::AsyncStd>(shared))
        }
        Runtime::RedisPy => Err("redis-py is not written in Rust".to_owned()),
    }?;
    diary.tell(&[if paid { Line::Done } else { Line::Count("left-owing".to_owned()) }]);
    Ok(())
}
