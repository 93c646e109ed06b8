//! The programs under `examples/` and `minimal/`, for tests that run them.

use std::env;
use std::path::PathBuf;

use escargot::CargoBuild;

/// What a test runner sets for a test. Build scripts of others look at it, so a build that sees it would
/// build them again.
const OF_THE_RUNNER: [&str; 2] = ["CARGO_MANIFEST_", "CARGO_PKG_"];

/// Builds an example of the workspace with the cargo that runs this test, and gives its path. Takes the
/// features of the whole workspace, so that what was built for the tests serves here.
///
/// # Panics
/// It does not build.
#[must_use]
pub fn built(name: &str) -> PathBuf {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let build = CargoBuild::new().manifest_path(manifest).arg("--workspace").example(name);
    let build = if cfg!(debug_assertions) { build } else { build.release() };
    run(name, build)
}

/// Builds one of the programs of `minimal/` with a feature, as users build theirs by default, and gives its
/// path. Nothing of the rest of the workspace is in it.
///
/// # Panics
/// It does not build.
#[must_use]
pub fn minimal(name: &str, feature: &str) -> PathBuf {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/minimal/Cargo.toml");
    let build = CargoBuild::new().manifest_path(manifest).arg("--profile=minimal");
    run(name, build.bin(name).features(feature))
}

fn run(name: &str, build: CargoBuild) -> PathBuf {
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let names = names.filter(|name| OF_THE_RUNNER.iter().any(|prefix| name.starts_with(prefix)));
    let build = names.fold(build, |build, name| build.env_remove(name));
    build.run().unwrap_or_else(|error| panic!("{name}: {error}")).path().to_owned()
}
