//! The [model server](redlatch_model), and the same behind real sockets.

mod face;

pub use redlatch_model::*;

pub use face::ModelServer;
