//! Bytes to and from one server, turned into requests and replies.

use crate::answer::Refusal;
use crate::buffer::Buffer;
use crate::defect::{Defect, has};
use crate::limits::Limits;
use crate::resp::{Arguments, Malformed, Reply, Scanned, Scanner, encode, encoded_len};
use crate::time::{Instant, micros};
use core::fmt;
use core::time::Duration;

/// The byte level of one connection. It does no I/O itself: the caller moves bytes between the
/// socket and [`Connection::io`].
///
/// A server answers in order, so replies are matched by counting, and a [`Serial`] is the whole
/// table of requests. It follows that every request must get exactly one reply: never submit
/// `SUBSCRIBE`, `MONITOR` or `CLIENT REPLY`. A reply that nobody asked for ends the connection, and
/// so does everything else that casts doubt on the count. Then every request in flight has an
/// unknown outcome.
///
/// # The loop
/// 1. Wait until the socket can be read into `space`, or take `pending`, or
///    [`Connection::poll_timeout`] has come. Call [`received`](Self::received),
///    [`wrote`](Self::wrote) or [`handle_timeout`](Self::handle_timeout). When several are due,
///    hand in bytes before time: a reply that has arrived is not late.
/// 2. Call [`poll`](Self::poll) until it gives `None`, before the socket is read again.
///
/// `Rx` and `Tx` are storage: a reply that does not fit `Rx` is skipped and read as
/// [`Reply::TooLong`], a request that does not fit `Tx` is not taken. Of an error that is too long
/// the beginning of its line is kept.
pub struct Connection<Rx, Tx = Rx> {
    rx: Buffer<Rx>,
    tx: Buffer<Tx>,
    scanner: Scanner,
    /// Bytes of `rx` that the scanner has passed, all of them of one frame.
    scanned: usize,
    /// Bytes of `rx` that were lent with the last reply; the next call drops them.
    lent: usize,
    /// The frame is too long to keep: only so many bytes of its beginning are.
    cut: Option<usize>,
    /// A whole frame that waits to be lent.
    ready: Option<Frame>,
    /// Serials of the next request, and of the next reply.
    asked: u64,
    answered: u64,
    /// The frame that is coming in can only answer requests before this serial: the others were
    /// submitted after it had begun to arrive.
    answers_before: u64,
    fence: Fence,
    watch: Watch,
    end: End,
}

/// A request on one connection: how many were submitted before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(u64);

/// Our own limit is reached: too many requests in flight, no room for this one, or the connection
/// has ended. Nothing of the request was taken. Try again after replies came in or bytes went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection takes no more requests now")
    }
}

impl core::error::Error for Full {}

/// Both halves at once, so that a driver reads while it writes: two peers that only write deadlock.
pub struct Io<'a> {
    /// Read from the socket into the beginning of this, then call [`Connection::received`].
    pub space: &'a mut [u8],
    /// Write the beginning of this to the socket, then call [`Connection::wrote`].
    pub pending: &'a [u8],
}

/// What the server sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Incoming<'a> {
    /// The reply to one request.
    Reply {
        /// The request, as [`Connection::submit`] numbered it.
        serial: Serial,
        /// What it says.
        reply: Reply<'a>,
    },
    /// Something that no request asked for, a [`Reply::Push`]. [`Reply::TooLong`] when its content
    /// was not kept: then it can have said anything, so look again.
    Push(Reply<'a>),
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WireError {
    /// The peer sent something that is not RESP, or exceeds a limit.
    Malformed(Malformed),
    /// The peer sent a reply that nobody asked for. Which replies before it were ours is not known.
    Unsolicited,
    /// The peer sent an error that nobody asked for, as a server does that turns a client away.
    Rejected(Refusal),
    /// The peer closed the connection.
    Closed,
    /// The peer did not answer in time.
    TimedOut,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(malformed) => malformed.fmt(f),
            Self::Unsolicited => f.write_str("the server sent a reply that nobody asked for"),
            Self::Rejected(refusal) => {
                write!(f, "the server turned the connection away: {refusal}")
            }
            Self::Closed => f.write_str("the server closed the connection"),
            Self::TimedOut => f.write_str("the server did not answer in time"),
        }
    }
}

