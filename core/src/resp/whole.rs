//! Values that lie whole in the bytes at hand, read in one go.
//!
//! Most replies are short and come in one piece. For these the state machine of the
//! [`Scanner`](super::Scanner), which can stop at every byte, is a detour. This is the short cut. It
//! is no second grammar: whatever it takes, the machine takes in the same way, and whatever it does
//! not take, the machine reads from its beginning, and finds the fault if there is one.
//!
//! It looks at the bytes of one value only, at [`REACH`] of them at most, and is tried once for each
//! value. So a byte is looked at twice at worst.

use super::{Elements, Reply};
use crate::token::Token;

const _: () = assert!(Token::LEN == 40, "as the header says");

/// A value at the front of some bytes; of an aggregate only its header.
pub(super) struct Whole<'a> {
    pub(super) reply: Reply<'a>,
    /// Bytes it takes.
    pub(super) len: usize,
}

impl Whole<'_> {
    /// Whether nothing of the value follows.
    pub(super) const fn is_all(&self) -> bool {
        match self.reply {
            Reply::Array(elements) | Reply::Map(elements) => elements.is_empty(),
            _ => true,
        }
    }
}

/// Where words are narrow, flash is too: the short cut would be an eighth of it, to save what nobody
/// notices on a slow line.
pub(super) const IS_USED: bool = cfg!(target_pointer_width = "64");

/// Bytes of a value that are looked at before it is left to the state machine.
pub(super) const REACH: usize = 64;

/// Text in a line of so many bytes.
const TEXT: usize = REACH - b"+\r\n".len();

/// Digits that always fit 64 bits signed, and of lengths 32 bits.
const DIGITS: usize = 18;
const LENGTH_DIGITS: usize = 9;

/// A token, and what stands around it.
const TOKEN: &[u8] = b"$40\r\n";
const TOKEN_FRAME: usize = TOKEN.len() + Token::LEN + b"\r\n".len();

/// The length of a frame that lies whole at the front of `bytes`, if it is a single value that [`whole`] reads.
#[inline(always)]
pub(super) fn frame_len(bytes: &[u8]) -> Option<usize> {
    if !IS_USED {
        return None;
    }
    if bytes.starts_with(b"+OK\r\n") {
        return Some(5);
    }
    if bytes.starts_with(TOKEN) {
        return bytes.get(..TOKEN_FRAME)?.ends_with(b"\r\n").then_some(TOKEN_FRAME);
    }
    match bytes {
        [b':', b'0'..=b'9', b'\r', b'\n', ..] => Some(4),
        [b':', b'-', b'0'..=b'9', b'\r', b'\n', ..] | [b'$', b'-', b'1', b'\r', b'\n', ..] => {
            Some(5)
        }
        [b'_', b'\r', b'\n', ..] => Some(3),
        [b'-', behind @ ..] => line_len(behind).map(|len| len.wrapping_add(3)),
        _ => rare_frame_len(bytes),
    }
}

#[inline(never)] // Apart from the path of the most common.
fn rare_frame_len(bytes: &[u8]) -> Option<usize> {
    if is_header(bytes) { None } else { whole(bytes).map(|value| value.len) }
}

/// Whether an aggregate begins here of which [`whole`] reads the header.
#[inline(always)]
pub(super) const fn is_header(bytes: &[u8]) -> bool {
    matches!(bytes, [b'*' | b'%', ..])
}

/// The types that come often; the others are left to the state machine.
#[inline(always)]
pub(super) fn whole(bytes: &[u8]) -> Option<Whole<'_>> {
    if !IS_USED {
        return None;
    }
    if bytes.starts_with(b"+OK\r\n") {
        return Some(Whole { reply: Reply::Simple(b"OK"), len: 5 });
    }
    let (first, behind) = bytes.split_first()?;
    let (reply, rest) = match first {
        b'+' => line(behind).map(|(line, rest)| (Reply::Simple(line), rest))?,
        b'-' => line(behind).map(|(line, rest)| (Reply::Error(line), rest))?,
        b'$' => bulk(behind)?,
        b':' => integer(behind)?,
        b'_' => (Reply::Null, behind.strip_prefix(b"\r\n")?),
        b'*' => elements(behind, 1).map(|(elements, rest)| (Reply::Array(elements), rest))?,
        b'%' => elements(behind, 2).map(|(elements, rest)| (Reply::Map(elements), rest))?,
        _ => return None,
    };
    Some(Whole { reply, len: bytes.len().wrapping_sub(rest.len()) })
}

/// The view of a common frame that a scanner has passed: its end is known, so it is not read again.
#[inline(always)]
pub(super) fn scanned(frame: &[u8]) -> Option<Reply<'_>> {
    if !IS_USED {
        return None;
    }
    Some(match frame {
        [b'+', line @ .., b'\r', b'\n'] => Reply::Simple(line),
        _ if frame.len() == TOKEN_FRAME && frame.starts_with(TOKEN) => {
            const END: usize = TOKEN.len() + Token::LEN;
            Reply::Bulk(frame.get(TOKEN.len()..END)?)
        }
        [b'-', line @ .., b'\r', b'\n'] => Reply::Error(line),
        [b':', one @ b'0'..=b'9', b'\r', b'\n'] => Reply::Integer(one.wrapping_sub(b'0').into()),
        [b':', b'-', one @ b'0'..=b'9', b'\r', b'\n'] => {
            Reply::Integer(i64::from(one.wrapping_sub(b'0')).wrapping_neg())
        }
        b"$-1\r\n" | b"_\r\n" => Reply::Null,
        _ => whole(frame)?.reply,
    })
}

