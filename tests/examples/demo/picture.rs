//! The whole picture, drawn into any buffer: live on the screen, and once more when the run is
//! over.

use core::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::palette::Palette;
use crate::record::{Phase, Record, Track, median_and_worst};
use crate::servers::Title;
use crate::timeline::{self, Window};

const NUMBER: u16 = 4;
const STATE: u16 = 17;
const COUNT: u16 = 6;
/// Rows besides those of the workers.
const FRAME: u16 = 10;
/// More workers than this stand closely in the picture that stays.
const MANY: u16 = 6;
/// Below this width the states are left out.
const WIDE_ENOUGH_FOR_STATES: u16 = 60;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What is drawn.
pub(crate) struct Picture<'a> {
    pub(crate) record: &'a Record,
    pub(crate) title: &'a Title,
    pub(crate) overlaps: u64,
    pub(crate) palette: Palette,
    /// Whether the present states are of interest.
    pub(crate) live: bool,
}

impl Picture<'_> {
    /// The rows at the end that hold the figures.
    pub(crate) const FIGURES: u16 = 5;

    /// The rows that the picture needs.
    pub(crate) fn height(&self) -> u16 {
        let workers = u16::try_from(self.record.tracks.len()).unwrap_or(u16::MAX);
        let apart = if workers <= MANY { 2 } else { 1 };
        workers.saturating_mul(apart).saturating_add(FRAME)
    }

    fn heading(&self, area: Rect, buffer: &mut Buffer) {
        let palette = self.palette;
        let time =
            format!("{:.1} of {} s ", self.record.now.as_secs_f64(), self.record.length.as_secs());
        let room = area.width.saturating_sub(u16::try_from(time.len()).unwrap_or(0));
        let title = Line::from(vec![
            Span::styled(" redlatch", palette.strong()),
            Span::raw(format!("  {}", self.title.what)),
        ]);
        buffer.set_line(area.x, area.y, &title, room.saturating_sub(1));
        buffer.set_string(area.x + room, area.y, time, palette.quiet());
        let subtitle = format!(" {}", self.title.details);
        buffer.set_stringn(area.x, area.y + 1, subtitle, area.width.into(), palette.quiet());
    }

    fn worker(&self, number: usize, columns: &Columns, y: u16, buffer: &mut Buffer) {
        let track = &self.record.tracks[number];
        let color = self.palette.worker_style(number);
        buffer.set_stringn(columns.left, y, format!("{:>3}", number + 1), 3, color);
        if let Some(x) = columns.state {
            let (text, style) = self.state(track, color);
            buffer.set_stringn(x, y, text, usize::from(STATE) - 1, style);
        }
        put(
            buffer,
            columns.timeline,
            y,
            &timeline::worker(self.record, columns.window, number, self.palette),
        );
        let count = format!("{:>5}", track.acquisitions);
        buffer.set_stringn(columns.count, y, count, 5, self.palette.strong());
    }

    fn state(&self, track: &Track, color: Style) -> (String, Style) {
        let quiet = self.palette.quiet();
        let since = self.record.now.saturating_sub(track.since()).as_millis();
        match track.phase() {
            Phase::Holds => (format!("● holds {since:>4} ms"), color),
            Phase::Waits => (format!("○ waits {since:>4} ms"), quiet),
            Phase::Rests => ("  rests".to_owned(), quiet),
            Phase::Fails => ("x error".to_owned(), self.palette.bad()),
        }
    }

    fn lock(&self, columns: &Columns, y: u16, buffer: &mut Buffer) {
        buffer.set_stringn(
            columns.left,
            y,
            "  lock",
            usize::from(columns.timeline - columns.left),
            self.palette.strong(),
        );
        put(
            buffer,
            columns.timeline,
            y,
            &timeline::lock(self.record, columns.window, self.palette),
        );
        let count = format!("{:>5}", self.record.acquisitions());
        buffer.set_stringn(columns.count, y, count, 5, self.palette.strong());
        for (column, text) in columns.window.ticks() {
            let (x, length) = (columns.timeline + column, u16::try_from(text.len()).unwrap_or(0));
            if x + length + 1 < columns.count {
                buffer.set_string(x, y + 1, format!("╵{text}"), self.palette.quiet());
            }
        }
    }

    fn figures(&self, area: Rect, y: u16, buffer: &mut Buffer) {
        let (palette, times) = (self.palette, &self.record.hand_overs);
        let (median, worst) = median_and_worst(times)
            .map_or(("-".into(), "-".into()), |(median, worst)| (millis(median), millis(worst)));
        let overlaps = if self.overlaps == 0 { palette.good() } else { palette.bad() };
        let figures = Line::from(vec![
            Span::styled("  acquisitions ", palette.quiet()),
            Span::styled(self.record.acquisitions().to_string(), palette.strong()),
            Span::styled("   overlaps ", palette.quiet()),
            Span::styled(self.overlaps.to_string(), overlaps),
            Span::styled("   hand-over median ", palette.quiet()),
            Span::styled(median, palette.strong()),
            Span::styled("  worst ", palette.quiet()),
            Span::styled(worst, palette.strong()),
        ]);
        buffer.set_line(area.x, y, &figures, area.width);
        let room = usize::from(area.width.saturating_sub(14));
        buffer.set_string(area.x + 2, y + 1, "hand-overs", palette.quiet());
        buffer.set_stringn(
            area.x + 13,
            y + 1,
            bars(times.iter().rev().take(room).rev().copied()),
            room,
            palette.quiet(),
        );
    }

    fn trouble(&self) -> Option<String> {
        let mut tracks = self.record.tracks.iter().enumerate();
        tracks.find_map(|(number, track)| {
            let what = track.last_trouble.as_ref()?;
            (track.phase() == Phase::Fails).then(|| format!("  worker {}: {what}", number + 1))
        })
    }
}

