//! What an open connection sees of its own file: the pages of its transaction, and its journal
//! (day 0; to be read after [`connection`](super::super::connection)).
//!
//! The file on the disk does not tell it. Until COMMIT the changed pages are in the
//! [cache](super::super::cache), and the journal begins as a buffer in memory: what no other
//! program can see yet, this module shows.
//!
//! ```
//! use orm::sql::{Connection, inspect::annotate_journal};
//!
//! # fn main() -> orm::sql::Result<()> {
//! let db = Connection::memory()?;
//! db.execute_batch("CREATE TABLE t(a); BEGIN; INSERT INTO t VALUES (7)")?;
//! assert_eq!(db.page_bytes(2)?.len(), 4096);
//! let journal = db.journal_bytes()?.expect("a transaction has written");
//! let parts = annotate_journal(&journal);
//! assert_eq!(parts[0].meaning, "zeros: not to be played back");
//! let originals: Vec<_> = parts.iter().filter(|part| part.name == "page number").collect();
//! assert_eq!(originals[0].meaning, "2"); // t's page, as it was before the row came
//! db.execute_batch("ROLLBACK")?;
//! assert!(db.journal_bytes()?.is_none());
//! # Ok(())
//! # }
//! ```

use std::sync::Arc;

use super::super::{Connection, Pager, Result};

impl Connection {
    /// How many pages the database has, those of the open transaction included.
    ///
    /// # Errors
    /// The file cannot be locked or read.
    pub fn page_count(&self) -> Result<u32> {
        self.look(|pager| Ok(pager.page_count()))
    }

    /// The bytes of page `number`, from 1, as this connection sees them.
    ///
    /// # Errors
    /// There is no such page, or the file cannot be read.
    pub fn page_bytes(&self, number: u32) -> Result<Arc<[u8]>> {
        self.look(|pager| pager.page(number).map(Arc::clone))
    }

    /// The journal of the open transaction, as far as it has come: what is in the file, and what
    /// is still in memory. `None` while nothing has been written.
    ///
    /// # Errors
    /// The journal's file cannot be read.
    pub fn journal_bytes(&self) -> Result<Option<Vec<u8>>> {
        let mut pager = self.shared.pager.borrow_mut();
        let Pager { transaction, vfs, .. } = &mut *pager;
        transaction.as_mut().map(|transaction| transaction.journal.bytes(&**vfs)).transpose()
    }

    fn look<T>(&self, look: impl FnOnce(&mut Pager) -> Result<T>) -> Result<T> {
        self.shared.begin_read()?;
        let seen = look(&mut self.shared.pager.borrow_mut());
        self.shared.end_read();
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::super::annotate_journal;
    use super::*;

    #[test]
    fn a_transaction_is_seen_before_anyone_else_can() {
        let db = Connection::memory().unwrap();
        assert!(db.journal_bytes().unwrap().is_none());
        db.execute_batch("CREATE TABLE t(a); INSERT INTO t VALUES (1); BEGIN").unwrap();
        assert!(db.journal_bytes().unwrap().is_none());
        let before = db.page_bytes(2).unwrap();
        db.execute_batch("UPDATE t SET a = 2").unwrap();
        assert_ne!(db.page_bytes(2).unwrap(), before);
        let journal = db.journal_bytes().unwrap().unwrap();
        let parts = annotate_journal(&journal);
        let original = parts.iter().find(|part| part.name == "original").unwrap();
        assert_eq!(&journal[original.range.clone()], &*before);
        assert!(db.page_bytes(3).is_err() && db.page_bytes(0).is_err());
        assert_eq!(db.page_count().unwrap(), 2);
    }

    /// More than the buffer holds: the beginning is read back from the file.
    #[test]
    fn a_long_journal_is_seen_whole() {
        let db = Connection::memory().unwrap();
        let fill = "INSERT INTO t SELECT zeroblob(3000) FROM t";
        db.execute_batch("CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(3000))").unwrap();
        (0..6).for_each(|_| db.execute_batch(fill).unwrap());
        db.execute_batch("BEGIN; UPDATE t SET a = zeroblob(2999)").unwrap();
        let journal = db.journal_bytes().unwrap().unwrap();
        assert!(journal.len() > 2 * 64 * 1024, "{}", journal.len());
        let parts = annotate_journal(&journal);
        let originals = parts.iter().filter(|part| part.name == "original").count();
        assert!(originals >= 64 && parts.iter().all(|part| !part.meaning.starts_with("wrong")));
        assert_eq!(parts.last().unwrap().range.end, journal.len());
    }
}
