//! The house rules: what the text of the project itself must satisfy. Each rule lists its offenders.

#[cfg(test)]
#[path = "house/proof.rs"]
mod each_rule_can_fail;
#[path = "house/floors.rs"]
mod floors;
#[path = "house/source.rs"]
mod source;

use std::collections::BTreeSet;
use std::fs;

use floors::{floors, module_path, test_modules};
use source::{Source, files, place, words, workspace};

const TOP_LEVEL: [&str; 11] = [
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "adapters",
    "core",
    "fuzz",
    "tests",
];

const LINES_MAX: usize = 600;
/// A table of test cases is read row by row, so it may be longer.
const TEST_LINES_MAX: usize = 1000;
const LINE_LENGTH_MAX: usize = 120;

#[test]
fn the_top_level_holds_exactly_the_agreed_names() {
    assert_none(top_level(&files()), "names at the top level");
}

#[test]
fn a_module_of_the_core_uses_only_lower_floors() {
    assert_none(floors(&core_sources()), "uses of a floor that is not lower");
}

/// R19.
#[test]
fn the_core_uses_neither_std_nor_alloc_outside_of_its_tests() {
    assert_none(hosted_libraries(&core_sources()), "uses of std or alloc in the core");
}

/// R19.
#[test]
fn the_core_has_no_dependency() {
    assert_none(dependencies(&manifest("core/Cargo.toml")), "dependencies of the core");
}

#[test]
fn every_crate_forbids_unsafe_code() {
    let all = files();
    assert_none(
        manifests(&all)
            .filter(|crate_| !is_hardware(&crate_.path))
            .filter(|crate_| !forbids_unsafe(crate_, workspace_of(crate_, &all), &all))
            .map(|crate_| crate_.path.clone())
            .collect(),
        "crates that do not forbid unsafe code",
    );
    assert_none(unsafe_code(&all), "unsafe code");
}

#[test]
fn files_and_lines_stay_readable() {
    assert_none(long(&files()), "files or lines that are too long");
}

#[test]
fn nothing_is_left_for_later() {
    assert_none(left_for_later(&files()), "marks of unfinished work");
}

#[test]
fn no_file_is_what_a_run_has_left() {
    assert_none(left_by_runs(&files()), "files that a run has left");
}

#[test]
fn what_the_readme_tells_to_run_is_there() {
    assert_none(missing_commands(&files()), "commands of the README that are not there");
}

#[test]
fn every_example_of_the_readme_is_compiled() {
    assert_none(uncompiled(&files()), "examples of the README that no compiled file contains");
}

#[test]
fn no_file_names_a_machine_or_a_registry() {
    assert_none(foreign_places(&files()), "paths of one machine, or hosts of registries");
}

#[test]
fn every_published_crate_says_what_it_is_and_what_it_needs() {
    assert_none(
        manifests(&files()).flat_map(undeclared).collect(),
        "crates without a description or the shared rust-version",
    );
    let root = manifest("Cargo.toml");
    assert!(
        root.text.contains("rust-version = \"1.85\""),
        "the workspace declares rust-version 1.85"
    );
}

/// The numbered requirements of the design: 1-11 the lock, 12-16 the wire, 17-18 errors, 19-20 code.
#[test]
fn every_requirement_is_named_by_a_test() {
    let tests: Vec<_> = files().into_iter().filter(|file| file.is_test()).collect();
    assert_none(unnamed(&tests, 1..=20), "requirements that no test names");
}

fn unnamed(tests: &[Source], numbers: core::ops::RangeInclusive<u32>) -> Vec<String> {
    let named: BTreeSet<u32> = tests.iter().flat_map(|test| requirements(&test.text)).collect();
    numbers.filter(|number| !named.contains(number)).map(|number| format!("R{number}")).collect()
}

