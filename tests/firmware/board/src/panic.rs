//! What a panic does: it tells where, and ends with a status that no scenario has.

use core::panic::PanicInfo;

use crate::console::Line;

/// The exit status of a firmware that has panicked.
const PANICKED: u8 = 101;

/// Tells only the place: the message would need `core::fmt`.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let line = Line::of("panic at ");
    match info.location() {
        Some(place) => line.text(place.file()).text(":").number(place.line().into()).end(),
        None => line.text("a place that is not known").end(),
    }
    crate::exit(PANICKED)
}
