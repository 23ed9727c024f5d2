//! One database file for all visitors: opened by the first, limited in size, used by one at a time.
//!
//! ```text
//! visitor A   with: take the connection out ─── run ─── put it back, notify
//! visitor B        with: wait (5 s at most) ────────────────────── take it out ─── run ...
//! watcher C   wait until the version is another one ─────────────────── send it
//! ```
//! The connection is outside of the mutex while it works, and the first visitor makes the folder
//! and the file outside of it, too: nobody waits at a lock without a limit. Should the engine panic,
//! the connection is dropped, its transaction rolled back, and the next visitor opens the file again.
//!
//! All share the one connection, and with it the transaction that one of them may have begun. One
//! that nobody has touched for a minute is rolled back by whoever comes next.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use orm::sql::disk::DiskVfs;
use orm::sql::vfs::{Lock, Mode, Vfs, VfsFile};
use orm::sql::{Connection, Options};

/// The file, and the journal beside it, may not become longer.
pub const BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Small pages make trees that grow while one looks; 4096 is what one would take.
pub const PAGE_BYTES: usize = 512;

/// No text or blob may become longer: `zeroblob(1000000000)` is a short text.
const VALUE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// No sort may keep more: a join of a few long rows is short, too.
const MEMORY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How long a visitor waits for the others.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// How long a transaction may be left alone.
const TRANSACTION_IDLE_MAX: Duration = Duration::from_secs(60);

/// The playground's database.
#[derive(Debug, Default)]
pub struct Database {
    slot: Mutex<Slot>,
    /// Signalled when the connection comes back, and when the version changes.
    changed: Condvar,
}

/// Protected by [`Database::slot`].
#[derive(Debug, Default)]
struct Slot {
    /// `None` before the first use, and while somebody is using it. Dropped before its folder.
    open: Option<Open>,
    /// `None` before the first use.
    folder: Option<Arc<Folder>>,
    busy: bool,
    version: u64,
}

#[derive(Debug)]
struct Open {
    connection: Connection,
    used: Instant,
}

impl Database {
    /// Hands the connection to `work` when it is free; `wrote` says that others should look again.
    ///
    /// # Errors
    /// A sentence for the visitor: too many others, or the file cannot be made.
    pub fn with<T>(&self, wrote: bool, work: impl FnOnce(&Connection) -> T) -> Result<T, String> {
        self.with_folder(Folder::make, wrote, work)
    }

    /// [`Database::with`]; the first visitor has `make` make the folder.
    fn with_folder<T>(
        &self,
        make: impl FnOnce() -> io::Result<Folder>,
        wrote: bool,
        work: impl FnOnce(&Connection) -> T,
    ) -> Result<T, String> {
        let waiting = self.changed.wait_timeout_while(self.lock(), WAIT_MAX, |slot| slot.busy);
        let (mut slot, _) = waiting.unwrap_or_else(PoisonError::into_inner);
        if slot.busy {
            return Err("others are using the database; try again in a moment".to_owned());
        }
        slot.busy = true;
        let (open, folder) = (slot.open.take(), slot.folder.clone());
        drop(slot);
        // Puts back whatever is in `turn.open`, also when `work` panics.
        let mut turn = Turn { database: self, open: None, wrote };
        let folder = match folder {
            Some(folder) => folder,
            None => {
                let made = make().map_err(|error| format!("no folder for the file: {error}"))?;
                Arc::clone(self.lock().folder.insert(Arc::new(made)))
            }
        };
        let mut open = match open {
            Some(open) => open,
            None => Open { connection: connect(&folder.file())?, used: Instant::now() },
        };
        if open.connection.in_transaction() && open.used.elapsed() > TRANSACTION_IDLE_MAX {
            let _ = open.connection.execute("ROLLBACK", &[]);
        }
        let done = work(&open.connection);
        open.used = Instant::now();
        turn.open = Some(open);
        Ok(done)
    }

    /// A number that changes with the database.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.lock().version
    }

    /// Waits until the version is another one than `seen`, `within` at most, and returns it.
    #[must_use]
    pub fn wait_change(&self, seen: u64, within: Duration) -> u64 {
        let same = |slot: &mut Slot| slot.version == seen;
        let waited = self.changed.wait_timeout_while(self.lock(), within, same);
        waited.unwrap_or_else(PoisonError::into_inner).0.version
    }

    /// The bytes of the file, for a download.
    ///
    /// # Errors
    /// As [`Database::with`]; also while a transaction is open, of which the file may hold a part.
    pub fn download(&self) -> Result<Vec<u8>, String> {
        self.with(false, |connection| {
            if connection.in_transaction() {
                return Err("a transaction is open: COMMIT or ROLLBACK first".to_owned());
            }
            let path = self.path().unwrap_or_default();
            fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
        })?
    }

    /// Where the file is; `None` before the first visitor.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        self.lock().folder.as_ref().map(|folder| folder.file())
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The folder of the file, in the system's place for temporary files. Dropping it removes it.
///
/// Ctrl-C ends a program on the spot, and leaves its folder. So the next one sweeps: a folder whose
/// lock is free belongs to nobody.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// Held as long as the process lives: it says that somebody lives here.
    _lock: File,
}