/// `R7`, `r07_in_a_name`, `Requirement 7`, `Requirements 3, 7 and 9`.
fn requirements(text: &str) -> Vec<u32> {
    let mut found = Vec::new();
    let mut listing = false;
    for word in text.split(|c: char| !source::is_word(c)).filter(|word| !word.is_empty()) {
        let number = word.parse::<u32>().ok();
        let name = word.split('_').next().unwrap_or_default();
        found.extend(number.filter(|_| listing));
        found.extend(name.strip_prefix(['R', 'r']).and_then(|number| number.parse::<u32>().ok()));
        let opens =
            word.eq_ignore_ascii_case("requirement") || word.eq_ignore_ascii_case("requirements");
        listing = opens || (listing && (number.is_some() || word == "and"));
    }
    found
}

fn top_level(all: &[Source]) -> Vec<String> {
    let found: BTreeSet<&str> = all
        .iter()
        .filter_map(|file| file.path.split('/').next())
        .filter(|name| !name.starts_with('.'))
        .collect();
    let allowed = BTreeSet::from(TOP_LEVEL);
    let surplus = found.difference(&allowed).map(|name| format!("{name} does not belong there"));
    let missing = allowed.difference(&found).map(|name| format!("{name} is missing"));
    surplus.chain(missing).collect()
}

fn hosted_libraries(core: &[Source]) -> Vec<String> {
    let test_modules = test_modules(core);
    let mut offenders = Vec::new();
    for file in core {
        let module = module_path(&file.path);
        if test_modules.iter().any(|test| module.starts_with(test)) {
            continue;
        }
        let code = file.shipped_code();
        for library in ["std", "alloc"] {
            for at in words(&code, library) {
                let is_path = code[at + library.len()..].starts_with("::");
                if is_path || code[..at].trim_end().ends_with("crate") {
                    offenders.push(format!("{}: {library}", place(&file.path, &code, at)));
                }
            }
        }
    }
    offenders
}

fn dependencies(manifest: &Source) -> Vec<String> {
    let mut offenders = Vec::new();
    for (table, key) in keys(&manifest.text) {
        let is_table = table.contains("dependencies") && !table.contains("dev-dependencies");
        let is_dotted = table.is_empty() && key.contains("dependencies");
        if is_table || is_dotted {
            offenders.push(format!("{}: [{table}] {key}", manifest.path));
        }
    }
    offenders
}

/// The lines `key = value` of a manifest with the table that they stand in.
fn keys(toml: &str) -> Vec<(String, String)> {
    let mut table = String::new();
    let mut found = Vec::new();
    for line in toml.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            header.0.trim_matches(['[', ']']).clone_into(&mut table);
        } else if line.contains('=') {
            found.push((table.clone(), line.to_owned()));
        }
    }
    found
}

fn forbids_unsafe(crate_: &Source, root: &Source, all: &[Source]) -> bool {
    let forbids = |manifest: &Source, wanted: &str| {
        keys(&manifest.text)
            .iter()
            .any(|(table, key)| table == wanted && key == "unsafe_code = \"forbid\"")
    };
    let inherits =
        keys(&crate_.text).iter().any(|(table, key)| table == "lints" && key == "workspace = true");
    let source = crate_.path.replace("Cargo.toml", "src/lib.rs");
    (inherits && forbids(root, "workspace.lints.rust"))
        || forbids(crate_, "lints.rust")
        || all
            .iter()
            .any(|file| file.path == source && file.code().contains("#![forbid(unsafe_code)]"))
}

/// The one crate that reads and writes registers by their address. It is not shipped.
fn is_hardware(path: &str) -> bool {
    path.starts_with("tests/firmware/board/")
}

/// The manifest of the workspace that a crate belongs to: the nearest above it, or itself.
fn workspace_of<'a>(crate_: &Source, all: &'a [Source]) -> &'a Source {
    all.iter()
        .filter(|file| is_workspace(file))
        .filter(|file| crate_.path.starts_with(file.path.trim_end_matches("Cargo.toml")))
        .max_by_key(|file| file.path.len())
        .expect("a workspace")
}

