//! The commands of every cycle, ready-made: bytes with gaps for key, token and ttl.
//!
//! Each writes what a visit of its command gives, in a fifth of the time; a test compares the two.

use crate::resp::{Decimal, Wire, bulk_len};
use crate::script::{EXTEND, RELEASE, Script};
use crate::time::Ttl;
use crate::token::Token;

/// Where words are narrow, flash is too, and a command waits for a slow line anyway.
pub(super) const IS_USED: bool = cfg!(target_pointer_width = "64");

const SET: &[u8; 13] = b"*6\r\n$3\r\nSET\r\n";
const NX_PX: &[u8; 16] = b"$2\r\nNX\r\n$2\r\nPX\r\n";
const GET: &[u8; 13] = b"*2\r\n$3\r\nGET\r\n";
/// Before the number of arguments, up to the digest, and behind it.
const EVALSHA: &[u8; 20] = b"\r\n$7\r\nEVALSHA\r\n$40\r\n";
const ONE_KEY: &[u8; 9] = b"\r\n$1\r\n1\r\n";

/// Bytes of a token behind its length.
const TOKEN: usize = b"$40\r\n".len() + Token::LEN + b"\r\n".len();
/// Bytes of what names a script, digest and all.
const SCRIPT: usize = b"*5".len() + EVALSHA.len() + RELEASE.digest().len() + ONE_KEY.len();

pub(super) fn claim(key: &[u8], token: &Token, ttl: Ttl, out: &mut [u8]) -> Option<usize> {
    const FIXED: usize = SET.len() + TOKEN + NX_PX.len();
    let ttl = Decimal::new(ttl.as_millis());
    let ttl = ttl.as_bytes();
    let len = FIXED.saturating_add(bulk_len(key)).saturating_add(bulk_len(ttl));
    let mut wire = Wire::new(out, len)?;
    wire.raw(SET);
    wire.bulk(key);
    put_token(&mut wire, token);
    wire.raw(NX_PX);
    wire.bulk(ttl);
    wire.is_full().then_some(len)
}

pub(super) fn read(key: &[u8], out: &mut [u8]) -> Option<usize> {
    let len = GET.len().saturating_add(bulk_len(key));
    let mut wire = Wire::new(out, len)?;
    wire.raw(GET);
    wire.bulk(key);
    wire.is_full().then_some(len)
}

pub(super) fn extend(key: &[u8], token: &Token, ttl: Ttl, out: &mut [u8]) -> Option<usize> {
    let ttl = Decimal::new(ttl.as_millis());
    let ttl = ttl.as_bytes();
    let len = (SCRIPT + TOKEN).saturating_add(bulk_len(key)).saturating_add(bulk_len(ttl));
    let mut wire = Wire::new(out, len)?;
    put_script(&mut wire, b"*6", &EXTEND);
    wire.bulk(key);
    put_token(&mut wire, token);
    wire.bulk(ttl);
    wire.is_full().then_some(len)
}

pub(super) fn release(key: &[u8], token: &Token, out: &mut [u8]) -> Option<usize> {
    let len = (SCRIPT + TOKEN).saturating_add(bulk_len(key));
    let mut wire = Wire::new(out, len)?;
    put_script(&mut wire, b"*5", &RELEASE);
    wire.bulk(key);
    put_token(&mut wire, token);
    wire.is_full().then_some(len)
}

fn put_script(wire: &mut Wire<'_>, arguments: &[u8; 2], script: &Script) {
    wire.raw(arguments);
    wire.raw(EVALSHA);
    wire.raw(script.digest());
    wire.raw(ONE_KEY);
}

fn put_token(wire: &mut Wire<'_>, token: &Token) {
    wire.raw(b"$40\r\n");
    wire.raw(&token.to_hex());
    wire.raw(b"\r\n");
}
