//! Who is told.

use crate::relay::Relay;

#[test]
fn the_holder_before_is_told_unless_it_sees_that_itself() {
    let mut relay = Relay::default();
    assert_eq!(relay.took(10, 0), None, "nobody had it before");
    assert_eq!(relay.took(20, 0), None, "the same process");
    assert_eq!(relay.took(30, 1), Some((0, 30)));
    assert_eq!(relay.took(40, 2), Some((1, 40)));
}

#[test]
fn who_is_heard_of_late_is_told_who_has_it_meanwhile() {
    let mut relay = Relay::default();
    assert_eq!(relay.took(10, 0), None);
    assert_eq!(relay.took(30, 2), Some((0, 30)));
    assert_eq!(relay.took(20, 1), Some((1, 30)));
    assert_eq!(relay.took(40, 0), Some((2, 40)));
}
