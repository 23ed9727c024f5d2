//! Day 5
use std::fmt;
use std::sync::Arc;

use crate::{ByteView, Result};

/// Knows the owner of every key.
pub trait PeerPicker: fmt::Debug + Send + Sync {
    /// The node that owns `key`, or `None` when that is this one, or when the owner is resting after a
    /// failure: then the key is loaded here.
    fn pick_peer(&self, key: &[u8]) -> Option<Arc<dyn PeerGetter>>;
}

/// Another node, to be asked for a value.
pub trait PeerGetter: fmt::Debug + Send + Sync {
    /// The node's value of `key` in `group`.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when the node says that there is none, which is final.
    /// Any other error is the peer's failure, and the caller loads the key itself.
    fn get(&self, group: &str, key: &[u8]) -> Result<ByteView>;
}
