//! The input as a sequence of choices.

/// Bytes that decide what happens next. When they are used up, every choice is 0.
pub(crate) struct Choices<'a> {
    rest: &'a [u8],
}

impl<'a> Choices<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self { rest: data }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        match self.rest.split_first() {
            Some((first, rest)) => {
                self.rest = rest;
                *first
            }
            None => 0,
        }
    }

    /// A number from 0 to `max`, for small `max`.
    pub(crate) fn up_to(&mut self, max: usize) -> usize {
        usize::from(self.byte()) % max.saturating_add(1)
    }

    pub(crate) fn bit(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Any number, often an extreme one.
    pub(crate) fn number(&mut self) -> usize {
        let near = usize::from(self.byte());
        match self.byte() % 4 {
            0 => near,
            1 => usize::MAX - near,
            2 => (usize::MAX / 2).wrapping_add(near).wrapping_sub(128),
            _ => self.take(8).iter().fold(near, |number, byte| (number << 8) | usize::from(*byte)),
        }
    }

    /// One of `options`, of which there is one at least.
    pub(crate) fn pick<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.up_to(options.len() - 1)]
    }

    /// So many bytes as the next one says, at most `max`.
    pub(crate) fn text(&mut self, max: usize) -> &'a [u8] {
        let len = self.up_to(max);
        self.take(len)
    }

    /// The next `len` bytes, or as many as are left.
    pub(crate) fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    pub(crate) fn take_all(&mut self) -> &'a [u8] {
        self.take(self.rest.len())
    }
}
