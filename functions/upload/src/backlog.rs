use crate::error::Error;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream::BoxStream};
use std::{
    pin::Pin,
    sync::{
        Arc,
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
/// without end in memory.
pub(crate) struct Backlog {
    body: BoxStream<'static, Result<Bytes, axum::Error>>,
    given_bytes: u64,
    sip_bytes: u64,
    taken: Taken,
}

/// How much of the parts' content has come out of the parser.
#[derive(Clone, Default)]
pub(crate) struct Taken(Arc<AtomicU64>);

impl Taken {
    pub(crate) fn note(&self, bytes: &Bytes) {
        self.0.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }
}

impl Backlog {
    pub(crate) fn new(body: axum::body::Body) -> (Self, Taken) {
        let taken = Taken::default();
        let body = body.into_data_stream().boxed();
        (
            Self {
                body,
                given_bytes: 0,
                sip_bytes: 0,
                taken: taken.clone(),
            },
            taken,
        )
    }
}

impl Stream for Backlog {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.given_bytes - self.taken.0.load(Ordering::Relaxed) > BACKLOG_BYTES {
            let refusal = Error::BadRequest("the parts' headers are too large".into());
            return Poll::Ready(Some(Err(axum::Error::new(refusal))));
        }
        if self.sip_bytes > SIP_BYTES {
            self.sip_bytes = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = self.body.poll_next_unpin(context);
        match &next {
            Poll::Ready(Some(Ok(bytes))) => {
                self.given_bytes += bytes.len() as u64;
                self.sip_bytes += bytes.len() as u64;
            }
            _ => self.sip_bytes = 0,
        }
        next
    }
}
