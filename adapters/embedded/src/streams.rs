//! The streams to all servers.

use crate::stream::Stream;

/// One stream for each server, in the order of the servers: an array, or a slice that is borrowed.
pub trait Streams {
    /// What the streams have in common.
    type Stream: Stream;

    /// The streams.
    fn streams(&mut self) -> &mut [Self::Stream];
}

impl<T: Stream, const N: usize> Streams for [T; N] {
    type Stream = T;

    fn streams(&mut self) -> &mut [T] {
        self
    }
}

impl<T: Stream> Streams for &mut [T] {
    type Stream = T;

    fn streams(&mut self) -> &mut [T] {
        self
    }
}
