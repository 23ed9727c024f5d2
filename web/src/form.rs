//! Forms (day 2): what a browser sends when a button is clicked.
//!
//! ```text
//! Content-Type: application/x-www-form-urlencoded      Content-Type: multipart/form-data; boundary=XY
//!
//! username=gee+tutu&password=1234                      --XY␍␊
//!                                                      Content-Disposition: form-data; name="username"␍␊
//!                                                      ␍␊
//!                                                      gee tutu␍␊
//!                                                      --XY␍␊
//!                                                      Content-Disposition: form-data; name="photo"; filename="a.png"␍␊
//!                                                      Content-Type: image/png␍␊
//!                                                      ␍␊
//!                                                      ...octets...␍␊
//!                                                      --XY--␍␊
//! ```
//! The second form carries files. Its parts are bounded by a line that the sender promises to be
//! in none of them. All of it is held in memory, so the limit of the body is the limit of a file.
//! References: WHATWG URL, RFC 7578, RFC 2046 section 5.1.

use std::ops::Range;

use crate::{Error, Request, Result, url};

/// A parsed form body.
#[derive(Debug, Default)]
pub struct Form {
    /// Names and values in their order.
    pub values: Vec<(String, String)>,
    /// Files in their order.
    pub files: Vec<FormFile>,
}

/// An uploaded file.
#[derive(Debug)]
pub struct FormFile {
    /// The form field's name.
    pub name: String,
    /// The name the sender gave it. Never use it as a path: it may be `../../etc/passwd`.
    pub filename: String,
    /// The type the sender claims.
    pub content_type: String,
    /// The content.
    pub content: Vec<u8>,
}

/// More values and files than this are refused.
const PARTS_MAX: usize = 1000;

impl Form {
    /// The first value of that name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// The first file of that field name.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&FormFile> {
        self.files.iter().find(|file| file.name == name)
    }

    /// Reads the body of a request as the form that its Content-Type names; empty for another.
    pub(crate) fn read(request: &mut Request) -> Result<Form> {
        let content_type = request.headers().get("Content-Type").unwrap_or_default().to_owned();
        let (kind, parameters) = content_type.split_once(';').unwrap_or((&content_type, ""));
        match kind.trim().to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => {
                let values: Vec<_> =
                    url::pairs(request.body.bytes()?).take(PARTS_MAX + 1).collect();
                if values.len() > PARTS_MAX {
                    return Err(Error::Form("it has more than 1000 values"));
                }
                Ok(Form { values, files: Vec::new() })
            }
            "multipart/form-data" => {
                let boundary = parameter(parameters, "boundary").unwrap_or_default();
                if boundary.is_empty() || boundary.len() > 70 {
                    return Err(Error::Form("the boundary has not 1 to 70 characters"));
                }
                multipart(request.body.bytes()?, boundary.as_bytes())
            }
            _ => Ok(Form::default()),
        }
    }
}

/// Cuts a multipart body into its parts.
fn multipart(body: &[u8], boundary: &[u8]) -> Result<Form> {
    let delimiter = [b"\r\n--", boundary].concat();
    let mut form = Form::default();
    // The first delimiter may stand at the very beginning, without its line end.
    let mut at = match body.starts_with(&delimiter[2..]) {
        true => delimiter.len() - 2,
        false => find(body, &delimiter).ok_or(Error::Form("no boundary in the body"))?.end,
    };
    loop {
        if body[at..].starts_with(b"--") {
            return Ok(form);
        }
        let Some(line) = find(&body[at..], b"\r\n") else {
            return Err(Error::Form("a boundary line without an end"));
        };
        if !body[at..at + line.start].trim_ascii().is_empty() {
            return Err(Error::Form("text after a boundary"));
        }
        let part = &body[at + line.end..];
        let Some(end) = find(part, &delimiter) else {
            return Err(Error::Form("the last part has no end"));
        };
        form.add(&part[..end.start])?;
        at += line.end + end.end;
    }
}

impl Form {
    fn add(&mut self, part: &[u8]) -> Result<()> {
        let Some(gap) = find(part, b"\r\n\r\n") else {
            return Err(Error::Form("a part without an empty line after its header"));
        };
        if self.values.len() + self.files.len() == PARTS_MAX {
            return Err(Error::Form("it has more than 1000 parts"));
        }
        let head = String::from_utf8_lossy(&part[..gap.start]);
        let field = |wanted: &str| {
            let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
            lines.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
        };
        let disposition = field("Content-Disposition").unwrap_or_default();
        let (kind, parameters) = disposition.split_once(';').unwrap_or((disposition, ""));
        let name = parameter(parameters, "name");
        let (true, Some(name)) = (kind.trim().eq_ignore_ascii_case("form-data"), name) else {
            return Err(Error::Form("a part without a name"));
        };
        let content = &part[gap.end..];
        match parameter(parameters, "filename") {
            Some(filename) => self.files.push(FormFile {
                name,
                filename,
                content_type: field("Content-Type").unwrap_or_default().to_owned(),
                content: content.to_vec(),
            }),
            None => self.values.push((name, String::from_utf8_lossy(content).into_owned())),
        }
        Ok(())
    }
}

