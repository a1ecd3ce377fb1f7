use super::{
    job::Job,
    server::{Server, segment},
};
use crate::failure::Failure;
use futures::StreamExt;
use reqwest_tls::{Method, StatusCode, header};
use sse_stream::{Sse, SseByteStream};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The server says something every 15 s, if only that it is there.
const SILENCE: Duration = Duration::from_secs(45);

/// The pause before a stream that broke is asked for again; while none is to be had it doubles, up to the longest.
const AGAIN: Duration = Duration::from_secs(2);
const AT_LONGEST: Duration = Duration::from_secs(16);

/// How often the server is asked in vain: four minutes or so.
const TRIES: u32 = 16;

/// Follows a job until it has ended, over broken connections too. `saw` gets it each time it has changed, and maybe in
/// between. Where there is no stream to be had, because the server has too many, the job is asked for now and then.
pub(super) async fn follow(
    server: &Server,
    id: &str,
    mut saw: impl FnMut(&Job),
) -> Result<Job, Failure> {
    let mut seen = Seen::default();
    let mut tries = 0;
    let mut pause = AGAIN;
    loop {
        let before = seen.event_id.clone();
        match listen(server, id, &mut seen, &mut saw).await {
            Err(failure) if !failure.may_pass() => return Err(failure),
            Err(_) if seen.event_id == before => pause = (pause * 2).min(AT_LONGEST),
            _ => pause = AGAIN,
        }
        match server.job(id).await {
            Ok(job) => {
                saw(&job);
                if job.has_ended() {
                    return Ok(job);
                }
                tries = 0;
            }
            Err(failure) if !failure.may_pass() || tries == TRIES => return Err(failure),
            Err(_) => tries += 1,
        }
        sleep(pause).await;
    }
}

/// Where a stream goes on after it broke.
#[derive(Debug, Default)]
struct Seen {
    event_id: Option<String>,
}

/// One stream, to its end.
async fn listen(
    server: &Server,
    id: &str,
    seen: &mut Seen,
    saw: &mut impl FnMut(&Job),
) -> Result<(), Failure> {
    let path = format!("jobs/{}/events", segment(id));
    let mut request = server
        .request(Method::GET, &path)?
        .header(header::ACCEPT, "text/event-stream");
    if let Some(event_id) = &seen.event_id {
        request = request.header("last-event-id", event_id);
    }
    let answer = server.send(request).await?;
    if answer.status() == StatusCode::NO_CONTENT {
        return Ok(());
    }
    let mut events = SseByteStream::new(answer.bytes_stream());
    loop {
        let event = timeout(SILENCE, events.next()).await;
        let event = event.map_err(|_| Failure::passing("stalled", "the server fell silent"))?;
        match event {
            None => return Ok(()),
            Some(Err(error)) => return Err(broken(&error)),
            Some(Ok(event)) => {
                if let Some(job) = job_in(&event) {
                    saw(&job);
                }
                seen.event_id = event.id.or(seen.event_id.take());
            }
        }
    }
}

/// Other events than jobs (`end`, `deleted`, some that there may be one day) say nothing that the record doesn't.
fn job_in(event: &Sse) -> Option<Job> {
    if event.event.as_deref() != Some("job") {
        return None;
    }
    serde_json::from_str(event.data.as_deref()?).ok()
}

fn broken(error: &sse_stream::Error) -> Failure {
    Failure::passing("broken", error.to_string())
}
