//! The fuzz properties as plain tests: on every stored input of `corpus/`, and on inputs made from a fixed seed.

use std::fs;
use std::path::Path;

const INPUTS: u64 = 30_000;

/// Pieces of the protocol: inputs made of them go deep where random bytes end at the first.
const PIECES: [&[u8]; 41] = [
    b"+OK\r\n",
    b"-ERR x\r\n",
    b":1\r\n",
    b":-7\r\n",
    b"$1\r\nx\r\n",
    b"$0\r\n\r\n",
    b"$1\r\nxx\n",
    b"$-1\r\n",
    b"*-1\r\n",
    b"_\r\n",
    b"#t\r\n",
    b",1.5e3\r\n",
    b",inf\r\n",
    b"(12345678901234567890\r\n",
    b"=5\r\ntxt:a\r\n",
    b"!3\r\nERR\r\n",
    b"*0\r\n",
    b"*1\r\n",
    b"*2\r\n",
    b"*3\r\n",
    b"%1\r\n",
    b"~2\r\n",
    b">1\r\n",
    b">2\r\n",
    b"|1\r\n",
    b"*99\r\n",
    b"$400\r\n",
    b"\r",
    b"\n",
    b"\r\n",
    b"+",
    b"$",
    b"*",
    b"0",
    b"1",
    b"9",
    b"-",
    b"x",
    b"\0",
    b"\xff",
    b"$?\r\n",
];

#[test]
fn scanner_on_stored_and_generated_inputs() {
    replay("scanner", redlatch_fuzz::scanner);
}

#[test]
fn connection_on_stored_and_generated_inputs() {
    replay("connection", redlatch_fuzz::connection);
}

fn replay(target: &str, property: fn(&[u8])) {
    for input in stored(target) {
        property(&input);
    }
    for seed in 0..INPUTS {
        property(&generated(seed));
    }
}

fn stored(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| fs::read(entry.expect("an entry").path()).expect("a file")).collect()
}

/// Some choices, then pieces of the protocol with choices among them.
fn generated(seed: u64) -> Vec<u8> {
    let mut random = SplitMix(seed);
    let mut input: Vec<u8> = (0..13).map(|_| random.next().to_le_bytes()[0]).collect();
    for _ in 0..random.next() % 48 {
        let choice = random.next();
        if choice.is_multiple_of(3) {
            input.extend(&choice.to_be_bytes()[..2]);
        } else {
            input.extend(PIECES[(choice >> 8) as usize % PIECES.len()]);
        }
    }
    input
}

struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
