//! Where a value stands on a logarithmic axis.

use crate::scale::Scale;

fn labels(scale: Scale) -> Vec<String> {
    scale.ticks().into_iter().map(|(_, label)| label).collect()
}

#[test]
fn an_axis_holds_whole_decades_around_its_values() {
    assert_eq!(labels(Scale::of([1.0, 10_000.0], 1.0)), ["1", "10", "100", "1k", "10k"]);
    assert_eq!(labels(Scale::of([3.0, 20.0], 0.1)), ["1", "10", "100"]);
    assert_eq!(labels(Scale::of([0.2, 0.5], 0.01)), ["0.1", "1"]);
    assert_eq!(labels(Scale::of([0.02, 2e6], 0.01))[..3], ["0.01", "0.1", "1"]);
    assert_eq!(labels(Scale::of([2e5, 2e6], 0.01)), ["100k", "1M", "10M"]);
}

#[test]
fn an_axis_is_never_empty_and_never_goes_below_its_floor() {
    assert_eq!(labels(Scale::of([10.0], 1.0)), ["10", "100"]);
    assert_eq!(labels(Scale::of([], 1.0)), ["1", "10"]);
    assert_eq!(labels(Scale::of([0.0], 0.1)), ["0.1", "1"]);
    assert_eq!(labels(Scale::of([0.0, 0.003, 50.0], 0.1)), ["0.1", "1", "10", "100"]);
}

#[test]
fn positions_are_logarithms_and_stay_on_the_axis() {
    let scale = Scale::of([1.0, 10_000.0], 1.0);
    let cases = [(1.0, 0.0), (10.0, 0.25), (100.0, 0.5), (1e4, 1.0), (1e6, 1.0), (0.5, 0.0)];
    for (value, expected) in cases.into_iter().chain([(0.0, 0.0), (-1.0, 0.0)]) {
        assert!((scale.position(value) - expected).abs() < 1e-9, "{value}");
    }
    assert!((scale.begin() - 1.0).abs() < 1e-9);
}
