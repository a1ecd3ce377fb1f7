//! MySQL 8's own way to log in, `caching_sha2_password`, without TLS. Debian has no MySQL 8 and MariaDB doesn't know it:
//! here is a small server that speaks that login alone, as we know the protocol.

use crate::place::{program, stderr};
use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    thread,
};
use tempfile::TempDir;

const NONCE: &[u8; 20] = b"abcdefghijklmnopqrst";
/// Longer than the nonce, which is then used over again.
const PASSWORD: &str = "a-password-that-is-longer-than-the-nonce";

struct Wire {
    client: TcpStream,
    sequence: u8,
}

impl Wire {
    fn send(&mut self, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("it is short");
        let mut packet = length.to_le_bytes()[..3].to_vec();
        packet.push(self.sequence);
        packet.extend(payload);
        self.client.write_all(&packet).expect("a reader");
    }

    fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut head = [0; 4];
        self.client.read_exact(&mut head)?;
        self.sequence = head[3].wrapping_add(1);
        let length = u32::from_le_bytes([head[0], head[1], head[2], 0]);
        let mut payload = vec![0; length as usize];
        self.client.read_exact(&mut payload)?;
        Ok(payload)
    }
}

/// The first packet of a server without TLS.
fn greeting() -> Vec<u8> {
    let mut packet = b"\x0a8.0.36\0\x01\0\0\0".to_vec();
    packet.extend(&NONCE[..8]);
    packet.extend(b"\0\x08\xa2\x2d\x02\0\x28\0\x15"); // capabilities, character set, status, length of the nonce
    packet.extend([0; 10]);
    packet.extend(&NONCE[8..]);
    packet.extend(b"\0caching_sha2_password\0");
    packet
}

fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut openssl = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl: ./test installs it");
    let mut stdin = openssl.stdin.take().expect("a pipe");
    stdin.write_all(input).expect("a reader");
    drop(stdin);
    let output = openssl.wait_with_output().expect("an answer");
    assert!(output.status.success(), "{arguments:?}");
    output.stdout
}

/// Lets a client in that nobody remembers, and gives the password that it sent.
fn let_in(client: TcpStream, key: &str) -> String {
    let mut wire = Wire {
        client,
        sequence: 0,
    };
    wire.send(&greeting());
    let login = wire.receive().expect("a login");
    assert!(login.windows(10).any(|name| name == b"auth_user\0"));
    wire.send(b"\x01\x04"); // not remembered: the whole way
    assert_eq!(wire.receive().expect("a request"), b"\x02", "for the key");
    let public_key = openssl(&["rsa", "-in", key, "-pubout"], b"");
    wire.send(&[b"\x01", &public_key[..]].concat());
    let sent = wire.receive().expect("the password");
    let decrypt = ["pkeyutl", "-decrypt", "-inkey", key];
    let oaep = ["-pkeyopt", "rsa_padding_mode:oaep"];
    let hidden = openssl(&[&decrypt[..], &oaep].concat(), &sent);
    wire.send(b"\0\0\0\x02\0\0\0"); // welcome
    while wire.receive().is_ok() {
        wire.send(b"\xff\x50\x04#08S01enough for this test");
    }
    let password = hidden.iter().zip(NONCE.iter().cycle()).map(|(a, b)| a ^ b);
    String::from_utf8(password.collect()).expect("UTF-8")
}

#[test]
fn a_password_goes_to_mysql_8_encrypted_without_tls() {
    let folder = TempDir::new().expect("a folder");
    let key = folder.path().join("key.pem").display().to_string();
    openssl(&["genrsa", "-out", &key, "2048"], b"");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = thread::spawn(move || {
        let (client, _) = listener.accept().expect("a client");
        let_in(client, &key)
    });
    let output = program(&["migrate"])
        .env(
            "DECANT_USERS",
            format!("mysql://auth_user@127.0.0.1:{port}/auth"),
        )
        .env("MYSQL_PASSWORD", PASSWORD)
        .output()
        .expect("a program");
    assert_eq!(server.join().expect("a password"), format!("{PASSWORD}\0"));
    let said = stderr(&output);
    assert!(
        said.contains("enough for this test"),
        "past the login: {said}"
    );
}