/// The value of one `; name=value` or `; name="va\"lue"`.
fn parameter(text: &str, wanted: &str) -> Option<String> {
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim_matches(|c: char| c == ';' || c.is_ascii_whitespace());
        let mut value = String::new();
        if let Some(quoted) = after.strip_prefix('"') {
            let mut chars = quoted.char_indices();
            loop {
                match chars.next()? {
                    (at, '"') => {
                        rest = &quoted[at + 1..];
                        break;
                    }
                    // Browsers write `%22` for a quote and leave backslashes alone; curl escapes.
                    (at, '\\') if quoted[at + 1..].starts_with(['"', '\\']) => {
                        value.push(chars.next()?.1);
                    }
                    (_, c) => value.push(c),
                }
            }
        } else {
            let end = after.find(';').unwrap_or(after.len());
            value.push_str(after[..end].trim());
            rest = &after[end..];
        }
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
    }
}

/// The first place of `needle`. Looks for its first octet, then compares; a body made of
/// almost-boundaries costs length times boundary, and a boundary has 74 octets at most.
fn find(haystack: &[u8], needle: &[u8]) -> Option<Range<usize>> {
    let mut from = 0;
    loop {
        let at = from + haystack[from..].iter().position(|b| *b == needle[0])?;
        if haystack[at..].starts_with(needle) {
            return Some(at..at + needle.len());
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Random, rounds};

    const MULTIPART: &[u8] = b"--XY\r\n\
        Content-Disposition: form-data; name=\"username\"\r\n\r\n\
        gee tutu\r\n--XY  \r\n\
        content-disposition: form-data; filename=\"a \\\"b\\\".png\"; name=photo\r\n\
        Content-Type: image/png\r\n\r\n\
        \x89PNG\r\n--X\r\n\r\n--XY--\r\nepilogue";

    fn read(content_type: &str, body: &[u8]) -> Result<Form> {
        let request = Request::new("POST", "/").with_header("Content-Type", content_type);
        Form::read(&mut request.with_body(body))
    }

    #[test]
    fn values_and_files_are_read_from_both_forms() {
        let form =
            read("application/x-www-form-urlencoded; charset=utf-8", b"a=1&a=2&b=x+%26").unwrap();
        assert_eq!(
            (form.value("a"), form.value("b"), form.value("c")),
            (Some("1"), Some("x &"), None)
        );
        let form = read("multipart/form-data; boundary=\"XY\"", MULTIPART).unwrap();
        assert_eq!(form.value("username"), Some("gee tutu"));
        let file = form.file("photo").unwrap();
        assert_eq!((&*file.filename, &*file.content_type), ("a \"b\".png", "image/png"));
        assert_eq!(file.content, b"\x89PNG\r\n--X\r\n");
        assert!(read("text/plain", b"a=1").unwrap().values.is_empty());
    }

    #[test]
    fn broken_forms_are_errors() {
        const CASES: &[(&str, &[u8], &str)] = &[
            ("multipart/form-data", b"", "form: the boundary has not 1 to 70 characters"),
            ("multipart/form-data; boundary=q", b"--r\r\n", "form: no boundary in the body"),
            (
                "multipart/form-data; boundary=q",
                b"--q\r\nA: b\r\n\r\nx",
                "form: the last part has no end",
            ),
            ("multipart/form-data; boundary=q", b"--qqq\r\n", "form: text after a boundary"),
            ("multipart/form-data; boundary=q", b"--q", "form: a boundary line without an end"),
            (
                "multipart/form-data; boundary=q",
                b"--q\r\nA: b\r\n\r\nx\r\n--q--",
                "form: a part without a name",
            ),
        ];
        for &(content_type, body, want) in CASES {
            assert_eq!(read(content_type, body).unwrap_err().to_string(), want);
        }
        let many = "a=1&".repeat(1001);
        let error = read("application/x-www-form-urlencoded", many.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "form: it has more than 1000 values");
    }

    #[test]
    fn a_form_cut_anywhere_is_an_error_or_a_form() {
        for end in 0..MULTIPART.len() {
            let _ = multipart(&MULTIPART[..end], b"XY");
        }
    }

    /// However it is changed: an error, or parts that all stood in the body.
    #[test]
    fn no_change_of_bytes_brings_it_down() {
        const PIECES: &[&str] = &[
            "--XY",
            "--XY--",
            "\r\n",
            "\r\n\r\n",
            "\"",
            "\\",
            ";",
            "=",
            "name=",
            "filename=\"",
            "--",
            "Content-Disposition: form-data; name=a\r\n",
        ];
        let mut random = Random(3);
        for _ in 0..rounds(20_000) {
            let body = random.change(MULTIPART, PIECES);
            let Ok(form) = multipart(&body, b"XY") else { continue };
            let octets: usize = form.files.iter().map(|file| file.content.len()).sum();
            assert!(octets <= body.len());
            for file in &form.files {
                let inside = |w: &[u8]| w == file.content;
                assert!(file.content.is_empty() || body.windows(file.content.len()).any(inside));
            }
        }
    }
}
