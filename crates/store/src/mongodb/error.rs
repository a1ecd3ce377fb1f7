use crate::Error;
use mongodb::error::{Error as DriverError, ErrorKind, WriteFailure};
use std::{future::IntoFuture, time::Duration};

/// How long one call may take. A server that has gone is noticed before; this is for one that hangs. Commits wait for
/// the disk, and on a busy one single syncs of 4 s were measured.
const PATIENCE: Duration = Duration::from_secs(30);

const DUPLICATE_KEY: i32 = 11_000;
const OUT_OF_DISK_SPACE: i32 = 14_031;

/// What the database answers, in the time that it has.
pub(super) async fn answer<T>(
    call: impl IntoFuture<Output = Result<T, DriverError>>,
) -> Result<T, Error> {
    match tokio::time::timeout(PATIENCE, call.into_future()).await {
        Ok(answer) => Ok(answer?),
        Err(elapsed) => Err(Error::Unavailable(elapsed.into())),
    }
}

impl From<DriverError> for Error {
    fn from(error: DriverError) -> Self {
        if codes(&error).contains(&DUPLICATE_KEY) {
            return Self::Exists;
        }
        if codes(&error).contains(&OUT_OF_DISK_SPACE) || says_full(&error) {
            return Self::Full(error.into());
        }
        match *error.kind {
            ErrorKind::Bson(_) | ErrorKind::InvalidResponse { .. } => {
                Self::Corrupt(error.to_string())
            }
            _ => Self::Unavailable(error.into()),
        }
    }
}

/// The server's codes for what went wrong.
pub(super) fn codes(error: &DriverError) -> Vec<i32> {
    match error.kind.as_ref() {
        ErrorKind::Command(command) => vec![command.code],
        ErrorKind::Write(WriteFailure::WriteError(write)) => vec![write.code],
        ErrorKind::InsertMany(insert) => {
            let errors = insert.write_errors.iter().flatten();
            errors.map(|error| error.code).collect()
        }
        _ => Vec::new(),
    }
}

/// Not every server has a code for it.
fn says_full(error: &DriverError) -> bool {
    error.to_string().contains("No space left on device")
}