impl Widget for &Picture<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        if area.width < 24 || area.height < FRAME + 1 {
            buffer.set_stringn(
                area.x,
                area.y,
                "this terminal is too small",
                area.width.into(),
                Style::new(),
            );
            return;
        }
        self.heading(area, buffer);
        let columns = Columns::new(self.record, area, self.live);
        let room = area.height - FRAME;
        let all = u16::try_from(self.record.tracks.len()).unwrap_or(u16::MAX);
        let apart = if room >= all.saturating_mul(2) { 2 } else { 1 };
        let shown = if all <= room { all } else { room - 1 };
        let mut y = area.y + 3;
        for number in 0..usize::from(shown) {
            self.worker(number, &columns, y, buffer);
            y += apart;
        }
        if shown < all {
            let rest = format!("    and {} more", all - shown);
            buffer.set_stringn(area.x, y, rest, area.width.into(), self.palette.quiet());
            y += 1;
        }
        y += 2 - apart;
        self.lock(&columns, y, buffer);
        self.figures(area, y + 3, buffer);
        if let Some(text) = self.trouble() {
            buffer.set_stringn(area.x, y + 5, text, area.width.into(), self.palette.bad());
        }
    }
}

/// Where things stand in a row.
struct Columns {
    left: u16,
    state: Option<u16>,
    timeline: u16,
    count: u16,
    window: Window,
}

impl Columns {
    fn new(record: &Record, area: Rect, live: bool) -> Self {
        let states = live && area.width >= WIDE_ENOUGH_FOR_STATES;
        let timeline = area.x + NUMBER + if states { STATE } else { 3 };
        let count = area.x + area.width - COUNT;
        let window = Window::new(record, count.saturating_sub(timeline));
        Self { left: area.x, state: states.then_some(area.x + NUMBER), timeline, count, window }
    }
}

fn put(buffer: &mut Buffer, x: u16, y: u16, cells: &[timeline::Cell]) {
    for (&(sign, style), x) in cells.iter().zip(x..) {
        if let Some(cell) = buffer.cell_mut((x, y)) {
            cell.set_char(sign).set_style(style);
        }
    }
}

/// Times as bars, the greatest being full.
fn bars(times: impl Iterator<Item = Duration> + Clone) -> String {
    let worst = times.clone().max().unwrap_or_default().as_nanos().max(1);
    times.map(|time| BARS[usize::try_from(time.as_nanos() * 7 / worst).unwrap_or(7)]).collect()
}

/// A time in milliseconds, with a digit more where it is short.
pub(crate) fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1000.0;
    if millis < 10.0 { format!("{millis:.1} ms") } else { format!("{millis:.0} ms") }
}
