//! Where a frame ends.

mod short_cut;
#[cfg(test)]
mod tests;

use super::line::Text;
use super::nesting::Nesting;
use super::number::{Announced, Length};
use super::whole::text_len;
use super::{Malformed, Type};
use crate::limits::{DEPTH_MAX, Limits};

/// Finds the end of each frame in a stream of bytes, in whatever pieces they come.
///
/// It takes every byte once and never comes back to it, so a frame is the same under every split. A
/// common value that is there as a whole is taken at once; to find that out, each byte is looked at
/// once more at most. The bodies of bulk strings are not looked at but counted. It keeps about a
/// hundred bytes, however long and deep the frame is: no recursion, no allocation.
///
/// All grammar and all [`Limits`] are checked here; a frame that passed needs no second check.
#[derive(Clone, Copy, Debug)]
pub struct Scanner {
    limits: Limits,
    /// A frame of one value that is no longer than this exceeds no limit.
    short: u32,
    state: State,
    nesting: Nesting,
    /// Bytes and values that the frame may still have.
    bytes_left: u32,
    values_left: u32,
    /// Where the value itself begins, behind its attributes.
    value_start: u32,
    is_push: bool,
    inner_push: bool,
    too_long: bool,
    #[cfg(test)]
    visits: usize,
}

/// What [`Scanner::advance`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scanned {
    /// Bytes that belong to the frame. All of them, unless it ended.
    pub used: usize,
    /// Whether the frame ended with the last of these bytes.
    pub ended: bool,
}

/// What the next byte is.
#[derive(Clone, Copy, Debug)]
enum State {
    /// The first byte of a frame.
    Between,
    /// The type of a value.
    Value,
    /// In the number behind the type of a bulk or an aggregate.
    Header(Type, Length),
    /// In a line of free text; so many bytes of it were read.
    Free(u32),
    /// In any other line that is a value; so many bytes of it were read.
    Line(Text, u32),
    /// In a verbatim string: so many bytes come before the colon, so many behind it.
    Format(u8, u32),
    /// In a bulk; so many bytes of it are to come.
    Body(u32),
    /// The CR behind a bulk.
    BodyEnd,
    /// The LF behind a CR; then this.
    LineEnd(Next),
    /// None: the stream is not RESP.
    Failed(Malformed),
}

/// What comes after the end of a line.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// The line ended a value.
    Settle,
    Format(u32),
    Body(u32),
    /// So many values of an aggregate.
    Values(Type, u32),
}

