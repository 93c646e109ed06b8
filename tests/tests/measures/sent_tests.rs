//! What was sent.

use crate::sent::sent;

#[test]
fn what_a_script_runs_was_not_sent() {
    let cases = [
        (r#"+1795.6 [0 127.0.0.1:46492] "set" "k" "] \"get\"" "NX""#, Some("SET")),
        (r#"+1795.6 [0 unix:/tmp/socket] "EVALSHA" "0" "1""#, Some("EVALSHA")),
        (r#"+1795.6 [0 lua] "get" "k""#, None),
        ("+OK", None),
    ];
    for (line, expected) in cases {
        assert_eq!(sent(line).as_deref(), expected, "{line}");
    }
}
