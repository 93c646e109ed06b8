//! A logarithmic axis.

/// From one power of ten to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scale {
    first: i32,
    last: i32,
}

impl Scale {
    /// An axis of at least one decade that shows all that is above this floor.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>, floor: f64) -> Self {
        let (mut least, mut most) = (f64::INFINITY, floor);
        for value in values {
            least = least.min(value.max(floor));
            most = most.max(value);
        }
        let first = least.min(most).log10().floor() as i32;
        let last = most.log10().ceil() as i32;
        Self { first, last: last.max(first + 1) }
    }

    /// From 0 at its begin to 1 at its end, where everything beyond is put.
    pub(crate) fn position(self, value: f64) -> f64 {
        let decades = f64::from(self.last - self.first);
        let at = (value.log10() - f64::from(self.first)) / decades;
        // The logarithm of nothing is minus infinity; that of less is no number.
        if at.is_nan() { 0.0 } else { at.clamp(0.0, 1.0) }
    }

    pub(crate) fn begin(self) -> f64 {
        10_f64.powi(self.first)
    }

    /// The powers of ten with their text.
    pub(crate) fn ticks(self) -> Vec<(f64, String)> {
        (self.first..=self.last).map(|power| (10_f64.powi(power), text(power))).collect()
    }
}

fn text(power: i32) -> String {
    match power {
        ..0 => format!("0.{}1", "0".repeat(power.unsigned_abs() as usize - 1)),
        0..3 => format!("1{}", "0".repeat(power as usize)),
        3..6 => format!("{}k", text(power - 3)),
        _ => format!("{}M", text(power - 6)),
    }
}
