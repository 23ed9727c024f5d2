//! Cookies: a small text that a client brings back.
//!
//! ```text
//! Set-Cookie: id=a3fWa; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax     we say
//! Cookie: id=a3fWa; theme=dark                                                   it says
//! ```
//! A value is sent as it is, so it may hold no space, comma, semicolon, quote or backslash; encode
//! what might. Nothing that comes back can be trusted: a client may send what it likes.
//! Reference: RFC 6265 section 4.1 for what we send, 5.4 for what is read.

use std::fmt::Write;
use std::time::Duration;

use crate::{Context, Error, Result, http};

/// A cookie to be set.
///
/// ```
/// use std::time::Duration;
/// use web::beyond::cookies::{Cookie, SameSite};
///
/// let cookie = Cookie::new("id", "a3fWa").max_age(Duration::from_secs(3600)).same_site(SameSite::Lax);
/// assert_eq!(cookie.to_header()?, "id=a3fWa; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax");
/// # Ok::<(), web::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Cookie {
    name: String,
    value: String,
    path: String,
    domain: Option<String>,
    max_age: Option<Duration>,
    secure: bool,
    http_only: bool,
    same_site: Option<SameSite>,
}

/// Whether a cookie goes along with requests that other sites cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// Never.
    Strict,
    /// Only when the user follows a link.
    Lax,
    /// Always; browsers demand [`Cookie::secure`] beside it.
    None,
}

impl Cookie {
    /// A cookie for the whole site that scripts cannot read and that ends with the browser's
    /// session.
    #[must_use]
    pub fn new(name: &str, value: &str) -> Self {
        Cookie {
            name: name.to_owned(),
            value: value.to_owned(),
            path: "/".to_owned(),
            domain: None,
            max_age: None,
            secure: false,
            http_only: true,
            same_site: None,
        }
    }

    /// A cookie that makes the client forget the one of that name.
    #[must_use]
    pub fn removal(name: &str) -> Self {
        Cookie::new(name, "").max_age(Duration::ZERO)
    }

    /// Only requests below `path` bring it back.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Hosts below `domain` get it too.
    #[must_use]
    pub fn domain(mut self, domain: &str) -> Self {
        self.domain = Some(domain.to_owned());
        self
    }

    /// How long the client keeps it, in whole seconds.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Only sent over TLS.
    #[must_use]
    pub fn secure(mut self) -> Self {
        self.secure = true;
        self
    }

    /// Scripts in the page may read it.
    #[must_use]
    pub fn readable_by_scripts(mut self) -> Self {
        self.http_only = false;
        self
    }

    /// Sets the `SameSite` attribute.
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = Some(same_site);
        self
    }

    /// The value of the Set-Cookie field.
    ///
    /// # Errors
    /// [`Error::InvalidHeader`] if the name is no token, the value has an octet that would end it
    /// or be read differently, or path or domain have a semicolon or control character.
    pub fn to_header(&self) -> Result<String> {
        let refuse = |reason| Err(Error::InvalidHeader { name: "Set-Cookie".to_owned(), reason });
        if !http::is_token(self.name.as_bytes()) {
            return refuse("the cookie's name is not a token");
        }
        let value_ok = |b: u8| b.is_ascii_graphic() && !b"\",;\\".contains(&b);
        if !self.value.bytes().all(value_ok) {
            return refuse(
                "the cookie's value has a space, comma, semicolon, quote, backslash or non-ASCII character",
            );
        }
        let domain = self.domain.as_deref().unwrap_or_default();
        let attribute_ok = |b: u8| (b' '..0x7f).contains(&b) && b != b';';
        if !self.path.bytes().chain(domain.bytes()).all(attribute_ok) {
            return refuse("the cookie's path or domain has a semicolon or control character");
        }
        if self.same_site == Some(SameSite::None) && !self.secure {
            return refuse("browsers drop a SameSite=None cookie that is not Secure");
        }
        let mut text = format!("{}={}; Path={}", self.name, self.value, self.path);
        if let Some(domain) = &self.domain {
            let _ = write!(text, "; Domain={domain}");
        }
        if let Some(age) = self.max_age {
            let _ = write!(text, "; Max-Age={}", age.as_secs());
        }
        text.push_str(if self.http_only { "; HttpOnly" } else { "" });
        text.push_str(if self.secure { "; Secure" } else { "" });
        if let Some(same_site) = self.same_site {
            let _ = write!(text, "; SameSite={same_site:?}");
        }
        Ok(text)
    }
}

impl Context {
    /// The value of the first cookie of that name, as sent.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.request
            .headers()
            .get_all("Cookie")
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| {
                value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value)
            })
    }

    /// Sets a cookie. One that must not be sent makes the answer a 500 and the reason a log line.
    pub fn set_cookie(&mut self, cookie: &Cookie) {
        match cookie.to_header() {
            Ok(text) => self.response.headers.push("Set-Cookie", &text),
            Err(error) => self.server_error(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, Request};

    #[test]
    fn cookies_are_read_and_written_by_the_rules() {
        let mut engine = Engine::new();
        engine
            .get("/", |c| {
                let seen =
                    format!("{:?} {:?} {:?}", c.cookie("a"), c.cookie("b"), c.cookie("none"));
                c.set_cookie(&Cookie::new("one", "1").secure().same_site(SameSite::None));
                c.set_cookie(
                    &Cookie::removal("two").path("/x").domain("a.example").readable_by_scripts(),
                );
                c.string(200, seen);
            })
            .unwrap();
        let request = Request::new("GET", "/").with_header("Cookie", "a=1; b=\"x=y\";a=2 ; bare");
        let response = engine.handle(request);
        let set: Vec<_> = response.headers.get_all("Set-Cookie").collect();
        assert_eq!(
            set,
            [
                "one=1; Path=/; HttpOnly; Secure; SameSite=None",
                "two=; Path=/x; Domain=a.example; Max-Age=0",
            ]
        );
        assert_eq!(response.into_bytes().unwrap(), br#"Some("1") Some("x=y") None"#);
    }

    #[test]
    fn what_would_be_read_as_something_else_is_refused() {
        let bad = [
            Cookie::new("a b", ""),
            Cookie::new("a", "1; Path=/admin"),
            Cookie::new("a", "1\r\nX: y"),
            Cookie::new("a", "é"),
            Cookie::new("a", "1").path("/\n"),
            Cookie::new("a", "1").domain("x;y"),
            Cookie::new("a", "1").same_site(SameSite::None),
        ];
        for cookie in bad {
            assert!(cookie.to_header().is_err(), "{cookie:?}");
        }
        let mut engine = Engine::new();
        engine.get("/", |c| c.set_cookie(&Cookie::new("a", "1\r\nX: y"))).unwrap();
        let response = engine.handle(Request::new("GET", "/"));
        assert_eq!((response.status(), response.headers.get("Set-Cookie")), (500, None));
    }
}
