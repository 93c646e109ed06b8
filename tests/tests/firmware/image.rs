//! What is in the firmware: its size, no allocator, and no way to panic.

use core::fmt::Write as _;
use std::collections::BTreeMap;
use std::env;

use std::fs;
use std::path::{Path, PathBuf};

use redlatch_testkit::server::{Kind, Server};

use super::elf::{Constants, Elf, word};
use super::machine::{Firmware, sizes};

/// What names of functions have in them that take or give memory while the program runs. Small ones may be
/// inlined; what the crate `alloc` does when there is none is not. `.ci/firmware` does not build that crate.
const ALLOCATORS: [&str; 5] = ["_5alloc", "__rust_alloc", "__rust_dealloc", "malloc", "sbrk"];

/// Where a panic begins: who reaches this symbol can panic.
const PANIC: &str = "rust_begin_unwind";

fn read(firmware: Firmware) -> Elf {
    let path = firmware.image();
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Elf::parse(&bytes).unwrap_or_else(|| panic!("{}: not a 32-bit ELF file", path.display()))
}

#[test]
#[ignore = "run by .ci/firmware"]
fn no_firmware_has_an_allocator() {
    for firmware in Firmware::ALL {
        let symbols = read(firmware).symbols;
        assert!(!symbols.is_empty(), "{firmware:?} has symbols");
        let names = symbols.iter().map(|symbol| symbol.name.as_str());
        let found: Vec<_> = names.filter(|name| is_allocator(name)).collect();
        assert!(found.is_empty(), "{firmware:?}: {found:?}");
    }
}

fn is_allocator(symbol: &str) -> bool {
    ALLOCATORS.iter().any(|name| symbol.contains(name))
}

#[test]
fn allocators_are_known_by_their_names() {
    for symbol in [
        "_RNvNtCshSlRNScTjV3_5alloc7raw_vec12handle_error",
        "_RNvCs691rhTbG0Ee_7___rustc12___rust_alloc",
        "malloc",
        "_sbrk",
    ] {
        assert!(is_allocator(symbol), "{symbol}");
    }
    for symbol in ["memcpy", "_RNvCs1_14redlatch_firm4main"] {
        assert!(!is_allocator(symbol), "{symbol}");
    }
}

/// Of a blocking firmware nothing can panic, so that the handler is not even linked.
#[test]
#[ignore = "run by .ci/firmware"]
fn no_firmware_without_an_executor_can_panic() {
    for firmware in Firmware::UART {
        let elf = read(firmware);
        let reached = elf.symbols.iter().any(|symbol| symbol.name.contains(PANIC));
        assert!(!reached, "{firmware:?} can panic: {:?}", panics(&elf));
    }
}

/// A panic in the source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    file: String,
    line: u32,
    column: u32,
}

/// The places that panics name: each is the address and the length of a file name, a line and a column.
fn panics(elf: &Elf) -> Vec<Place> {
    let mut found = Vec::new();
    for Constants { bytes, .. } in &elf.constants {
        found.extend((0..bytes.len()).step_by(4).filter_map(|at| place(elf, bytes, at)));
    }
    found.sort();
    found.dedup();
    found
}

fn place(elf: &Elf, bytes: &[u8], at: usize) -> Option<Place> {
    let field = |number: usize| word(bytes, at + 4 * number);
    let length = field(1).filter(|length| (4..1000).contains(length))?;
    let file = core::str::from_utf8(elf.constant(field(0)?, length)?).ok()?;
    let (line, column) = (field(2)?, field(3)?);
    let fits = file.ends_with(".rs") && (1..100_000).contains(&line) && column < 1000;
    fits.then(|| Place { file: file.to_owned(), line, column })
}

/// What the compiler makes of `async` can be polled again after it has ended, and panics then. Nothing else
/// of ours does, whatever embassy and smoltcp do.
#[test]
#[ignore = "run by .ci/firmware"]
fn no_panic_of_a_firmware_is_ours() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let root = root.canonicalize().expect("the workspace");
    let mut remaining = String::new();
    for firmware in Firmware::ALL {
        let (ours, others): (Vec<_>, Vec<_>) =
            panics(&read(firmware)).into_iter().partition(|place| is_ours(&root, &place.file));
        let mut files: Vec<_> = others.iter().map(|place| crate_and_file(&place.file)).collect();
        files.dedup();
        let (name, count) = (firmware.name(), others.len());
        writeln!(remaining, "{name}: {count} panics that are not ours, in {files:?}")
            .expect("memory");
        let bad: Vec<_> = ours.iter().filter(|place| !is_async(&root, place)).collect();
        assert!(bad.is_empty(), "{firmware:?} can panic in {bad:?}");
    }
    report("panics", &remaining);
}

/// Files of this project are named from its root on, or from that of the firmware's own workspace.
fn is_ours(root: &Path, file: &str) -> bool {
    let ours = ["core", "adapters"].map(|folder| root.join(folder));
    Path::new(file).is_relative() || ours.iter().any(|folder| Path::new(file).starts_with(folder))
}

/// The last of a path that ends with `CRATE-VERSION/src/FILE`.
fn crate_and_file(path: &str) -> &str {
    let before = path.rfind("/src/").and_then(|at| path[..at].rfind('/'));
    before.map_or(path, |at| &path[at + 1..])
}

