//! A picture of small diagrams, both axes logarithmic, as SVG.
//!
//! It stands in HTML, where it takes the colour of the text around it, so that it can be read on light and on
//! dark ground. It has no empty line, which would end it in Markdown.

use core::fmt::Write;

use crate::scale::Scale;

/// A diagram.
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) series: Vec<Series>,
}

/// A line of points.
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 760.0;
/// Of the names above the diagrams.
const HEAD: f64 = 34.0;
const COLUMNS: usize = 2;
const CELL: (f64, f64) = (WIDTH / COLUMNS as f64, 230.0);
/// Of a diagram in its cell: left, top, right, bottom.
const MARGIN: (f64, f64, f64, f64) = (52.0, 30.0, 16.0, 34.0);
/// Told apart on light and on dark ground, and by whoever sees no red.
const COLOURS: [&str; 5] = ["#2f80ed", "#e07b00", "#1a9e77", "#b05cc6", "#c9a000"];
/// Of the lines, for where one lies upon another.
const GAPS: [&str; 5] = ["none", "none", "6 6", "2 4", "10 4"];
/// Of the squares, in degrees. The first series has circles.
const TURNS: [u32; 5] = [0, 0, 45, 15, 30];
/// Smaller values stand at the foot.
const FLOOR: f64 = 0.1;

/// The whole picture, of diagrams with the same series.
pub(crate) fn drawn(panels: &[Panel], what: &str) -> String {
    let rows = panels.len().div_ceil(COLUMNS) as f64;
    let height = HEAD + rows * CELL.1;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"{what}\" width=\"100%\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"currentColor\">\n"
    );
    legend(&mut svg, panels);
    for (number, panel) in panels.iter().enumerate() {
        let left = (number % COLUMNS) as f64 * CELL.0;
        let top = HEAD + (number / COLUMNS) as f64 * CELL.1;
        Frame::of(panel, left, top).draw(&mut svg, panel);
    }
    svg.push_str("</svg>\n");
    svg
}

fn legend(svg: &mut String, panels: &[Panel]) {
    let series = panels.first().map_or(&[][..], |panel| &panel.series);
    for (number, one) in series.iter().enumerate() {
        let left = MARGIN.0 + number as f64 * (WIDTH - MARGIN.0) / series.len() as f64;
        mark(svg, number, left, 16.0);
        text(svg, left + 12.0, 20.0, "start", one.name);
    }
}

/// A diagram in its place.
struct Frame {
    x: Scale,
    y: Scale,
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
    /// Some values are smaller than the axis shows.
    has_less: bool,
}

impl Frame {
    fn of(panel: &Panel, left: f64, top: f64) -> Self {
        let points = || panel.series.iter().flat_map(|series| &series.points);
        let y = Scale::of(points().map(|point| point.1), FLOOR);
        Self {
            x: Scale::of(points().map(|point| point.0), 1.0),
            y,
            left: left + MARGIN.0,
            top: top + MARGIN.1,
            right: left + CELL.0 - MARGIN.2,
            bottom: top + CELL.1 - MARGIN.3,
            has_less: points().any(|point| point.1 < y.begin()),
        }
    }

    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let across = self.left + self.x.position(x) * (self.right - self.left);
        (across, self.bottom - self.y.position(y) * (self.bottom - self.top))
    }

    fn draw(&self, svg: &mut String, panel: &Panel) {
        text(svg, self.left, self.top - 12.0, "start", panel.title);
        for (value, label) in self.x.ticks() {
            let (x, _) = self.place((value, 0.0));
            line(svg, (x, self.top), (x, self.bottom), value <= self.x.begin());
            text(svg, x, self.bottom + 16.0, "middle", &label);
        }
        for (number, (value, label)) in self.y.ticks().into_iter().enumerate() {
            let (_, y) = self.place((1.0, value));
            line(svg, (self.left, y), (self.right, y), number == 0);
            let less = if number == 0 && self.has_less { "≤ " } else { "" };
            text(svg, self.left - 6.0, y + 4.0, "end", &format!("{less}{label}"));
        }
        for (number, series) in panel.series.iter().enumerate() {
            self.plot(svg, number, &series.points);
        }
    }

    fn plot(&self, svg: &mut String, number: usize, points: &[(f64, f64)]) {
        let places: Vec<_> = points.iter().map(|&point| self.place(point)).collect();
        let path: Vec<_> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let colour = COLOURS[number % COLOURS.len()];
        let gaps = GAPS[number % GAPS.len()];
        push(
            svg,
            format_args!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" \
                 stroke-dasharray=\"{gaps}\"/>",
                path.join(" ")
            ),
        );
        for (x, y) in places {
            mark(svg, number, x, y);
        }
    }
}

/// A circle, or a square in some direction, in the colour of the series.
fn mark(svg: &mut String, number: usize, x: f64, y: f64) {
    let colour = COLOURS[number % COLOURS.len()];
    if number == 0 {
        push(svg, format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>"));
        return;
    }
    let turned = TURNS[number % TURNS.len()];
    let (left, top) = (x - 3.5, y - 3.5);
    push(
        svg,
        format_args!(
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"7\" height=\"7\" fill=\"{colour}\" \
             transform=\"rotate({turned} {x:.1} {y:.1})\"/>"
        ),
    );
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), is_axis: bool) {
    let opacity = if is_axis { 0.8 } else { 0.15 };
    push(
        svg,
        format_args!(
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"currentColor\" \
             stroke-opacity=\"{opacity}\"/>",
            from.0, from.1, to.0, to.1
        ),
    );
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, what: &str) {
    push(
        svg,
        format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{what}</text>"),
    );
}

fn push(svg: &mut String, element: core::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(svg, "{element}");
}
