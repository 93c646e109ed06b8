//! Colours, as far as the terminal and its user want them.

use std::env;

use ratatui::style::{Color, Modifier, Style};

/// Told apart by people with the common colour deficiencies as well as eleven hues can be.
const RICH: [u8; 12] = [39, 214, 78, 204, 141, 220, 45, 173, 113, 177, 75, 180];
const BASIC: [Color; 6] =
    [Color::Cyan, Color::Yellow, Color::Green, Color::Magenta, Color::Blue, Color::LightRed];

/// How things look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Palette {
    /// `NO_COLOR` is set, or the output is no terminal.
    None,
    /// 16 colours.
    Basic,
    /// 256 colours.
    Rich,
}

impl Palette {
    /// What this terminal can show. See <https://no-color.org>.
    pub(crate) fn of_terminal() -> Self {
        let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let term = env::var("TERM").unwrap_or_default();
        if set("NO_COLOR") || term == "dumb" {
            Self::None
        } else if set("COLORTERM") || term.contains("256color") {
            Self::Rich
        } else {
            Self::Basic
        }
    }

    /// The colour of a worker.
    pub(crate) fn worker(self, number: usize) -> Option<Color> {
        match self {
            Self::None => None,
            Self::Basic => Some(BASIC[number % BASIC.len()]),
            Self::Rich => Some(Color::Indexed(RICH[number % RICH.len()])),
        }
    }

    pub(crate) fn worker_style(self, number: usize) -> Style {
        self.worker(number).map_or(Style::new(), |color| Style::new().fg(color))
    }

    /// Things of second rank.
    pub(crate) fn quiet(self) -> Style {
        match self {
            Self::None => Style::new(),
            Self::Basic => Style::new().fg(Color::DarkGray),
            Self::Rich => Style::new().fg(Color::Indexed(244)),
        }
    }

    /// The line of a worker that waits.
    pub(crate) fn waiting(self) -> Style {
        match self {
            Self::None => Style::new(),
            Self::Basic => Style::new().fg(Color::DarkGray),
            Self::Rich => Style::new().fg(Color::Indexed(239)),
        }
    }

    /// Figures.
    pub(crate) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(crate) fn good(self) -> Style {
        self.tint(Color::Green)
    }

    pub(crate) fn bad(self) -> Style {
        self.tint(Color::Red)
    }

    fn tint(self, color: Color) -> Style {
        let style = self.strong();
        if self == Self::None { style } else { style.fg(color) }
    }
}
