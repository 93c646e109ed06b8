//! Tells the linker where the memory of the board is.

use std::path::Path;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../board/src/lm3s6965");
    println!("cargo:rerun-if-changed={}", folder.join("memory.x").display());
    println!("cargo:rustc-link-search={}", folder.display());
    println!("cargo:rustc-link-arg=-Tlink.x");
    // Pages would put gaps into the image.
    println!("cargo:rustc-link-arg=--nmagic");
}