/// Whether the place is the body of an `async` function, block or task.
fn is_async(root: &Path, place: &Place) -> bool {
    let source = root.join("tests/firmware").join(&place.file);
    let text = fs::read_to_string(&source).unwrap_or_else(|error| panic!("{place:?}: {error}"));
    let line = text.lines().nth(place.line as usize - 1).unwrap_or_default();
    let code = line.get(place.column as usize - 1..).unwrap_or_default();
    code.starts_with("async") || code == "{" || code.starts_with("#[embassy_executor::")
}

/// The most that a firmware may take, in bytes of flash and of stack. Raise a number on purpose only.
fn limits(firmware: Firmware) -> (u32, u64) {
    match firmware {
        Firmware::UartCortexM => (45 * 1024, 5 * 512),
        Firmware::NetCortexM => (74 * 1024, 8 * 1024),
        Firmware::UartRiscv => (54 * 1024, 5 * 512),
    }
}

#[test]
#[ignore = "run by .ci/firmware"]
fn the_firmware_stays_small() {
    let server = Server::start(Kind::Redis7).unwrap_or_else(|error| panic!("{error}"));
    let mut figures = String::from(
        "firmware          text   data    bss  stack   ours: code by the crate of its symbol, in bytes\n",
    );
    let mut large = Vec::new();
    for firmware in Firmware::ALL {
        let elf = read(firmware);
        let running = firmware.start(server.address(), "k 2000 1000 --extend");
        let (lines, status, stack) = running.end();
        assert_eq!(status, 0, "{firmware:?}: {lines:?}");
        let parts = parts(&elf);
        let ours: u64 =
            parts.iter().filter(|(name, _)| is_product(name)).map(|(_, size)| size).sum();
        let (name, sizes) = (firmware.name(), elf.sizes);
        writeln!(
            figures,
            "{name:<15} {:>6} {:>6} {:>6} {stack:>6} {ours:>6}: {parts:?}",
            sizes.text, sizes.data, sizes.bss
        )
        .expect("memory");
        let (flash, most) = limits(firmware);
        large.extend((sizes.text + sizes.data > flash || stack > most).then_some(name));
    }
    report("figures", &figures);
    assert!(large.is_empty(), "{large:?} take more than they may");
}

const CLIENT: &str = "Client of redlatch-embedded, without its memory";
/// What a product with one lock on one server has to spare, in bytes.
const ONE_LOCK_MAX: u64 = 1664;

#[test]
#[ignore = "run by .ci/firmware"]
fn one_lock_on_one_server_takes_little_memory() {
    let sizes = sizes();
    let lines: Vec<_> = sizes.iter().map(|(name, bytes)| format!("{bytes:>5}  {name}\n")).collect();
    report("sizes", &lines.concat());
    let taken = ["Fixed: one lock on one server, key of 16 bytes", CLIENT].map(|wanted| {
        let found = sizes.iter().find(|(name, _)| name == wanted);
        found.unwrap_or_else(|| panic!("{wanted} is measured")).1
    });
    assert!(taken.iter().sum::<u64>() < ONE_LOCK_MAX, "{taken:?}");
}

fn is_product(name: &str) -> bool {
    ["redlatch_core", "redlatch_bare", "redlatch_embedded", "redlatch_embassy"].contains(&name)
}

/// Leaves something for `.ci/firmware` to show.
fn report(name: &str, text: &str) {
    let folder = env::var_os("REDLATCH_FIRMWARE_DIR").expect("set by .ci/firmware");
    fs::write(PathBuf::from(folder).join(name).with_extension("txt"), text).expect("a file");
}

/// Bytes of code by the crate that it comes from: the first that the symbol names.
fn parts(elf: &Elf) -> BTreeMap<&str, u64> {
    let mut parts = BTreeMap::new();
    for symbol in elf.symbols.iter().filter(|symbol| symbol.is_code) {
        *parts.entry(crate_of(&symbol.name)).or_default() += u64::from(symbol.size);
    }
    parts
}

/// In the v0 mangling a crate is `C`, an optional `s` with a number in base 62 and `_`, and then its name
/// behind its length.
fn crate_of(symbol: &str) -> &str {
    if !symbol.starts_with("_R") {
        return "other";
    }
    let found = symbol.match_indices("Cs").find_map(|(at, mark)| {
        let (_, rest) = symbol[at + mark.len()..].split_once('_')?;
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let length = rest[..digits].parse::<usize>().ok()?;
        let name = rest[digits..].strip_prefix('_').unwrap_or(&rest[digits..]);
        name.get(..length)
    });
    found.unwrap_or("other")
}

#[test]
fn symbols_tell_their_crate() {
    for (symbol, name) in [
        (
            "_RNvMs_NtCs6WbcjYO3Aic_13redlatch_core6bufferINtB4_6BufferAhj200_E5spaceCs4fS_4uart",
            "redlatch_core",
        ),
        ("_RNvXs1_NtNtCs6WbcjYO3Aic_4core5replyNtB5_8Elements", "core"),
        ("memcpy", "other"),
    ] {
        assert_eq!(crate_of(symbol), name, "{symbol}");
    }
}
