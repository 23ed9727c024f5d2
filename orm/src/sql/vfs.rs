//! The only door to the disk: a handful of operations on files, and files in memory (day 0).
//!
//! Everything that the engine does to the outside world goes through [`Vfs`] and [`VfsFile`]. That
//! buys three things. A database can live in memory ([`MemoryVfs`], also under WebAssembly, where
//! there are no files). A test can put a recorder or a saboteur behind the door, and so try every
//! moment at which the power may fail. And one page of code shows what a database needs from an
//! operating system, which is little: read and write at an offset, cut to a length, *sync*, delete,
//! and a lock.
//!
//! The word that matters is sync. A write that has returned is visible to every process, but it is
//! in the machine's memory; after a power cut any subset of the writes since the last
//! [`sync`](VfsFile::sync) may be there, in whole sectors, in any order. A new or deleted *name* is as
//! volatile, until its directory was synced. [`journal`](super::journal) is built on just that.
//!
//! SQLite has the same door, `sqlite3_vfs`, with 40 more methods.

use super::error::{Error, Result};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A place that holds files by name.
pub trait Vfs: std::fmt::Debug + Send {
    /// Opens the file `path`; makes it, empty, if it is missing and `create` is set.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::NotFound`] without `create`.
    fn open(&self, path: &str, mode: Mode) -> io::Result<Box<dyn VfsFile>>;

    /// Whether there is such a file.
    ///
    /// # Errors
    /// What the system says.
    fn exists(&self, path: &str) -> io::Result<bool>;

    /// Removes a file's name. It may come back after a power cut until [`Vfs::sync_dir`].
    ///
    /// # Errors
    /// What the system says.
    fn delete(&self, path: &str) -> io::Result<()>;

    /// Makes new and deleted names in the directory of `path` last.
    ///
    /// # Errors
    /// What the system says.
    fn sync_dir(&self, path: &str) -> io::Result<()>;

    /// The one name of an existing file, where several lead to it: through a symbolic link, or from
    /// the current directory. Two programs that find a file by different names must still look for its
    /// journal in the same place.
    ///
    /// # Errors
    /// What the system says.
    fn full_path(&self, path: &str) -> io::Result<String> {
        Ok(path.to_owned())
    }
}

/// How [`Vfs::open`] opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The file exists and is only read.
    Read,
    /// The file exists and is read and written.
    Write,
    /// As `Write`, and a missing file is made.
    Create,
}

