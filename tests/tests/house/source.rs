//! The project's files as text, and Rust source with its comments, strings and tests blanked out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One file of the project.
pub(crate) struct Source {
    /// Relative to the workspace, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// In a folder of tests, or with tests inside.
    pub(crate) fn is_test(&self) -> bool {
        self.is_rust() && (self.path.contains("tests/") || self.text.contains("#[cfg(test)]"))
    }

    pub(crate) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|ending| ending == "rs")
    }

    /// Its code: comments and the inside of strings are spaces, lines stay where they are.
    pub(crate) fn code(&self) -> String {
        blank_prose(&self.text)
    }

    /// Its code without the items under `#[cfg(test)]`.
    pub(crate) fn shipped_code(&self) -> String {
        blank_tests(&self.code())
    }
}

pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file of the project: tracked by git, or new and not ignored. Without git, all that is no build output.
pub(crate) fn files() -> Vec<Source> {
    let root = workspace();
    let mut paths = tracked(&root).unwrap_or_else(|| {
        let mut found = Vec::new();
        walk(&root, "", &mut found);
        found
    });
    paths.sort();
    paths
        .into_iter()
        .filter_map(|path| {
            let bytes = fs::read(root.join(&path)).ok()?;
            Some(Source { path, text: String::from_utf8_lossy(&bytes).into_owned() })
        })
        .collect()
}

fn tracked(root: &Path) -> Option<Vec<String>> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
    let list = String::from_utf8(output.stdout).ok()?;
    let paths: Vec<_> =
        list.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    (output.status.success() && !paths.is_empty()).then_some(paths)
}

fn walk(root: &Path, folder: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(root.join(folder)).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let is_ours = name != "target" && (!name.starts_with('.') || name == ".ci");
        match (is_folder, is_ours) {
            (true, true) => walk(root, &path, found),
            (true, false) => {}
            (false, _) => found.push(path),
        }
    }
}

/// Blanks comments and the inside of string and character literals. Knows raw strings, nested comments and lifetimes.
fn blank_prose(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = prose_end(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// Where the comment or literal that starts at `at` ends, or `at` where none starts.
fn prose_end(chars: &[char], at: usize) -> usize {
    let next = |offset: usize| chars.get(at + offset).copied();
    let in_word = at > 0 && is_word(chars[at - 1]);
    match (chars[at], next(1)) {
        ('/', Some('/')) => find(chars, at, |rest| rest.starts_with(&['\n'])),
        ('/', Some('*')) => comment_end(chars, at),
        ('"', _) => string_end(chars, at),
        ('r', Some('"' | '#')) if !in_word || chars[at - 1] == 'b' => raw_string_end(chars, at),
        ('\'', Some('\\')) => find(chars, at + 3, |rest| rest.starts_with(&['\''])) + 1,
        ('\'', Some(_)) if next(2) == Some('\'') => at + 3,
        _ => at,
    }
    .min(chars.len())
}

fn find(chars: &[char], from: usize, wanted: impl Fn(&[char]) -> bool) -> usize {
    (from..chars.len()).find(|&at| wanted(&chars[at..])).unwrap_or(chars.len())
}

fn comment_end(chars: &[char], start: usize) -> usize {
    let (mut depth, mut at) = (0, start);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => depth += 1,
            ('*', Some('/')) => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    at
}

fn string_end(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn raw_string_end(chars: &[char], start: usize) -> usize {
    let hashes = chars[start + 1..].iter().take_while(|&&c| c == '#').count();
    if chars.get(start + 1 + hashes) != Some(&'"') {
        return start;
    }
    let close: Vec<char> = core::iter::once('"').chain(core::iter::repeat_n('#', hashes)).collect();
    find(chars, start + 2 + hashes, |rest| rest.starts_with(&close)) + close.len()
}

/// Blanks every item under `#[cfg(test)]`, which ends with its closing brace or its semicolon.
fn blank_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(start) = rest.find(MARK) {
        let (before, item) = rest.split_at(start);
        let (item, after) = item.split_at(item_end(item));
        out.push_str(before);
        out.extend(item.chars().filter(|&c| c == '\n'));
        rest = after;
    }
    out + rest
}

/// Where the item under `#[cfg(test)]` ends. A field, a variant or a match arm ends with its comma or with its parent.
fn item_end(item: &str) -> usize {
    let start = skip_attributes(item);
    let is_declaration = declares(&item[start..]);
    let mut depth = 0_u32;
    for (at, c) in item.char_indices().skip_while(|(at, _)| *at < start) {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' if depth == 0 => return at,
            '}' | ')' | ']' => {
                depth -= 1;
                if c == '}' && depth == 0 {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            ',' if depth == 0 && !is_declaration => return at + 1,
            _ => {}
        }
    }
    item.len()
}

fn skip_attributes(item: &str) -> usize {
    let mut at = 0;
    loop {
        at += item[at..].len() - item[at..].trim_start().len();
        if !item[at..].starts_with("#[") {
            return at;
        }
        let mut depth = 0_u32;
        let end = item[at..].find(|c| {
            depth = match c {
                '[' => depth + 1,
                ']' => depth.saturating_sub(1),
                _ => depth,
            };
            c == ']' && depth == 0
        });
        at = end.map_or(item.len(), |end| at + end + 1);
    }
}

fn declares(item: &str) -> bool {
    const KEYWORDS: [&str; 14] = [
        "async",
        "const",
        "enum",
        "extern",
        "fn",
        "impl",
        "let",
        "macro_rules",
        "mod",
        "static",
        "struct",
        "trait",
        "type",
        "use",
    ];
    let mut words =
        item.split(|c| !is_word(c)).filter(|word| !["", "pub", "crate", "super"].contains(word));
    words.next().is_some_and(|word| KEYWORDS.contains(&word))
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The byte positions of `word` in `text` where it stands alone.
pub(crate) fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// `path:line` of a byte position.
pub(crate) fn place(path: &str, text: &str, at: usize) -> String {
    format!("{path}:{}", text[..at].matches('\n').count() + 1)
}

#[test]
fn prose_is_blanked_and_code_is_kept() {
    for (text, code) in [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"f("a\"b", 'x', b'\'')"#, "f(      ,    , b    )"),
        ("r#\"std::x\"# y", "            y"),
        ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
        ("for_r\"x\"", "for_r   "),
    ] {
        assert_eq!(blank_prose(text), code, "{text}");
    }
}

#[test]
fn tests_are_blanked_to_their_end() {
    for (text, shipped) in [
        ("a\n#[cfg(test)]\nmod tests { fn x() { b } }\nc", "a\n\n\nc"),
        ("#[cfg(test)]\nextern crate std;\nd", "\n\nd"),
        ("#[cfg(test)] #[derive(A, B)] pub(crate) struct C<D, E> { f: G }\nh", "\nh"),
        ("#[cfg(test)] fn f<A, B>(a: [A; 2]) -> B { a }\nh", "\nh"),
        ("struct S { a: A, #[cfg(test)] b: B<C>, d: D }", "struct S { a: A,  d: D }"),
        ("struct S { a: A, #[cfg(test)] pub b: B }\nh", "struct S { a: A, }\nh"),
        ("#[cfg(test)] { a }\nh", "\nh"),
    ] {
        assert_eq!(blank_tests(text), shipped, "{text}");
    }
}
