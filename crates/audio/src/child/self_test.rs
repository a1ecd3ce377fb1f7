//! Tries to get out of the box, which must not work.

use std::env;
use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;

use crate::Missing;
use crate::native::confine::execute_this_program;

/// What this program's only argument is after it could start itself from inside the box.
const ESCAPED: &CStr = c"escaped";

/// Tries everything. In a box that doesn't hold this process may become [`escaped`](has_escaped) instead.
///
/// # Errors
/// Says what is possible in here.
pub(super) fn run(missing: Missing) -> Result<(), String> {
    // Comes back only if it fails.
    let executed = Err(execute_this_program(ESCAPED));
    judge("a program can be started", executed, missing)
        .and_then(|()| open_things(missing))
        .map_err(|possible| format!("{possible} inside"))
}

/// What this process can do, if it is one that was started from inside a box.
pub(super) fn has_escaped() -> Option<String> {
    let argument = env::args_os().nth(1)?;
    (argument.as_encoded_bytes() == ESCAPED.to_bytes()).then_some(())?;
    let also = open_things(Missing::default()).err().unwrap_or_default();
    Some(format!("a program can be started and {also} inside"))
}

fn open_things(missing: Missing) -> Result<(), String> {
    let attempts = [
        ("a file can be opened", File::open("/").map(drop)),
        (
            "a network socket can be opened",
            UdpSocket::bind(("127.0.0.1", 0)).map(drop),
        ),
        (
            "a local socket can be opened",
            UnixDatagram::unbound().map(drop),
        ),
    ];
    let possible = attempts
        .into_iter()
        .filter_map(|(what, attempt)| judge(what, attempt, missing).err());
    let possible: Vec<String> = possible.collect();
    if possible.is_empty() {
        Ok(())
    } else {
        Err(possible.join(" and "))
    }
}

fn judge(what: &str, attempt: io::Result<()>, missing: Missing) -> Result<(), String> {
    match attempt {
        Ok(()) => Err(what.to_owned()),
        Err(error) if is_refusal(&error, missing) => Ok(()),
        Err(error) => Err(format!("perhaps {what} ({error})")),
    }
}

/// Refused by the box, and not for want of something that another try may find.
fn is_refusal(error: &io::Error, missing: Missing) -> bool {
    let by_landlock_or_limits = [libc::EACCES, libc::EMFILE];
    match error.raw_os_error() {
        Some(libc::EPERM) => true,
        Some(refusal) => missing.seccomp && by_landlock_or_limits.contains(&refusal),
        None => false,
    }
}
