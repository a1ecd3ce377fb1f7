use crate::error::Error;
use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

/// The most that the multipart parser may have read ahead of us. It also holds what is no part's content: headers,
/// preamble, boundaries of a whole body.
const BACKLOG_BYTES: u64 = 1024 * 1024;

/// How much the parser gets before it has to look at it.
const SIP_BYTES: u64 = 256 * 1024;

/// A body on its way into the multipart parser, which would otherwise read as fast as bytes come and keep headers
/// without end in memory. Clones share the body.
#[derive(Clone)]
pub(crate) struct Backlog(Arc<Shared>);

struct Shared {
    body: Mutex<BodyDataStream>,
    given_bytes: AtomicU64,
    taken_bytes: AtomicU64,
    sip_bytes: AtomicU64,
}

impl Backlog {
    pub(crate) fn new(body: Body) -> Self {
        Self(Arc::new(Shared {
            body: Mutex::new(body.into_data_stream()),
            given_bytes: AtomicU64::new(0),
            taken_bytes: AtomicU64::new(0),
            sip_bytes: AtomicU64::new(0),
        }))
    }

    /// Notes that so much of a part's content has come out of the parser.
    pub(crate) fn taken(&self, bytes: &Bytes) {
        self.0
            .taken_bytes
            .fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }

    /// What the parser has not read, without its bounds.
    pub(crate) fn rest(&self) -> impl Stream<Item = Result<Bytes, axum::Error>> + use<> {
        let shared = Arc::clone(&self.0);
        futures::stream::poll_fn(move |context| shared.poll_body(context))
    }
}

impl Shared {
    fn poll_body(&self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, axum::Error>>> {
        let mut body = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        body.poll_next_unpin(context)
    }
}

impl Stream for Backlog {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let shared = &self.0;
        let given = shared.given_bytes.load(Ordering::Relaxed);
        if given - shared.taken_bytes.load(Ordering::Relaxed) > BACKLOG_BYTES {
            let refusal = Error::BadRequest("the parts' headers are too large".into());
            return Poll::Ready(Some(Err(axum::Error::new(refusal))));
        }
        if shared.sip_bytes.load(Ordering::Relaxed) > SIP_BYTES {
            shared.sip_bytes.store(0, Ordering::Relaxed);
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = shared.poll_body(context);
        match &next {
            Poll::Ready(Some(Ok(bytes))) => {
                shared
                    .given_bytes
                    .fetch_add(bytes.len() as u64, Ordering::Relaxed);
                shared
                    .sip_bytes
                    .fetch_add(bytes.len() as u64, Ordering::Relaxed);
            }
            _ => shared.sip_bytes.store(0, Ordering::Relaxed),
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn body(pieces: usize) -> Body {
        let piece = Bytes::from(vec![0; 64 * 1024]);
        let pieces = std::iter::repeat_n(Ok::<_, Infallible>(piece), pieces);
        Body::from_stream(futures::stream::iter(pieces))
    }

    #[tokio::test]
    async fn what_nobody_takes_is_not_kept_without_end() {
        let read: Vec<_> = Backlog::new(body(64)).take(64).collect().await;
        let refused = read.iter().position(Result::is_err);
        assert_eq!(refused, Some(17), "a megabyte and a piece");
    }

    #[tokio::test]
    async fn what_is_taken_passes_whatever_its_size() {
        let backlog = Backlog::new(body(64));
        let taken = backlog.clone();
        let mut passing =
            backlog.inspect(|bytes| taken.taken(bytes.as_ref().unwrap_or(&Bytes::new())));
        let mut pieces = 0;
        while let Some(Ok(_)) = passing.next().await {
            pieces += 1;
        }
        assert_eq!(pieces, 64);
    }
}
