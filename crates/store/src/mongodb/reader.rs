use super::{
    file::{Chunks, File, received, stopped},
    gridfs::Place,
};
use crate::{Error, PayloadReader};
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use mongodb::bson::oid::ObjectId;
use std::{collections::VecDeque, ops::Range, sync::Arc};
use tokio::sync::Mutex;

/// How many chunks that were read are kept.
const KEPT: usize = 2;
/// How many chunks a seek forward may pass over before it is cheaper to ask anew.
const PASSED_OVER: i64 = 4;

/// Reads a payload, whoever stored it.
pub(super) struct ChunkReader {
    file: File,
    position: Mutex<Position>,
}

impl ChunkReader {
    pub(super) async fn open(place: &Place, id: ObjectId) -> Result<Self, Error> {
        Ok(Self {
            file: File::open(place, id).await?,
            position: Mutex::default(),
        })
    }
}

#[async_trait]
impl PayloadReader for ChunkReader {
    fn size_bytes(&self) -> u64 {
        self.file.size_bytes
    }

    async fn read_at(&self, offset: u64, length: usize) -> Result<Bytes, Error> {
        let rest = self.file.size_bytes.saturating_sub(offset);
        let range = offset..offset.saturating_add(rest.min(length as u64));
        let mut position = self.position.lock().await;
        let mut pieces = Vec::new();
        for n in self.file.numbers(&range) {
            let chunk = position.chunk(&self.file, n).await?;
            pieces.push(self.file.part(n, chunk, &range));
        }
        Ok(match pieces.len() {
            1 => pieces.swap_remove(0),
            _ => pieces.concat().into(),
        })
    }

    fn stream(self: Arc<Self>, range: Range<u64>) -> BoxStream<'static, Result<Bytes, Error>> {
        let file = self.file.clone();
        let numbers = file.numbers(&range);
        let chunks = file.read_ahead(numbers.clone());
        let numbered = stream::iter(numbers).zip(received(chunks));
        numbered
            .map(move |(n, chunk)| Ok(file.part(n, chunk?, &range)))
            .boxed()
    }
}

/// What a reader has at hand, and what comes next.
#[derive(Default)]
struct Position {
    kept: VecDeque<(i64, Bytes)>,
    ahead: Option<Ahead>,
    /// The number of the chunk that was read last.
    last: Option<i64>,
}

/// Chunks on their way, by their numbers.
struct Ahead {
    numbers: Range<i64>,
    chunks: Chunks,
}

impl Position {
    async fn chunk(&mut self, file: &File, n: i64) -> Result<Bytes, Error> {
        let kept = self.kept.iter().find(|(number, _)| *number == n);
        if let Some((_, chunk)) = kept {
            self.last = Some(n);
            return Ok(chunk.clone());
        }
        let mut ahead = match self.ahead.take().filter(|ahead| ahead.is_near(n)) {
            Some(ahead) => ahead,
            None => {
                // A reader that goes on where it was will go on; one that jumps gets what it asked for and no more.
                let goes_on = self.last.is_some_and(|last| n == last + 1);
                let numbers = n..if goes_on { file.count() } else { n + 1 };
                let chunks = file.read_ahead(numbers.clone());
                Ahead { numbers, chunks }
            }
        };
        // Not put back after an error: then the next read asks anew.
        let chunk = ahead.pass_over_to(n).await?;
        self.ahead = Some(ahead);
        self.last = Some(n);
        self.kept.truncate(KEPT - 1);
        self.kept.push_front((n, chunk.clone()));
        Ok(chunk)
    }
}

impl Ahead {
    fn is_near(&self, n: i64) -> bool {
        self.numbers.contains(&n) && n - self.numbers.start <= PASSED_OVER
    }

    async fn pass_over_to(&mut self, n: i64) -> Result<Bytes, Error> {
        loop {
            let chunk = self.chunks.recv().await.ok_or_else(stopped)??;
            if self.numbers.next() == Some(n) {
                return Ok(chunk);
            }
        }
    }
}