impl core::error::Error for WireError {}

impl<Rx, Tx> Connection<Rx, Tx> {
    /// A connection before its first byte. `reply_timeout` is the longest that an answer may take
    /// before [`Connection::handle_timeout`] gives the server up.
    pub const fn new(rx: Rx, tx: Tx, limits: Limits, reply_timeout: Duration) -> Self {
        Self {
            rx: Buffer::new(rx),
            tx: Buffer::new(tx),
            scanner: Scanner::new(limits),
            scanned: 0,
            lent: 0,
            cut: None,
            ready: None,
            asked: 0,
            answered: 0,
            answers_before: 0,
            fence: Fence::DOWN,
            watch: Watch::new(reply_timeout),
            end: End::Open,
        }
    }

    /// Forgets everything: a connection before its first byte, in the same storage.
    pub fn reset(&mut self, limits: Limits, reply_timeout: Duration) {
        self.end_with(WireError::Closed);
        self.scanner = Scanner::new(limits);
        self.cut = None;
        (self.asked, self.answered, self.answers_before) = (0, 0, 0);
        self.fence = Fence::DOWN;
        self.watch = Watch::new(reply_timeout);
        self.end = End::Open;
    }

    /// Requests submitted and not answered. Once the connection has ended: those whose outcome is
    /// unknown.
    #[must_use]
    pub const fn in_flight(&self) -> u64 {
        self.asked.saturating_sub(self.answered)
    }

    /// Why the connection ended; `None` while it lives. After the peer closed it lives on until
    /// [`Connection::poll`] has given everything that came before.
    #[must_use]
    pub const fn ended(&self) -> Option<WireError> {
        match self.end {
            End::Ended(error) => Some(error),
            End::Open | End::Closing => None,
        }
    }

    /// When [`Connection::handle_timeout`] wants to be called; `None` while nothing is in flight.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.end {
            End::Open => self.watch.deadline(),
            End::Closing | End::Ended(_) => None,
        }
    }

    /// Ends the connection if the server has left requests unanswered for too long: between one and
    /// two reply timeouts after the oldest was submitted, however it drips bytes meanwhile.
    pub fn handle_timeout(&mut self, now: Instant) {
        let is_late = self.poll_timeout().is_some_and(|deadline| deadline <= now);
        if is_late && !has(Defect::SilenceIsForever) {
            self.end_with(WireError::TimedOut);
        }
    }

    /// Says that the first `count` bytes of [`Io::pending`] went out.
    pub fn wrote(&mut self, count: usize) {
        self.tx.consume(count);
    }

    fn end_with(&mut self, error: WireError) -> WireError {
        self.rx.clear();
        self.tx.clear();
        self.ready = None;
        self.lent = 0;
        self.scanned = 0;
        self.end = End::Ended(error);
        error
    }
}

