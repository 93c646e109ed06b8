//! The one way by which bytes leave for a server.

use super::wire::{Wire, bulk_len, head_len};
use core::fmt;

/// The arguments of one command, its name first.
///
/// The codec writes them, and so does an adapter over a foreign client. Two visits must give the
/// same arguments.
pub trait Arguments {
    /// Hands every argument to `put`, in order.
    fn visit(&self, put: &mut dyn FnMut(&[u8]));

    /// Writes the command to the front of `out`, as [`encode`] says. Leave it as it is: only a command
    /// that is written often and knows its bytes beforehand is better off with its own, and that must
    /// write what a visit gives.
    fn write(&self, out: &mut [u8]) -> Option<usize> {
        encode_visited(&self, out)
    }
}

impl Arguments for [&[u8]] {
    fn visit(&self, put: &mut dyn FnMut(&[u8])) {
        self.iter().for_each(|argument| put(argument));
    }
}

impl<const N: usize> Arguments for [&[u8]; N] {
    fn visit(&self, put: &mut dyn FnMut(&[u8])) {
        self.as_slice().visit(put);
    }
}

impl<A: Arguments + ?Sized> Arguments for &A {
    fn visit(&self, put: &mut dyn FnMut(&[u8])) {
        (**self).visit(put);
    }

    fn write(&self, out: &mut [u8]) -> Option<usize> {
        (**self).write(out)
    }
}

/// Bytes that [`encode`] writes, at most `usize::MAX`. Zero without arguments.
#[must_use]
pub fn encoded_len(arguments: &(impl Arguments + ?Sized)) -> usize {
    measure(&arguments).1
}

/// Writes a command to the front of `out`, as an array of bulk strings. Every argument carries its
/// length, so its bytes can be anything and are never read as protocol.
///
/// All or nothing: gives the bytes written, or `None` when they do not fit `out`. A command without
/// arguments gives `None` too, because a server does not answer it.
///
/// Source: [sending commands](https://redis.io/docs/latest/develop/reference/protocol-spec/#sending-commands-to-a-redis-server).
pub fn encode(arguments: &(impl Arguments + ?Sized), out: &mut [u8]) -> Option<usize> {
    arguments.write(out)
}

/// One copy for all kinds of arguments.
pub(crate) fn encode_visited(arguments: &dyn Arguments, out: &mut [u8]) -> Option<usize> {
    let (count, len) = measure(arguments);
    if count == 0 {
        return None;
    }
    let mut wire = Wire::new(out, len)?;
    wire.head(b'*', count);
    arguments.visit(&mut |argument| wire.bulk(argument));
    // Something is left, or was lacking, only if the second visit gave other arguments.
    wire.is_full().then_some(len)
}

/// How many arguments, and how many bytes they take on the wire.
fn measure(arguments: &dyn Arguments) -> (usize, usize) {
    let mut count = 0_usize;
    let mut len = 0_usize;
    arguments.visit(&mut |argument| {
        count = count.saturating_add(1);
        len = len.saturating_add(bulk_len(argument));
    });
    if count == 0 { (0, 0) } else { (count, len.saturating_add(head_len(count))) }
}

/// The digit of a number below ten.
pub(super) fn digit(number: impl TryInto<u8>) -> u8 {
    b'0'.saturating_add(number.try_into().unwrap_or(0))
}

/// A number in ASCII digits, without an allocation.
#[derive(Clone, Copy)]
pub struct Decimal {
    /// Written from the end: the digits are behind `start`.
    bytes: [u8; Decimal::DIGITS_MAX],
    start: usize,
}

impl Decimal {
    /// `u64::MAX` has 20 digits.
    const DIGITS_MAX: usize = 20;

    /// The digits of `number`, without leading zeros.
    #[must_use]
    #[inline(never)] // Division of 64 bits is long on 32-bit machines: one copy is enough.
    pub fn new(number: u64) -> Self {
        let mut decimal = Self { bytes: [0; Self::DIGITS_MAX], start: Self::DIGITS_MAX };
        let mut rest = number;
        loop {
            decimal.start = decimal.start.wrapping_sub(1);
            if let Some(place) = decimal.bytes.get_mut(decimal.start) {
                *place = digit(rest % 10);
            }
            rest /= 10;
            if rest == 0 {
                return decimal;
            }
        }
    }

    /// The digits.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(self.as_bytes()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{Arguments, Decimal, encode, encoded_len};
    use std::string::ToString;

    #[test]
    fn decimals() {
        for number in [0, 1, 9, 10, 99, 100, 12_345, u64::MAX - 1, u64::MAX] {
            assert_eq!(Decimal::new(number).as_bytes(), number.to_string().as_bytes());
        }
    }

    /// Requirement 15: any bytes are data.
    #[test]
    fn arguments_carry_their_length() {
        let hostile: [&[u8]; 3] = [b"GET", b"\r\n*1\r\n$8\r\nFLUSHALL\r\n", b"\0{}"];
        let expected = b"*3\r\n$3\r\nGET\r\n$20\r\n\r\n*1\r\n$8\r\nFLUSHALL\r\n\r\n$3\r\n\0{}\r\n";
        let mut out = [0; 128];
        assert_eq!(encode(&hostile, &mut out), Some(expected.len()));
        assert_eq!(out.get(..expected.len()), Some(expected.as_slice()));
        assert_eq!(encoded_len(&hostile), expected.len());
    }

    #[test]
    fn all_or_nothing() {
        let ping: [&[u8]; 2] = [b"PING", b""];
        let expected = b"*2\r\n$4\r\nPING\r\n$0\r\n\r\n";
        for room in 0..expected.len() + 3 {
            let mut out = [0xaa; 64];
            let out = out.split_at_mut(room).0;
            let fits = room >= expected.len();
            assert_eq!(encode(&ping, out), fits.then_some(expected.len()), "{room}");
            assert!(fits || out.iter().all(|byte| *byte == 0xaa), "{room}");
        }
    }

    #[test]
    fn a_command_without_arguments_is_none() {
        let nothing: [&[u8]; 0] = [];
        assert_eq!((encoded_len(&nothing), encode(&nothing, &mut [0; 9])), (0, None));
    }

    #[test]
    fn arguments_that_change_between_visits_are_refused() {
        struct Fickle(core::cell::Cell<usize>, [usize; 2]);
        impl Arguments for Fickle {
            fn visit(&self, put: &mut dyn FnMut(&[u8])) {
                let visit = self.0.replace(1);
                for _ in 0..self.1.get(visit).copied().unwrap_or(0) {
                    put(b"x");
                }
            }
        }
        for visits in [[1, 2], [2, 1], [1, 0]] {
            assert_eq!(encode(&Fickle(0.into(), visits), &mut [0; 64]), None, "{visits:?}");
        }
    }
}
