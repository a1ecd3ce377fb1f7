//! The contract between the functions: event types, their data, options, ids and links.
//!
//! Invariants:
//! - No I/O and no framework: whoever can parse JSON can read this contract.
//! - Events are hints, the job record is the truth. Nothing here carries a decision that the record doesn't hold.

mod event;
mod file_id;
mod link;
mod options;
mod problem;
pub mod token;
mod username;

pub use event::{EventData, JobFailed, Mp3Ready, VideoUploaded};
pub use file_id::{FileId, InvalidFileId};
pub use link::{DownloadLink, InvalidLink, LinkSecret, WeakLinkSecret};
pub use options::{ConversionOptions, InvalidOption, Track};
pub use problem::{Problem, code};
pub use username::{InvalidUsername, Username};
