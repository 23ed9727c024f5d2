//! The client's address, behind proxies that were named.
//!
//! ```text
//! client 203.0.113.9 ──► proxy 10.0.0.2 ──► us      the socket's peer is 10.0.0.2
//!                        adds "X-Forwarded-For: 203.0.113.9"
//! ```
//! Anybody can write that field, so it is believed only as far as trusted proxies wrote it: read
//! from the right, the first address that is not a trusted proxy's is the client. Without
//! [`trust_proxies`] nobody is believed.

use std::net::IpAddr;

use crate::{Context, Error, Result};

/// What [`trust_proxies`] has found out.
struct ClientIp(IpAddr);

impl Context {
    /// The client's address: the socket's peer, or what trusted proxies say. `None` if the
    /// request never saw a socket.
    #[must_use]
    pub fn client_ip(&self) -> Option<IpAddr> {
        let known = self.get::<ClientIp>().map(|ip| ip.0);
        known.or_else(|| self.request.peer_addr().map(|addr| addr.ip().to_canonical()))
    }
}

/// Middleware that believes `X-Forwarded-For` from these networks: `10.0.0.0/8`, `::1`.
///
/// # Errors
/// [`Error::Network`] if one is not an address or network.
pub fn trust_proxies(networks: &[&str]) -> Result<impl Fn(&mut Context) + Send + Sync + 'static> {
    let parse = |text: &&str| {
        Network::parse(text).ok_or_else(|| Error::Network { network: (*text).to_owned() })
    };
    let networks = networks.iter().map(parse).collect::<Result<Vec<Network>>>()?;
    let trusted = move |ip: IpAddr| networks.iter().any(|network| network.contains(ip));
    Ok(move |c: &mut Context| {
        let Some(mut ip) = c.client_ip() else { return };
        // As octets: what a client wrote need not be UTF-8, and must not hide what a proxy added.
        let fields = c.request.headers().iter();
        let forwarded = fields.filter(|(name, _)| name.eq_ignore_ascii_case("X-Forwarded-For"));
        let lines: Vec<&[u8]> = forwarded.map(|(_, value)| value).collect();
        for hop in lines.join(&b',').rsplit(|&b| b == b',') {
            let Ok(hop) = std::str::from_utf8(hop) else { break };
            let Ok(before) = hop.trim().parse::<IpAddr>() else { break };
            if !trusted(ip) {
                break;
            }
            ip = before.to_canonical();
        }
        c.set(ClientIp(ip));
    })
}

/// The addresses that share the first `bits` bits.
struct Network {
    bits: u32,
    prefix: u128,
    v4: bool,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (ip, bits) = text.split_once('/').unwrap_or((text, ""));
        let ip: IpAddr = ip.parse().ok()?;
        let width = if ip.is_ipv4() { 32 } else { 128 };
        let bits =
            if bits.is_empty() { width } else { bits.parse().ok().filter(|b| *b <= width)? };
        Some(Network { bits, prefix: top(ip), v4: ip.is_ipv4() })
    }

    fn contains(&self, ip: IpAddr) -> bool {
        let different = top(ip) ^ self.prefix;
        ip.is_ipv4() == self.v4 && (self.bits == 0 || different >> (128 - self.bits) == 0)
    }
}

/// An address's bits, the first one highest.
fn top(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()) << 96,
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, Request};

    fn seen(peer: &str, proxies: &[&str], forwarded: &[&str]) -> String {
        let mut engine = Engine::new();
        engine.middleware(trust_proxies(proxies).unwrap());
        engine
            .get("/", |c| {
                let ip = c.client_ip().map(|ip| ip.to_string());
                c.string(200, ip.unwrap_or_default());
            })
            .unwrap();
        let request = forwarded.iter().fold(Request::new("GET", "/"), |request, line| {
            request.with_header("X-Forwarded-For", line)
        });
        let mut request = request;
        request.peer = Some(peer.parse().unwrap());
        String::from_utf8(engine.handle(request).into_bytes().unwrap()).unwrap()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let inside = ["10.0.0.0/8", "::1"];
        assert_eq!(seen("203.0.113.9:5", &[], &["1.2.3.4"]), "203.0.113.9");
        assert_eq!(seen("203.0.113.9:5", &inside, &["1.2.3.4"]), "203.0.113.9");
        assert_eq!(seen("10.9.9.9:5", &inside, &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(seen("10.9.9.9:5", &inside, &["6.6.6.6, 1.2.3.4", "10.1.1.1"]), "1.2.3.4");
        assert_eq!(seen("[::1]:5", &inside, &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(seen("[::ffff:10.1.1.1]:5", &inside, &["nonsense"]), "10.1.1.1");
        assert_eq!(seen("10.9.9.9:5", &inside, &[]), "10.9.9.9");
        for bad in ["10.0.0.0/33", "x"] {
            let error = trust_proxies(&[bad]).err().map(|error| error.to_string());
            let want = format!(
                "proxy {bad:?}: neither an address nor a network; write it as in 10.0.0.0/8"
            );
            assert_eq!(error, Some(want));
        }
    }

    /// A proxy adds the client's address to the line that the client sent, whatever is in it.
    #[test]
    fn octets_that_are_no_text_hide_nobody() {
        let mut engine = Engine::new();
        engine.middleware(trust_proxies(&["10.0.0.0/8"]).unwrap());
        engine.get("/", |c| c.string(200, format!("{:?}", c.client_ip()))).unwrap();
        let head = b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: \xff, 203.0.113.9\r\n\r\n";
        let mut request = Request::default();
        assert_eq!(request.parse(head, &crate::Limits::default()).unwrap(), Some(head.len()));
        request.peer = Some("10.0.0.2:5".parse().unwrap());
        assert_eq!(engine.handle(request).into_bytes().unwrap(), b"Some(203.0.113.9)");
    }
}
