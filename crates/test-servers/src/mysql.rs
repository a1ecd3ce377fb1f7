//! MariaDB of Debian's mariadb-server-core, or the MySQL server that `DECANT_TEST_MYSQLD` names.

use crate::{free_port, process::Process};
use std::{
    env,
    ffi::OsStr,
    fs,
    io::Read,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

/// Who may do everything.
const USER: &str = "tester";
const PASSWORD: &str = "p/ss:w#rd";
const LIMIT: Duration = Duration::from_secs(60);
/// Small, so that it starts fast; as durable as in production.
const OPTIONS: [&str; 8] = [
    "--innodb-buffer-pool-size=16M",
    "--innodb-flush-log-at-trx-commit=1",
    "--innodb-doublewrite=1",
    "--performance-schema=OFF",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--max-connections=500",
    "--bind-address=127.0.0.1",
];

/// A server that speaks MySQL's protocol. Runs until it is dropped.
#[derive(Debug)]
pub struct MySqlServer {
    /// Where it listens.
    pub port: u16,
    folder: PathBuf,
    options: Vec<String>,
    process: Process,
}

impl MySqlServer {
    /// Starts a server on a free port with its data in `folder`.
    pub fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    /// With further options.
    pub fn start_with(folder: &Path, options: &[&str]) -> Self {
        let data = folder.join("mysql-data");
        if !data.exists() {
            initialise(folder, &data);
            // Read at every start: the accounts are there before the first client is.
            let accounts = format!(
                "CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\n\
                 GRANT ALL ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n\
                 CREATE DATABASE IF NOT EXISTS auth;\n"
            );
            fs::write(data.join("accounts.sql"), accounts).expect("a file");
        }
        let port = free_port();
        Self {
            port,
            process: launch(folder, port, options),
            folder: folder.to_owned(),
            options: options.iter().map(|&option| option.to_owned()).collect(),
        }
    }

    /// The one server of this test binary, for tests that keep apart by databases of their own. Its folder goes when the
    /// tests have ended.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<MySqlServer> = OnceLock::new();
        SHARED.get_or_init(|| {
            let folder = env::temp_dir().join(format!("decant-mysql-{}", std::process::id()));
            fs::create_dir(&folder).expect("a folder");
            remove_at_the_end(&folder);
            Self::start(&folder)
        })
    }

    /// The address of a database, with the account that may do everything. Only `auth` is there from the start.
    pub fn url(&self, database: &str) -> String {
        self.url_as(USER, "p%2Fss%3Aw%23rd", database)
    }

    /// The address of a database for somebody whose name and password need no escaping.
    pub fn url_as(&self, user: &str, password: &str, database: &str) -> String {
        format!(
            "mysql://{user}:{password}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// Ends it as its operator would.
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again, after [`stop`](Self::stop) or [`kill`](Self::kill): same port, same data.
    pub fn start_again(&mut self) {
        self.process = launch(&self.folder, self.port, &self.options);
    }

    /// Lets it hang: connections stay and nothing is answered, until [`resume`](Self::resume).
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = fs::read_to_string(self.folder.join("mysql-data/server.pid")).expect("its id");
        let sent = Command::new("kill").args([signal, pid.trim()]).status();
        assert!(sent.expect("kill").success());
    }
}

fn launch(folder: &Path, port: u16, options: &[impl AsRef<OsStr>]) -> Process {
    let data = folder.join("mysql-data");
    let mut command = Command::new(program().0);
    command
        .env("TMPDIR", folder)
        .arg("--no-defaults")
        .args(as_whom())
        .arg(format!("--datadir={}", data.display()))
        .arg(format!("--init-file={}/accounts.sql", data.display()))
        .args(["--socket=server.sock", "--pid-file=server.pid"])
        .arg(format!("--port={port}"))
        .args(OPTIONS)
        .args(program().1.then_some("--mysqlx=OFF")) // it would listen on a port that isn't ours
        .args(options);
    let mut process = Process::start("mysql", folder, &mut command);
    process.wait_until(LIMIT, || greets(port));
    process
}

/// A server that is ready sends the first packet.
fn greets(port: u16) -> bool {
    let greeting = TcpStream::connect(("127.0.0.1", port)).and_then(|mut connection| {
        connection.set_read_timeout(Some(Duration::from_secs(1)))?;
        connection.read(&mut [0; 64])
    });
    greeting.is_ok_and(|bytes| bytes > 0)
}

/// The server's program, and whether it is MySQL's own.
fn program() -> (PathBuf, bool) {
    match env::var_os("DECANT_TEST_MYSQLD") {
        Some(program) => (program.into(), true),
        None => {
            let debians = Path::new("/usr/sbin/mariadbd");
            assert!(
                debians.exists(),
                "no mariadbd: ./test installs Debian's mariadb-server-core"
            );
            (debians.to_owned(), false)
        }
    }
}

/// Neither server runs as root unless it is told to.
fn as_whom() -> Option<&'static str> {
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|id| id.stdout == b"0\n");
    is_root.then_some("--user=root")
}

fn initialise(folder: &Path, data: &Path) {
    let (program, is_mysql) = program();
    let mut command = if is_mysql {
        let mut command = Command::new(program);
        command.args(["--no-defaults", "--initialize-insecure"]);
        command
    } else {
        let mut command = Command::new("mariadb-install-db");
        command
            .args(["--no-defaults", "--skip-test-db"])
            .arg("--auth-root-authentication-method=normal");
        command
    };
    let made = command
        .arg(format!("--datadir={}", data.display()))
        .args(as_whom())
        .env("TMPDIR", folder) // servers that start at once would clear away each other's temporary tables
        .output()
        .expect("mariadb-install-db: ./test installs Debian's mariadb-server-core");
    assert!(made.status.success(), "{made:?}");
}

/// A static is never dropped: a shell that sees this process end waits for the server and removes the folder.
fn remove_at_the_end(folder: &Path) {
    let script = r#"
        cat >/dev/null
        pid=$(cat "$0/mysql-data/server.pid") && timeout 30 tail --pid="$pid" -f /dev/null
        rm -r "$0""#;
    let remover = Command::new("sh")
        .args(["-c", script])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    // Its end of the pipe closes with this process, not before.
    std::mem::forget(remover);
}
