//! Every bound on what a peer can make us do, in one place.

/// Longest length or count that is read, in digits: `i64::MAX` has 19.
pub const LENGTH_DIGITS: u8 = 19;

/// Deepest nesting the scanner has room for. [`Limits::depth`] can only be lower.
pub const DEPTH_MAX: u8 = 8;

/// Redirects (`MOVED`, `ASK`) followed for one request: none. Such a reply is a
/// [`Refusal`](crate::Refusal) that an adapter may act upon.
pub const REDIRECTS_MAX: u8 = 0;

/// What one reply, and one connection, may cost. A reply beyond a *stored* bound is skipped and
/// read as [`Reply::TooLong`](crate::Reply::TooLong), the stream stays in step; a reply beyond any
/// other bound is [`Malformed`](crate::Malformed) and ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Aggregates inside one another, counting the outermost. At most [`DEPTH_MAX`].
    pub depth: u8,
    /// Elements of one aggregate; a map of n entries has 2n.
    pub aggregate_elements: u32,
    /// Values in one reply, at all depths together, aggregates and attributes included.
    pub reply_elements: u32,
    /// Stored bytes of one bulk string.
    pub bulk_bytes: u32,
    /// Stored bytes of one line: a simple string, an error, a big number. Of a longer error the
    /// beginning is kept, because its code matters.
    pub line_bytes: u32,
    /// Stored bytes of one push.
    pub push_bytes: u32,
    /// Bytes of one reply or push altogether, stored or skipped.
    pub reply_bytes: u32,
    /// Requests sent and not answered on one connection.
    pub in_flight: u32,
}

impl Limits {
    /// For machines with an operating system.
    pub const HOSTED: Self = Self {
        depth: 8,
        aggregate_elements: 1024,
        reply_elements: 4096,
        bulk_bytes: 64 * 1024,
        line_bytes: 1024,
        push_bytes: 64 * 1024,
        reply_bytes: 1024 * 1024,
        in_flight: 32,
    };

    /// For microcontrollers.
    pub const EMBEDDED: Self = Self {
        depth: 4,
        aggregate_elements: 64,
        reply_elements: 256,
        bulk_bytes: 256,
        line_bytes: 64,
        push_bytes: 256,
        reply_bytes: 16 * 1024,
        in_flight: 4,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::HOSTED
    }
}