impl<Rx, Tx> Connection<Rx, Tx>
where
    Rx: AsRef<[u8]> + AsMut<[u8]>,
    Tx: AsRef<[u8]> + AsMut<[u8]>,
{
    /// Queues a request to be sent; `now` starts its clock. All or nothing.
    ///
    /// # Errors
    /// [`Full`] when [`Limits::in_flight`] is reached, when the request does not fit the room that
    /// is left (see [`Connection::fits`]), and after the connection has ended.
    pub fn submit(
        &mut self,
        question: &(impl Arguments + ?Sized),
        now: Instant,
    ) -> Result<Serial, Full> {
        if self.end != End::Open || self.in_flight() >= u64::from(self.scanner.limits().in_flight) {
            return Err(Full);
        }
        let written = encode(question, self.tx.space()).ok_or(Full)?;
        self.tx.filled(written);
        let serial = Serial(self.asked);
        self.raise_fence(serial);
        self.watch.submitted(serial, now);
        self.asked = self.asked.saturating_add(1);
        Ok(serial)
    }

    /// Whether the request fits a transmit buffer that is empty. If not, [`Full`] is for ever.
    pub fn fits(&self, question: &(impl Arguments + ?Sized)) -> bool {
        let len = encoded_len(question);
        len > 0 && len <= self.tx.capacity()
    }

    /// Lends the room to read into and the bytes to write. `space` is not empty while the
    /// connection lives and [`Connection::poll`] has given `None`; both are empty once it ended.
    pub fn io(&mut self) -> Io<'_> {
        if matches!(self.end, End::Ended(_)) {
            return Io { space: &mut [], pending: &[] };
        }
        self.drop_lent();
        Io { space: self.rx.space(), pending: self.tx.pending() }
    }

    /// Says that `count` bytes were read into [`Io::space`]. Zero says that the peer closed; it is
    /// not believed when there was no room to read into.
    pub fn received(&mut self, count: usize) {
        match self.end {
            End::Open if count > 0 => self.rx.filled(count),
            End::Open if !self.rx.is_full() || self.rx.capacity() == 0 => self.end = End::Closing,
            _ => {}
        }
    }

    /// Gives the next reply or push that has arrived whole.
    ///
    /// # Errors
    /// [`WireError`] once the connection has ended, the same for ever after.
    pub fn poll(&mut self) -> Result<Option<Incoming<'_>>, WireError> {
        self.drop_lent();
        let Some(frame) = self.next_frame()? else {
            return Ok(None);
        };
        if frame.inner_push {
            self.ready = Some(Frame { inner_push: false, ..frame });
            return Ok(Some(Incoming::Push(Reply::TooLong)));
        }
        self.lent = frame.len;
        let serial = if frame.is_push { None } else { Some(self.answer()) };
        let reply = self.view(frame);
        Ok(Some(match serial {
            Some(serial) => Incoming::Reply { serial, reply },
            None => Incoming::Push(reply),
        }))
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, WireError> {
        if let End::Ended(error) = self.end {
            return Err(error);
        }
        if let Some(frame) = self.ready.take() {
            return Ok(Some(frame));
        }
        let found = self.scan().map_err(|error| self.end_with(error))?;
        if found.is_none() && self.end == End::Closing {
            return Err(self.end_with(WireError::Closed));
        }
        Ok(found)
    }

    /// Scans what was not scanned yet, up to the end of a frame.
    fn scan(&mut self) -> Result<Option<Frame>, WireError> {
        let fresh = self.rx.pending().get(self.scanned..).unwrap_or_default();
        if fresh.is_empty() {
            return Ok(None);
        }
        if self.scanner.is_between() {
            self.answers_before = self.fence.serial().map_or(self.asked, |serial| serial.0);
        }
        let Scanned { used, ended } = self.scanner.advance(fresh).map_err(WireError::Malformed)?;
        self.scanned = self.scanned.saturating_add(used);
        self.fence.left = self.fence.left.saturating_sub(used);
        if self.cut.is_none() && (self.scanner.too_long() || (!ended && self.rx.is_full())) {
            self.cut = Some(self.head());
        }
        if ended {
            return self.end_frame().map(Some);
        }
        if let Some(head) = self.cut {
            self.rx.truncate(head);
            self.scanned = self.scanned.min(head);
        }
        Ok(None)
    }

    /// What is kept of the frame that is too long: of an error the beginning of its line, because
    /// its code decides what is done next; of others nothing.
    fn head(&self) -> usize {
        let line = usize::try_from(self.scanner.limits().line_bytes).unwrap_or(usize::MAX);
        match self.rx.pending().first() {
            Some(b'-') => line.saturating_add(1).min(self.rx.capacity() / 2),
            _ => 0,
        }
    }

    /// Decides whether the frame that was scanned may be there at all.
    fn end_frame(&mut self) -> Result<Frame, WireError> {
        let frame = Frame {
            len: core::mem::take(&mut self.scanned),
            cut: self.cut.take(),
            is_push: self.scanner.is_push(),
            inner_push: self.scanner.inner_push(),
        };
        if frame.is_push || self.answered < self.answers_before {
            return Ok(frame);
        }
        Err(match self.view(frame) {
            Reply::Error(line) => WireError::Rejected(Refusal::classify(line)),
            _ => WireError::Unsolicited,
        })
    }

    fn view(&self, frame: Frame) -> Reply<'_> {
        let pending = self.rx.pending();
        let kept = pending.get(..frame.cut.unwrap_or(frame.len)).unwrap_or_default();
        match (frame.cut, kept) {
            (None, _) => Reply::from_frame(kept),
            (Some(_), [b'-', line @ ..]) => Reply::Error(line),
            (Some(_), _) => Reply::TooLong,
        }
    }

    /// Takes the oldest request in flight as answered.
    fn answer(&mut self) -> Serial {
        let serial = Serial(self.answered);
        self.answered = self.answered.saturating_add(1);
        self.watch.answered(serial, Serial(self.asked.saturating_sub(1)));
        serial
    }

    /// Bytes that are here already cannot answer the request that is submitted now.
    fn raise_fence(&mut self, serial: Serial) {
        let held = self.lent.saturating_add(self.ready.map_or(self.scanned, |frame| frame.len));
        let left = self.rx.len().saturating_sub(held);
        let serial = self.fence.serial().unwrap_or(serial);
        self.fence = Fence { left, serial };
    }

    fn drop_lent(&mut self) {
        self.rx.consume(self.lent);
        self.lent = 0;
    }
}

