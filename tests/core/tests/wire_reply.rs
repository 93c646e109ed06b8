//! The view of a reply: elements as they are taken, and bytes that no scanner has passed
//! (requirement 12).

use redlatch_core::resp::{Elements, Reply};

fn elements(frame: &[u8]) -> Elements<'_> {
    match Reply::from_frame(frame) {
        Reply::Array(elements) | Reply::Map(elements) => elements,
        other => panic!("{other:?}"),
    }
}

#[test]
fn elements_are_counted_down_as_they_are_taken() {
    let mut left = elements(b"*3\r\n:1\r\n*1\r\n:2\r\n:3\r\n");
    for (count, first) in [(3, true), (2, false), (1, true)] {
        assert_eq!((left.len(), left.is_empty()), (count, false));
        assert_eq!(left.size_hint(), (0, Some(count as usize)), "the frame may end before");
        assert_eq!(matches!(left.next(), Some(Reply::Integer(_))), first);
    }
    assert_eq!((left.len(), left.is_empty(), left.next()), (0, true, None));
    assert_eq!((left.len(), left.next()), (0, None), "and stay at the end");
}

#[test]
fn a_map_has_two_elements_for_each_entry() {
    let entries = elements(b"%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n");
    assert_eq!(entries.len(), 4);
    assert_eq!(entries.filter(|entry| matches!(entry, Reply::Integer(_))).count(), 2);
}

/// Attributes and pushes between elements are no elements, wherever they stand.
#[test]
fn what_stands_between_elements_is_skipped() {
    let frames: [&[u8]; 6] = [
        b"*2\r\n>1\r\n+x\r\n:1\r\n:2\r\n",
        b"*2\r\n:1\r\n>1\r\n+x\r\n>0\r\n:2\r\n",
        b"*2\r\n|1\r\n+a\r\n+b\r\n:1\r\n:2\r\n",
        b"*2\r\n:1\r\n|1\r\n+a\r\n|0\r\n+b\r\n:2\r\n",
        b"*2\r\n|1\r\n+a\r\n+b\r\n>1\r\n+x\r\n:1\r\n:2\r\n",
        b"|1\r\n+a\r\n*1\r\n:9\r\n*2\r\n:1\r\n:2\r\n",
    ];
    for frame in frames {
        let found: Vec<_> = elements(frame).collect();
        assert_eq!(found, [Reply::Integer(1), Reply::Integer(2)], "{}", frame.escape_ascii());
    }
}

/// No scanner lets these pass. A view of them is total all the same.
#[test]
fn r12_bytes_that_are_no_frame_are_viewed_without_harm() {
    let frames: [&[u8]; 26] = [
        b"",
        b"+",
        b"+OK",
        b"+OK\r",
        b"+OK\n",
        b"+OK\rx",
        b"x\r\n",
        b":\r\n",
        b":x\r\n",
        b":9223372036854775808\r\n",
        b"$\r\n",
        b"$-2\r\n",
        b"$01\r\n0\r\n",
        b"$3\r\nab",
        b"$9999999999999999999\r\n",
        b"=3\r\ntxt\r\n",
        b"=4\r\ntxtx\r\n",
        b"=5\r\ntx:ab\r\n",
        b"*4294967296\r\n",
        b"%2147483648\r\n",
        b"|",
        b"|0\r\n",
        b"|1\r\n+a\r\n+b\r\n",
        b"|1\r\n+a\r\n+b\r\n:",
        b"|x\r\n:1\r\n",
        b"?\r\n",
    ];
    for frame in frames {
        assert_eq!(Reply::from_frame(frame), Reply::TooLong, "{}", frame.escape_ascii());
    }
}

#[test]
fn r12_elements_that_are_missing_end_the_row() {
    let frames: [&[u8]; 4] =
        [b"*3\r\n:1\r\n", b"*3\r\n:1\r\n:", b"*3\r\n:1\r\nx", b"*3\r\n:1\r\n>1\r\n+x\r\n"];
    for frame in frames {
        let mut left = elements(frame);
        assert_eq!(left.len(), 3);
        assert_eq!(left.next(), Some(Reply::Integer(1)));
        assert_eq!((left.next(), left.len()), (None, 0), "{}", frame.escape_ascii());
    }
    // One that is whole but has no meaning stands for itself.
    let found: Vec<_> = elements(b"*2\r\n_\r\n:1\r\n").collect();
    assert_eq!(found, [Reply::Null, Reply::Integer(1)]);
}

#[test]
fn booleans_and_nulls() {
    let rows: [(&[u8], Reply<'_>); 7] = [
        (b"#t\r\n", Reply::Boolean(true)),
        (b"#f\r\n", Reply::Boolean(false)),
        (b"_\r\n", Reply::Null),
        (b"$-1\r\n", Reply::Null),
        (b"*-1\r\n", Reply::Null),
        (b"$0\r\n\r\n", Reply::Bulk(b"")),
        (b"=4\r\ntxt:\r\n", Reply::Verbatim(b"")),
    ];
    for (frame, wanted) in rows {
        assert_eq!(Reply::from_frame(frame), wanted, "{}", frame.escape_ascii());
    }
}
