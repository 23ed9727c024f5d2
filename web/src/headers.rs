//! Header fields (day 1): one buffer of text and the spans of names and values in it.
//!
//! ```text
//! text    GET / HTTP/1.1␍␊Host: localhost␍␊Accept: */*␍␊␍␊
//!                         └┬─┘  └───┬───┘  └──┬──┘ └┬┘
//! fields                 name    value      name  value      ranges into text, no copies
//! ```
//!
//! The same type serves both directions. A request's `text` is its whole head as received, so the
//! exact octets stay at hand; a response's grows as fields are added. Clearing keeps the memory,
//! so a connection in steady state allocates nothing for headers.
//!
//! Names compare without regard to case; the order of fields and every duplicate are kept, since
//! for some fields (`Set-Cookie`) they matter. References: RFC 9110 section 5.

use std::ops::Range;

use crate::http::{is_field_value, is_token};
use crate::{Error, Result};

/// Header fields in their order.
#[derive(Debug, Clone, Default)]
pub struct Headers {
    /// The octets that the fields' ranges point into.
    pub(crate) text: Vec<u8>,
    pub(crate) fields: Vec<Field>,
}

/// Where a field's name and value stand in [`Headers::text`].
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: Range<usize>,
    pub(crate) value: Range<usize>,
}

impl Headers {
    /// No fields.
    #[must_use]
    pub fn new() -> Self {
        Headers::default()
    }

    /// The first field of that name, as text; `None` also if its octets are not UTF-8.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_bytes(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The first field of that name, octet by octet.
    #[must_use]
    pub fn get_bytes(&self, name: &str) -> Option<&[u8]> {
        self.find(name).map(|at| &self.text[self.fields[at].value.clone()])
    }

    /// Every field of that name, as text, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .filter_map(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter().map(|field| {
            let name = std::str::from_utf8(&self.text[field.name.clone()]);
            (name.unwrap_or_default(), &self.text[field.value.clone()])
        })
    }

    /// How many fields there are, duplicates counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Replaces every field of that name by this one.
    ///
    /// # Errors
    /// [`Error::InvalidHeader`], and nothing changed, if the name is not a token or the value has
    /// a control character: a line end inside a value would let data write headers.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        check(name, value)?;
        self.remove(name);
        self.push(name, value);
        Ok(())
    }

    /// Adds a field beside those of the same name.
    ///
    /// # Errors
    /// As for [`Headers::set`].
    pub fn append(&mut self, name: &str, value: &str) -> Result<()> {
        check(name, value)?;
        self.push(name, value);
        Ok(())
    }

    /// Removes every field of that name; says whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.fields.len();
        self.retain(|found| !found.eq_ignore_ascii_case(name));
        self.fields.len() < before
    }

    /// Keeps only the fields whose name is `wanted`.
    pub fn retain(&mut self, mut wanted: impl FnMut(&str) -> bool) {
        let text = &self.text;
        self.fields.retain(|f| std::str::from_utf8(&text[f.name.clone()]).is_ok_and(&mut wanted));
    }

    /// Forgets all fields and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.fields.clear();
    }

    /// Appends `Name: value␍␊` for each field.
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        for field in &self.fields {
            out.extend_from_slice(&self.text[field.name.clone()]);
            out.extend_from_slice(b": ");
            out.extend_from_slice(&self.text[field.value.clone()]);
            out.extend_from_slice(b"\r\n");
        }
    }

    fn find(&self, name: &str) -> Option<usize> {
        let name = name.as_bytes();
        // Nearly always a name is written as we ask for it, and comparing as it is costs less.
        self.fields.iter().position(|f| {
            let found = &self.text[f.name.clone()];
            found == name || found.eq_ignore_ascii_case(name)
        })
    }

    /// Adds a field that is known to be valid.
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        let start = self.text.len();
        self.text.extend_from_slice(name.as_bytes());
        let middle = self.text.len();
        self.text.extend_from_slice(value.as_bytes());
        self.fields.push(Field { name: start..middle, value: middle..self.text.len() });
    }
}

fn check(name: &str, value: &str) -> Result<()> {
    let reason = if !is_token(name.as_bytes()) {
        "the name is not a token"
    } else if !is_field_value(value.as_bytes()) {
        "the value has a control character (CR, LF, NUL, ...)"
    } else {
        return Ok(());
    };
    Err(Error::InvalidHeader { name: name.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_without_regard_to_case_and_kept_in_order() {
        let mut headers = Headers::new();
        headers.append("Set-Cookie", "a=1").unwrap();
        headers.append("X", "é").unwrap();
        headers.append("set-cookie", "b=2").unwrap();
        assert_eq!(headers.get("SET-COOKIE"), Some("a=1"));
        assert_eq!(headers.get_all("Set-Cookie").collect::<Vec<_>>(), ["a=1", "b=2"]);
        headers.set("Set-Cookie", "c=3").unwrap();
        let mut out = Vec::new();
        headers.write_to(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "X: é\r\nSet-Cookie: c=3\r\n");
        assert!(headers.remove("x") && !headers.remove("x") && headers.len() == 1);
    }

    #[test]
    fn what_would_split_a_response_is_refused() {
        let mut headers = Headers::new();
        let error = headers.set("Location", "/\r\nSet-Cookie: x=1").unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"header "Location": the value has a control character (CR, LF, NUL, ...)"#
        );
        let error = headers.append("a b", "").unwrap_err();
        assert_eq!(error.to_string(), r#"header "a b": the name is not a token"#);
        assert!(headers.is_empty());
    }
}
