//! Where pictures are saved.

use std::path::Path;
use std::{fs, io};

/// Saves a picture. Cargo runs benches in the directory of their package: a relative path starts at the top of
/// the repository, where one calls cargo.
pub(crate) fn save(path: &Path, picture: &str) -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new("."));
    fs::write(root.join(path), picture)?;
    println!("drawn: {}\n", path.display());
    Ok(())
}
