//! Requirement 12: scanning, viewing, encoding and a whole connection allocate nothing.

use core::time::Duration;
use redlatch_core::resp::{Arguments, Reply, Scanner, encode, encoded_len};
use redlatch_core::{Connection, Incoming, Instant, Limits};

const FRAMES: &[u8] = b"%2\r\n+a\r\n*1\r\n:1\r\n$1\r\nb\r\n|1\r\n+x\r\n+y\r\n,1.5\r\n\
    >2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n-ERR no\r\n=5\r\ntxt:a\r\n$70\r\n\
    0123456789012345678901234567890123456789012345678901234567890123456789\r\n";

struct Claim;

impl Arguments for Claim {
    fn visit(&self, put: &mut dyn FnMut(&[u8])) {
        [b"SET".as_slice(), b"key", &[0; 40], b"NX", b"PX", b"30000"].into_iter().for_each(put);
    }
}

fn count(reply: Reply<'_>) -> usize {
    match reply {
        Reply::Array(elements) | Reply::Map(elements) | Reply::Push(elements) => {
            elements.map(count).sum::<usize>() + 1
        }
        _ => 1,
    }
}

fn scan_and_view(piece: usize) -> usize {
    let mut scanner = Scanner::new(Limits::HOSTED);
    let (mut values, mut start) = (0, 0);
    for (at, _) in FRAMES.iter().enumerate().step_by(piece) {
        let mut bytes = &FRAMES[at..FRAMES.len().min(at + piece)];
        while !bytes.is_empty() {
            let scanned = scanner.advance(bytes).unwrap();
            bytes = &bytes[scanned.used..];
            if scanned.ended {
                let end = FRAMES.len().min(at + piece) - bytes.len();
                values += count(Reply::from_frame(&FRAMES[start..end]));
                start = end;
            }
        }
    }
    values
}

/// The last frame does not fit the storage, and the stream ends in an error.
fn converse(piece: usize) -> usize {
    let timeout = Duration::from_secs(1);
    let mut connection: Connection<[u8; 64], [u8; 512]> =
        Connection::new([0; 64], [0; 512], Limits::HOSTED, timeout);
    let mut values = 0;
    for _ in 0..4 {
        connection.submit(&Claim, Instant::ZERO).unwrap();
        let pending = connection.io().pending.len();
        connection.wrote(pending);
    }
    for mut bytes in FRAMES.chunks(piece).chain([b":1\r\n".as_slice()]) {
        while !bytes.is_empty() {
            let space = connection.io().space;
            let count = space.len().min(bytes.len());
            space[..count].copy_from_slice(&bytes[..count]);
            connection.received(count);
            bytes = &bytes[count..];
            while let Ok(Some(Incoming::Reply { reply, .. } | Incoming::Push(reply))) =
                connection.poll()
            {
                values += self::count(reply);
            }
        }
    }
    assert!(connection.ended().is_some());
    connection.handle_timeout(Instant::NEVER);
    values
}

#[test]
fn r12_the_wire_allocates_nothing() {
    let allocations = allocation_counter::measure(|| {
        for piece in [1, 7, 16] {
            assert_eq!(scan_and_view(piece), 13);
            assert_eq!(converse(piece), 13);
        }
        let mut out = [0; 128];
        assert_eq!(encode(&Claim, &mut out), Some(encoded_len(&Claim)));
    });
    assert_eq!(allocations.count_total, 0);
    // The counter counts.
    assert!(allocation_counter::measure(|| drop(vec![0_u8; 9])).count_total > 0);
}
