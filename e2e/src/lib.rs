//! The whole system from outside: `decant up` as a process, its door over HTTP, its mails as files.
//!
//! What a test reaches for, in the order of a test's life: a [`System`] is started on a folder and a port of its own, a
//! [`Client`] signs in and uploads, a [`Mailbox`] is looked into. Everything panics with a sentence when it can't do its
//! work: a test without its system is no test. Nothing sleeps for a fixed time: see [`eventually`].

mod client;
mod event_stream;
mod eventually;
mod mailbox;
mod place;
mod processes;
mod seen;
mod system;

pub use client::{Client, EMAIL, Job, PASSWORD};
pub use decant_test_servers::free_port;
pub use event_stream::{EventStream, Told};
pub use eventually::eventually;
pub use mailbox::{Mail, Mailbox};
pub use place::add_user;
pub use processes::Process;
pub use system::{Ended, System};
