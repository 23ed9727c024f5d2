//! Real files behind the [`Vfs`] door (day 0).
//!
//! **Locks.** The `sqlite3` program locks byte ranges with `fcntl`, which `std` does not offer; we
//! use [`File::lock`], which is `flock` on Unix. The two do not see each other. Two programs built
//! on this crate keep out of each other's way; *while one of ours is writing a file, no other
//! program, `sqlite3` included, may write it*. One writer of ours excludes all our readers, too.
//! Network file systems often have no working locks at all.
//!
//! **Sync.** [`File::sync_data`] is `fdatasync` on Linux: the bytes and the length, not the time
//! stamps. A directory is synced through a handle on it, on Unix; Windows does not offer that
//! and keeps names in its own journal. A disk that reports a sync as done which is not
//! voids every promise, here as in SQLite.

use super::vfs::{Lock, Mode, Vfs, VfsFile};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
#[cfg(not(unix))]
use std::io::{Read, Seek, SeekFrom, Write};
#[cfg(unix)]
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// The operating system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskVfs {
    /// How long to wait for a lock before saying [`Busy`](super::Error::Busy); 0 by default.
    pub busy_timeout: Duration,
}

#[derive(Debug)]
struct DiskFile {
    file: File,
    busy_timeout: Duration,
}

impl Vfs for DiskVfs {
    fn open(&self, path: &str, mode: Mode) -> io::Result<Box<dyn VfsFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(mode != Mode::Read)
            .create(mode == Mode::Create)
            .truncate(false)
            .open(path)?;
        Ok(Box::new(DiskFile { file, busy_timeout: self.busy_timeout }))
    }

    fn exists(&self, path: &str) -> io::Result<bool> {
        fs::exists(path)
    }

    fn delete(&self, path: &str) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        if cfg!(not(unix)) {
            return Ok(());
        }
        let dir = Path::new(path).parent().filter(|dir| !dir.as_os_str().is_empty());
        File::open(dir.unwrap_or(Path::new(".")))?.sync_all()
    }

    fn full_path(&self, path: &str) -> io::Result<String> {
        let full = fs::canonicalize(path)?.into_os_string().into_string();
        full.map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a path that is not UTF-8"))
    }
}

impl DiskFile {
    /// Reads some bytes: on Unix in one system call, elsewhere in two.
    fn read_part(&mut self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        #[cfg(unix)]
        return self.file.read_at(buf, offset);
        #[cfg(not(unix))]
        return self.file.seek(SeekFrom::Start(offset)).and_then(|_| self.file.read(buf));
    }
}

impl VfsFile for DiskFile {
    fn read_at(&mut self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buf.len() {
            match self.read_part(&mut buf[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(len) => filled += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        #[cfg(unix)]
        return self.file.write_all_at(bytes, offset);
        #[cfg(not(unix))]
        return self.file.seek(SeekFrom::Start(offset)).and_then(|_| self.file.write_all(bytes));
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn size(&mut self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn lock(&mut self, lock: Lock) -> io::Result<bool> {
        // Neither system turns a shared lock into an exclusive one without a gap in which another
        // process may slip in, and Windows not at all: so the gap is made plain.
        self.file.unlock()?;
        let mut started = None;
        loop {
            let attempt = match lock {
                Lock::None => return Ok(true),
                Lock::Shared => self.file.try_lock_shared(),
                Lock::Exclusive => self.file.try_lock(),
            };
            match attempt {
                Ok(()) => return Ok(true),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) => {}
            }
            if started.get_or_insert_with(Instant::now).elapsed() >= self.busy_timeout {
                return Ok(false);
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_locks_between_two_handles() {
        let path = std::env::temp_dir().join(format!("orm-disk-{}.bin", std::process::id()));
        let path = path.to_str().unwrap();
        let vfs = DiskVfs::default();
        assert!(vfs.open(path, Mode::Write).is_err());
        let mut a = vfs.open(path, Mode::Create).unwrap();
        a.write_at(b"hello", 3).unwrap();
        a.sync().unwrap();
        vfs.sync_dir(path).unwrap();
        let mut b = vfs.open(path, Mode::Read).unwrap();
        let mut buf = [7; 9];
        assert_eq!(b.read_at(&mut buf, 0).unwrap(), 8);
        assert_eq!(&buf, b"\0\0\0hello\x07");
        assert!(b.write_at(b"x", 0).is_err());

        assert!(a.lock(Lock::Shared).unwrap() && b.lock(Lock::Shared).unwrap());
        assert!(!a.lock(Lock::Exclusive).unwrap());
        assert!(b.lock(Lock::None).unwrap() && a.lock(Lock::Exclusive).unwrap());
        assert!(!b.lock(Lock::Shared).unwrap());
        vfs.delete(path).unwrap();
        assert!(!vfs.exists(path).unwrap());
    }
}
