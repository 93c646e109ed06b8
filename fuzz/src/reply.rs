//! What is seen in a frame is what stands in it: written again, it is the same frame.

use redlatch_core::{Answer, Elements, Limits, Reply, Scanner, Token};

use crate::scanner::elements;
use crate::tree::Tree;

/// Reads every frame of the input, and the input itself without a scanner before it.
///
/// # Panics
/// A property does not hold.
pub fn reply(data: &[u8]) {
    let mut scanner = Scanner::new(Limits::HOSTED);
    let mut rest = data;
    while let Some(len) = scanner.advance(rest).ok().filter(|found| found.ended) {
        let (frame, behind) = rest.split_at(len.used);
        if !scanner.too_long() {
            check_frame(frame);
        }
        rest = behind;
    }
    check_unscanned(data);
}

fn check_frame(frame: &[u8]) {
    let reply = Reply::from_frame(frame);
    check_view(reply);
    let tree = Tree::of(reply);
    let again = tree.encoded();
    assert_eq!(Tree::of(Reply::from_frame(&again)), tree, "written and read again");
    assert_eq!(scan(&again), Some(again.len()), "{}", again.escape_ascii());
    if is_canonical(frame) {
        assert_eq!(again.escape_ascii().to_string(), frame.escape_ascii().to_string());
    }
    check_answer(reply, &tree);
}

fn scan(frame: &[u8]) -> Option<usize> {
    let scanned = Scanner::new(Limits::HOSTED).advance(frame).ok()?;
    scanned.ended.then_some(scanned.used)
}

/// Whether every value has one way to be written. Coarse: any of these bytes may be in a text as well.
fn is_canonical(frame: &[u8]) -> bool {
    let has = |text: &[u8]| frame.windows(text.len()).any(|window| window == text);
    // Attributes, pushes inside, other formats, bulk errors; nulls of RESP2; signs and leading zeros of integers.
    !frame.iter().skip(1).any(|byte| matches!(byte, b'|' | b'>' | b'=' | b'!'))
        && !frame.starts_with(b"|")
        && !frame.starts_with(b"=")
        && !frame.starts_with(b"!")
        && !has(b"$-1\r\n")
        && !has(b"*-1\r\n")
        && !has(b":+")
        && !has(b":-0")
        && !has(b":0")
}

/// The elements behave as an iterator should, and the view tells no text.
fn check_view(reply: Reply<'_>) {
    let shown = format!("{reply:?}");
    assert_eq!(shown, expected_debug(reply), "Debug shows kinds, lengths and numbers only");
    if let Some(elements) = elements(reply) {
        check_elements(elements);
    }
}

fn expected_debug(reply: Reply<'_>) -> String {
    let text = |kind: &str, text: &[u8]| format!("{kind}({} bytes)", text.len());
    let list = |kind: &str, list: Elements<'_>| format!("{kind}({} elements)", list.len());
    match reply {
        Reply::Simple(line) => text("Simple", line),
        Reply::Error(line) => text("Error", line),
        Reply::Bulk(line) => text("Bulk", line),
        Reply::Verbatim(line) => text("Verbatim", line),
        Reply::Double(line) => text("Double", line),
        Reply::BigNumber(line) => text("BigNumber", line),
        Reply::Integer(number) => format!("Integer({number})"),
        Reply::Boolean(boolean) => format!("Boolean({boolean})"),
        Reply::Array(elements) => list("Array", elements),
        Reply::Set(elements) => list("Set", elements),
        Reply::Map(elements) => list("Map", elements),
        Reply::Push(elements) => list("Push", elements),
        Reply::Null => "Null".into(),
        _ => "TooLong".into(),
    }
}

fn check_elements(mut elements: Elements<'_>) {
    let copy = elements;
    let mut left = elements.len();
    assert_eq!(elements.is_empty(), left == 0);
    while let Some(element) = elements.next() {
        left -= 1;
        assert_eq!(elements.len(), left, "each step takes one");
        assert_eq!(elements.size_hint(), (0, usize::try_from(left).ok()));
        assert!(!matches!(element, Reply::Push(_) | Reply::TooLong), "{element:?}");
        check_view(element);
    }
    assert_eq!(left, 0, "as many as announced");
    assert_eq!((elements.next(), elements.len()), (None, 0), "the end stays");
    assert_eq!(copy.count(), copy.len() as usize);
}

/// The short form of a reply says what the long one does.
fn check_answer(reply: Reply<'_>, tree: &Tree) {
    let answer = Answer::from(reply);
    let is_right = match answer {
        Answer::Ok => *tree == Tree::Simple(b"OK".to_vec()),
        Answer::Nil => *tree == Tree::Null,
        Answer::Integer(number) => *tree == Tree::Integer(number),
        Answer::Token(token) => *tree == Tree::Bulk(token.to_hex().to_vec()),
        Answer::Value => matches!(tree, Tree::Bulk(text) if !is_token(text)),
        Answer::Refused(_) => matches!(tree, Tree::Error(_)),
        Answer::Unexpected => match tree {
            Tree::Simple(text) => text != b"OK",
            tree => !matches!(
                tree,
                Tree::Null | Tree::Integer(_) | Tree::Bulk(_) | Tree::Error(_) | Tree::TooLong
            ),
        },
        _ => false,
    };
    assert!(is_right, "{answer:?} from {tree:?}");
}

/// 40 digits of a lower-case hexadecimal number.
fn is_token(text: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    let is_one = text.len() == 40 && text.iter().all(is_digit);
    assert_eq!(Token::from_wire(text).is_some(), is_one);
    is_one
}

/// No bytes do harm, also none that a scanner has passed: every step of every walk ends.
fn check_unscanned(bytes: &[u8]) {
    let reply = Reply::from_frame(bytes);
    assert_eq!(format!("{reply:?}"), expected_debug(reply));
    drop(format!("{:?}", Answer::from(reply)));
    if let Some(elements) = elements(reply) {
        let visited = elements.take(bytes.len() + 1).count();
        assert!(visited <= bytes.len() / 3, "an element has three bytes at least");
    }
}
