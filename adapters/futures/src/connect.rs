//! From an address to a connected socket.

use core::net::SocketAddr;
use std::io;
use std::sync::Arc;

use redlatch_client::{Address, Cause, os};
use redlatch_core::Instant;

use crate::runtime::Runtime;
use crate::timer::Timer;

/// Connects, by the deadline.
pub(crate) async fn connect<R: Runtime>(
    runtime: &R,
    address: &Address,
    deadline: Instant,
) -> Result<R::Stream, Cause> {
    let began = os::now();
    let timed_out = || Cause::TimedOut(deadline.saturating_since(began));
    let mut timer = Timer::new(runtime);
    match address {
        Address::Tcp { host, port } => {
            let resolved = timer.within(deadline, runtime.resolve(host, *port)).await;
            let addresses = resolved.ok_or_else(timed_out)?.map_err(name_error)?;
            try_each(runtime, &mut timer, &addresses, deadline).await
        }
        Address::Unix(path) => {
            let connected = timer.within(deadline, runtime.connect_unix(path)).await;
            Ok(connected.ok_or_else(timed_out)??)
        }
        _ => Err(io::Error::from(io::ErrorKind::Unsupported).into()),
    }
}

/// Tries every address of the name; each gets its share of the time that is left.
async fn try_each<R: Runtime>(
    runtime: &R,
    timer: &mut Timer<'_, R>,
    addresses: &[SocketAddr],
    deadline: Instant,
) -> Result<R::Stream, Cause> {
    let began = os::now();
    let mut last = name_error(io::ErrorKind::NotFound.into());
    for (tried, address) in addresses.iter().enumerate() {
        let now = os::now();
        let others = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let until = now.saturating_add(deadline.saturating_since(now) / others);
        last = match timer.within(until, runtime.connect_tcp(*address)).await {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => error.into(),
            None => Cause::TimedOut(deadline.saturating_since(began)),
        };
    }
    Err(last)
}

fn name_error(error: io::Error) -> Cause {
    Cause::Name(Arc::new(error))
}
