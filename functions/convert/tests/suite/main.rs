//! `convert` through its front door, on the embedded store, with real media.

#![expect(clippy::unwrap_used, reason = "a test that can't go on must fail")]

mod boxed;
mod cancelled;
mod conversion;
mod options;
mod reading;
mod repeats;
mod world;
