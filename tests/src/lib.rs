//! Test kit of redlatch: the model server, real servers, a proxy that does harm, conformance scenarios.

pub mod board;
pub mod conformance;
pub mod example;
pub mod hold;
pub mod model;
mod pause;
pub mod port;
pub mod proxy;
pub mod server;
