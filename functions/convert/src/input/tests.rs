#![expect(clippy::unwrap_used, reason = "a test that can't go on must fail")]

use super::*;
use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::Mutex;
use tokio::sync::watch;

const CHUNK: u64 = CHUNK_BYTES as u64;

/// A payload in which each byte says which chunk it is in. Remembers which chunks were read, in what order.
struct Payload {
    chunks: u64,
    read: Mutex<Vec<u64>>,
    count: watch::Sender<usize>,
    broken: Option<u64>,
}

impl Payload {
    fn of(chunks: u64) -> Arc<Self> {
        Self::broken_at(chunks, None)
    }

    fn broken_at(chunks: u64, broken: Option<u64>) -> Arc<Self> {
        Arc::new(Self {
            chunks,
            read: Mutex::default(),
            count: watch::Sender::new(0),
            broken,
        })
    }

    fn read(&self) -> Vec<u64> {
        self.read.lock().unwrap().clone()
    }

    fn input(self: &Arc<Self>) -> Input {
        let stop = CancellationToken::new();
        Input::new(Arc::clone(self) as _, Handle::current(), stop)
    }
}

#[async_trait]
impl PayloadReader for Payload {
    fn size_bytes(&self) -> u64 {
        self.chunks * CHUNK - 1
    }

    async fn read_at(&self, offset: u64, length: usize) -> Result<Bytes, StoreError> {
        assert_eq!((offset % CHUNK, length), (0, CHUNK_BYTES));
        let number = offset / CHUNK;
        {
            let mut read = self.read.lock().unwrap();
            read.push(number);
            self.count.send_replace(read.len());
        }
        if self.broken == Some(number) {
            return Err(StoreError::Unavailable("broken".into()));
        }
        let length = CHUNK.min(self.size_bytes() - offset);
        Ok(vec![number as u8; length as usize].into())
    }
}

/// A few bytes at the start of each of these chunks.
fn visit(input: &mut Input, numbers: impl IntoIterator<Item = u64>) -> io::Result<()> {
    for number in numbers {
        input.seek(SeekFrom::Start(number * CHUNK + 5))?;
        let mut bytes = [0; 100];
        input.read_exact(&mut bytes)?;
        assert_eq!(bytes, [number as u8; 100]);
    }
    Ok(())
}

async fn at_work<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_read_through_has_each_chunk_read_once() {
    let payload = Payload::of(200);
    let mut input = payload.input();
    let read = at_work(move || {
        let mut all = Vec::new();
        input.read_to_end(&mut all).map(|_| all)
    });
    let all = read.await.unwrap();
    assert_eq!(all.len() as u64, payload.size_bytes());
    let right = all
        .iter()
        .enumerate()
        .all(|(at, byte)| *byte == (at / CHUNK_BYTES) as u8);
    assert!(right, "bytes of another chunk");
    assert_eq!(payload.read(), (0..200).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_chunk_is_on_its_way_before_it_is_asked_for_also_where_many_are_passed_over() {
    for step in [1, 7] {
        let payload = Payload::of(100);
        let mut input = payload.input();
        // One step is no reason to expect another; a large one isn't twice either.
        let enough = if step == 1 { 3 } else { 5 };
        let numbers: Vec<u64> = (0..=enough).map(|n| n * step).collect();
        let wanted = numbers[..numbers.len() - 1].to_vec();
        let visited = at_work(move || visit(&mut input, wanted).map(|()| input));
        let _input = visited.await.unwrap();
        let mut count = payload.count.subscribe();
        count
            .wait_for(|count| *count >= numbers.len())
            .await
            .unwrap();
        assert_eq!(payload.read(), numbers);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_pass_has_its_chunks_on_their_way_too() {
    let payload = Payload::of(10);
    let mut input = payload.input();
    let passes = at_work(move || visit(&mut input, (0..10).chain(0..4)).map(|()| input));
    let _input = passes.await.unwrap();
    let mut count = payload.count.subscribe();
    count.wait_for(|count| *count >= 15).await.unwrap();
    assert_eq!(payload.read()[10..15], [0, 1, 2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_read_that_was_read_before_or_lies_behind_the_end() {
    let payload = Payload::of(10);
    let mut input = payload.input();
    // The index at the end, then the sound.
    at_work(move || visit(&mut input, [9, 0, 1, 2, 3, 4, 5, 6, 7, 8]))
        .await
        .unwrap();
    assert_eq!(payload.read(), [9, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_the_engine_reads_one_chunk_of_32_is_read_in_vain_at_most() {
    let payload = Payload::of(20_000);
    let mut input = payload.input();
    // Steps that repeat just long enough to be believed, and then change.
    let mut number = 0;
    let steps = (0..2_000_u64).map(|n| 1 + (n / 5) % 5);
    let numbers: Vec<u64> = steps
        .map(|step| {
            number += step;
            number
        })
        .collect();
    let wanted: BTreeSet<u64> = numbers.iter().copied().collect();
    at_work(move || visit(&mut input, numbers)).await.unwrap();
    let read = payload.read();
    let most = wanted.len() + 1 + wanted.len() / READ_PER_WASTED as usize;
    assert!(
        (wanted.len()..=most).contains(&read.len()),
        "{} read",
        read.len()
    );
    assert!(wanted.is_subset(&read.into_iter().collect()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chunk_that_cannot_be_read_ahead_fails_who_wants_it_and_nobody_else() {
    let payload = Payload::broken_at(50, Some(3));
    let mut input = payload.input();
    let visited = at_work(move || (visit(&mut input, [0, 1, 2, 20, 21]), input));
    let (others, mut input) = visited.await;
    others.unwrap();
    let failed = at_work(move || visit(&mut input, [3])).await.unwrap_err();
    let error = failed.downcast::<StoreError>().unwrap();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
}
