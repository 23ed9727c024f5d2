//! Looking into a node that runs: its ring, and what it holds in which order.
//!
//! ```
//! use cache::{Dialect, Group, HttpPool};
//!
//! let echo = Group::new("echo", 16, |key: &[u8]| Ok(key.to_vec()));
//! for key in ["a", "b", "a"] {
//!     echo.get(key)?;
//! }
//! assert_eq!(echo.keys(), [b"a", b"b"].map(|key| Box::from(key.as_slice())));
//!
//! let pool = HttpPool::new("http://localhost:8001", Dialect::geecache());
//! pool.set_peers(["http://localhost:8001", "http://localhost:8002"])?;
//! assert_eq!((pool.ring().nodes().len(), pool.ring().len()), (2, 100));
//! # Ok::<(), cache::Error>(())
//! ```

use std::sync::PoisonError;

use crate::{Group, HttpPool, Ring};

impl Group {
    /// The keys of the main cache, the most recently used first; of a large cache, one shard after
    /// the other. Looking is no use: the order stays as it is.
    #[must_use]
    pub fn keys(&self) -> Vec<Box<[u8]>> {
        self.main.keys()
    }
}

impl HttpPool {
    /// The ring that owners are picked by now: a copy, which later changes do not touch.
    #[must_use]
    pub fn ring(&self) -> Ring {
        self.members.read().unwrap_or_else(PoisonError::into_inner).ring.clone()
    }
}
