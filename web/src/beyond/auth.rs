//! Basic authentication: a name and a password in every request.
//!
//! `Authorization: Basic Z2VlOnR1dHU=` is `gee:tutu` in base64: an encoding, not a secret, so use
//! it behind TLS only. Comparing takes the same time for a right and a wrong beginning, else a
//! patient client could guess octet by octet. Reference: RFC 7617.

use crate::Context;

/// Who has signed in; see [`Context::get`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User(pub String);

/// Middleware that lets in whoever gives one of these names and passwords, as a [`User`], and
/// answers 401 to everybody else.
pub fn basic_auth(
    realm: &str,
    accounts: &[(&str, &str)],
) -> impl Fn(&mut Context) + Send + Sync + 'static {
    let challenge =
        format!("Basic realm=\"{}\", charset=\"UTF-8\"", realm.replace(['"', '\\'], ""));
    let accounts: Vec<(String, String)> = accounts
        .iter()
        .map(|(name, password)| ((*name).to_owned(), format!("{name}:{password}")))
        .collect();
    move |c| {
        let given = c.header("Authorization").and_then(credentials).unwrap_or_default();
        let mut user = None;
        // Every account is compared, whether or not one before it fits.
        for (name, wanted) in &accounts {
            if same(&given, wanted.as_bytes()) {
                user = Some(name.clone());
            }
        }
        match user {
            Some(name) => c.set(User(name)),
            None => {
                c.set_header("WWW-Authenticate", &challenge);
                c.fail(401, "Unauthorized");
            }
        }
    }
}

/// The decoded `name:password`. Crate `rpc` has base64 too, and stricter: JSON has to have its filling
/// `=`, which a client may leave out here.
fn credentials(field: &str) -> Option<Vec<u8>> {
    let (scheme, encoded) = field.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let encoded = encoded.trim().trim_end_matches('=');
    let mut out = Vec::new();
    for group in encoded.as_bytes().chunks(4) {
        let mut bits = 0u32;
        for &letter in group {
            let six = match letter {
                b'A'..=b'Z' => letter - b'A',
                b'a'..=b'z' => letter - b'a' + 26,
                b'0'..=b'9' => letter - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(six);
        }
        let octets = (bits << (6 * (4 - group.len()))).to_be_bytes();
        // 2, 3, 4 letters hold 1, 2, 3 octets; a single letter holds none.
        out.extend_from_slice(&octets[1..group.len().max(1)]);
    }
    Some(out)
}

/// Equality whose time depends on the lengths only.
fn same(a: &[u8], b: &[u8]) -> bool {
    let different = a.iter().zip(b).fold(0, |different, (x, y)| different | (x ^ y));
    std::hint::black_box(different) == 0 && a.len() == b.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, Request};

    #[test]
    fn the_right_word_opens_and_nothing_else() {
        let mut engine = Engine::new();
        engine.middleware(basic_auth("the \"house\"", &[("gee", "tutu"), ("ann", "p:w")]));
        engine
            .get("/", |c| {
                let name = c.get::<User>().map(|user| user.0.clone()).unwrap_or_default();
                c.string(200, name);
            })
            .unwrap();
        let ask = |field: &str| {
            let response =
                engine.handle(Request::new("GET", "/").with_header("Authorization", field));
            let challenge = response.headers.get("WWW-Authenticate").map(str::to_owned);
            (
                response.status(),
                challenge,
                String::from_utf8(response.into_bytes().unwrap()).unwrap(),
            )
        };
        assert_eq!(ask("Basic Z2VlOnR1dHU="), (200, None, "gee".to_owned()));
        assert_eq!(ask("basic YW5uOnA6dw"), (200, None, "ann".to_owned()));
        let challenge = Some("Basic realm=\"the house\", charset=\"UTF-8\"".to_owned());
        for bad in [
            "",
            "Basic",
            "Basic Z2Vl",
            "Basic Z2VlOnR1dHU9",
            "Basic !",
            "Bearer Z2VlOnR1dHU=",
            "Basic Z",
        ] {
            let (status, asked, body) = ask(bad);
            assert_eq!((status, asked), (401, challenge.clone()), "{bad}");
            assert_eq!(body, "{\"message\":\"Unauthorized\"}\n");
        }
    }
}
