//! Requirement 12 against an independent decoder: `redis-protocol`, which the fred client uses.
//!
//! What is compared, and where the two differ on purpose, is in [`oracle`], which the fuzz target of
//! that name runs as well.

mod oracle;

use oracle::{OLD_NULLS, Value, compare, double, encode, oracle2, oracle3, ours};
use proptest::prelude::*;
use redlatch_core::resp::Malformed;

// ---- what is sent

fn line() -> impl Strategy<Value = Vec<u8>> {
    "[ -~]{0,20}".prop_map(String::into_bytes)
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b'$')], 0..20)
}

fn leaf3() -> impl Strategy<Value = Value> {
    prop_oneof![
        line().prop_map(Value::Simple),
        line().prop_map(Value::Error),
        any::<i64>().prop_map(Value::Integer),
        bytes().prop_map(Value::Bulk),
        line().prop_map(Value::Verbatim),
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        any::<f64>().prop_filter("one nan", |double| !double.is_nan()).prop_map(double),
        "-?[0-9]{1,40}".prop_map(|text| Value::BigNumber(text.into_bytes())),
    ]
}

/// At most six levels.
fn value3() -> impl Strategy<Value = Value> {
    leaf3().prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::btree_set(leaf3(), 0..6).prop_map(Value::Set),
            prop::collection::btree_map(leaf3(), inner, 0..6).prop_map(Value::Map),
        ]
    })
}

fn frame3() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => value3(),
        1 => prop::collection::vec(value3(), 1..4).prop_map(|mut values| {
            // The oracle takes only pushes whose first element is a string.
            values.insert(0, Value::Bulk(b"invalidate".to_vec()));
            Value::Push(values)
        }),
    ]
}

fn value2() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        line().prop_map(Value::Simple),
        line().prop_map(Value::Error),
        any::<i64>().prop_map(Value::Integer),
        bytes().prop_map(Value::Bulk),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| prop::collection::vec(inner, 0..6).prop_map(Value::Array))
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    encode(value, &mut out);
    out
}

/// One byte of a frame is replaced, removed or doubled.
fn damage(frame: &mut Vec<u8>, at: usize, how: Damage) {
    let at = at % frame.len();
    match how {
        Damage::Replace(byte) => frame[at] = byte,
        Damage::Remove => drop(frame.remove(at)),
        Damage::Double => frame.insert(at, frame[at]),
    }
}

#[derive(Clone, Copy, Debug)]
enum Damage {
    Replace(u8),
    Remove,
    Double,
}

fn how() -> impl Strategy<Value = Damage> {
    prop_oneof![
        prop::sample::select(b"\r\n0123456789-+:$*_#,(%~=! tfx".as_slice())
            .prop_map(Damage::Replace),
        Just(Damage::Remove),
        Just(Damage::Double),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn r12_resp3_frames_read_as_the_oracle_reads_them(value in frame3(), rest in bytes()) {
        let mut input = encoded(&value);
        let len = input.len();
        input.extend(rest);
        prop_assert_eq!(ours(&input), Ok(Some((value.clone(), len))));
        prop_assert_eq!(oracle3(&input), Ok(Some((value, len))));
        for cut in 0..len {
            prop_assert_eq!(ours(&input[..cut]), Ok(None));
        }
    }

    #[test]
    fn r12_resp2_frames_read_as_the_oracle_reads_them(value in value2(), rest in bytes()) {
        let mut input = encoded(&value);
        let len = input.len();
        input.extend(rest);
        prop_assert_eq!(ours(&input), Ok(Some((value.clone(), len))));
        prop_assert_eq!(oracle2(&input), Ok(Some((value, len))));
    }

    #[test]
    fn r12_damaged_frames_differ_only_as_listed(
        value in frame3(),
        hits in prop::collection::vec((any::<usize>(), how()), 1..3),
    ) {
        let mut input = encoded(&value);
        for (at, how) in hits {
            if !input.is_empty() {
                damage(&mut input, at, how);
            }
        }
        prop_assert_eq!(compare(&input), Ok(()));
    }
}

/// Found by chance, once in 100 000 frames.
#[test]
fn r12_the_oracle_refuses_a_null_of_resp2_among_resp3() {
    for null in OLD_NULLS {
        let input = [b"*1\r\n".as_slice(), null].concat();
        assert_eq!(ours(&input), Ok(Some((Value::Array(vec![Value::Null]), input.len()))));
        assert!(oracle3(&input).is_err(), "{}", input.escape_ascii());
    }
}

/// Found by chance on another processor: a map whose keys are both zeros.
#[test]
fn r12_both_zeros_are_one_key() {
    let input = b"%2\r\n,0e0\r\n_\r\n,-0e0\r\n_\r\n";
    let read = ours(input);
    assert!(matches!(&read, Ok(Some((Value::Map(entries), _))) if entries.len() == 1), "{read:?}");
    assert_eq!(oracle3(input).ok(), read.ok());
}

/// The listed differences, so that a new version of the oracle that is stricter is noticed.
#[test]
fn r12_the_oracle_accepts_what_ours_refuses() {
    let cases: &[(&[u8], Malformed)] = &[
        (b"$3\r\nabcXY", Malformed::LineEnd),
        (b"+OK\n+OK\r\n", Malformed::LineEnd),
        (b"_x\r\n", Malformed::Null),
        (b"=5\r\ntxtab\r\n", Malformed::Verbatim),
        (b"$+5\r\nhello\r\n", Malformed::Length),
        (b"*01\r\n:1\r\n", Malformed::Length),
        (b",.5\r\n", Malformed::Double),
        (b",infinity\r\n", Malformed::Double),
        (b"(abc\r\n", Malformed::BigNumber),
    ];
    for (input, malformed) in cases {
        assert_eq!(ours(input), Err(*malformed), "{}", input.escape_ascii());
        let oracle = oracle3(input);
        assert!(matches!(oracle, Ok(Some(_))), "{}: {oracle:?}", input.escape_ascii());
    }
}
