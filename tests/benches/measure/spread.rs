//! How values are spread.

/// Values in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spread(Vec<f64>);

impl Spread {
    pub(crate) fn new(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The least value that so many percent lie at or below. `None` without any.
    pub(crate) fn percentile(&self, percent: u32) -> Option<f64> {
        let rank = (self.0.len() * percent as usize).div_ceil(100);
        self.0.get(rank.saturating_sub(1)).copied()
    }

    pub(crate) fn least(&self) -> Option<f64> {
        self.0.first().copied()
    }

    pub(crate) fn most(&self) -> Option<f64> {
        self.0.last().copied()
    }
}

/// As text, with so many digits behind the point; `-` for none.
pub(crate) fn shown(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}
