//! The whole system on one machine.

mod clips;
mod command_line;
mod crashes;
mod events;
mod first_start;
mod full_store;
mod judges;
mod life;
mod line;
mod options;
mod refusals;
mod replays;
mod resumable;
mod servers;
mod settings;
mod smtp;
mod stopping;
mod suite;
mod traces;
mod whole_way;

use std::time::Duration;

/// Enough for a short clip's conversion and its mail on a machine that is busy with other tests.
const SOON: Duration = Duration::from_secs(60);

/// Enough for what a kill left behind: its lease runs out after 30 s, and the broker comes back after 8, 24 and 56 s.
const AFTER_A_LEASE: Duration = Duration::from_secs(150);

/// Enough for a mail that was in somebody's hands when the kill came: it is theirs for 150 s.
const AFTER_A_MAIL_LEASE: Duration = Duration::from_secs(240);
