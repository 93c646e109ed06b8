//! The bytes of one command, written from the front of some room.

use super::encode::{Decimal, digit};

/// Where words are narrow, flash is too: there is one way to write, not a quick one for short pieces.
const IS_NARROW: bool = !cfg!(target_pointer_width = "64");

/// Bytes of one argument behind its length. Saturates.
pub(crate) fn bulk_len(argument: &[u8]) -> usize {
    head_len(argument.len()).saturating_add(argument.len()).saturating_add(2)
}

/// Bytes of a type, a number and CR LF.
pub(super) fn head_len(number: usize) -> usize {
    let (mut len, mut rest) = (4_usize, number);
    while rest >= 10 {
        len = len.saturating_add(1);
        rest /= 10;
    }
    len
}

/// Room for exactly as many bytes as will be written. What is written beyond it is lost, and
/// [`Wire::is_full`] says that it was.
pub(crate) struct Wire<'a> {
    /// `None` once something did not fit.
    rest: Option<&'a mut [u8]>,
}

impl<'a> Wire<'a> {
    /// The first `len` bytes of `out`, if there are so many. Nothing is touched before.
    #[inline]
    pub(crate) fn new(out: &'a mut [u8], len: usize) -> Option<Self> {
        Some(Self { rest: Some(out.get_mut(..len)?) })
    }

    /// Bytes as they stand on the wire.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(crate) fn raw<const N: usize>(&mut self, bytes: &[u8; N]) {
        if IS_NARROW {
            return self.put(bytes);
        }
        self.rest = self.rest.take().and_then(|rest| {
            let (room, behind) = rest.split_first_chunk_mut()?;
            *room = *bytes;
            Some(behind)
        });
    }

    /// One argument, behind its length.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(crate) fn bulk(&mut self, argument: &[u8]) {
        self.head(b'$', argument.len());
        self.put(argument);
        self.raw(b"\r\n");
    }

    /// A type, a number and CR LF.
    #[inline]
    pub(crate) fn head(&mut self, kind: u8, number: usize) {
        match u8::try_from(number) {
            _ if IS_NARROW => self.long_head(kind, number),
            Ok(one @ 0..=9) => self.raw(&[kind, digit(one), b'\r', b'\n']),
            Ok(two @ 10..=99) => {
                self.raw(&[kind, digit(two / 10), digit(two % 10), b'\r', b'\n']);
            }
            _ => self.long_head(kind, number),
        }
    }

    #[inline(never)]
    fn long_head(&mut self, kind: u8, number: usize) {
        let digits = Decimal::new(u64::try_from(number).unwrap_or(u64::MAX));
        self.raw(&[kind]);
        self.put(digits.as_bytes());
        self.raw(b"\r\n");
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn put(&mut self, bytes: &[u8]) {
        self.rest = self.rest.take().and_then(|rest| {
            let (room, behind) = rest.split_at_mut_checked(bytes.len())?;
            room.copy_from_slice(bytes);
            Some(behind)
        });
    }

    /// Whether just as much was written as there was room for.
    pub(crate) fn is_full(&self) -> bool {
        self.rest.as_ref().is_some_and(|rest| rest.is_empty())
    }
}
