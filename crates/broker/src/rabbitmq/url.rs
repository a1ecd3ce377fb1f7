use std::{fmt, str::FromStr};

use ::url::Host;
use lapin::uri::{AMQPScheme, AMQPUri};

/// Seconds. RabbitMQ's own suggestion is 60: a dead connection would go unnoticed for two minutes.
const HEARTBEAT_S: u16 = 10;

/// Where RabbitMQ is: `amqp://user:password@host:5672/vhost`, or `amqps://…` for TLS.
#[derive(Clone, PartialEq, Eq)]
pub struct AmqpUrl(AMQPUri);

/// The text is no address of a RabbitMQ. It is not repeated: it may hold a password.
#[derive(Debug, thiserror::Error)]
#[error(
    "expected an address such as amqp://user:password@host:5672/vhost, or amqps://… for TLS; \
     special characters in it are written as %XX"
)]
pub struct InvalidAmqpUrl;

impl AmqpUrl {
    pub(super) fn uri(&self) -> AMQPUri {
        self.0.clone()
    }
}

impl FromStr for AmqpUrl {
    type Err = InvalidAmqpUrl;

    fn from_str(text: &str) -> Result<Self, InvalidAmqpUrl> {
        let url: ::url::Url = text.parse().map_err(|_| InvalidAmqpUrl)?;
        let mut uri: AMQPUri = text.parse().map_err(|_| InvalidAmqpUrl)?;
        // The parser's own default, localhost, also stands for what it can't read, such as an IPv6 address.
        // It is what the resolver gets, which knows no brackets.
        uri.authority.host = match url.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) if !host.to_string().is_empty() => host.to_string(),
            _ => return Err(InvalidAmqpUrl),
        };
        // By the letter a lone slash is the vhost without a name; whoever writes it means the default one.
        if uri.vhost.is_empty() {
            uri.vhost = "/".to_owned();
        }
        if uri.vhost.len() > usize::from(u8::MAX) {
            return Err(InvalidAmqpUrl);
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_S);
        Ok(Self(uri))
    }
}

/// Without the password, for logs and errors.
impl fmt::Display for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri {
            scheme,
            authority,
            vhost,
            ..
        } = &self.0;
        let scheme = match scheme {
            AMQPScheme::AMQP => "amqp",
            AMQPScheme::AMQPS => "amqps",
        };
        let (user, host, port) = (
            &authority.userinfo.username,
            &authority.host,
            authority.port,
        );
        write!(f, "{scheme}://{user}@")?;
        match host.contains(':') {
            true => write!(f, "[{host}]:{port}, vhost `{vhost}`"),
            false => write!(f, "{host}:{port}, vhost `{vhost}`"),
        }
    }
}

impl fmt::Debug for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AmqpUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let url: AmqpUrl = "amqp://us%2Fer:s3cret@rabbit:5673/de%2Fcant"
            .parse()
            .expect("an address");
        assert_eq!(url.to_string(), "amqp://us/er@rabbit:5673, vhost `de/cant`");
        assert!(!format!("{url:?}").contains("s3cret"));
        assert_eq!(url.uri().authority.userinfo.password, "s3cret");
    }

    #[test]
    fn port_and_vhost_have_defaults() {
        for (text, shown) in [
            ("amqp://rabbit", "amqp://guest@rabbit:5672, vhost `/`"),
            ("amqp://rabbit/", "amqp://guest@rabbit:5672, vhost `/`"),
            ("amqps://rabbit", "amqps://guest@rabbit:5671, vhost `/`"),
            (
                "amqp://127.0.0.1/v",
                "amqp://guest@127.0.0.1:5672, vhost `v`",
            ),
            ("amqp://[::1]:1/v", "amqp://guest@[::1]:1, vhost `v`"),
        ] {
            assert_eq!(
                text.parse::<AmqpUrl>().expect("an address").to_string(),
                shown
            );
        }
    }

    #[tokio::test]
    async fn an_ipv6_address_is_connected_to() {
        let listener = tokio::net::TcpListener::bind("[::1]:0").await;
        let listener = listener.expect("IPv6 on loopback");
        let port = listener.local_addr().expect("its address").port();
        let url: AmqpUrl = format!("amqp://[::1]:{port}").parse().expect("an address");

        let connecting = lapin::Connection::connect_uri(url.uri(), Default::default());

        tokio::select! {
            accepted = listener.accept() => assert!(accepted.is_ok()),
            done = connecting => panic!("it never got there: {:?}", done.err()),
        }
    }

    #[test]
    fn what_is_no_address_of_rabbitmq_is_refused_without_being_repeated() {
        for text in [
            "",
            "rabbit:5672",
            "http://u:s3cret@rabbit",
            "amqp://",
            "amqp:s3cret",
            "amqp://u:s3cret@rabbit:port/",
            "amqp://u:s3cret@rabbit/?heartbeat=often",
        ] {
            let error = text.parse::<AmqpUrl>().expect_err(text);
            assert!(!error.to_string().contains("s3cret"), "{text}");
        }
    }
}
