use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};
use ipnet::IpNet;
use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

/// Whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed: addresses and networks, separated by commas. Nobody's, if empty.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// The client that stands behind a request from `peer`: the last address of the `X-Forwarded-For` chain that no
    /// trusted proxy vouches for further, since everything before it may be made up.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let forwarded = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|address| address.trim().parse::<IpAddr>());
        let mut client = peer.to_canonical();
        for address in forwarded.collect::<Vec<_>>().into_iter().rev() {
            match address {
                Ok(address) if self.trusts(client) => client = address.to_canonical(),
                _ => break,
            }
        }
        client
    }

    /// Whether the client came by https: a trusted proxy says so. This process itself speaks plain HTTP.
    pub fn https(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        let protocol = headers
            .get("x-forwarded-proto")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(',').next());
        self.trusts(peer.to_canonical())
            && protocol.is_some_and(|protocol| protocol.trim().eq_ignore_ascii_case("https"))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for TrustedProxies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| {
                part.parse()
                    .or_else(|_| part.parse::<IpAddr>().map(IpNet::from))
            })
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(|_| "expected addresses or networks such as 10.0.0.0/8,127.0.0.1".into())
    }
}

/// The address that a request came from directly: the extractor behind [`TrustedProxies::client`]. `127.0.0.1` where a
/// router is called without a connection.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(
            peer.map_or(Ipv4Addr::LOCALHOST.into(), |peer| peer.0.ip()),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn client(trusted: &str, peer: &str, forwarded: &[&str]) -> String {
        let trusted: TrustedProxies = trusted.parse().expect("a list");
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().expect("a header"));
        }
        trusted
            .client(peer.parse().expect("an address"), &headers)
            .to_string()
    }

    #[test]
    fn a_strangers_header_is_not_believed() {
        assert_eq!(client("", "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(
            client("10.0.0.0/8", "192.0.2.1", &["198.51.100.7"]),
            "192.0.2.1"
        );
    }

    #[test]
    fn a_trusted_proxys_header_names_the_client() {
        assert_eq!(
            client("10.0.0.0/8", "10.1.2.3", &["198.51.100.7"]),
            "198.51.100.7"
        );
        assert_eq!(
            client("10.0.0.0/8", "::ffff:10.1.2.3", &["198.51.100.7"]),
            "198.51.100.7"
        );
    }

    #[test]
    fn what_a_client_wrote_before_the_proxies_is_not_believed() {
        let chain = ["203.0.113.9, 198.51.100.7", "10.0.0.9"];
        assert_eq!(client("10.0.0.0/8", "10.1.2.3", &chain), "198.51.100.7");
        assert_eq!(
            client("10.0.0.0/8", "10.1.2.3", &["203.0.113.9, rubbish"]),
            "10.1.2.3"
        );
    }

    #[test]
    fn only_a_trusted_proxy_says_that_a_client_came_by_https() {
        let trusted: TrustedProxies = "10.0.0.0/8".parse().expect("a list");
        let https = |peer: &str, protocol: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-proto", HeaderValue::from_static(protocol));
            trusted.https(peer.parse().expect("an address"), &headers)
        };
        assert!(https("10.1.2.3", "https") && https("::ffff:10.1.2.3", "HTTPS, http"));
        assert!(!https("192.0.2.1", "https"), "a stranger says so");
        assert!(!https("10.1.2.3", "http") && !https("10.1.2.3", "http, https"));
    }

    #[test]
    fn a_list_of_rubbish_says_what_is_expected() {
        assert!("10.0.0.0/8, everyone".parse::<TrustedProxies>().is_err());
    }
}