impl Folder {
    /// A folder that nobody else has.
    fn make() -> io::Result<Folder> {
        let place = std::env::temp_dir();
        sweep(&place)?;
        let mut n = 0;
        loop {
            let path = place.join(format!("{FOLDER}{}-{n}", std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => {
                    let lock = File::create_new(path.join(IN_USE))?;
                    lock.lock()?;
                    // Another process may have swept between the two steps.
                    if path.is_dir() {
                        return Ok(Folder { path, _lock: lock });
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && n < 1000 => n += 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn file(&self) -> PathBuf {
        self.path.join("playground.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the folders of ours that nobody lives in.
fn sweep(place: &Path) -> io::Result<()> {
    for entry in fs::read_dir(place)?.flatten() {
        let lock = entry.path().join(IN_USE);
        // Only a plain file is opened: others may write here, and opening a pipe would wait for them.
        let plain = || fs::symlink_metadata(&lock).is_ok_and(|file| file.is_file());
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(FOLDER))
            && plain()
            && let Ok(lock) = File::open(&lock)
            && lock.try_lock().is_ok()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

/// How the names of such folders begin.
const FOLDER: &str = "playground-orm-";
/// The file with the lock.
const IN_USE: &str = "in-use";

/// Opens the file; a new one gets its first tables.
fn connect(path: &Path) -> Result<Connection, String> {
    let options = Options { page_size: PAGE_BYTES, ..Options::default() };
    let store = Limited { disk: DiskVfs::default(), bytes_max: BYTES_MAX };
    let connect = || {
        let connection = Connection::open_with(Box::new(store), &path.to_string_lossy(), options)?;
        connection.set_length_max(VALUE_BYTES_MAX);
        connection.set_memory_max(MEMORY_BYTES_MAX);
        if connection.page_count()? == 0 {
            connection.execute_batch(FIRST)?;
        }
        Ok(connection)
    };
    connect().map_err(|error: orm::sql::Error| format!("the database cannot be opened: {error}"))
}

/// What the visitor finds.
const FIRST: &str = "\
BEGIN;
CREATE TABLE city(id INTEGER PRIMARY KEY, name TEXT NOT NULL, country TEXT, people INTEGER);
CREATE INDEX by_country ON city(country);
INSERT INTO city(name, country, people) VALUES
  ('Aarhus', 'Denmark', 285273), ('Accra', 'Ghana', 284124), ('Bergen', 'Norway', 291189),
  ('Bern', 'Switzerland', 134506), ('Brno', 'Czechia', 402739), ('Chengdu', 'China', 20937757),
  ('Cork', 'Ireland', 222526), ('Cusco', 'Peru', 428450), ('Davao', 'Philippines', 1776949),
  ('Graz', 'Austria', 302749), ('Hobart', 'Australia', 197451), ('Kyoto', 'Japan', 1463723),
  ('Lima', 'Peru', 10092000), ('Lyon', 'France', 520774), ('Malmo', 'Sweden', 357377),
  ('Oslo', 'Norway', 709037), ('Porto', 'Portugal', 231800), ('Quito', 'Ecuador', 1776364),
  ('Riga', 'Latvia', 605273), ('Sapporo', 'Japan', 1973395), ('Seville', 'Spain', 681998),
  ('Suzhou', 'China', 12748262), ('Tartu', 'Estonia', 97759), ('Xi''an', 'China', 12952907);
COMMIT;";

/// The connection while a visitor has it; dropping this gives it back.
struct Turn<'d> {
    database: &'d Database,
    open: Option<Open>,
    wrote: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut slot = self.database.lock();
        slot.open = self.open.take();
        slot.busy = false;
        slot.version += u64::from(self.wrote);
        drop(slot);
        self.database.changed.notify_all();
    }
}

/// The disk, with an end: what would make a file longer than `bytes_max` is refused as on a disk
/// that is full.
#[derive(Debug)]
struct Limited {
    disk: DiskVfs,
    bytes_max: u64,
}

#[derive(Debug)]
struct LimitedFile {
    file: Box<dyn VfsFile>,
    bytes_max: u64,
}

impl Vfs for Limited {
    fn open(&self, path: &str, mode: Mode) -> io::Result<Box<dyn VfsFile>> {
        let file = self.disk.open(path, mode)?;
        Ok(Box::new(LimitedFile { file, bytes_max: self.bytes_max }))
    }

    fn exists(&self, path: &str) -> io::Result<bool> {
        self.disk.exists(path)
    }

    fn delete(&self, path: &str) -> io::Result<()> {
        self.disk.delete(path)
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        self.disk.sync_dir(path)
    }
}

impl VfsFile for LimitedFile {
    fn read_at(&mut self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if offset + bytes.len() as u64 > self.bytes_max {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write_at(bytes, offset)
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn size(&mut self) -> io::Result<u64> {
        self.file.size()
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }

    fn lock(&mut self, lock: Lock) -> io::Result<bool> {
        self.file.lock(lock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc;
    use std::thread;

    fn count(database: &Database, table: &str) -> i64 {
        let count = |db: &Connection| -> orm::sql::Result<i64> {
            let mut statement = db.prepare(&format!("SELECT count(*) FROM {table}"))?;
            let mut rows = statement.query()?;
            rows.next()?.map_or(Ok(-1), |row| row.get(0))
        };
        database.with(false, count).unwrap().unwrap()
    }

    #[test]
    fn many_use_it_and_none_is_lost() {
        let database = Arc::new(Database::default());
        database.with(true, |db| db.execute_batch("CREATE TABLE t(a)").unwrap()).unwrap();
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let database = Arc::clone(&database);
                thread::spawn(move || {
                    for _ in 0..5 {
                        let insert =
                            |db: &Connection| db.execute("INSERT INTO t VALUES (?)", &[n.into()]);
                        database.with(true, insert).unwrap().unwrap();
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!((count(&database, "t"), database.version()), (40, 41));
    }

    #[test]
    fn a_panic_costs_the_transaction_and_not_the_database() {
        let database = Database::default();
        let work = || {
            database.with(true, |db| {
                db.execute_batch("BEGIN; DELETE FROM city").unwrap();
                panic!("on purpose")
            })
        };
        assert!(catch_unwind(AssertUnwindSafe(|| drop(work()))).is_err());
        assert_eq!(count(&database, "city"), 24);
    }

    #[test]
    fn the_file_has_an_end_and_goes_with_its_process() {
        let database = Database::default();
        database
            .with(true, |db| {
                let double = "INSERT INTO city(name, country) SELECT name, zeroblob(900) FROM city";
                let full = (0..20).find_map(|_| db.execute(double, &[]).err()).unwrap();
                assert_eq!(full.to_string(), "database or disk is full");
                assert!(fs::metadata(database.path().unwrap()).unwrap().len() <= BYTES_MAX);
                db.execute("DELETE FROM city", &[]).unwrap();
            })
            .unwrap();
        assert_eq!(count(&database, "city"), 0);
        let bytes = database.download().unwrap();
        assert!(bytes.starts_with(b"SQLite format 3\0"));
        database.with(true, |db| db.execute_batch("BEGIN").unwrap()).unwrap();
        assert_eq!(
            database.download().unwrap_err(),
            "a transaction is open: COMMIT or ROLLBACK first"
        );
        let path = database.path().unwrap();
        assert!(path.exists());
        drop(database);
        assert!(!path.exists() && !path.parent().unwrap().exists());
    }

    #[test]
    fn a_folder_that_nobody_lives_in_is_swept() {
        let left = std::env::temp_dir().join(format!("{FOLDER}left-{}", std::process::id()));
        fs::create_dir(&left).unwrap();
        fs::write(left.join(IN_USE), "").unwrap();
        let odd = std::env::temp_dir().join(format!("{FOLDER}odd-{}", std::process::id()));
        fs::create_dir_all(odd.join(IN_USE)).unwrap(); // no plain file: not ours
        let (mine, other) = (Folder::make().unwrap(), Folder::make().unwrap());
        assert_ne!(mine.path, other.path);
        assert!(!left.exists() && odd.exists() && mine.path.is_dir() && other.path.is_dir());
        fs::remove_dir_all(odd).unwrap();
    }

    /// A disk may be slow: who asks for the version meanwhile does not wait for it.
    #[test]
    fn nobody_waits_while_the_folder_is_made() {
        let (done, watchdog) = mpsc::channel();
        // Ends with the test, or hangs with the watchdog's word.
        thread::spawn(move || {
            let database = Database::default();
            let make = || {
                assert_eq!((database.version(), database.path()), (0, None));
                Folder::make()
            };
            let used = database.with_folder(make, true, |_| database.path().is_some());
            let again = database.with_folder(|| panic!("there is one"), true, |_| ());
            done.send((used, again, database.version())).unwrap();
        });
        let got =
            watchdog.recv_timeout(Duration::from_secs(60)).expect("no lock is held meanwhile");
        assert_eq!(got, (Ok(true), Ok(()), 2));
    }
}