fn is_workspace(file: &Source) -> bool {
    let is_header = |line: &str| line.trim() == "[workspace]";
    file.path.ends_with("Cargo.toml") && file.text.lines().any(is_header)
}

fn unsafe_code(all: &[Source]) -> Vec<String> {
    let mut offenders = Vec::new();
    for file in all.iter().filter(|file| file.is_rust() && !is_hardware(&file.path)) {
        let code = file.code();
        offenders.extend(words(&code, "unsafe").map(|at| place(&file.path, &code, at)));
    }
    offenders
}

fn long(all: &[Source]) -> Vec<String> {
    let mut offenders = Vec::new();
    for file in all.iter().filter(|file| file.is_rust()) {
        let is_test = file.path.contains("/tests/") || file.path.ends_with("/tests.rs");
        let max = if is_test { TEST_LINES_MAX } else { LINES_MAX };
        let lines = file.text.lines().count();
        // What real servers answered is data, not code.
        let is_recorded = file.path.ends_with("/recorded.rs");
        if lines > max && !is_recorded {
            offenders.push(format!("{}: {lines} lines, at most {max}", file.path));
        }
        for (number, line) in file.text.lines().enumerate() {
            let length = line.chars().count();
            // What a server says is quoted as it is; a link and the row of a table cannot be broken.
            let is_whole = ["\"", "](", "//! |", "/// |"].iter().any(|mark| line.contains(mark));
            if length > LINE_LENGTH_MAX && !is_whole {
                offenders.push(format!(
                    "{}:{}: {length} characters, at most {LINE_LENGTH_MAX}",
                    file.path,
                    number + 1
                ));
            }
        }
    }
    offenders
}

fn left_for_later(all: &[Source]) -> Vec<String> {
    // In two pieces, so that this file is no offender.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let macros = ["todo", "unimplemented", "dbg"];
    let mut offenders = Vec::new();
    for file in all {
        for mark in marks {
            offenders.extend(
                words(&file.text, mark)
                    .map(|at| format!("{}: {mark}", place(&file.path, &file.text, at))),
            );
        }
        if file.is_rust() {
            let code = file.code();
            for name in macros {
                let calls =
                    words(&code, name).filter(|at| code[at + name.len()..].starts_with('!'));
                offenders
                    .extend(calls.map(|at| format!("{}: {name}!", place(&file.path, &code, at))));
            }
        }
    }
    offenders
}

/// What fuzzers, coverage and profilers write where they are started.
fn left_by_runs(all: &[Source]) -> Vec<String> {
    let is_left = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let sum = name.rsplit_once('-').map_or("", |(_, sum)| sum);
        let is_input = sum.len() == 40 && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_written = [".profraw", ".profdata", ".gcda"].iter().any(|end| name.ends_with(end));
        let is_profile = ["callgrind.out", "perf.data"].iter().any(|begin| name.starts_with(begin));
        is_input || is_written || is_profile
    };
    all.iter().filter(|file| is_left(&file.path)).map(|file| file.path.clone()).collect()
}

fn missing_commands(all: &[Source]) -> Vec<String> {
    let Some(readme) = all.iter().find(|file| file.path == "README.md") else {
        return vec!["README.md".to_owned()];
    };
    let mut offenders: Vec<String> = ["cargo run --example demo", ".ci/test"]
        .into_iter()
        .filter(|command| !readme.text.contains(command))
        .map(|command| format!("the README does not name `{command}`"))
        .collect();
    for (_, rest) in readme
        .text
        .match_indices("--example ")
        .map(|(at, mark)| readme.text.split_at(at + mark.len()))
    {
        let name: String = rest.chars().take_while(|&c| source::is_word(c) || c == '-').collect();
        let endings = [format!("/examples/{name}.rs"), format!("/examples/{name}/main.rs")];
        if !all.iter().any(|file| endings.iter().any(|ending| file.path.ends_with(ending))) {
            offenders.push(format!("example {name}"));
        }
    }
    for (at, _) in readme.text.match_indices(".ci/") {
        let path: String = readme.text[at..]
            .chars()
            .take_while(|&c| source::is_word(c) || "./-".contains(c))
            .collect();
        let path = path.trim_end_matches(['.', '/']);
        if path != ".ci" && !all.iter().any(|file| file.path == path) {
            offenders.push(path.to_owned());
        }
    }
    offenders
}

