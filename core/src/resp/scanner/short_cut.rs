//! Common values that are there as a whole, taken at once.

use super::{Scanner, count, size};
#[cfg(test)]
use crate::resp::whole::REACH;
use crate::resp::whole::{IS_USED, Whole, frame_len, is_header, whole};
use crate::resp::{Malformed, Reply, Type};

impl Scanner {
    /// The value that lies whole at the front of `bytes`, if it is a common one.
    #[inline(always)]
    pub(super) fn look<'a>(&mut self, bytes: &'a [u8]) -> Option<Whole<'a>> {
        let value = whole(bytes);
        #[cfg(test)]
        self.visit_all(looked_at(bytes, value.as_ref().map(|value| value.len)));
        value
    }

    /// Of a frame that [`Self::take_frame`] has not taken: another value than a header was looked at already.
    #[inline(always)]
    pub(super) fn look_at_header<'a>(&mut self, bytes: &'a [u8]) -> Option<Whole<'a>> {
        if is_header(bytes) { self.look(bytes) } else { None }
    }

    /// Takes a frame that is a single short value: nothing is left to remember of it.
    #[inline(always)]
    pub(super) fn take_frame(&mut self, bytes: &[u8]) -> Option<usize> {
        let len = frame_len(bytes);
        #[cfg(test)]
        if !is_header(bytes) {
            self.visit_all(looked_at(bytes, len));
        }
        let len = len.filter(|len| *len <= size(self.short))?;
        self.value_start = 0;
        (self.is_push, self.inner_push, self.too_long) = (false, false, false);
        Some(len)
    }

    /// Takes what was found, if it is within all limits; else one byte, which begins a value.
    #[inline(always)]
    pub(super) fn take_value(
        &mut self,
        value: Option<&Whole<'_>>,
        bytes: &[u8],
    ) -> Result<usize, Malformed> {
        match value.filter(|_| IS_USED).and_then(|value| self.take_whole(value)) {
            Some(taken) => Ok(taken),
            None => self.step(bytes),
        }
    }

    #[inline(always)]
    fn take_whole(&mut self, value: &Whole<'_>) -> Option<usize> {
        let bytes_left = self.bytes_left.checked_sub(count(value.len))?;
        let values_left = self.values_left.checked_sub(1)?;
        let values = match value.reply {
            Reply::Array(elements) | Reply::Map(elements) => {
                self.aggregate(elements.len().into(), values_left).ok()?
            }
            _ => 0,
        };
        if self.nesting.is_empty() {
            self.value_start = self.bytes_used();
            self.is_push = false;
        }
        self.too_long |= self.is_too_long(value);
        (self.bytes_left, self.values_left) = (bytes_left, values_left);
        self.judge_push();
        self.state = match values {
            0 => self.settle(),
            _ => self.enter_aggregate(Type::Array, values),
        };
        Some(value.len)
    }

    #[inline(always)]
    fn is_too_long(&self, value: &Whole<'_>) -> bool {
        match value.reply {
            Reply::Bulk(body) => count(body.len()) > self.limits.bulk_bytes,
            Reply::Simple(line) | Reply::Error(line) => count(line.len()) > self.limits.line_bytes,
            Reply::Integer(_) => count(value.len.saturating_sub(3)) > self.limits.line_bytes,
            _ => false,
        }
    }
}

/// Bytes that were looked at to find a value of `len` bytes, or to find none: a first line, as far as it
/// reaches. The body of a bulk is passed over at once.
#[cfg(test)]
fn looked_at(bytes: &[u8], len: Option<usize>) -> usize {
    match (len, bytes) {
        _ if !IS_USED => 0,
        (Some(len), [b'$', ..]) => match whole(bytes) {
            Some(Whole { reply: Reply::Bulk(body), .. }) => {
                len.saturating_sub(body.len()).saturating_add(1)
            }
            _ => len,
        },
        (Some(len), _) => len,
        (None, _) => {
            bytes.split_inclusive(|byte| *byte == b'\n').next().map_or(0, <[u8]>::len).min(REACH)
        }
    }
}
