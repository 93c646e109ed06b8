//! The fuzz properties as plain tests: on every stored input, and on inputs made from a fixed seed.

use std::fs;
use std::path::{Path, PathBuf};

use redlatch_fuzz::{Property, TARGETS};

const INPUTS: u64 = 10_000;
/// Stored inputs of all targets together; there are more.
const STORED_MIN: usize = 500;

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
fn every_property_holds_on_stored_inputs() {
    let (mut failed, mut inputs) = (Failed::default(), 0);
    for (target, property) in TARGETS {
        let stored = stored(target);
        assert!(!stored.is_empty(), "no inputs are stored for {target}");
        inputs += stored.len();
        for (path, input) in stored {
            failed.unless(property, &input, || path.display().to_string());
        }
    }
    failed.assert_none();
    assert!(inputs >= STORED_MIN, "only {inputs} inputs are stored");
}

#[test]
fn every_property_holds_on_generated_inputs() {
    let mut failed = Failed::default();
    for (target, property) in TARGETS {
        for seed in 0..INPUTS {
            failed.unless(property, &generated(seed), || format!("{target}, seed {seed}"));
        }
    }
    failed.assert_none();
}

/// Whatever is true of an input is true of its beginnings, as when a peer closes at any byte.
#[test]
fn every_property_holds_on_the_beginnings_of_seeds() {
    let mut failed = Failed::default();
    for (target, property) in TARGETS {
        for (path, input) in files(&Path::new("seeds").join(target)) {
            for cut in (0..input.len()).take(64) {
                let what = || format!("{cut} bytes of {}", path.display());
                failed.unless(property, &input[..cut], what);
            }
        }
    }
    failed.assert_none();
}

/// A target that is not built protects nothing.
#[test]
fn every_property_has_its_target_and_its_folders() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
    let names = |folder: &str, ending: &str| {
        let entries = fs::read_dir(root().join(folder)).expect("a folder").flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<_> = names
            .filter(|name| name != "README.md")
            .map(|name| name.trim_end_matches(ending).to_owned())
            .collect();
        names.sort();
        names
    };
    let mut expected = TARGETS.map(|(target, _)| target.to_owned()).to_vec();
    expected.sort();
    assert_eq!(names("fuzz_targets", ".rs"), expected);
    assert_eq!(names("seeds", ""), expected);
    assert_eq!(names("corpus", ""), expected);
    for (target, _) in TARGETS {
        assert!(
            manifest.contains(&format!("name = \"{target}\"\npath = \"fuzz_targets/{target}.rs\""))
        );
        let source = fs::read_to_string(root().join(format!("fuzz_targets/{target}.rs")));
        let call = format!("redlatch_fuzz::{target}(data)");
        assert!(
            source.is_ok_and(|source| source.contains(&call)),
            "{target} runs another property"
        );
    }
}

/// The inputs on which a property does not hold.
#[derive(Default)]
struct Failed(Vec<String>);

impl Failed {
    fn unless(&mut self, property: Property, input: &[u8], what: impl Fn() -> String) {
        if std::panic::catch_unwind(|| property(input)).is_err() {
            self.0.push(format!("{}: {}", what(), input.escape_ascii()));
        }
    }

    fn assert_none(self) {
        assert!(self.0.is_empty(), "{} inputs:\n{}", self.0.len(), self.0.join("\n"));
    }
}

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

fn stored(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut inputs = files(&Path::new("corpus").join(target));
    inputs.append(&mut files(&Path::new("seeds").join(target)));
    inputs
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(root().join(folder)).into_iter().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let input = fs::read(&path).expect("a file");
        (path, input)
    };
    paths.into_iter().map(read).collect()
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
