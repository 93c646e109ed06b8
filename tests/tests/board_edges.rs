//! The adapters for microcontrollers at their edges, on the model server and in virtual time: the
//! engine that they share, the client that blocks, and the one that is polled.

#[path = "board_edges/blocking.rs"]
mod blocking;
#[path = "board_edges/desk.rs"]
mod desk;
#[path = "board_edges/engine.rs"]
mod engine;
#[path = "board_edges/executor.rs"]
mod executor;
#[path = "board_edges/lines.rs"]
mod lines;
#[path = "board_edges/owners.rs"]
mod owners;
#[path = "board_edges/polled.rs"]
mod polled;
#[path = "board_edges/servers.rs"]
mod servers;
#[path = "board_edges/streams.rs"]
mod streams;
#[path = "board_edges/texts.rs"]
mod texts;
#[path = "board_edges/world.rs"]
mod world;
