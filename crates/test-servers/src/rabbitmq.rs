//! RabbitMQ, as Debian ships it, or the one whose programs lie in the folder that `DECANT_TEST_RABBITMQ` names.

use std::{
    env, fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{free_port, process::Process};

/// Debian's own wrapper in /usr/sbin becomes another user when root calls it; these don't.
const PROGRAMS: &str = "/usr/lib/rabbitmq/bin";
const MISSING: &str = "Debian's rabbitmq-server: ./test installs it";
/// On a busy machine; alone it takes about four seconds.
const START: Duration = Duration::from_secs(90);

/// A RabbitMQ of one node, with the user `guest` and the vhost `/`. Runs until it is dropped.
#[derive(Debug)]
pub struct RabbitServer {
    /// Where it listens for AMQP.
    pub port: u16,
    folder: PathBuf,
    ports: [u16; 2],
    node: Option<Process>,
    // After the node in the order of dropping: a node that misses its name server would look for another.
    _epmd: Process,
}

impl RabbitServer {
    /// Starts a server with its data in `folder`.
    pub fn start(folder: &Path) -> Self {
        fs::create_dir_all(folder).expect("a folder");
        // Erlang asks for the cookie in $HOME, and that nobody else can read it.
        let cookie = folder.join(".erlang.cookie");
        fs::write(&cookie, "DECANT").expect("a cookie");
        fs::set_permissions(&cookie, fs::Permissions::from_mode(0o400)).expect("a closed cookie");
        fs::write(folder.join("plugins"), "[].").expect("a list of plugins");
        let (port, epmd_port, distribution) = (free_port(), free_port(), free_port());
        let mut epmd = Command::new("epmd");
        epmd.args(["-address", "127.0.0.1", "-port", &epmd_port.to_string()]);
        let mut server = Self {
            port,
            folder: folder.to_owned(),
            ports: [epmd_port, distribution],
            node: None,
            _epmd: Process::start("epmd", folder, &mut epmd),
        };
        server.start_again();
        server
    }

    /// Starts it again after `stop` or `kill`, on the same data and port.
    pub fn start_again(&mut self) {
        assert!(self.node.is_none(), "it runs already");
        let mut node = Process::start(
            "rabbitmq-server",
            &self.folder,
            &mut self.command("rabbitmq-server"),
        );
        node.wait_until(START, || speaks_amqp(self.port));
        self.node = Some(node);
    }

    /// Ends it as its operator would.
    pub fn stop(&mut self) {
        self.node.take().expect("it runs").stop();
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.node.take().expect("it runs").kill();
    }

    /// Forgets all data, as a server without a volume does. It must not run.
    pub fn forget(&self) {
        assert!(self.node.is_none(), "it runs");
        fs::remove_dir_all(self.folder.join("mnesia")).expect("data");
    }

    /// The value of `DECANT_AMQP` that uses a vhost here; its name needs no escaping.
    pub fn setting(&self, vhost: &str) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/{vhost}", self.port)
    }

    /// Makes vhosts and lets `guest` use them.
    pub fn add_vhosts(&self, vhosts: &[&str]) {
        let names: Vec<_> = vhosts
            .iter()
            .map(|name| format!("<<\"{name}\">>"))
            .collect();
        self.ctl(&[
            "eval",
            &format!(
                "[begin ok = rabbit_vhost:add(V, <<\"test\">>), ok = rabbit_auth_backend_internal:set_permissions(\
                 <<\"guest\">>, V, <<\".*\">>, <<\".*\">>, <<\".*\">>, <<\"test\">>) end || V <- [{}]].",
                names.join(",")
            ),
        ]);
    }

    /// What `rabbitmqctl` answers.
    pub fn ctl(&self, arguments: &[&str]) -> String {
        let mut command = self.command("rabbitmqctl");
        let output = command.arg("--quiet").args(arguments).output();
        let output = output.expect(MISSING);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    fn command(&self, program: &str) -> Command {
        let [epmd_port, distribution] = self.ports.map(|port| port.to_string());
        let programs = env::var_os("DECANT_TEST_RABBITMQ").unwrap_or_else(|| PROGRAMS.into());
        let mut command = Command::new(Path::new(&programs).join(program));
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LANG", "C.UTF-8")
            .env("HOME", &self.folder)
            .env("ERL_EPMD_PORT", epmd_port)
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            // Else whatever Erlang is run here starts an epmd that stays behind.
            .env("ERL_FLAGS", "-start_epmd false")
            // The node in place of the script that would wait for it, so that signals reach it.
            .env("RUNNING_UNDER_SYSTEMD", "true")
            .env("RABBITMQ_NODENAME", "decant@localhost")
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", self.port.to_string())
            .env("RABBITMQ_DIST_PORT", distribution)
            .env("RABBITMQ_LOGS", "-")
            .env("RABBITMQ_CONF_ENV_FILE", "/dev/null");
        for (variable, name) in [
            ("RABBITMQ_MNESIA_BASE", "mnesia"),
            ("RABBITMQ_LOG_BASE", "log"),
            ("RABBITMQ_SCHEMA_DIR", "schema"),
            ("RABBITMQ_GENERATED_CONFIG_DIR", "config"),
            ("RABBITMQ_CONFIG_FILE", "rabbitmq"),
            ("RABBITMQ_ADVANCED_CONFIG_FILE", "advanced"),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", "plugins"),
        ] {
            command.env(variable, self.folder.join(name));
        }
        command
    }
}

/// Whether somebody answers AMQP's greeting.
fn speaks_amqp(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut answer = [0];
    stream.write_all(b"AMQP\x00\x00\x09\x01").is_ok() && stream.read_exact(&mut answer).is_ok()
}
