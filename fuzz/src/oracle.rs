//! The same bytes for an independent decoder: `redis-protocol`.

#[path = "../../tests/core/tests/oracle/mod.rs"]
mod body;

/// Both decoders read the stream frame by frame, as long as ours finds frames.
///
/// # Panics
/// They differ, and not in one of the ways that are listed at the body.
pub fn oracle(data: &[u8]) {
    let mut rest = data;
    for _ in 0..FRAMES_MAX {
        if let Err(difference) = body::compare(rest) {
            panic!("{difference}");
        }
        match body::ours(rest) {
            Ok(Some((_, len))) => rest = &rest[len..],
            _ => return,
        }
    }
}

/// Each frame costs the oracle the whole rest in the worst case.
const FRAMES_MAX: usize = 16;
