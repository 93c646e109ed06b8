//! The table of faults at the top of `faults.rs`: whole, and true.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// F27 to F29 do not exist.
fn numbers() -> impl Iterator<Item = u32> {
    (1..=26).chain(30..=51)
}

#[test]
fn every_fault_is_named_and_its_tests_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    let table = text("tests/tests/faults.rs");
    let ours: Vec<_> = sources(&root.join("tests/tests/faults")).into_iter().map(read).collect();
    let offenders = offenders(&table, &ours.concat(), text);
    assert!(offenders.is_empty(), "{offenders:#?}");
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    entries.filter(|path| path.extension().is_some_and(|it| it == "rs")).collect()
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(path).expect("text")
}

/// What is wrong with the table, given our tests and the text of any other file.
fn offenders(table: &str, ours: &str, other: impl Fn(&str) -> String) -> Vec<String> {
    let rows = rows(table);
    let mut offenders = Vec::new();
    for number in numbers() {
        let Some(shown) = rows.get(&number) else {
            offenders.push(format!("F{number} has no row"));
            continue;
        };
        let tests: Vec<_> = shown.split('`').skip(1).step_by(2).collect();
        if tests.is_empty() && !shown.contains("because") {
            offenders.push(format!("F{number} has no test, and no reason"));
        }
        for test in &tests {
            let is_there = match test.split_once("::") {
                Some((path, name)) => has_test(&other(path), name),
                None => has_test(ours, test),
            };
            if !is_there {
                offenders.push(format!("F{number} names {test}, which is not there"));
            }
        }
        let prefix = format!("fn f{number:02}_");
        for name in functions(ours, &prefix).filter(|name| !tests.contains(name)) {
            offenders.push(format!("F{number} does not name {name}"));
        }
    }
    offenders
}

/// The last column of each row, by the number of the fault.
fn rows(table: &str) -> BTreeMap<u32, &str> {
    let cells = table.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("//! | F")?.split(" | ");
        let number = cells.next()?.parse().ok()?;
        Some((number, cells.nth(1)?.trim_end_matches(" |")))
    });
    cells.collect()
}

fn has_test(text: &str, name: &str) -> bool {
    ["(", "<"].iter().any(|end| text.contains(&format!("fn {name}{end}")))
}

/// The names of the functions that begin so.
fn functions<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(prefix).filter_map(|(at, _)| text.get(at + "fn ".len()..)?.split('(').next())
}

#[test]
fn the_table_can_be_wrong() {
    let row = |number: u32| format!("//! | F{number} | x | `f{number:02}_x`, `a.rs::x` |\n");
    let test = |number: u32| format!("fn f{number:02}_x() {{}}\n");
    let table: String = numbers().map(row).collect();
    let ours: String = numbers().map(test).collect();
    let other = |path: &str| if path == "a.rs" { "fn x<F>() {}".to_owned() } else { String::new() };
    let wrong = |table: &str, ours: &str| offenders(table, ours, other);
    assert_eq!(wrong(&table, &ours), [""; 0]);

    assert_eq!(wrong(&table.replace(&row(7), ""), &ours), ["F7 has no row"]);
    let says = |what: &str| table.replace(&row(7), &format!("//! | F7 | x | {what} |\n"));
    let none = ours.replace(&test(7), "");
    assert_eq!(wrong(&says("does not concern us, because"), &none), [""; 0]);
    assert_eq!(wrong(&says("nobody"), &none), ["F7 has no test, and no reason"]);
    assert_eq!(wrong(&says("`a.rs::x`"), &ours), ["F7 does not name f07_x"]);
    assert_eq!(wrong(&says("`b.rs::x`"), &none), ["F7 names b.rs::x, which is not there"]);
    assert_eq!(wrong(&table, &none), ["F7 names f07_x, which is not there"]);
}
