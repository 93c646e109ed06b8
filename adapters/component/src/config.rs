//! Configuration parameters.

mod getters;
pub(crate) mod invalid;
pub(crate) mod keyed;
mod params;
pub(crate) mod place;
pub(crate) mod schema;
pub(crate) mod section;
mod tuples;
mod value;

pub use params::ConfigParams;
pub use tuples::Tuples;
pub use value::ConfigValue;
