//! The two scripts, and their SHA-1 digests computed at compile time.
//!
//! Both act only when the value is ours, in one step on the server. Done, they answer with the token
//! itself: a reply that slipped in from elsewhere cannot pass for success. Otherwise they say what
//! they found: `0` the key is gone, `-1` the value is somebody else's. A key of another type makes
//! `GET` fail with `WRONGTYPE`, which is also somebody else's.
//!
//! Where a server has a command that compares and deletes, that takes the place of [`RELEASE`]: see
//! [`dialect`](crate::dialect).
//!
//! Source: [`EVALSHA`](https://redis.io/docs/latest/commands/evalsha/) and the "Distributed locks"
//! pattern in the Redis documentation.

/// A script as the server runs it: one key, and arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script {
    source: &'static str,
    digest: [u8; 40],
}

/// Compare and delete. `KEYS[1]` the key, `ARGV[1]` the token.
pub const RELEASE: Script = Script::new(
    "local v=redis.call('GET',KEYS[1]) \
     if v==ARGV[1] then redis.call('DEL',KEYS[1]) return v end \
     if v then return -1 end \
     return 0",
);

/// Compare and extend. `KEYS[1]` the key, `ARGV[1]` the token, `ARGV[2]` the ttl in milliseconds.
///
/// It uses `PEXPIRE`, which works when the memory is full; a `SET` would be refused then and a lock
/// that is still held would be lost.
pub const EXTEND: Script = Script::new(
    "local v=redis.call('GET',KEYS[1]) \
     if v==ARGV[1] then redis.call('PEXPIRE',KEYS[1],ARGV[2]) return v end \
     if v then return -1 end \
     return 0",
);

impl Script {
    const fn new(source: &'static str) -> Self {
        Self { source, digest: hex(sha1(source.as_bytes())) }
    }

    /// The Lua text, for `EVAL`.
    #[must_use]
    pub const fn source(&self) -> &'static str {
        self.source
    }

    /// The digest in lower-case hexadecimal, for `EVALSHA`.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 40] {
        &self.digest
    }
}

/// SHA-1 (RFC 3174) of a short text, at compile time only: a mistake stops the build, it cannot
/// panic in a running program.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
const fn sha1(message: &[u8]) -> [u32; 5] {
    let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0_u32];
    let blocks = (message.len() + 9).div_ceil(64);
    let mut block = 0;
    while block < blocks {
        let mut words = [0_u32; 80];
        let mut i = 0;
        while i < 64 {
            let byte = padded(message, blocks, block * 64 + i) as u32;
            words[i / 4] |= byte << (24 - 8 * (i % 4));
            i += 1;
        }
        state = compress(state, words);
        block += 1;
    }
    state
}

/// Byte `at` of the message after padding: the text, 0x80, zeros, the length in bits.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
const fn padded(message: &[u8], blocks: usize, at: usize) -> u8 {
    let length = (message.len() as u64 * 8).to_be_bytes();
    let tail = blocks * 64 - 8;
    if at < message.len() {
        message[at]
    } else if at == message.len() {
        0x80
    } else if at >= tail {
        length[at - tail]
    } else {
        0
    }
}

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
const fn compress(state: [u32; 5], mut words: [u32; 80]) -> [u32; 5] {
    let [mut a, mut b, mut c, mut d, mut e] = state;
    let mut i = 0;
    while i < 80 {
        if i >= 16 {
            words[i] = (words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16]).rotate_left(1);
        }
        let (f, k) = match i / 20 {
            0 => ((b & c) | (!b & d), 0x5a82_7999),
            1 => (b ^ c ^ d, 0x6ed9_eba1),
            2 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let next =
            a.rotate_left(5).wrapping_add(f).wrapping_add(e).wrapping_add(k).wrapping_add(words[i]);
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        i += 1;
    }
    let [s0, s1, s2, s3, s4] = state;
    [
        s0.wrapping_add(a),
        s1.wrapping_add(b),
        s2.wrapping_add(c),
        s3.wrapping_add(d),
        s4.wrapping_add(e),
    ]
}

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
const fn hex(words: [u32; 5]) -> [u8; 40] {
    let digits = b"0123456789abcdef";
    let mut text = [0; 40];
    let mut i = 0;
    while i < 40 {
        text[i] = digits[((words[i / 8] >> (28 - 4 * (i % 8))) & 0xf) as usize];
        i += 1;
    }
    text
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{Script, sha1};
    use std::string::String;

    /// Of RFC 3174 and FIPS 180.
    #[test]
    fn digests_of_published_examples() {
        let cases = [
            ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
            ),
        ];
        for (text, digest) in cases {
            assert_eq!(String::from_utf8_lossy(Script::new(text).digest()), digest, "{text}");
        }
    }

    #[test]
    fn a_long_text_has_many_blocks() {
        let ten = [*b"0123456701234567012345670123456701234567012345670123456701234567"; 10];
        let wanted = [0xdea3_56a2, 0xcddd_90c7, 0xa7ec_edc5, 0xebb5_6393, 0x4f46_0452];
        assert_eq!(sha1(ten.as_flattened()), wanted);
    }

    /// A text of 55 bytes has room for its length in the same block, one of 56 has not.
    #[test]
    fn texts_that_end_around_the_border_of_a_block() {
        let cases = [
            (54, "b05d71c64979cb95fa74a33cdb31a40d258ae02e"),
            (55, "c1c8bbdc22796e28c0e15163d20899b65621d65a"),
            (56, "c2db330f6083854c99d4b5bfb6e8f29f201be699"),
            (63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5"),
            (64, "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
            (65, "11655326c708d70319be2610e8a57d9a5b959d3b"),
        ];
        for (length, digest) in cases {
            let digits = super::hex(sha1(&std::vec![b'a'; length]));
            assert_eq!(String::from_utf8_lossy(&digits), digest, "{length}");
        }
    }
}
