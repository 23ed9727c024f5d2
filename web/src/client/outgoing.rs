//! What the client sends: a URL taken apart and a head put together.

use crate::headers::Headers;
use crate::http::is_token;
use crate::{Error, Result};

/// A request to be sent by [`Client::send`](crate::Client::send).
#[derive(Debug)]
pub struct Outgoing {
    pub(super) method: String,
    pub(super) url: String,
    headers: Headers,
    pub(super) body: Vec<u8>,
    error: Option<Error>,
}

impl Outgoing {
    /// A request without fields or body; `url` is `http://host[:port]/path?query`.
    #[must_use]
    pub fn new(method: &str, url: &str) -> Self {
        let (method, url) = (method.to_owned(), url.to_owned());
        Outgoing { method, url, headers: Headers::new(), body: Vec::new(), error: None }
    }

    /// Adds a header field. One that must not be sent is the error of
    /// [`Client::send`](crate::Client::send); so are those that say where the body ends, which is
    /// the client's business.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let framing = ["Content-Length", "Transfer-Encoding"];
        if framing.iter().any(|field| field.eq_ignore_ascii_case(name)) {
            let reason = "the client frames the body itself";
            self.error = Some(Error::InvalidHeader { name: name.to_owned(), reason });
        } else if let Err(error) = self.headers.append(name, value) {
            self.error = Some(error);
        }
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The octets of the head, or why they must not be sent.
    pub(super) fn head(&mut self, authority: &str, target: &str) -> Result<Vec<u8>> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if !is_token(self.method.as_bytes()) {
            return Err(Error::Url { url: self.url.clone(), reason: "the method is not a token" });
        }
        let slash = if target.starts_with('/') { "" } else { "/" };
        let mut head = format!("{} {slash}{target} HTTP/1.1\r\n", self.method).into_bytes();
        if self.headers.get_bytes("Host").is_none() {
            head.extend_from_slice(format!("Host: {authority}\r\n").as_bytes());
        }
        self.headers.write_to(&mut head);
        if !self.body.is_empty() || matches!(&*self.method, "POST" | "PUT" | "PATCH") {
            head.extend_from_slice(format!("Content-Length: {}\r\n", self.body.len()).as_bytes());
        }
        head.extend_from_slice(b"\r\n");
        Ok(head)
    }
}

/// The host (with its port) and the target of `http://host:port/path?query#fragment`.
pub(super) fn split_url(url: &str) -> Result<(String, &str)> {
    let bad = |reason| Error::Url { url: url.to_owned(), reason };
    let rest = match url.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
            return Err(bad("std has no TLS; only http:// can be asked"));
        }
        _ => return Err(bad("it does not begin with http://")),
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    if !crate::head::is_authority(authority.as_bytes()) {
        return Err(bad("the host is not host[:port]"));
    }
    if target.bytes().any(|b| b <= b' ' || b == 0x7f) {
        return Err(bad("a space or control character must be written as %XX"));
    }
    Ok((authority.to_owned(), target))
}
