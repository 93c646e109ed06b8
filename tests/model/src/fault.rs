//! Faults on demand: rules that make chosen requests go wrong.

use super::SessionId;

/// What happens to a request that a [`Rule`] picks. "Applied" means that the command has taken
/// effect on the keys, whatever the client learns of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not applied; an error line with this text, first word included, without `-` and CR LF.
    Error(String),
    /// Not applied; these bytes stand in the place of the reply.
    Raw(Vec<u8>),
    /// Applied, after this key of its database was deleted as if by another client.
    Gone(Vec<u8>),
    /// Applied; the reply is never sent.
    DropReply,
    /// Not applied; the connection ends.
    CloseBefore,
    /// Applied; the connection ends without the reply.
    CloseAfter,
    /// Applied; the connection ends after this many bytes of the reply.
    Cut(usize),
    /// Applied; these bytes follow the reply: a surplus frame.
    Surplus(Vec<u8>),
    /// Applied; these bytes stand in front of the reply: a push.
    Before(Vec<u8>),
    /// Applied; these bytes stand inside the reply, after the header of an array or map (what
    /// redis issue 8935 describes). In front of any other reply.
    Inside(Vec<u8>),
    /// Not applied; the connection stays open and nothing is read or answered on it any more.
    HangBefore,
    /// Applied; the connection stays open and nothing is read or answered on it any more.
    HangAfter,
    /// Applied; from here on this connection gives out one byte each so many microseconds.
    Drip {
        /// Microseconds between two bytes.
        interval: u64,
    },
    /// Applied at once; the reply and all that follows are held back for so many microseconds.
    Delay {
        /// Microseconds before the first byte.
        hold: u64,
    },
}

/// Which requests a fault strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    command: Option<String>,
    session: Option<SessionId>,
    skip: u32,
    times: u32,
    fault: Fault,
}

impl Rule {
    /// Strikes the next request, whatever it is.
    #[must_use]
    pub const fn next(fault: Fault) -> Self {
        Self { command: None, session: None, skip: 0, times: 1, fault }
    }

    /// Strikes the next request of this command: `SET`, `CLIENT` (every subcommand) or
    /// `CLIENT|ID`. Upper or lower case.
    #[must_use]
    pub fn on(command: &str, fault: Fault) -> Self {
        Self { command: Some(command.to_ascii_lowercase()), ..Self::next(fault) }
    }

    /// Strikes requests of one connection only.
    #[must_use]
    pub const fn of(mut self, session: SessionId) -> Self {
        self.session = Some(session);
        self
    }

    /// Lets the first `requests` that fit pass.
    #[must_use]
    pub const fn after(mut self, requests: u32) -> Self {
        self.skip = requests;
        self
    }

    /// Strikes `requests` times. The default is once.
    #[must_use]
    pub const fn times(mut self, requests: u32) -> Self {
        self.times = requests;
        self
    }

    /// Strikes until it is removed.
    #[must_use]
    pub const fn forever(self) -> Self {
        self.times(u32::MAX)
    }

    fn fits(&self, name: &str, session: SessionId) -> bool {
        let container = name.split_once('|').map_or(name, |(container, _)| container);
        self.session.is_none_or(|wanted| wanted == session)
            && self.command.as_deref().is_none_or(|wanted| wanted == name || wanted == container)
    }
}

/// The rules in force, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
}

impl Faults {
    pub(crate) fn add(&mut self, rule: Rule) {
        if rule.times > 0 {
            self.rules.push(rule);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.rules.len()
    }

    /// The fault that strikes this request. The first rule that fits decides; a rule that lets
    /// the request pass counts it.
    pub(crate) fn strike(&mut self, name: &str, session: SessionId) -> Option<Fault> {
        let mut struck = None;
        for (at, rule) in self.rules.iter_mut().enumerate() {
            if !rule.fits(name, session) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if rule.times != u32::MAX {
                rule.times -= 1;
            }
            struck = Some(at);
            break;
        }
        let at = struck?;
        let fault = self.rules[at].fault.clone();
        if self.rules[at].times == 0 {
            self.rules.remove(at);
        }
        Some(fault)
    }
}
