//! What a percentile is.

use crate::spread::{Spread, shown};

fn percentiles(values: &[f64], percents: [u32; 4]) -> [Option<f64>; 4] {
    let spread = Spread::new(values.iter().copied());
    percents.map(|percent| spread.percentile(percent))
}

#[test]
fn a_percentile_is_the_value_of_the_nearest_rank() {
    let hundred: Vec<_> = (1..=100).rev().map(f64::from).collect();
    let expected = [Some(1.0), Some(50.0), Some(99.0), Some(100.0)];
    assert_eq!(percentiles(&hundred, [0, 50, 99, 100]), expected);
    assert_eq!(percentiles(&[3.0, 1.0, 2.0], [33, 34, 50, 67]), [1.0, 2.0, 2.0, 3.0].map(Some));
    assert_eq!(percentiles(&[7.0], [0, 1, 50, 100]), [Some(7.0); 4]);
    assert_eq!(percentiles(&[], [0, 1, 50, 100]), [None; 4]);
}

#[test]
fn the_ends_and_the_count_are_those_of_the_values() {
    let spread = Spread::new([2.5, -1.0, 9.0]);
    assert_eq!((spread.count(), spread.least(), spread.most()), (3, Some(-1.0), Some(9.0)));
    assert_eq!(shown(spread.most(), 1), "9.0");
    assert_eq!(shown(Spread::default().least(), 1), "-");
}
