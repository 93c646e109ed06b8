//! What bare commands put under a key.

/// 160 bits in hex, drawn from the operating system as redlatch's are, without an allocation.
pub(crate) struct Token([u8; 40]);

impl Token {
    pub(crate) fn fresh() -> Self {
        let mut bits = [0; 20];
        getrandom::fill(&mut bits).expect("randomness");
        let mut hex = [0; 40];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(bits) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 0xf)]);
        }
        Self(hex)
    }

    pub(crate) fn text(&self) -> &str {
        core::str::from_utf8(&self.0).expect("ASCII")
    }
}

fn digit(nibble: u8) -> u8 {
    b"0123456789abcdef"[usize::from(nibble)]
}
