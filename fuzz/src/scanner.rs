//! Frames are found alike under every split, no byte is lost, and every frame can be read.

use redlatch_core::{Elements, Limits, Malformed, Reply, Scanner};

use crate::choices::Choices;

/// What a scanner said about a stream.
#[derive(Debug, PartialEq, Eq)]
struct Findings {
    frames: Vec<Frame>,
    /// Bytes behind the last frame, which begin another one.
    unfinished: usize,
    error: Option<Malformed>,
}

#[derive(Debug, PartialEq, Eq)]
struct Frame {
    len: usize,
    is_push: bool,
    inner_push: bool,
    too_long: bool,
}

/// Scans the input in one piece, byte by byte, and in pieces that the input chooses.
///
/// # Panics
/// A property does not hold.
pub fn scanner(data: &[u8]) {
    let mut choices = Choices::new(data);
    let limits = limits(&mut choices);
    let sizes: Vec<usize> =
        choices.take(8).iter().map(|size| usize::from(*size % 32) + 1).collect();
    let stream = choices.take_all();

    let whole = scan(stream, limits, core::iter::repeat(usize::MAX));
    let bytewise = scan(stream, limits, core::iter::repeat(1));
    let chosen = scan(stream, limits, sizes.iter().copied().chain([1]).cycle());
    assert_eq!(whole, bytewise, "byte by byte");
    assert_eq!(whole, chosen, "in pieces of {sizes:?}");

    read_frames(stream, &whole, limits);
    // No bytes do harm, also none that a scanner has passed.
    walk(Reply::from_frame(stream), 0);
}

fn limits(choices: &mut Choices<'_>) -> Limits {
    let mut limits =
        if choices.byte().is_multiple_of(2) { Limits::HOSTED } else { Limits::EMBEDDED };
    limits.depth = choices.byte() % 12;
    limits.line_bytes = u32::from(choices.byte());
    limits.bulk_bytes = u32::from(choices.byte());
    limits.push_bytes = u32::from(choices.byte());
    limits
}

fn scan(stream: &[u8], limits: Limits, mut sizes: impl Iterator<Item = usize>) -> Findings {
    let mut scanner = Scanner::new(limits);
    let mut findings = Findings { frames: Vec::new(), unfinished: 0, error: None };
    let mut at = 0;
    while at < stream.len() {
        let end = at.saturating_add(sizes.next().unwrap_or(1)).min(stream.len());
        let piece = &stream[at..end];
        let scanned = match scanner.advance(piece) {
            Ok(scanned) => scanned,
            Err(error) => {
                assert_eq!(scanner.advance(stream), Err(error), "an error stays");
                // How far into the frame it went cannot be told.
                return Findings { unfinished: 0, error: Some(error), ..findings };
            }
        };
        assert!((1..=piece.len()).contains(&scanned.used), "progress, and not beyond the piece");
        assert!(scanned.ended || scanned.used == piece.len(), "used + rest = length");
        assert_eq!(scanned.ended, scanner.is_between());
        at += scanned.used;
        findings.unfinished += scanned.used;
        if scanned.ended {
            let frame = Frame {
                len: findings.unfinished,
                is_push: scanner.is_push(),
                inner_push: scanner.inner_push(),
                too_long: scanner.too_long(),
            };
            assert!(u32::try_from(frame.len).is_ok_and(|len| len <= limits.reply_bytes));
            findings.frames.push(frame);
            findings.unfinished = 0;
        }
    }
    let framed: usize = findings.frames.iter().map(|frame| frame.len).sum();
    assert_eq!(framed + findings.unfinished, stream.len(), "every byte belongs to one frame");
    findings
}

/// Every frame stands for itself, and its view agrees with what the scanner said about it.
fn read_frames(stream: &[u8], findings: &Findings, limits: Limits) {
    let mut rest = stream;
    for found in &findings.frames {
        let (frame, behind) = rest.split_at(found.len);
        rest = behind;
        let alone = scan(frame, limits, core::iter::repeat(usize::MAX));
        assert_eq!(
            alone.frames.as_slice(),
            core::slice::from_ref(found),
            "a frame alone is the same frame"
        );
        assert_eq!((alone.unfinished, alone.error), (0, None));

        assert!(frame.ends_with(b"\r\n"), "a frame ends with a line end");

        let reply = Reply::from_frame(frame);
        let is_push = matches!(reply, Reply::Push(_));
        assert_eq!(is_push, found.is_push, "{reply:?}");
        assert_ne!(reply, Reply::TooLong, "a whole frame can be read");
        let depth = walk(reply, 0);
        assert!(depth <= usize::from(limits.depth), "depth {depth}");
        if !found.too_long {
            assert_stored(reply, limits);
        }
    }
}

/// Visits all values and gives the depth of the deepest aggregate.
fn walk(reply: Reply<'_>, above: usize) -> usize {
    let Some(elements) = elements(reply) else {
        return above;
    };
    let announced = elements.len();
    let mut visited = 0_u32;
    let mut deepest = above + 1;
    for element in elements {
        visited += 1;
        assert!(!matches!(element, Reply::Push(_)), "a push is no element");
        deepest = deepest.max(walk(element, above + 1));
    }
    assert!(visited <= announced);
    deepest
}

/// The elements of an aggregate.
pub(crate) fn elements(reply: Reply<'_>) -> Option<Elements<'_>> {
    match reply {
        Reply::Array(elements)
        | Reply::Set(elements)
        | Reply::Map(elements)
        | Reply::Push(elements) => Some(elements),
        _ => None,
    }
}

/// What was not said to be too long keeps to the limits of what is stored, and has all of its elements.
fn assert_stored(reply: Reply<'_>, limits: Limits) {
    match reply {
        Reply::Simple(text) | Reply::BigNumber(text) | Reply::Double(text) => {
            assert!(text.len() as u64 <= u64::from(limits.line_bytes));
            assert!(
                !text.iter().any(|byte| matches!(byte, b'\r' | b'\n')),
                "a line ends at its end"
            );
        }
        Reply::Bulk(text) | Reply::Verbatim(text) => {
            assert!(text.len() as u64 <= u64::from(limits.bulk_bytes))
        }
        _ => {}
    }
    if let Some(elements) = elements(reply) {
        assert!(elements.len() <= limits.aggregate_elements.saturating_mul(2));
        assert_eq!(elements.count(), elements.len() as usize, "as many as announced");
        elements.for_each(|element| assert_stored(element, limits));
    }
}