/// An open file.
pub trait VfsFile: std::fmt::Debug + Send {
    /// Reads from `offset` on until `buf` is full or the file ends; the number of bytes read.
    ///
    /// # Errors
    /// What the system says.
    fn read_at(&mut self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`, extending the file where needed.
    ///
    /// # Errors
    /// What the system says.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Cuts or extends (with zeros) the file to `len` bytes.
    ///
    /// # Errors
    /// What the system says.
    fn set_len(&mut self, len: u64) -> io::Result<()>;

    /// The file's length in bytes.
    ///
    /// # Errors
    /// What the system says.
    fn size(&mut self) -> io::Result<u64>;

    /// Returns when all that was written so far will survive a power cut.
    ///
    /// # Errors
    /// What the system says; then nothing is known about what was written.
    fn sync(&mut self) -> io::Result<()>;

    /// Gives up the lock that is held and takes `lock`; false when another holder is in the way,
    /// and then no lock is held.
    ///
    /// # Errors
    /// What the system says.
    fn lock(&mut self, lock: Lock) -> io::Result<bool>;
}

/// Who else may use the file meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Anyone.
    None,
    /// Other readers.
    Shared,
    /// Nobody.
    Exclusive,
}

/// Files in memory, shared by all clones of this value.
#[derive(Clone, Debug, Default)]
pub struct MemoryVfs {
    /// The directory; each file has a mutex of its own for its bytes and its locks.
    files: Arc<Mutex<BTreeMap<String, Arc<Mutex<MemoryFile>>>>>,
}

#[derive(Debug, Default)]
struct MemoryFile {
    bytes: Vec<u8>,
    readers: usize,
    writer: bool,
}

#[derive(Debug)]
struct MemoryHandle {
    file: Arc<Mutex<MemoryFile>>,
    held: Lock,
}

impl MemoryVfs {
    /// The bytes of a file, or `None` if there is none.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<Vec<u8>> {
        lock(&self.files).get(path).map(|file| lock(file).bytes.clone())
    }

    /// A store of its own with the same files.
    #[must_use]
    pub fn copy(&self) -> MemoryVfs {
        let copy = MemoryVfs::default();
        for (path, file) in lock(&self.files).iter() {
            copy.put(path, lock(file).bytes.clone());
        }
        copy
    }

    /// Puts a file there, in place of one of the same name.
    pub fn put(&self, path: &str, bytes: Vec<u8>) {
        let file = MemoryFile { bytes, ..MemoryFile::default() };
        lock(&self.files).insert(path.to_owned(), Arc::new(Mutex::new(file)));
    }
}

impl Vfs for MemoryVfs {
    fn open(&self, path: &str, mode: Mode) -> io::Result<Box<dyn VfsFile>> {
        let mut files = lock(&self.files);
        let file = match files.get(path) {
            Some(file) => Arc::clone(file),
            None if mode == Mode::Create => Arc::clone(files.entry(path.to_owned()).or_default()),
            None => return Err(io::ErrorKind::NotFound.into()),
        };
        Ok(Box::new(MemoryHandle { file, held: Lock::None }))
    }

    fn exists(&self, path: &str) -> io::Result<bool> {
        Ok(lock(&self.files).contains_key(path))
    }

    fn delete(&self, path: &str) -> io::Result<()> {
        match lock(&self.files).remove(path) {
            Some(_) => Ok(()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn sync_dir(&self, _path: &str) -> io::Result<()> {
        Ok(())
    }
}

impl VfsFile for MemoryHandle {
    fn read_at(&mut self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let file = lock(&self.file);
        let start = index(offset)?.min(file.bytes.len());
        let len = buf.len().min(file.bytes.len() - start);
        buf[..len].copy_from_slice(&file.bytes[start..start + len]);
        Ok(len)
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut file = lock(&self.file);
        let start = index(offset)?;
        let end = start.checked_add(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        if file.bytes.len() < end {
            file.bytes.resize(end, 0);
        }
        file.bytes[start..end].copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        lock(&self.file).bytes.resize(index(len)?, 0);
        Ok(())
    }

    fn size(&mut self) -> io::Result<u64> {
        Ok(lock(&self.file).bytes.len() as u64)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn lock(&mut self, wanted: Lock) -> io::Result<bool> {
        let mut file = lock(&self.file);
        match self.held {
            Lock::None => {}
            Lock::Shared => file.readers -= 1,
            Lock::Exclusive => file.writer = false,
        }
        let free = match wanted {
            Lock::None => true,
            Lock::Shared => !file.writer,
            Lock::Exclusive => !file.writer && file.readers == 0,
        };
        self.held = if free { wanted } else { Lock::None };
        match self.held {
            Lock::None => {}
            Lock::Shared => file.readers += 1,
            Lock::Exclusive => file.writer = true,
        }
        Ok(free)
    }
}

impl Drop for MemoryHandle {
    fn drop(&mut self) {
        let _ = self.lock(Lock::None);
    }
}

/// A file and its name, so that an error can say what it is about.
#[derive(Debug)]
pub(crate) struct NamedFile {
    pub(crate) path: String,
    pub(crate) file: Box<dyn VfsFile>,
}

impl NamedFile {
    /// Reads until `buf` is full or the file ends.
    pub(crate) fn read(&mut self, buf: &mut [u8], offset: u64) -> Result<usize> {
        self.file.read_at(buf, offset).map_err(|error| Error::io("read", &self.path, error))
    }

    /// Reads exactly `buf`.
    pub(crate) fn read_all(&mut self, buf: &mut [u8], offset: u64) -> Result<()> {
        match self.read(buf, offset)? {
            len if len == buf.len() => Ok(()),
            _ => Err(Error::io("read", &self.path, io::ErrorKind::UnexpectedEof.into())),
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8], offset: u64) -> Result<()> {
        self.file.write_at(bytes, offset).map_err(|error| Error::io("write", &self.path, error))
    }

    pub(crate) fn set_len(&mut self, len: u64) -> Result<()> {
        self.file.set_len(len).map_err(|error| Error::io("truncation", &self.path, error))
    }

    pub(crate) fn size(&mut self) -> Result<u64> {
        self.file.size().map_err(|error| Error::io("size", &self.path, error))
    }

    pub(crate) fn sync(&mut self) -> Result<()> {
        self.file.sync().map_err(|error| Error::io("sync", &self.path, error))
    }

    pub(crate) fn lock(&mut self, lock: Lock) -> Result<bool> {
        self.file.lock(lock).map_err(|error| Error::io("lock", &self.path, error))
    }
}

/// A panic elsewhere leaves whole values behind each of these mutexes, so poison is ignored.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn index(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(|_| io::ErrorKind::StorageFull.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_files_read_short_at_their_end_and_grow_with_zeros() {
        let vfs = MemoryVfs::default();
        let mut file = vfs.open("a", Mode::Create).unwrap();
        file.write_at(b"xyz", 2).unwrap();
        let mut buf = [9; 4];
        assert_eq!(file.read_at(&mut buf, 1).unwrap(), 4);
        assert_eq!(&buf, b"\0xyz");
        assert_eq!(file.read_at(&mut buf, 4).unwrap(), 1);
        assert_eq!(file.read_at(&mut buf, 99).unwrap(), 0);
        assert_eq!(vfs.get("a").unwrap(), b"\0\0xyz");
        vfs.delete("a").unwrap();
        assert!(vfs.open("a", Mode::Write).is_err());
    }

    #[test]
    fn many_readers_or_one_writer() {
        let vfs = MemoryVfs::default();
        let mut a = vfs.open("a", Mode::Create).unwrap();
        let mut b = vfs.open("a", Mode::Write).unwrap();
        assert!(a.lock(Lock::Shared).unwrap());
        assert!(b.lock(Lock::Shared).unwrap());
        assert!(!a.lock(Lock::Exclusive).unwrap(), "b reads");
        drop(b);
        assert!(a.lock(Lock::Exclusive).unwrap());
        assert!(!vfs.open("a", Mode::Write).unwrap().lock(Lock::Shared).unwrap());
    }
}
