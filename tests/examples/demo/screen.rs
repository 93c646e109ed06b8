//! The live picture on the terminal.

use core::sync::atomic::Ordering;
use core::time::Duration;
use std::io;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;

use crate::palette::Palette;
use crate::picture::Picture;
use crate::servers::Title;
use crate::stage::Stage;

/// Time between two frames.
const FRAME: Duration = Duration::from_millis(50);

/// Draws until the run is over or a key ends it. The terminal is as before when this returns, or
/// panics.
///
/// # Errors
/// The terminal cannot be drawn on. Nothing has been drawn then.
pub(crate) fn show(stage: &Stage, title: &Title) -> io::Result<()> {
    let mut terminal = ratatui::try_init()?;
    let shown = draw(&mut terminal, stage, title);
    ratatui::restore();
    shown
}

fn draw(terminal: &mut DefaultTerminal, stage: &Stage, title: &Title) -> io::Result<()> {
    let palette = Palette::of_terminal();
    while !stage.is_over() {
        let record = stage.snapshot();
        let overlaps = stage.overlaps.load(Ordering::SeqCst);
        terminal.draw(|frame| {
            let all = frame.area();
            let picture = Picture { record: &record, title, overlaps, palette, live: true };
            let area = Rect { height: all.height.saturating_sub(1), ..all };
            frame.render_widget(&picture, area);
            let keys = Rect { y: all.bottom().saturating_sub(1), height: 1.min(all.height), ..all };
            let help = "  █ holds   ─ waits   q ends";
            frame.buffer_mut().set_stringn(
                keys.x,
                keys.y,
                help,
                keys.width.into(),
                palette.quiet(),
            );
        })?;
        if event::poll(FRAME)? && ends(&event::read()?) {
            stage.stop();
        }
    }
    Ok(())
}

/// In this mode of the terminal, Ctrl-C is a key.
fn ends(event: &Event) -> bool {
    matches!(
        event,
        Event::Key(KeyEvent { code: KeyCode::Char('q') | KeyCode::Esc, .. })
            | Event::Key(KeyEvent {
                code: KeyCode::Char('c'),
                modifiers: KeyModifiers::CONTROL,
                ..
            })
    )
}
