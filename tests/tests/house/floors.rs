//! The floors of the core, and who uses whom.

use crate::source::{self, Source, place, words};

/// The floors of the core. A module uses only modules of lower floors; what lies in its folder belongs to it.
const FLOORS: &[(&str, u8)] = &[
    ("buffer", 0),
    ("defect", 0),
    ("limits", 0),
    ("performance", 0),
    ("random", 0),
    ("reliability", 0),
    ("time", 0),
    ("token", 0),
    ("resp", 1),
    ("dialect", 1),
    ("script", 1),
    ("answer", 2),
    ("command", 2),
    ("invalidation", 2),
    ("connection", 3),
    ("handshake", 3),
    ("lease", 3),
    ("quorum", 3),
    ("renew", 3),
    ("retry", 3),
    ("tracking", 3),
    ("turns", 3),
    ("lock", 4),
    ("proof", 4),
    ("", 5), // lib.rs
    ("lib", 5),
];

/// The uses that do not go down.
pub(crate) fn floors(core: &[Source]) -> Vec<String> {
    let test_modules = test_modules(core);
    let mut offenders = Vec::new();
    for file in core {
        let module = module_path(&file.path);
        if test_modules.iter().any(|test| module.starts_with(test)) {
            continue;
        }
        let name = module.first().map_or("", String::as_str);
        let Some(floor) = floor_of(name) else {
            offenders.push(format!("{}: module `{name}` has no floor in this test", file.path));
            continue;
        };
        if name.is_empty() {
            continue; // lib.rs stands above all.
        }
        let code = file.shipped_code();
        for (at, used) in used_modules(&code, &module) {
            if used == name {
                continue;
            }
            let place = place(&file.path, &code, at);
            match floor_of(&used) {
                None => offenders.push(format!(
                    "{place}: `{used}` is no module with a floor; name the module itself"
                )),
                Some(other) if other >= floor => {
                    offenders.push(format!(
                        "{place}: `{name}` (floor {floor}) uses `{used}` (floor {other})"
                    ));
                }
                Some(_) => {}
            }
        }
    }
    offenders
}

fn floor_of(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

/// `core/src/lock/seat.rs` is `["lock", "seat"]`; `lib.rs` is empty.
pub(crate) fn module_path(path: &str) -> Vec<String> {
    let inside = path.strip_prefix("core/src/").unwrap_or(path);
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    let mut parts: Vec<String> = inside.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod" || last == "lib") {
        parts.pop();
    }
    parts
}

/// Modules in files of their own that are declared under `#[cfg(test)]`.
pub(crate) fn test_modules(core: &[Source]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for file in core {
        for part in file.code().split("#[cfg(test)]").skip(1) {
            if let Some(name) =
                part.trim_start().strip_prefix("mod ").and_then(|rest| rest.split_once(';'))
            {
                let mut module = module_path(&file.path);
                module.push(name.0.trim().to_owned());
                found.push(module);
            }
        }
    }
    found
}

/// The top modules that the paths after `crate::` and `super::` lead to, each with its position.
fn used_modules(code: &str, module: &[String]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for at in words(code, "crate") {
        if let Some(rest) = code[at..].strip_prefix("crate::") {
            found.extend(first_names(rest).into_iter().map(|name| (at, name)));
        }
    }
    for at in words(code, "super") {
        let rest = &code[at..];
        let climbed = rest.split("::").take_while(|part| *part == "super").count();
        let preceded = code[..at].ends_with("super::");
        // Only a climb to the root leaves the top module that the file belongs to.
        if !preceded && climbed >= module.len() && climbed > 0 {
            let names = &rest[(climbed * "super::".len()).min(rest.len())..];
            found.extend(first_names(names).into_iter().map(|name| (at, name)));
        }
    }
    found
}

/// The first names of a use tree: `a::b` gives a, `{a::b, c::{d, e}}` gives a and c.
fn first_names(tree: &str) -> Vec<String> {
    let Some(group) = tree.strip_prefix('{') else {
        return vec![name_at(tree)];
    };
    let mut names = vec![name_at(group.trim_start())];
    let mut depth = 0_u32;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name_at(group[at + 1..].trim_start())),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn name_at(text: &str) -> String {
    text.chars().take_while(|&c| source::is_word(c)).collect()
}