impl Scanner {
    /// A scanner before the first byte of a stream.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            short: shortest_bound(&limits),
            state: State::Between,
            nesting: Nesting::NONE,
            bytes_left: limits.reply_bytes,
            values_left: limits.reply_elements,
            value_start: 0,
            is_push: false,
            inner_push: false,
            too_long: false,
            #[cfg(test)]
            visits: 0,
        }
    }

    /// Takes `bytes`, up to the end of the frame. Bytes behind that end are left for the next call,
    /// which starts the next frame.
    ///
    /// # Errors
    /// [`Malformed`] when the stream is not RESP or exceeds a limit; for ever after.
    #[inline]
    pub fn advance(&mut self, bytes: &[u8]) -> Result<Scanned, Malformed> {
        match self.state {
            State::Between => {}
            State::Failed(malformed) => return Err(malformed),
            _ => return self.advance_by_values(bytes),
        }
        match self.take_frame(bytes) {
            Some(used) => Ok(Scanned { used, ended: true }),
            None => self.advance_by_values(bytes),
        }
    }

    #[inline(never)] // Apart from the path of the common frame, which is short.
    fn advance_by_values(&mut self, bytes: &[u8]) -> Result<Scanned, Malformed> {
        let mut used = 0;
        while let Some(rest @ [_, ..]) = bytes.get(used..) {
            let taken = match self.state {
                State::Between => {
                    self.begin_frame();
                    let header = self.look_at_header(rest);
                    self.take_value(header.as_ref(), rest)
                }
                State::Value => {
                    let value = self.look(rest);
                    self.take_value(value.as_ref(), rest)
                }
                _ => self.step(rest),
            };
            match taken {
                Ok(taken) => used = used.saturating_add(taken),
                Err(malformed) => {
                    self.state = State::Failed(malformed);
                    return Err(malformed);
                }
            }
            if self.is_between() {
                return Ok(Scanned { used, ended: true });
            }
        }
        Ok(Scanned { used, ended: false })
    }

    /// Whether no frame has begun, or the last one has ended.
    #[must_use]
    pub const fn is_between(&self) -> bool {
        matches!(self.state, State::Between)
    }

    /// Whether the frame is a push. Known once its type was seen, kept until the next frame begins,
    /// as are the two below.
    #[must_use]
    pub const fn is_push(&self) -> bool {
        self.is_push
    }

    /// Whether a push stood inside the frame
    /// ([redis #8935](https://github.com/redis/redis/issues/8935)). Its content is not handed out.
    #[must_use]
    pub const fn inner_push(&self) -> bool {
        self.inner_push
    }

    /// Whether the frame exceeds a *stored* bound: it is scanned to its end, but nobody need keep it.
    #[must_use]
    pub const fn too_long(&self) -> bool {
        self.too_long
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Bytes of attributes before the value.
    pub(super) const fn value_start(&self) -> u32 {
        self.value_start
    }

    /// Takes one byte, or all that can be passed over at once. `bytes` is not empty.
    #[inline(never)] // Rare, and large.
    fn step(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        let allowed = bytes.get(..size(self.bytes_left)).unwrap_or(bytes);
        let [first, ..] = *allowed else {
            return Err(Malformed::TooLarge);
        };
        let taken = match self.state {
            State::Body(left) => {
                self.visit();
                self.skip_body(left, allowed.len())
            }
            State::Free(length) => self.pass_text(length, allowed)?,
            _ => {
                self.visit();
                self.state = self.next_state(first)?;
                1
            }
        };
        self.bytes_left = self.bytes_left.saturating_sub(count(taken));
        self.judge_push();
        Ok(taken)
    }

    fn judge_push(&mut self) {
        self.too_long |= self.is_push && self.bytes_used() > self.limits.push_bytes;
    }

    /// Not the state, which the first byte decides, nor the nesting: the last frame left it empty.
    fn begin_frame(&mut self) {
        self.bytes_left = self.limits.reply_bytes;
        self.values_left = self.limits.reply_elements;
        self.value_start = 0;
        (self.is_push, self.inner_push, self.too_long) = (false, false, false);
    }

    fn next_state(&mut self, byte: u8) -> Result<State, Malformed> {
        match (self.state, byte) {
            (State::Between | State::Value, _) => self.begin_value(Type::from_byte(byte)?),
            (State::Header(kind, length), _) => self.header(kind, length, byte),
            (State::Line(text, length), _) => self.line(text, length, byte),
            (State::Format(0, body), b':') => Ok(body_of(body)),
            (State::Format(0, _), _) => Err(Malformed::Verbatim),
            (State::Format(before, body), _) => Ok(State::Format(before.saturating_sub(1), body)),
            (State::BodyEnd, b'\r') => Ok(State::LineEnd(Next::Settle)),
            (State::LineEnd(next), b'\n') => Ok(self.enter(next)),
            // The last three do not come here: `step` passes over texts and bodies at once.
            (
                State::BodyEnd
                | State::LineEnd(_)
                | State::Free(_)
                | State::Body(_)
                | State::Failed(_),
                _,
            ) => Err(Malformed::LineEnd),
        }
    }

    /// Every value counts, also those of attributes: an endless row of `|0` ends here.
    fn begin_value(&mut self, kind: Type) -> Result<State, Malformed> {
        self.values_left = self.values_left.checked_sub(1).ok_or(Malformed::TooManyElements)?;
        match (kind, self.nesting.is_empty()) {
            // Also of an attribute: what it belongs to follows, and overwrites it.
            (_, true) => {
                self.value_start = self.bytes_used();
                self.is_push = kind == Type::Push;
            }
            (Type::Push, false) => self.inner_push = true,
            _ => {}
        }
        Ok(match Text::of(kind) {
            Some(text) => State::Line(text, 0),
            None if kind.is_free() => State::Free(0),
            None => State::Header(kind, Length::EMPTY),
        })
    }

    fn header(&mut self, kind: Type, length: Length, byte: u8) -> Result<State, Malformed> {
        match byte {
            b'\r' => {
                let announced = length.finish().ok_or(Malformed::Length)?;
                self.announced(kind, announced).map(State::LineEnd)
            }
            b'\n' => Err(Malformed::LineEnd),
            b'?' if length.is_empty() => Err(Malformed::Streamed),
            _ => Ok(State::Header(kind, length.push(byte).ok_or(Malformed::Length)?)),
        }
    }

    /// Judges what a header announces, before any of it arrives.
    fn announced(&mut self, kind: Type, announced: Announced) -> Result<Next, Malformed> {
        let length = match announced {
            Announced::Null if kind.has_null() => return Ok(Next::Settle),
            Announced::Null => return Err(Malformed::Length),
            Announced::Count(length) => length,
        };
        match kind {
            Type::Bulk | Type::BulkError => self.bulk(length).map(Next::Body),
            Type::Verbatim => {
                let text = self.bulk(length)?.checked_sub(FORMAT_AND_COLON);
                text.map(Next::Format).ok_or(Malformed::Verbatim)
            }
            _ => {
                let values = self.aggregate(kind.values(length), self.values_left)?;
                Ok(Next::Values(kind, values))
            }
        }
    }

    fn bulk(&mut self, length: u64) -> Result<u32, Malformed> {
        // The header's own CR LF is still to be counted, and there is one more behind the body.
        let fits =
            |length: &u32| self.bytes_left.checked_sub(4).is_some_and(|most| *length <= most);
        let length = u32::try_from(length).ok().filter(fits).ok_or(Malformed::TooLarge)?;
        self.too_long |= length > self.limits.bulk_bytes;
        Ok(length)
    }

    fn aggregate(&self, values: u64, values_left: u32) -> Result<u32, Malformed> {
        if self.nesting.depth >= self.limits.depth.min(DEPTH_MAX) {
            return Err(Malformed::TooDeep);
        }
        let most = self.limits.aggregate_elements.min(values_left);
        u32::try_from(values)
            .ok()
            .filter(|values| *values <= most)
            .ok_or(Malformed::TooManyElements)
    }

    #[inline(never)] // Rare: it would only spread the state of the common bytes over the stack.
    fn line(&mut self, text: Text, length: u32, byte: u8) -> Result<State, Malformed> {
        match byte {
            b'\r' => text.finish().map(|()| State::LineEnd(Next::Settle)),
            b'\n' => Err(Malformed::LineEnd),
            _ => Ok(State::Line(text.push(byte)?, self.longer(length, 1))),
        }
    }

    /// Passes over free text up to and with the byte that ends it.
    fn pass_text(&mut self, length: u32, bytes: &[u8]) -> Result<usize, Malformed> {
        let passed = text_len(bytes);
        self.visit_all(bytes.len().min(passed.saturating_add(1)));
        let length = self.longer(length, passed);
        self.state = match bytes.get(passed) {
            Some(b'\r') => State::LineEnd(Next::Settle),
            Some(_) => return Err(Malformed::LineEnd),
            None => State::Free(length),
        };
        Ok(bytes.len().min(passed.saturating_add(1)))
    }

    fn longer(&mut self, length: u32, by: usize) -> u32 {
        let length = length.saturating_add(count(by));
        self.too_long |= length > self.limits.line_bytes;
        length
    }

    fn skip_body(&mut self, left: u32, available: usize) -> usize {
        let taken = available.min(size(left));
        self.state = body_of(left.saturating_sub(count(taken)));
        taken
    }

    fn enter(&mut self, next: Next) -> State {
        match next {
            Next::Settle => self.settle(),
            Next::Format(text) => State::Format(FORMAT, text),
            Next::Body(length) => body_of(length),
            Next::Values(kind, values) => self.enter_aggregate(kind, values),
        }
    }

    fn enter_aggregate(&mut self, kind: Type, values: u32) -> State {
        let aside = match kind {
            Type::Attribute => true,
            Type::Push => !self.nesting.is_empty(),
            _ => false,
        };
        if values > 0 {
            self.nesting.open(values, aside);
        } else if !aside {
            return self.settle();
        }
        State::Value
    }

    fn settle(&mut self) -> State {
        if self.nesting.settle() { State::Between } else { State::Value }
    }

    const fn bytes_used(&self) -> u32 {
        self.limits.reply_bytes.saturating_sub(self.bytes_left)
    }

    /// Called for every byte that is looked at, and for what is passed over at once, so that a test can
    /// count.
    #[inline]
    fn visit(&mut self) {
        self.visit_all(1);
    }

    #[inline]
    fn visit_all(&mut self, looked_at: usize) {
        #[cfg(test)]
        {
            self.visits = self.visits.saturating_add(looked_at);
        }
        #[cfg(not(test))]
        let _ = looked_at;
    }
}

/// The least of what can bound a frame of one value.
const fn shortest_bound(limits: &Limits) -> u32 {
    let Limits { line_bytes: line, bulk_bytes: bulk, reply_bytes: reply, .. } = *limits;
    let stored = if line < bulk { line } else { bulk };
    match limits.reply_elements {
        0 => 0,
        _ if stored < reply => stored,
        _ => reply,
    }
}

/// Bytes of the format of a verbatim string, as in `txt`; then with the colon behind it.
const FORMAT: u8 = 3;
const FORMAT_AND_COLON: u32 = 4;

const fn body_of(left: u32) -> State {
    if left == 0 { State::BodyEnd } else { State::Body(left) }
}

/// A count of bytes, as wide as memory. Where that is too narrow, memory is the tighter bound.
fn size(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn count(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}
