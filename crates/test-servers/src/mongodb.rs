//! A MongoDB, or a server that speaks its protocol.

use crate::{free_port, process::Process};
use std::{
    env,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// Where one runs already, which is not ours to stop.
const SETTING: &str = "MONGODB_URI";
/// Written in Rust, so that it can be built where MongoDB has no packages. `./test` does.
const SUBSTITUTE: &str = "decant/secantus-mdb-0.5.3-beta.196/bin/secantusd-rs";
const MISSING: &str = "no MongoDB: put mongod on the PATH, or name a server in MONGODB_URI; ./test builds a substitute";
/// A start after a crash reads the log first.
const START: Duration = Duration::from_secs(60);

/// A MongoDB server. Runs until it is dropped, unless it is somebody else's.
#[derive(Debug)]
pub struct MongoServer {
    uri: String,
    ours: Option<Ours>,
}

#[derive(Debug)]
struct Ours {
    port: u16,
    folder: PathBuf,
    locked: bool,
    process: Option<Process>,
}

impl MongoServer {
    /// Starts a server that keeps its data in `folder`; or takes the one that `MONGODB_URI` names.
    pub fn start(folder: &Path) -> Self {
        match env::var(SETTING) {
            Ok(uri) => Self { uri, ours: None },
            Err(_) => Self::start_ours(folder),
        }
    }

    /// Starts a server that may be stopped, whatever `MONGODB_URI` says.
    pub fn start_ours(folder: &Path) -> Self {
        Self::start_where(folder, false)
    }

    /// Starts a server that asks for a user and a password. It has no user yet: who makes the first needs none.
    pub fn start_locked(folder: &Path) -> Self {
        Self::start_where(folder, true)
    }

    fn start_where(folder: &Path, locked: bool) -> Self {
        let mut ours = Ours {
            port: free_port(),
            folder: folder.to_owned(),
            locked,
            process: None,
        };
        ours.start();
        Self {
            uri: format!("mongodb://127.0.0.1:{}/?directConnection=true", ours.port),
            ours: Some(ours),
        }
    }

    /// Where it is.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Ends the server as its operator would.
    pub fn stop(&mut self) {
        self.running().stop();
        self.ours().process = None;
    }

    /// Ends the server as a crash would.
    pub fn kill(&mut self) {
        self.running().kill();
        self.ours().process = None;
    }

    /// Starts the server that was ended: at the same place, with the same data.
    pub fn start_again(&mut self) {
        self.ours().start();
    }

    /// Makes the server stand still (`true`), as one that hangs, or go on.
    pub fn hold(&mut self, still: bool) {
        self.running().hold(still);
    }

    fn ours(&mut self) -> &mut Ours {
        let somebody_elses = "the server of MONGODB_URI isn't ours to end: use start_ours";
        self.ours.as_mut().expect(somebody_elses)
    }

    fn running(&mut self) -> &mut Process {
        self.ours().process.as_mut().expect("a running server")
    }
}

impl Ours {
    fn start(&mut self) {
        let data = self.folder.join("mongodb");
        std::fs::create_dir_all(&data).expect("a folder");
        let (name, mut command) = command(&data, self.port);
        if self.locked {
            command.arg("--auth");
        }
        let mut process = Process::start(name, &self.folder, &mut command);
        process.wait_until(START, || answers(self.port));
        self.process = Some(process);
    }
}

fn command(data: &Path, port: u16) -> (&'static str, Command) {
    let port = port.to_string();
    if on_path("mongod") {
        let mut mongod = Command::new("mongod");
        mongod.args(["--bind_ip", "127.0.0.1", "--port", &port, "--dbpath"]);
        mongod.arg(data).args(["--wiredTigerCacheSizeGB", "0.25"]);
        return ("mongod", mongod);
    }
    let substitute = cache().join(SUBSTITUTE);
    assert!(substitute.exists(), "{MISSING}");
    let mut secantusd = Command::new(substitute);
    // An empty file of settings of its own: it would look for one in the home.
    let settings = data.with_extension("toml");
    std::fs::write(&settings, "").expect("a file");
    secantusd.arg("--config").arg(settings);
    secantusd
        .args(["--port", &port, "--storage-path"])
        .arg(data);
    secantusd.args(["--sync-on-commit", "--cache-size", "256M"]);
    secantusd.args(["--log-level", "WARNING"]);
    ("secantusd-rs", secantusd)
}

fn cache() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").expect("a home")).join(".cache");
    env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from)
}

fn on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Whether the server answers a `hello`: a port that takes connections may belong to a server that isn't ready.
fn answers(port: u16) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let Ok(mut server) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) else {
        return false;
    };
    let _ = server.set_read_timeout(Some(Duration::from_secs(2)));
    let mut length = [0; 4];
    server.write_all(&hello()).is_ok()
        && server.read_exact(&mut length).is_ok()
        && i32::from_le_bytes(length) > 16
}

/// `{hello: 1, $db: "admin"}` as an OP_MSG.
fn hello() -> Vec<u8> {
    let mut document: Vec<u8> = Vec::new();
    document.extend_from_slice(b"\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0");
    let mut message = Vec::new();
    for word in [20 + 1 + 4 + document.len() as i32, 1, 0, 2013, 0] {
        message.extend(word.to_le_bytes());
    }
    message.push(0);
    message.extend((4 + document.len() as i32).to_le_bytes());
    message.extend(document);
    message
}
