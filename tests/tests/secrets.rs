//! No password and no token is shown: not by `Debug`, not by an error, not in a log and not by a panic, on any
//! adapter, whatever goes wrong. Requirement 18, security S7.

mod async_faces;
#[path = "secrets/boards.rs"]
mod boards;
#[path = "book/mod.rs"]
mod book;
#[path = "secrets/component.rs"]
mod component;
#[path = "secrets/exhibits.rs"]
mod exhibits;
#[path = "secrets/life.rs"]
mod life;
#[path = "secrets/troubles.rs"]
mod troubles;
#[path = "secrets/urls.rs"]
mod urls;
