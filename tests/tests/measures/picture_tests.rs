//! What is drawn.

use crate::picture::{Panel, Series, drawn};

fn panel(points: [&[(f64, f64)]; 2]) -> Panel {
    let names = ["held", "waiting"];
    let series = names.into_iter().zip(points);
    let series = series.map(|(name, points)| Series { name, points: points.to_vec() });
    Panel { title: "commands", series: series.collect() }
}

/// The value of this attribute in every element of this name.
fn attributes(svg: &str, element: &str, name: &str) -> Vec<String> {
    let elements = svg.lines().filter(|line| line.starts_with(&format!("<{element} ")));
    let value = |line: &str| {
        let rest = line.split_once(&format!(" {name}=\""))?.1;
        Some(rest.split_once('"')?.0.to_owned())
    };
    elements.filter_map(value).collect()
}

#[test]
fn a_line_goes_through_its_points_and_up_with_them() {
    let svg = drawn(&[panel([&[(1.0, 1.0), (10.0, 10.0), (100.0, 100.0)], &[(1.0, 100.0)]])], "it");
    let lines = attributes(&svg, "polyline", "points");
    // 52 to 364 across and 230 to 64 up, as the margins leave it.
    assert_eq!(lines, ["52.0,230.0 208.0,147.0 364.0,64.0", "52.0,64.0"]);
    let circles = attributes(&svg, "circle", "cx");
    assert_eq!(circles, ["52.0", "52.0", "208.0", "364.0"], "the first is that of the legend");
}

#[test]
fn nothing_stands_at_the_foot_and_the_axis_says_so() {
    let with_nothing = drawn(&[panel([&[(1.0, 0.0)], &[(1.0, 5.0)]])], "it");
    assert!(with_nothing.contains(">≤ 0.1</text>"), "{with_nothing}");
    assert_eq!(attributes(&with_nothing, "polyline", "points")[0], "52.0,230.0");
    assert!(!drawn(&[panel([&[(1.0, 0.5)], &[(1.0, 5.0)]])], "it").contains('≤'));
}

/// Markdown ends HTML at an empty line, and rustdoc refuses tags that stay open.
#[test]
fn it_is_one_piece_of_html_that_takes_the_colours_around_it() {
    let panels = [panel([&[(1.0, 0.0)], &[]]), panel([&[], &[]]), panel([&[(5.0, 2e5)], &[]])];
    let svg = drawn(&panels, "it");
    assert!(svg.lines().all(|line| line.starts_with('<') && line.ends_with('>')), "{svg}");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(svg.contains("fill=\"currentColor\"") && !svg.contains("NaN"), "{svg}");
    let closed = |line: &&str| line.ends_with("/>") || line.ends_with("</text>");
    assert_eq!(svg.lines().filter(closed).count(), svg.lines().count() - 2);
}