/// The Rust examples of the README stand, line by line, in the documentation of a crate, where they
/// are compiled. Hidden lines do not count.
fn uncompiled(all: &[Source]) -> Vec<String> {
    let readme = all.iter().find(|file| file.path == "README.md").map_or("", |file| &file.text);
    let shown: Vec<String> =
        all.iter().filter(|file| file.is_rust()).map(|file| documentation(&file.text)).collect();
    let blocks = readme.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks
        .filter(|block| !shown.iter().any(|text| text.contains(block.trim())))
        .map(|block| block.lines().find(|line| !line.is_empty()).unwrap_or_default().to_owned())
        .collect()
}

fn documentation(text: &str) -> String {
    let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("//!"));
    let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
    let visible = lines.filter(|line| *line != "#" && !line.starts_with("# "));
    visible.collect::<Vec<_>>().join("\n")
}

fn foreign_places(all: &[Source]) -> Vec<String> {
    // In two pieces, so that this file is no offender. The lock file names the index of its packages by its nature.
    let patterns = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("crates", ".io"),
        concat!("pypi", ".org"),
        concat!("pythonhosted", ".org"),
        concat!("deb.debian", ".org"),
        concat!("npmjs", ".org"),
    ];
    let mut offenders = Vec::new();
    for file in all.iter().filter(|file| !file.path.ends_with("Cargo.lock")) {
        for pattern in patterns {
            let hits = file.text.match_indices(pattern);
            offenders.extend(
                hits.map(|(at, _)| format!("{}: {pattern}", place(&file.path, &file.text, at))),
            );
        }
    }
    offenders
}

fn undeclared(crate_: &Source) -> Vec<String> {
    let keys = keys(&crate_.text);
    let has = |wanted: &str| keys.iter().any(|(table, key)| table == "package" && key == wanted);
    let described = keys.iter().any(|(table, key)| {
        table == "package"
            && key
                .strip_prefix("description = \"")
                .is_some_and(|text| text.trim_end_matches('"').len() >= 20)
    });
    let mut offenders = Vec::new();
    if !described {
        offenders.push(format!("{}: description", crate_.path));
    }
    let is_shipped = !has("publish = false");
    if is_shipped && !has("rust-version.workspace = true") {
        offenders.push(format!("{}: rust-version.workspace = true", crate_.path));
    }
    if !is_shipped && !crate_.path.starts_with("tests/") && !crate_.path.starts_with("fuzz/") {
        offenders
            .push(format!("{}: only what is for tests and fuzzing is not published", crate_.path));
    }
    offenders
}

fn core_sources() -> Vec<Source> {
    let found: Vec<_> = files()
        .into_iter()
        .filter(|file| file.path.starts_with("core/src/") && file.is_rust())
        .collect();
    assert!(!found.is_empty(), "the core has sources");
    found
}

/// Those of crates. That of a workspace alone has no package.
fn manifests(all: &[Source]) -> impl Iterator<Item = &Source> {
    let has_package = |file: &&Source| file.text.lines().any(|line| line.trim() == "[package]");
    all.iter().filter(|file| file.path.ends_with("/Cargo.toml")).filter(has_package)
}

fn manifest(path: &str) -> Source {
    Source::new(path, &fs::read_to_string(workspace().join(path)).expect("a manifest"))
}

fn assert_none(offenders: Vec<String>, what: &str) {
    assert!(offenders.is_empty(), "{what}:\n  {}", offenders.join("\n  "));
}
