use crate::{ConnectError, Encryption, Outbox, SmtpServer, letter::Letter};
use lettre::{
    Address, Message,
    address::Envelope,
    transport::smtp::{
        Error as SmtpError,
        authentication::DEFAULT_MECHANISMS,
        client::{AsyncSmtpConnection, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
    },
};
use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::timeout;

/// How long a server may take with one mail, from the first packet on: under the minute after which the broker comes back.
const SEND_WITHIN: Duration = Duration::from_secs(45);

/// Answers that refuse us, not this mail, whenever they come: login or encryption is missing (RFC 4954, section 6).
const ABOUT_LOGIN: [u16; 4] = [530, 534, 535, 538];

/// How long a server may take to say goodbye.
const QUIT_WITHIN: Duration = Duration::from_secs(2);

/// Brings letters to a mail server, or into a folder.
pub(crate) enum Mailer {
    /// With what TLS to that server needs.
    Smtp(SmtpServer, TlsParameters),
    Folder(PathBuf),
}

/// Why a letter was not sent. Without the server's own words, which like to quote addresses.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("it can't be written: {0}")]
    Unwritable(String),
    #[error("the mail server refused it: {0}")]
    Refused(String),
    #[error("the mail server takes no mail from us now: {0}")]
    Away(String),
    #[error("the mail server took longer than {} s", SEND_WITHIN.as_secs())]
    TimedOut,
    #[error("the folder for mails can't be written to")]
    Folder(#[from] io::Error),
}

impl SendError {
    /// This mail can never go out. Another one may well.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Unwritable(_) | Self::Refused(_))
    }
}

impl Mailer {
    pub(crate) async fn new(outbox: Outbox) -> Result<Self, ConnectError> {
        match outbox {
            Outbox::Smtp(server) => {
                let tls = TlsParameters::new(server.host.clone()).map_err(ConnectError::Tls)?;
                Ok(Self::Smtp(server, tls))
            }
            Outbox::Folder(folder) => {
                let made = tokio::fs::create_dir_all(&folder).await;
                made.map_err(ConnectError::Folder)?;
                Ok(Self::Folder(folder))
            }
        }
    }

    /// Sends one letter. `Ok` means that the server has taken it, or that the file is durable.
    pub(crate) async fn send(&self, letter: Letter) -> Result<(), SendError> {
        match self {
            Self::Smtp(server, tls) => timeout(SEND_WITHIN, send_over(server, tls, &letter))
                .await
                .map_err(|_| SendError::TimedOut)?,
            Self::Folder(folder) => {
                let folder = folder.clone();
                tokio::task::spawn_blocking(move || write_into(&folder, &letter))
                    .await
                    .map_err(io::Error::other)??;
                Ok(())
            }
        }
    }
}

/// One connection per mail: `lettre`'s pool would reuse one that a timeout left in the middle of a message.
async fn send_over(
    server: &SmtpServer,
    tls: &TlsParameters,
    letter: &Letter,
) -> Result<(), SendError> {
    let connected = connect(server, tls).await;
    let mut connection = connected.map_err(|error| SendError::Away(reason(&error)))?;
    let handed_over = hand_over(&mut connection, &letter.message).await;
    // The mail is gone or refused: nobody waits for the goodbye.
    tokio::spawn(async move { timeout(QUIT_WITHIN, connection.quit()).await });
    handed_over
}

/// What `AsyncSmtpConnection::send` does, but telling a refused sender, which is our setting and concerns every mail,
/// from a refused recipient or message.
async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    message: &Message,
) -> Result<(), SendError> {
    let envelope = message.envelope();
    let parameters = parameters(connection, envelope)?;
    let from = connection.command(Mail::new(envelope.from().cloned(), parameters));
    from.await
        .map_err(|error| SendError::Away(reason(&error)))?;
    for recipient in envelope.to() {
        let to = connection.command(Rcpt::new(recipient.clone(), vec![]));
        to.await.map_err(refusal)?;
    }
    connection.command(Data).await.map_err(refusal)?;
    let taken = connection.message(&message.formatted()).await;
    taken.map(drop).map_err(refusal)
}

/// Addresses beyond ASCII need SMTPUTF8; whoever offers it offers 8BITMIME too (RFC 6531, section 3.1).
fn parameters(
    connection: &AsyncSmtpConnection,
    envelope: &Envelope,
) -> Result<Vec<MailParameter>, SendError> {
    let beyond_ascii = |address: &Address| !AsRef::<str>::as_ref(address).is_ascii();
    let sender = envelope.from().is_some_and(beyond_ascii);
    let recipient = envelope.to().iter().any(beyond_ascii);
    let server = connection.server_info();
    if !sender && !recipient {
        Ok(vec![])
    } else if server.supports_feature(Extension::SmtpUtfEight) {
        let eight_bit = MailParameter::Body(MailBodyParameter::EightBitMime);
        Ok(vec![MailParameter::SmtpUtfEight, eight_bit])
    } else if sender {
        Err(SendError::Away("the sender's address is not ASCII".into()))
    } else {
        let why = "the recipient's address is not ASCII, and the mail server takes no other";
        Err(SendError::Unwritable(why.into()))
    }
}

/// A permanent answer is about this mail; anything else, such as a broken connection, is about the server.
fn refusal(error: SmtpError) -> SendError {
    match error.status().map(u16::from) {
        Some(code) if error.is_permanent() && !ABOUT_LOGIN.contains(&code) => {
            SendError::Refused(reason(&error))
        }
        _ => SendError::Away(reason(&error)),
    }
}

async fn connect(
    server: &SmtpServer,
    tls: &TlsParameters,
) -> Result<AsyncSmtpConnection, SmtpError> {
    let us = ClientId::default();
    let from_the_start = (server.encryption == Encryption::Implicit).then(|| tls.clone());
    let mut connection = AsyncSmtpConnection::connect_tokio1(
        (server.host.as_str(), server.port),
        Some(SEND_WITHIN),
        &us,
        from_the_start,
        None,
    )
    .await?;
    if server.encryption == Encryption::StartTls {
        // Fails where the server doesn't offer it.
        connection.starttls(tls.clone(), &us).await?;
    }
    if let Some(login) = &server.login {
        connection
            .auth(DEFAULT_MECHANISMS, &login.credentials())
            .await?;
    }
    Ok(connection)
}

fn reason(error: &SmtpError) -> String {
    match error.status() {
        Some(code) => format!("it answered {code}"),
        None if error.is_response() => "its answer is not SMTP".into(),
        None => error.to_string(),
    }
}

/// Written aside and renamed: a reader never sees half a mail, and a mail that is sent twice is one file. Mode 600.
fn write_into(folder: &Path, letter: &Letter) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(&format!(".{}.", letter.name))
        .tempfile_in(folder)?;
    file.write_all(&letter.message.formatted())?;
    file.as_file().sync_all()?;
    file.persist(folder.join(format!("{}.eml", letter.name)))?;
    File::open(folder)?.sync_all()
}
