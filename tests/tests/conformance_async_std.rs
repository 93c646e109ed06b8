//! The conformance scenarios, with redlatch-async-std, on the model and on every real server, in both versions of
//! the protocol.

mod async_faces;

async_faces::conformance::conformance_of!(AsyncStd);