/// Shows no bytes: they may be a password or a token.
impl<Rx, Tx> fmt::Debug for Connection<Rx, Tx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("rx", &self.rx)
            .field("tx", &self.tx)
            .field("in_flight", &self.in_flight())
            .field("ended", &self.ended())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Io<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Io")
            .field("space", &self.space.len())
            .field("pending", &self.pending.len())
            .finish()
    }
}

/// A whole frame. `len` bytes of it are at the front of the receive buffer.
#[derive(Clone, Copy, Debug)]
struct Frame {
    len: usize,
    cut: Option<usize>,
    is_push: bool,
    inner_push: bool,
}

/// Frames that begin in the next `left` bytes can only answer requests before `serial`: they had
/// arrived when that was submitted. A surplus reply is thus never taken for the answer to a later
/// request, even when the caller submits before it polls.
#[derive(Clone, Copy, Debug)]
struct Fence {
    left: usize,
    serial: Serial,
}

impl Fence {
    const DOWN: Self = Self { left: 0, serial: Serial(0) };

    fn serial(self) -> Option<Serial> {
        (self.left > 0).then_some(self.serial)
    }
}

/// Notices a server that is silent, without a table of times: it watches one request, and when that
/// is answered, the newest of those in flight. Each is judged by its own age. A request that is not
/// watched is older than the one watched next, which was submitted within a timeout after it.
#[derive(Clone, Copy, Debug)]
struct Watch {
    /// In microseconds.
    timeout: u64,
    watched: Serial,
    /// When that was submitted; never, if nothing is watched.
    since: Instant,
    /// When the newest request was submitted.
    newest: Instant,
}

impl Watch {
    const fn new(timeout: Duration) -> Self {
        let timeout = micros(timeout);
        Self { timeout, watched: Serial(0), since: Instant::NEVER, newest: Instant::NEVER }
    }

    fn submitted(&mut self, serial: Serial, now: Instant) {
        self.newest = now;
        if self.since == Instant::NEVER {
            (self.watched, self.since) = (serial, now);
        }
    }

    fn answered(&mut self, serial: Serial, newest: Serial) {
        if self.watched <= serial {
            let since = if newest > serial { self.newest } else { Instant::NEVER };
            (self.watched, self.since) = (newest, since);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        (self.since < Instant::NEVER).then(|| self.since.plus(self.timeout))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    /// The peer closed; what came before is still to be given.
    Closing,
    Ended(WireError),
}
