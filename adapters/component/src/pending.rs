//! The futures of this crate's traits.

use core::pin::Pin;

use crate::error::Error;

/// What a method of an async trait gives: a future that may move between threads, with the result.
///
/// It is boxed so that the traits can be used as objects: `Arc<dyn Lock>` is how a program of
/// components hands a lock around. `Box::pin(async move { … })` makes one.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;
