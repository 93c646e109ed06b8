//! Tells the linker where the memory of the board is.

use std::env;
use std::path::Path;

fn main() {
    let is_virt = env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "riscv32");
    let board = if is_virt { "virt" } else { "lm3s6965" };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../board/src").join(board);
    println!("cargo:rerun-if-changed={}", folder.join("memory.x").display());
    println!("cargo:rustc-link-search={}", folder.display());
    if is_virt {
        println!("cargo:rustc-link-arg=-Tmemory.x");
    }
    println!("cargo:rustc-link-arg=-Tlink.x");
    // Pages would put gaps into the image.
    println!("cargo:rustc-link-arg=--nmagic");
}
