//! Lines on the console, put together from texts and numbers without `core::fmt`.

use core::ffi::CStr;

use crate::semihosting;

/// Longest line, its end of line and the zero behind it included. What is longer is cut.
const CAPACITY: usize = 128;

/// A line that is being put together. It is written whole, so lines never mix.
pub struct Line {
    bytes: [u8; CAPACITY],
    used: usize,
}

impl Line {
    /// A line that begins with this text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self { bytes: [0; CAPACITY], used: 0 }.text(text)
    }

    /// Adds a text. What can end the line, or is not ASCII, becomes a blank.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        for byte in text.bytes() {
            self.push(if (b' '..=b'~').contains(&byte) { byte } else { b' ' });
        }
        self
    }

    /// Adds a number, in decimal.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        let mut digits = [0; 20];
        let mut left = number;
        let mut count = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (left % 10) as u8;
            left /= 10;
            count += 1;
            if left == 0 {
                break;
            }
        }
        for digit in digits.iter().skip(digits.len() - count) {
            self.push(*digit);
        }
        self
    }

    /// Writes the line.
    pub fn end(mut self) {
        if let Some(end) = self.bytes.get_mut(self.used) {
            *end = b'\n';
        }
        if let Ok(text) = CStr::from_bytes_until_nul(&self.bytes) {
            semihosting::write(text);
        }
    }

    /// The last two places are for the end of the line.
    fn push(&mut self, byte: u8) {
        if self.used < CAPACITY - 2
            && let Some(place) = self.bytes.get_mut(self.used)
        {
            *place = byte;
            self.used += 1;
        }
    }
}
