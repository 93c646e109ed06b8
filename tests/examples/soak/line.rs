//! What workers tell, one line each.
//!
//! ```text
//! ready                                connected
//! done                                 everything was given back
//! count WORD                           one of this kind
//! took free|contended NANOS            an acquisition took so long
//! held KEY ASKED FROM UNTIL LEASE WAITED  a lock was believed in from FROM until UNTIL
//! wrote KEY PARENT ID VERSION LATE     the counter of the key was raised
//! panic TEXT                           a thread or a task panicked
//! ```
//!
//! Times are those of [`crate::clock`].

use core::fmt;
use core::str::{FromStr, SplitWhitespace};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Ready,
    Done,
    Count(String),
    Took { contended: bool, nanos: u64 },
    Held(Held),
    Wrote(Wrote),
    Panic(String),
}

/// A time in which a worker believed that it had the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) key: usize,
    /// When it was asked for.
    pub(crate) asked: u64,
    pub(crate) from: u64,
    /// The release, or the end of the lease if that came first.
    pub(crate) until: u64,
    /// When the lease would have ended that the worker saw last.
    pub(crate) lease: u64,
    /// Whether somebody else had the lock when it was asked for.
    pub(crate) waited: bool,
}

/// One step of a counter: who wrote what it stood on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wrote {
    pub(crate) key: usize,
    /// The write that it has read.
    pub(crate) parent: u64,
    pub(crate) id: u64,
    pub(crate) version: u64,
    /// The lease ran out between the look at it and the write: no lock can prevent that.
    pub(crate) late: bool,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Done => f.write_str("done"),
            Self::Count(word) => write!(f, "count {word}"),
            Self::Took { contended, nanos } => {
                write!(f, "took {} {nanos}", if *contended { "contended" } else { "free" })
            }
            Self::Held(Held { key, asked, from, until, lease, waited }) => {
                write!(f, "held {key} {asked} {from} {until} {lease} {}", u8::from(*waited))
            }
            Self::Wrote(Wrote { key, parent, id, version, late }) => {
                write!(f, "wrote {key} {parent} {id} {version} {}", u8::from(*late))
            }
            Self::Panic(text) => write!(f, "panic {text}"),
        }
    }
}

impl FromStr for Line {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let line = parse(&mut words).filter(|_| words.next().is_none());
        line.ok_or_else(|| format!("a line that makes no sense: {text:?}"))
    }
}

fn parse(words: &mut SplitWhitespace<'_>) -> Option<Line> {
    Some(match words.next()? {
        "ready" => Line::Ready,
        "done" => Line::Done,
        "count" => Line::Count(words.next()?.to_owned()),
        "took" => Line::Took { contended: words.next()? == "contended", nanos: number(words)? },
        "held" => Line::Held(Held {
            key: usize::try_from(number(words)?).ok()?,
            asked: number(words)?,
            from: number(words)?,
            until: number(words)?,
            lease: number(words)?,
            waited: number(words)? != 0,
        }),
        "wrote" => Line::Wrote(Wrote {
            key: usize::try_from(number(words)?).ok()?,
            parent: number(words)?,
            id: number(words)?,
            version: number(words)?,
            late: number(words)? != 0,
        }),
        "panic" => Line::Panic(words.by_ref().collect::<Vec<_>>().join(" ")),
        _ => return None,
    })
}

fn number(words: &mut SplitWhitespace<'_>) -> Option<u64> {
    words.next()?.parse().ok()
}
