//! What a runtime must offer.

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::path::Path;

use redlatch_client::Error;

use crate::stream::Stream;

/// An async runtime: sockets, a timer and tasks. A new runtime implements this and nothing else.
///
/// All of it is used inside the tasks that [`Runtime::spawn`] starts. The futures of
/// [`Client`](crate::Client) and [`Guard`](crate::Guard) use none of it, so they can be awaited on
/// any executor, and polled and dropped where there is none.
pub trait Runtime: Send + Sync + Sized + 'static {
    /// A connected socket.
    type Stream: Stream;

    /// The runtime of the caller.
    ///
    /// # Errors
    /// [`Error::NoRuntime`] where there is none.
    fn current() -> Result<Self, Error>;

    /// Finds the addresses of a host, in the order in which they shall be tried.
    ///
    /// # Errors
    /// Whatever the resolver says.
    fn resolve(
        &self,
        host: &str,
        port: u16,
    ) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;

    /// Connects over TCP, without Nagle's algorithm.
    ///
    /// # Errors
    /// Whatever the operating system says.
    fn connect_tcp(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Connects to a unix socket.
    ///
    /// # Errors
    /// Whatever the operating system says; `Unsupported` where there are no such sockets.
    fn connect_unix(&self, path: &Path) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Is ready after this time, or a little earlier where the timer is coarse: who sleeps looks at the
    /// clock then, and sleeps again.
    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send;

    /// Runs a task in the background. It may be dropped at any time, as happens when a runtime is
    /// shut down; then the client is closed and the keys that it holds are left to their ttl.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);
}