/// A token is what a claim is proved with and a release is answered by. `-1` announces a null.
#[inline(always)]
fn bulk(bytes: &[u8]) -> Option<(Reply<'_>, &[u8])> {
    if let [b'-', b'1', b'\r', b'\n', rest @ ..] = bytes {
        return Some((Reply::Null, rest));
    }
    let (length, rest) = length(bytes)?;
    let (body, end) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((Reply::Bulk(body), end.strip_prefix(b"\r\n")?))
}

/// The elements announced, each entry being so many values, and what follows the header.
#[inline]
fn elements(bytes: &[u8], values: u32) -> Option<(Elements<'_>, &[u8])> {
    let (count, rest) = length(bytes)?;
    let elements = match count {
        0 => Elements { left: 0, bytes: &[] },
        _ => Elements { left: count.checked_mul(values)?, bytes: rest },
    };
    Some((elements, rest))
}

#[inline(always)]
fn integer(bytes: &[u8]) -> Option<(Reply<'_>, &[u8])> {
    match bytes {
        [one @ b'0'..=b'9', b'\r', b'\n', rest @ ..] => {
            Some((Reply::Integer(one.wrapping_sub(b'0').into()), rest))
        }
        _ => long_integer(bytes),
    }
}

#[inline(never)]
fn long_integer(bytes: &[u8]) -> Option<(Reply<'_>, &[u8])> {
    let (negative, text) = match bytes {
        [b'-', text @ ..] => (true, text),
        [b'+', text @ ..] => (false, text),
        text => (false, text),
    };
    let (value, _, rest) = digits(text, DIGITS)?;
    let value = i64::try_from(value).ok()?;
    Some((Reply::Integer(if negative { value.wrapping_neg() } else { value }), rest))
}

/// A length without leading zeros, up to and with its CR LF. One of two digits at most is read by
/// comparing.
#[inline(always)]
fn length(bytes: &[u8]) -> Option<(u32, &[u8])> {
    match bytes {
        [one @ b'0'..=b'9', b'\r', b'\n', rest @ ..] => {
            return Some((one.wrapping_sub(b'0').into(), rest));
        }
        [ten @ b'1'..=b'9', one @ b'0'..=b'9', b'\r', b'\n', rest @ ..] => {
            let ten = u32::from(ten.wrapping_sub(b'0')).wrapping_mul(10);
            return Some((ten.wrapping_add(one.wrapping_sub(b'0').into()), rest));
        }
        _ => {}
    }
    long_length(bytes)
}

#[inline(never)]
fn long_length(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (value, count, rest) = digits(bytes, LENGTH_DIGITS)?;
    let leading_zero = count > 1 && bytes.first() == Some(&b'0');
    if leading_zero { None } else { Some((u32::try_from(value).ok()?, rest)) }
}

/// A number of `most` digits, how many there are, and what follows its CR LF.
#[inline]
fn digits(bytes: &[u8], most: usize) -> Option<(u64, usize, &[u8])> {
    let (mut value, mut count, mut rest) = (0_u64, 0_usize, bytes);
    while let [byte, behind @ ..] = rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.wrapping_mul(10).wrapping_add(digit.into());
        count = count.wrapping_add(1);
        rest = behind;
        if count > most {
            return None;
        }
    }
    match rest {
        [b'\r', b'\n', rest @ ..] if count > 0 => Some((value, count, rest)),
        _ => None,
    }
}

/// A line of any text, without its end, and what follows.
#[inline]
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (line, end) = bytes.split_at_checked(line_len(bytes)?)?;
    Some((line, end.get(2..)?))
}

/// Bytes of the text that CR and LF end.
#[inline]
fn line_len(bytes: &[u8]) -> Option<usize> {
    let len = text_len(bytes.get(..TEXT).unwrap_or(bytes));
    bytes.get(len..)?.starts_with(b"\r\n").then_some(len)
}

/// Bytes before the first CR or LF, eight at a time. All of them when there is none.
#[inline]
pub(super) fn text_len(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((eight, behind)) = rest.split_first_chunk().filter(|_| IS_USED) {
        let low = low_bytes(u64::from_le_bytes(*eight));
        if low != 0 {
            let before = usize::try_from(low.trailing_zeros() / u8::BITS).unwrap_or(0);
            if matches!(rest.get(before), Some(b'\r' | b'\n')) {
                return bytes.len().wrapping_sub(rest.len()).wrapping_add(before);
            }
            break;
        }
        rest = behind;
    }
    let passed = bytes.len().wrapping_sub(rest.len());
    let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
    passed.wrapping_add(end.unwrap_or(rest.len()))
}

/// Sets the high bit of the first byte, from the low end, that is below 16, as CR and LF are and hardly
/// anything else in a text. Bytes above it may be marked without being so.
#[inline]
const fn low_bytes(word: u64) -> u64 {
    const SIXTEENS: u64 = u64::from_ne_bytes([16; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    word.wrapping_sub(SIXTEENS) & !word & HIGH
}
