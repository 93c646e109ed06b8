//! Reads as much of a 32-bit little-endian ELF file as the tests want to know.

/// An ELF file.
pub(crate) struct Elf {
    pub(crate) sizes: Sizes,
    pub(crate) symbols: Vec<Symbol>,
    /// The content of all sections that are only read: texts, tables, and code.
    pub(crate) constants: Vec<Constants>,
}

/// What is in a section that is only read.
pub(crate) struct Constants {
    pub(crate) address: u32,
    pub(crate) bytes: Vec<u8>,
}

/// Bytes in flash only, in flash and in RAM, and in RAM only. A stack that the linker script names is not
/// counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) text: u32,
    pub(crate) data: u32,
    pub(crate) bss: u32,
}

/// A function or a variable.
pub(crate) struct Symbol {
    pub(crate) name: String,
    pub(crate) size: u32,
    pub(crate) is_code: bool,
}

const WRITE: u32 = 1;
const LOADED: u32 = 2;
const SYMBOLS: u32 = 2;
const NO_BITS: u32 = 8;
const FUNCTION: u8 = 2;

#[derive(Clone, Copy)]
struct Section {
    name: u32,
    kind: u32,
    flags: u32,
    address: u32,
    offset: u32,
    size: u32,
    link: u32,
}

impl Elf {
    /// `None` for a file that is not what it should be.
    pub(crate) fn parse(file: &[u8]) -> Option<Self> {
        if !file.starts_with(b"\x7fELF\x01\x01") {
            return None;
        }
        let table = usize::try_from(word(file, 32)?).ok()?;
        let (each, count, names) = (half(file, 46)?, half(file, 48)?, half(file, 50)?);
        let sections = (0..count)
            .map(|number| section(file, table + usize::from(number) * usize::from(each)))
            .collect::<Option<Vec<_>>>()?;
        let names = content(file, *sections.get(usize::from(names))?)?;
        let mut elf = Self { sizes: Sizes::default(), symbols: Vec::new(), constants: Vec::new() };
        for found in &sections {
            let name = text(names, found.name)?;
            let is_loaded = found.flags & LOADED != 0 && name != ".stack" && name != ".heap";
            let is_written = found.flags & WRITE != 0;
            match (is_loaded, found.kind) {
                (true, NO_BITS) => elf.sizes.bss += found.size,
                (true, _) if is_written => elf.sizes.data += found.size,
                (true, _) => {
                    elf.sizes.text += found.size;
                    let bytes = content(file, *found)?.to_vec();
                    elf.constants.push(Constants { address: found.address, bytes });
                }
                (false, SYMBOLS) => {
                    let link = usize::try_from(found.link).ok()?;
                    let names = content(file, *sections.get(link)?)?;
                    let table = content(file, *found)?;
                    elf.symbols
                        .extend(table.chunks_exact(16).filter_map(|entry| symbol(entry, names)));
                }
                (false, _) => {}
            }
        }
        Some(elf)
    }

    /// The bytes at an address that are only read. `None` where there are not so many.
    pub(crate) fn constant(&self, address: u32, length: u32) -> Option<&[u8]> {
        self.constants.iter().find_map(|Constants { address: begin, bytes }| {
            let start = usize::try_from(address.checked_sub(*begin)?).ok()?;
            bytes.get(start..start.checked_add(usize::try_from(length).ok()?)?)
        })
    }
}

fn section(file: &[u8], at: usize) -> Option<Section> {
    let field = |number: usize| word(file, at + 4 * number);
    Some(Section {
        name: field(0)?,
        kind: field(1)?,
        flags: field(2)?,
        address: field(3)?,
        offset: field(4)?,
        size: field(5)?,
        link: field(6)?,
    })
}

fn symbol(entry: &[u8], names: &[u8]) -> Option<Symbol> {
    let name = text(names, word(entry, 0)?)?.to_owned();
    Some(Symbol { name, size: word(entry, 8)?, is_code: entry.get(12)? & 0xf == FUNCTION })
}

fn content(file: &[u8], section: Section) -> Option<&[u8]> {
    let start = usize::try_from(section.offset).ok()?;
    file.get(start..start + usize::try_from(section.size).ok()?)
}

/// The text up to the next zero.
fn text(names: &[u8], at: u32) -> Option<&str> {
    let rest = names.get(usize::try_from(at).ok()?..)?;
    core::str::from_utf8(rest.split(|byte| *byte == 0).next()?).ok()
}

pub(crate) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}
