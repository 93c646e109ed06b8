//! Where requests and replies end.

use redlatch_core::{Limits, Scanner};

/// Cuts a stream into whole frames. What is not RESP, TLS for example, goes through as it comes.
pub(super) struct Frames {
    /// None: the stream is not RESP.
    scanner: Option<Scanner>,
    partial: Vec<u8>,
}

/// A piece of a stream.
pub(super) enum Piece {
    /// A whole frame.
    Frame(Vec<u8>),
    /// Bytes of which nothing is known.
    Raw(Vec<u8>),
}

impl Frames {
    pub(super) const fn new() -> Self {
        Self { scanner: Some(Scanner::new(Limits::HOSTED)), partial: Vec::new() }
    }

    /// Takes bytes and gives the pieces that they complete.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while let Some(scanner) = &mut self.scanner
            && !bytes.is_empty()
        {
            let Ok(scanned) = scanner.advance(bytes) else {
                self.scanner = None;
                break;
            };
            let (used, rest) = bytes.split_at(scanned.used);
            self.partial.extend_from_slice(used);
            bytes = rest;
            if scanned.ended {
                pieces.push(Piece::Frame(core::mem::take(&mut self.partial)));
            }
        }
        if self.scanner.is_none() {
            let mut raw = core::mem::take(&mut self.partial);
            raw.extend_from_slice(bytes);
            pieces.push(Piece::Raw(raw));
        }
        pieces
    }

    /// What has come of a frame that is not whole.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.partial)
    }
}

/// The name of the command that a request asks for.
pub(super) fn command(request: &[u8]) -> String {
    let name = request.split(|byte| *byte == b'\n').nth(2).unwrap_or_default();
    String::from_utf8_lossy(name).trim_end().to_ascii_uppercase()
}

/// Whether this frame answers no request.
pub(super) fn is_push(frame: &[u8]) -> bool {
    frame.first() == Some(&b'>')
}

#[cfg(test)]
mod tests {
    use super::{Frames, Piece, command};

    fn shown(pieces: Vec<Piece>) -> Vec<String> {
        let show = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        pieces
            .into_iter()
            .map(|piece| match piece {
                Piece::Frame(bytes) => show(bytes),
                Piece::Raw(bytes) => format!("raw {}", show(bytes)),
            })
            .collect()
    }

    #[test]
    fn a_stream_is_cut_into_frames_however_it_comes() {
        let mut frames = Frames::new();
        assert_eq!(shown(frames.push(b"+OK\r\n$2\r\nh")), ["+OK\r\n"]);
        assert_eq!(shown(frames.push(b"i\r\n:1\r\n")), ["$2\r\nhi\r\n", ":1\r\n"]);
        assert!(frames.push(b"$2").is_empty());
        assert_eq!(frames.rest(), b"$2");
    }

    #[test]
    fn what_is_not_resp_goes_through() {
        let mut frames = Frames::new();
        assert!(frames.push(b"$2").is_empty());
        assert_eq!(shown(frames.push(b"hello")), ["raw $2hello"]);
        assert_eq!(shown(frames.push(b"+OK\r\n")), ["raw +OK\r\n"]);
    }

    #[test]
    fn a_request_has_a_name() {
        assert_eq!(command(b"*2\r\n$3\r\nget\r\n$1\r\nk\r\n"), "GET");
        assert_eq!(command(b"*0\r\n"), "");
    }
}
