//! A connection that somebody stumbles over.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU16, AtomicU64, Ordering::SeqCst},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// What happens to a line, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accident {
    /// It is cut, and both ends know at once.
    Cut,
    /// It is cut, and the server isn't told: a lid was closed, a network left.
    CutSilently,
    /// A byte arrives that nobody sent.
    Spoiled,
    /// Nothing passes until [`Line::free`].
    Held,
}

/// A port that leads to another one, until an accident happens.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) port: u16,
    state: Arc<State>,
}

struct State {
    target: AtomicU16,
    /// How many bytes have come from clients.
    sent_bytes: AtomicU64,
    ahead: Mutex<Option<(u64, Accident)>>,
    happened: watch::Sender<bool>,
    held: watch::Sender<bool>,
    /// What the server still takes for open.
    forgotten: Mutex<Vec<(OwnedReadHalf, OwnedWriteHalf)>>,
}

impl Line {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let line = Self {
            port: listener.local_addr().expect("an address").port(),
            state: Arc::new(State {
                target: AtomicU16::new(port),
                sent_bytes: AtomicU64::new(0),
                ahead: Mutex::new(None),
                happened: watch::Sender::new(false),
                held: watch::Sender::new(false),
                forgotten: Mutex::default(),
            }),
        };
        let state = Arc::clone(&line.state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&state).lead(client));
            }
        });
        line
    }

    /// Has this happen when clients have sent so many more bytes.
    pub(crate) fn after(&self, bytes: u64, accident: Accident) {
        let at = self.sent_bytes() + bytes;
        *self.state.ahead.lock().expect("no panic") = Some((at, accident));
        self.state.happened.send_replace(false);
    }

    /// Waits until it has happened.
    pub(crate) async fn happened(&self) {
        let mut happened = self.state.happened.subscribe();
        let done = happened.wait_for(|happened| *happened).await;
        done.expect("the line is there");
    }

    /// Lets pass what was held.
    pub(crate) fn free(&self) {
        self.state.held.send_replace(false);
    }

    /// Leads to another port from the next connection on.
    pub(crate) fn lead_to(&self, port: u16) {
        self.state.target.store(port, SeqCst);
    }

    pub(crate) fn sent_bytes(&self) -> u64 {
        self.state.sent_bytes.load(SeqCst)
    }
}

impl State {
    /// One connection. It ends as a whole when one of its ends does.
    async fn lead(self: Arc<Self>, client: TcpStream) {
        let target = ("127.0.0.1", self.target.load(SeqCst));
        let Ok(server) = TcpStream::connect(target).await else {
            return;
        };
        let (mut client_read, mut client_write) = client.into_split();
        let (mut server_read, mut server_write) = server.into_split();
        let silently = {
            let back = copy(&mut server_read, &mut client_write);
            let there = self.pass(&mut client_read, &mut server_write);
            tokio::select! {
                _ = back => false,
                accident = there => accident == Some(Accident::CutSilently),
            }
        };
        if silently {
            let mut forgotten = self.forgotten.lock().expect("no panic");
            forgotten.push((server_read, server_write));
        }
    }

    async fn pass(&self, from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf) -> Option<Accident> {
        let mut held = self.held.subscribe();
        let mut bytes = vec![0; 16 * 1024];
        loop {
            let count = from
                .read(&mut bytes)
                .await
                .ok()
                .filter(|count| *count > 0)?;
            let sent = self.sent_bytes.fetch_add(count as u64, SeqCst) + count as u64;
            match self.accident(sent) {
                None => {}
                Some(Accident::Spoiled) => bytes[count / 2] ^= 1,
                Some(Accident::Held) => drop(self.held.send_replace(true)),
                cut => return cut,
            }
            held.wait_for(|held| !*held).await.ok()?;
            to.write_all(&bytes[..count]).await.ok()?;
        }
    }

    fn accident(&self, sent_bytes: u64) -> Option<Accident> {
        let mut ahead = self.ahead.lock().expect("no panic");
        let (_, accident) = ahead.take_if(|(at, _)| *at <= sent_bytes)?;
        self.happened.send_replace(true);
        Some(accident)
    }
}
