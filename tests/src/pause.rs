//! The pause between two looks at something that offers no event to wait for.

use core::time::Duration;
use std::thread;

pub(crate) fn breathe() {
    thread::sleep(Duration::from_millis(2));
}
