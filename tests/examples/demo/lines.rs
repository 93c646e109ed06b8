//! The run as plain lines, for outputs that are no terminal.

use core::time::Duration;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use crate::picture::millis;
use crate::servers::Title;
use crate::stage::{News, Stage, What};

/// How soon a signal is noticed.
const TICK: Duration = Duration::from_millis(50);

/// Prints until the run is over. A reader that goes away ends it.
pub(crate) fn show(stage: &Stage, title: &Title, news: &Receiver<News>) {
    let mut out = io::stdout().lock();
    let mut written = writeln!(out, "redlatch  {}\n{}\n", title.what, title.details);
    while written.is_ok() && !stage.is_over() {
        match news.recv_timeout(TICK.min(stage.left())) {
            Ok(news) => written = writeln!(out, "{}", line(&news)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => stage.sleep(stage.left()),
        }
    }
    if written.is_err() {
        stage.stop();
    }
    stage.end();
    for news in news.try_iter() {
        written = written.and_then(|()| writeln!(out, "{}", line(&news)));
    }
}

fn line(News { at, worker, what }: &News) -> String {
    let head = format!("{:>7} ms  worker {:<2}", at.as_millis(), worker + 1);
    match what {
        What::Entered(entry) => {
            let hand_over = entry
                .hand_over
                .map_or(String::new(), |time| format!(", hand-over {}", millis(time)));
            format!("{head}  acquired after {}{hand_over}", millis(entry.waited))
        }
        What::Released => format!("{head}  released"),
        What::Trouble(text) => format!("{head}  {text}"),
    }
}
