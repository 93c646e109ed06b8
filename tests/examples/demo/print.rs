//! What stays on the terminal, or in the file, when the run is over.

use std::io::{self, IsTerminal, Write};

use ratatui::backend::IntoCrossterm;
use ratatui::buffer::{Buffer, Cell};
use ratatui::crossterm::style::{Attribute, SetAttribute, SetBackgroundColor, SetForegroundColor};
use ratatui::crossterm::terminal;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::act::Waiting;
use crate::palette::Palette;
use crate::picture::{Picture, millis};
use crate::record::Record;
use crate::servers::Title;
use crate::summary::Summary;

/// Columns where the width of the terminal is not known.
const USUAL_WIDTH: u16 = 80;
/// Columns of the longest bar.
const BAR: u64 = 30;

/// The picture as it was at the end, without the figures, which follow.
pub(crate) fn picture(record: &Record, title: &Title) {
    let palette = Palette::of_terminal();
    let width = terminal::size().map_or(USUAL_WIDTH, |(width, _)| width);
    let picture = Picture { record, title, overlaps: 0, palette, live: false };
    let height = picture.height();
    let mut buffer = Buffer::empty(Rect::new(0, 0, width.max(1), height));
    picture.render(buffer.area, &mut buffer);
    write_rows(&buffer, height.saturating_sub(Picture::FIGURES));
}

/// The figures.
pub(crate) fn summary(summary: &Summary) {
    let palette = usual_palette();
    let mut lines = figures(summary, palette);
    lines.push(Line::default());
    lines.extend(shares(summary, palette));
    lines.push(Line::default());
    write_lines(&lines);
}

/// The ways of waiting side by side, if there is more than one.
pub(crate) fn comparison(acts: &[(Waiting, Summary)]) {
    if acts.len() < 2 {
        return;
    }
    let palette = usual_palette();
    let head = format!("  {:<40}{:>12}{:>12}{:>12}", "", "hand-over", "worst", "commands");
    let rows = acts.iter().map(|(waiting, summary)| {
        let (median, worst) = summary
            .hand_over
            .map_or_else(Default::default, |(median, worst)| (millis(median), millis(worst)));
        let price = summary.price().map_or_else(String::new, |price| format!("{price:.1}"));
        Line::from(vec![
            Span::styled(format!("  {:<40}", waiting.describe()), palette.quiet()),
            Span::styled(format!("{median:>12}{worst:>12}{price:>12}"), palette.strong()),
        ])
    });
    let mut lines = vec![Line::from(Span::styled(head, palette.quiet()))];
    lines.extend(rows);
    lines.push(Line::default());
    write_lines(&lines);
}

fn usual_palette() -> Palette {
    if io::stdout().is_terminal() { Palette::of_terminal() } else { Palette::None }
}

fn write_lines(lines: &[Line<'_>]) {
    let terminal = io::stdout().is_terminal();
    let needed =
        u16::try_from(lines.iter().map(Line::width).max().unwrap_or(0)).unwrap_or(u16::MAX);
    let width = if terminal {
        terminal::size().map_or(needed, |(width, _)| width.min(needed))
    } else {
        needed
    };
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let mut buffer = Buffer::empty(Rect::new(0, 0, width.max(1), height));
    for (line, y) in lines.iter().zip(0..) {
        buffer.set_line(0, y, line, width);
    }
    write_rows(&buffer, height);
}

fn figures(summary: &Summary, palette: Palette) -> Vec<Line<'static>> {
    let row = |name: &str, figure: String, style: Style, remark: String| {
        Line::from(vec![
            Span::styled(format!("  {name:<26}"), palette.quiet()),
            Span::styled(figure, style),
            Span::styled(remark, palette.quiet()),
        ])
    };
    let overlapped = if summary.overlaps == 0 { palette.good() } else { palette.bad() };
    let verdict = if summary.overlaps == 0 {
        "  never two inside at once"
    } else {
        "  TWO WERE INSIDE AT ONCE"
    };
    let took = format!("  in {:.1} s", summary.lasted.as_secs_f64());
    let mut rows = vec![
        Line::default(),
        row("acquisitions", summary.acquisitions.to_string(), palette.strong(), took),
        row("overlaps", summary.overlaps.to_string(), overlapped, verdict.into()),
    ];
    if let Some((median, worst)) = summary.hand_over {
        let figure = format!("{} median, {} worst", millis(median), millis(worst));
        let count = format!("  of {}", summary.hand_overs);
        rows.push(row("hand-over", figure, palette.strong(), count));
    }
    if let Some(price) = summary.price() {
        let remark = "  3 a server, and the attempts of those who wait";
        rows.push(row(
            "commands per acquisition",
            format!("{price:.1}"),
            palette.strong(),
            remark.into(),
        ));
    }
    if let Some(fairness) = summary.fairness() {
        let remark = "  1 is an equal share for all (Jain's index)";
        rows.push(row("fairness", format!("{fairness:.2}"), palette.strong(), remark.into()));
    }
    rows
}

fn shares(summary: &Summary, palette: Palette) -> impl Iterator<Item = Line<'static>> {
    let most = summary.workers.iter().map(|share| share.acquisitions).max().unwrap_or(0).max(1);
    summary.workers.iter().enumerate().map(move |(number, share)| {
        let bar = usize::try_from((share.acquisitions * BAR).div_ceil(most)).unwrap_or(0);
        let mut spans = vec![
            Span::styled(format!("  worker {:<4}", number + 1), palette.quiet()),
            Span::styled(format!("{:>5}  ", share.acquisitions), palette.strong()),
            Span::styled(format!("{:<30}", "█".repeat(bar)), palette.worker_style(number)),
            Span::styled(format!("  longest wait {}", millis(share.longest_wait)), palette.quiet()),
        ];
        if let Some(last) = &share.last_trouble {
            let text = format!("   {} troubles, the last: {last}", share.troubles);
            spans.push(Span::styled(text, palette.bad()));
        }
        Line::from(spans)
    })
}

/// Writes the first rows of a buffer as text, with escape sequences only where there is a style. A
/// reader that has gone away is no error.
fn write_rows(buffer: &Buffer, rows: u16) {
    let mut out = io::stdout().lock();
    let styled = out.is_terminal();
    let width = usize::from(buffer.area.width);
    for row in buffer.content.chunks(width).take(rows.into()) {
        let end = row.iter().rposition(|cell| cell.symbol() != " ").map_or(0, |last| last + 1);
        let mut style = Cell::EMPTY.style();
        let mut text = Vec::new();
        for cell in row.get(..end).unwrap_or_default() {
            if styled && cell.style() != style {
                style = cell.style();
                let _ = dye(&mut text, style);
            }
            text.extend_from_slice(cell.symbol().as_bytes());
        }
        if text.contains(&0x1b) {
            let _ = write!(text, "{}", SetAttribute(Attribute::Reset));
        }
        text.push(b'\n');
        if out.write_all(&text).is_err() {
            return;
        }
    }
    let _ = out.flush();
}

fn dye(out: &mut Vec<u8>, style: Style) -> io::Result<()> {
    write!(out, "{}", SetAttribute(Attribute::Reset))?;
    if style.add_modifier.contains(Modifier::BOLD) {
        write!(out, "{}", SetAttribute(Attribute::Bold))?;
    }
    if let Some(color) = style.fg.filter(|&color| color != Color::Reset) {
        write!(out, "{}", SetForegroundColor(color.into_crossterm()))?;
    }
    if let Some(color) = style.bg.filter(|&color| color != Color::Reset) {
        write!(out, "{}", SetBackgroundColor(color.into_crossterm()))?;
    }
    Ok(())
}
