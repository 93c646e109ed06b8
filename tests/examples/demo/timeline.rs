//! Time as cells of a terminal: each cell shows two moments, as halves of a block.

use core::time::Duration;

use ratatui::style::Style;

use crate::palette::Palette;
use crate::record::{Phase, Record};

/// The stretch of time that is shown, oldest at the left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    from: Duration,
    cell: Duration,
    width: u16,
}

impl Window {
    /// Shows the whole run where a hold is then wide enough to be seen, else its newest part.
    pub(crate) fn new(record: &Record, width: u16) -> Self {
        let width = width.max(1);
        let whole = record.length / u32::from(width);
        let finest = Duration::from_millis(5);
        let cell = whole
            .min((record.hold / 3).clamp(finest, Duration::from_millis(500)))
            .max(finest.min(whole));
        let shown = cell * u32::from(width);
        Self { from: record.now.saturating_sub(shown), cell, width }
    }

    /// The moments in the middle of the two halves of a cell.
    fn halves(self, column: u16) -> [Duration; 2] {
        let begin = self.from + self.cell * u32::from(column);
        [begin + self.cell / 4, begin + self.cell * 3 / 4]
    }

    /// The columns at whole seconds (or so), and the seconds.
    pub(crate) fn ticks(self) -> Vec<(u16, String)> {
        let shown = self.cell * u32::from(self.width);
        let apart = [100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 600_000]
            .map(Duration::from_millis)
            .into_iter()
            .find(|apart| shown.as_nanos() / apart.as_nanos().max(1) <= u128::from(self.width / 10))
            .unwrap_or(Duration::from_secs(3600));
        let first = self.from.as_nanos().div_ceil(apart.as_nanos());
        (first..)
            .map(|number| apart * u32::try_from(number).unwrap_or(u32::MAX))
            .take_while(|&at| at < self.from + shown)
            .filter_map(|at| {
                let column = (at - self.from).as_nanos() / self.cell.as_nanos().max(1);
                Some((u16::try_from(column).ok()?, seconds(at)))
            })
            .collect()
    }
}

fn seconds(at: Duration) -> String {
    if at.subsec_millis() == 0 {
        format!("{} s", at.as_secs())
    } else {
        format!("{:.1} s", at.as_secs_f64())
    }
}

/// One cell.
pub(crate) type Cell = (char, Style);

/// The row of one worker.
pub(crate) fn worker(
    record: &Record,
    window: Window,
    number: usize,
    palette: Palette,
) -> Vec<Cell> {
    let track = &record.tracks[number];
    let color = palette.worker_style(number);
    cells(record, window, |halves| match halves.map(|at| at.map(|at| track.phase_at(at))) {
        [Some(Phase::Holds), Some(Phase::Holds)] => ('█', color),
        [Some(Phase::Holds), _] => ('▌', color),
        [_, Some(Phase::Holds)] => ('▐', color),
        [Some(Phase::Fails), _] | [_, Some(Phase::Fails)] => ('x', palette.bad()),
        [Some(Phase::Waits), _] | [_, Some(Phase::Waits)] => ('─', palette.waiting()),
        _ => (' ', Style::new()),
    })
}

/// The row of the lock: who has it. Without colours, the last digit of the worker's number.
pub(crate) fn lock(record: &Record, window: Window, palette: Palette) -> Vec<Cell> {
    cells(record, window, |halves| {
        let holders = halves.map(|at| at.and_then(|at| record.holder_at(at)));
        if palette == Palette::None {
            let digit = |number| char::from_digit((number as u32 + 1) % 36, 36).unwrap_or('?');
            return (holders[0].or(holders[1]).map_or(' ', digit), Style::new());
        }
        let colors = holders.map(|holder| holder.and_then(|number| palette.worker(number)));
        match colors {
            [None, None] => (' ', Style::new()),
            [Some(left), Some(right)] if left == right => ('█', Style::new().fg(left)),
            [Some(left), Some(right)] => ('▌', Style::new().fg(left).bg(right)),
            [Some(left), None] => ('▌', Style::new().fg(left)),
            [None, Some(right)] => ('▐', Style::new().fg(right)),
        }
    })
}

/// `None` for moments that have not come yet.
fn cells(
    record: &Record,
    window: Window,
    show: impl Fn([Option<Duration>; 2]) -> Cell,
) -> Vec<Cell> {
    (0..window.width)
        .map(|column| show(window.halves(column).map(|at| (at <= record.now).then_some(at))))
        .collect()
}
