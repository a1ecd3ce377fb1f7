use lettre::{
    Address,
    transport::smtp::{SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT, authentication::Credentials},
};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use std::{path::PathBuf, str::FromStr};
use url::{Host, Url};

/// How mail leaves: the setting `DECANT_SMTP`.
#[derive(Debug, Clone)]
pub enum Outbox {
    /// Over a mail server.
    Smtp(SmtpServer),
    /// As `.eml` files in a folder.
    Folder(PathBuf),
}

/// A mail server that takes mail from us.
#[derive(Debug, Clone)]
pub struct SmtpServer {
    /// Its name or address, which its certificate must be for.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// User and password, if it wants them.
    pub login: Option<Login>,
}

/// User and password.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user.
    pub user: SecretString,
    /// The password.
    pub password: SecretString,
}

/// How the connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// From STARTTLS on. A server that doesn't offer it gets neither password nor mail.
    StartTls,
    /// From the first byte on.
    Implicit,
    /// Not at all: for a relay on this machine or in this network, which gets no password.
    None,
}

/// The text names no way for mail to leave.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "expected smtp://user:password@host:587, smtps://user:password@host:465, smtp://host:25?tls=none or file:FOLDER, \
     with user and password percent-encoded"
)]
pub struct InvalidOutbox;

impl SmtpServer {
    /// Gmail's server, with an address and its app password.
    pub(crate) fn gmail(address: &Address, password: &SecretString) -> Self {
        Self {
            host: "smtp.gmail.com".into(),
            port: SUBMISSION_PORT,
            encryption: Encryption::StartTls,
            login: Some(Login {
                user: address.to_string().into(),
                password: password.clone(),
            }),
        }
    }
}

impl Login {
    pub(crate) fn credentials(&self) -> Credentials {
        Credentials::new(
            self.user.expose_secret().to_owned(),
            self.password.expose_secret().to_owned(),
        )
    }
}

impl FromStr for Outbox {
    type Err = InvalidOutbox;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("file:") {
            Some(folder) => folder_of(folder).map(Self::Folder),
            None => server_of(text).map(Self::Smtp),
        }
        .ok_or(InvalidOutbox)
    }
}

/// `file:mail`, `file:./mail`, `file:/mail`, `file:///mail`.
fn folder_of(text: &str) -> Option<PathBuf> {
    let path = match text.strip_prefix("//") {
        Some(rest) => Some(rest).filter(|rest| rest.starts_with('/'))?,
        None => text,
    };
    Some(path.into()).filter(|_| !path.is_empty())
}

fn server_of(text: &str) -> Option<SmtpServer> {
    let url: Url = text.parse().ok()?;
    let (encryption, usual_port) = match (url.scheme(), url.query()) {
        ("smtp", None | Some("tls=required")) => (Encryption::StartTls, SUBMISSION_PORT),
        ("smtp", Some("tls=none")) => (Encryption::None, SMTP_PORT),
        ("smtps", None) => (Encryption::Implicit, SUBMISSIONS_PORT),
        _ => return None,
    };
    let login = login_of(&url)?;
    let nothing_more = matches!(url.path(), "" | "/") && url.fragment().is_none();
    let password_in_clear = login.is_some() && encryption == Encryption::None;
    if !nothing_more || password_in_clear {
        return None;
    }
    let host = match url.host()? {
        Host::Domain(name) if !name.is_empty() => decoded(name)?,
        Host::Domain(_) => return None,
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    Some(SmtpServer {
        host,
        port: url.port().unwrap_or(usual_port),
        encryption,
        login,
    })
}

/// No login at all, or both of its halves.
fn login_of(url: &Url) -> Option<Option<Login>> {
    match (url.username(), url.password()) {
        ("", None) => Some(None),
        ("", Some(_)) | (_, None) => None,
        (user, Some(password)) => Some(Some(Login {
            user: decoded(user)?.into(),
            password: decoded(password)?.into(),
        })),
    }
}

fn decoded(text: &str) -> Option<String> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    Some(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(text: &str) -> SmtpServer {
        match text.parse() {
            Ok(Outbox::Smtp(server)) => server,
            other => panic!("{text} is {other:?}"),
        }
    }

    #[test]
    fn smtp_means_starttls_and_smtps_means_tls() {
        let cases = [
            ("smtp://mail.example.com", Encryption::StartTls, 587),
            (
                "smtp://mail.example.com?tls=required",
                Encryption::StartTls,
                587,
            ),
            ("smtp://mail.example.com:2525/", Encryption::StartTls, 2525),
            ("smtps://mail.example.com", Encryption::Implicit, 465),
            ("smtp://mail.example.com?tls=none", Encryption::None, 25),
        ];
        for (text, encryption, port) in cases {
            let server = server(text);
            assert_eq!(
                (server.host.as_str(), server.port, server.encryption),
                ("mail.example.com", port, encryption),
                "{text}"
            );
        }
        assert_eq!(server("smtp://[::1]:25").host, "::1");
    }

    #[test]
    fn user_and_password_are_percent_decoded() {
        let login = server("smtp://kevin%40email.com:p%2Fss%3Aw%23rd%C3%BC@localhost").login;
        let login = login.expect("a login");
        assert_eq!(login.user.expose_secret(), "kevin@email.com");
        assert_eq!(login.password.expose_secret(), "p/ss:w#rdü");
    }

    #[test]
    fn a_folder_is_relative_or_absolute() {
        for (text, folder) in [
            ("file:mail", "mail"),
            ("file:./mail", "./mail"),
            ("file:/var/mail", "/var/mail"),
            ("file:///var/mail", "/var/mail"),
        ] {
            assert!(
                matches!(text.parse(), Ok(Outbox::Folder(path)) if path.as_os_str() == folder),
                "{text}"
            );
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "mail.example.com",
            "http://mail.example.com",
            "smtp://",
            "smtp://user@host",
            "smtp://:password@host",
            "smtp://user:password@host?tls=none",
            "smtp://host?tls=opportunistic",
            "smtps://host?tls=none",
            "smtp://host/path",
            "smtp://host:99999",
            "file:",
            "file://relative/folder",
        ] {
            assert!(text.parse::<Outbox>().is_err(), "{text} was taken");
        }
    }
}
