//! What goes over the wire.

pub(crate) const KEY: &[u8] = b"orders:17";
pub(crate) const HEX: &[u8; 40] = b"000102030405060708090a0b0c0d0e0f10111213";
pub(crate) const TTL: u64 = 30_000;

pub(crate) const OK: &[u8] = b"+OK\r\n";
pub(crate) const ONE: &[u8] = b":1\r\n";
pub(crate) const NULL_2: &[u8] = b"$-1\r\n";
pub(crate) const NULL_3: &[u8] = b"_\r\n";
pub(crate) const TOKEN: &[u8] = b"$40\r\n000102030405060708090a0b0c0d0e0f10111213\r\n";
pub(crate) const ERROR: &[u8] = b"-NOSCRIPT No matching script. Please use EVAL.\r\n";
pub(crate) const HELLO: &[u8] = b"%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n\
    7.0.15\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:4\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n\
    $6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n";

/// Replies in a pipeline.
pub(crate) const MIXED: usize = 1_000;

/// The replies of cycles in turn, one after the other. Every codec here knows all of them.
pub(crate) fn mixed(null: &[u8]) -> Vec<u8> {
    [OK, TOKEN, TOKEN, null, ONE, OK, TOKEN, ERROR, OK, b":-1\r\n"].repeat(MIXED / 10).concat()
}
