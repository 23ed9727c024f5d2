//! Day 2, first half: [`ByteView`], bytes that many may read and nobody can change.
//!
//! A cache hands the same value to every caller. In Go a `[]byte` given out is a `[]byte` that the
//! caller can write to, so the tutorial copies the bytes on the way in and on every way out. Here
//! the type says it: an `Arc<[u8]>` has no way to be written through, so a hit costs one count up
//! and no copy, however long the value is.
//!
//! ```
//! use cache::ByteView;
//!
//! let stored = ByteView::from("630");
//! let given_out = stored.clone();          // one more owner of the same three bytes
//! assert_eq!(&given_out[..], b"630");      // reads like a slice
//! assert_eq!(given_out.to_string(), "630");
//! assert_eq!(given_out.as_ptr(), stored.as_ptr());
//! ```
//!
//! **What the borrow checker says.** *Cannot assign to data in dereference of `ByteView`*; that one error
//! replaces the tutorial's `cloneBytes`:
//! ```compile_fail,E0594
//! let mut given_out = cache::ByteView::from("630");
//! given_out[0] = b'7';
//! ```

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// An immutable, shared run of bytes; cloning it copies no byte. It reads like a `&[u8]`.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct ByteView(Arc<[u8]>);

impl Deref for ByteView {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for ByteView {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<&[u8]> for ByteView {
    fn from(bytes: &[u8]) -> ByteView {
        ByteView(bytes.into())
    }
}

impl<const N: usize> From<&[u8; N]> for ByteView {
    fn from(bytes: &[u8; N]) -> ByteView {
        ByteView(bytes.as_slice().into())
    }
}

impl From<Vec<u8>> for ByteView {
    fn from(bytes: Vec<u8>) -> ByteView {
        ByteView(bytes.into())
    }
}

impl From<&str> for ByteView {
    fn from(text: &str) -> ByteView {
        text.as_bytes().into()
    }
}

impl From<String> for ByteView {
    fn from(text: String) -> ByteView {
        text.into_bytes().into()
    }
}

/// As text; bytes that are not UTF-8 show as U+FFFD.
impl fmt::Display for ByteView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&String::from_utf8_lossy(self))
    }
}

impl fmt::Debug for ByteView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_text_and_bytes() {
        let view = ByteView::from(b"6\xff0\"");
        assert_eq!(view.to_string(), "6\u{fffd}0\"");
        assert_eq!(format!("{view:?}"), r#"b"6\xff0\"""#);
        assert_eq!(format!("[{:>4}]", ByteView::from("630")), "[ 630]");
        assert_eq!(ByteView::default().len(), 0);
    }

    #[test]
    fn a_clone_shares_the_bytes() {
        let one = ByteView::from(vec![7; 1000]);
        assert_eq!(one.clone().as_ptr(), one.as_ptr());
    }
}
