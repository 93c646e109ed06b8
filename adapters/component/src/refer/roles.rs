//! What a component can be asked to do before it is used.

use super::references::References;
use crate::config::ConfigParams;
use crate::context::Context;
use crate::error::Error;
use crate::pending::Pending;

/// A component that takes parameters; `IConfigurable` and `IReconfigurable` in the family.
pub trait Configurable: Send + Sync {
    /// Sets the parameters, in place of those of an earlier call. An error changes nothing.
    ///
    /// # Errors
    /// A parameter is unknown, malformed or contradicts another; the error names its key.
    fn configure(&self, config: &ConfigParams) -> Result<(), Error>;
}

/// A component that depends on others; `IReferenceable` in the family.
pub trait Referenceable: Send + Sync {
    /// Looks up what the component depends on, now and once: what is put into the references later
    /// is not seen, and no component keeps another alive by way of a list that holds both.
    ///
    /// # Errors
    /// Something that the component cannot do without is not there.
    fn set_references(&self, references: &References) -> Result<(), Error>;
}

/// A component that holds connections; `IOpenable` in the family. Its blocking face is
/// [`blocking::Openable`](crate::blocking::Openable).
pub trait Openable: Send + Sync {
    /// Whether the component is open.
    fn is_open(&self) -> bool;

    /// Opens the component. Opening one that is open does nothing.
    ///
    /// # Errors
    /// The component is not configured, or what it connects to cannot be reached.
    fn open<'a>(&'a self, context: Context<'a>) -> Pending<'a, ()>;

    /// Closes the component and gives back what it holds. Closing one that is closed does nothing.
    ///
    /// # Errors
    /// What it holds could not be given back in order. It is closed all the same.
    fn close<'a>(&'a self, context: Context<'a>) -> Pending<'a, ()>;
}
