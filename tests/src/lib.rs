//! Test kit of redlatch: the model server, real servers, conformance scenarios.

pub mod board;
pub mod conformance;
pub mod hold;
pub mod model;
pub mod port;
pub mod server;
