//! Redirects, files, downloads.

use std::path::Path;

use crate::{Context, files, url};

impl Context {
    /// Sends the client elsewhere: 301 and 308 for ever, 302, 303 and 307 for now. A location with
    /// a line end makes the answer a 500. Beware of locations that a client chose: check that they
    /// are yours.
    ///
    /// # Panics
    /// If `status` is not 301, 302, 303, 307 or 308.
    pub fn redirect(&mut self, status: u16, location: &str) {
        assert!(matches!(status, 301..=303 | 307 | 308), "{status} does not redirect");
        self.set_header("Location", location);
        if self.response.headers.get("Location").is_some() {
            self.status(status);
        }
    }

    /// Answers a file, whose path is the program's and not the client's; 404 if it is not there.
    pub fn file(&mut self, path: impl AsRef<Path>) {
        files::answer_file(self, path.as_ref());
    }

    /// Answers a file to be saved under `name`, whatever characters that has.
    pub fn attachment(&mut self, path: impl AsRef<Path>, name: &str) {
        files::answer_file(self, path.as_ref());
        if self.response.status() == 200 {
            self.set_header("Content-Disposition", &disposition(name));
        }
    }
}

/// `attachment` with a name: once in ASCII for old clients, once in UTF-8 (RFC 6266, RFC 8187).
/// Slashes and the like become `_`, so that no client takes the name for a path.
fn disposition(name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|c| if c.is_control() || "/\\:*?\"<>|".contains(c) { '_' } else { c })
        .collect();
    let ascii: String = safe.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect();
    if ascii == safe {
        format!("attachment; filename=\"{ascii}\"")
    } else {
        let encoded = url::encode_segment(safe.as_bytes());
        format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, Request};

    #[test]
    fn names_of_downloads_are_made_safe() {
        const CASES: &[(&str, &str)] = &[
            ("a b.txt", "attachment; filename=\"a b.txt\""),
            ("../\"x\"\r\n", "attachment; filename=\"..__x___\""),
            ("你.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%E4%BD%A0.txt"),
        ];
        for (name, want) in CASES {
            assert_eq!(disposition(name), *want);
        }
    }

    #[test]
    fn a_redirect_says_where_and_never_splits() {
        let mut engine = Engine::new();
        engine
            .get("/go", |c| {
                let to = c.query("to");
                c.redirect(302, &to);
            })
            .unwrap();
        let ask = |target| engine.handle(Request::new("GET", target));
        let response = ask("/go?to=/there");
        assert_eq!((response.status(), response.headers.get("Location")), (302, Some("/there")));
        let response = ask("/go?to=/%0d%0aSet-Cookie:x");
        assert_eq!((response.status(), response.headers.get("Location")), (500, None));
    }
}
