//! Power cuts: every prefix of the writes, with any subset of the unsynced sectors lost.
//!
//! A [`Recorder`] stands between the pager and a [`MemoryVfs`] and logs all that is done to the disk.
//! [`Disk`] then replays the first `n` operations with the rules of a real disk: what was written
//! since a file's last sync are *pending* pieces of 512 bytes, and what was created or deleted since the
//! directory's last sync are pending names. A power cut keeps an arbitrary subset of them.

use crate::model::{Model, Rows, check_table, read};
use crate::support::{Dir, Rng, sqlite3};
use orm::sql::check::integrity_check;
use orm::sql::vfs::{Lock, MemoryVfs, Mode, Vfs, VfsFile};
use orm::sql::{Options, Pager};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

const SECTOR: usize = 512;
/// The first byte of a journal's magic, so that a torn header might pass for a whole one.
const JUNK: u8 = 0xd9;

#[derive(Clone, Debug)]
enum Op {
    Create(String),
    Delete(String),
    SyncDir,
    Write(String, u64, Vec<u8>),
    SetLen(String, u64),
    Sync(String),
}

/// A store in memory that logs what would reach a disk.
#[derive(Clone, Debug, Default)]
struct Recorder {
    files: MemoryVfs,
    log: Arc<Mutex<Vec<Op>>>,
}

#[derive(Debug)]
struct RecorderFile {
    path: String,
    file: Box<dyn VfsFile>,
    log: Arc<Mutex<Vec<Op>>>,
}

impl Vfs for Recorder {
    fn open(&self, path: &str, mode: Mode) -> io::Result<Box<dyn VfsFile>> {
        let is_new = mode == Mode::Create && !self.files.exists(path)?;
        let file = self.files.open(path, mode)?;
        if is_new {
            self.log.lock().unwrap().push(Op::Create(path.to_owned()));
        }
        Ok(Box::new(RecorderFile { path: path.to_owned(), file, log: Arc::clone(&self.log) }))
    }
    fn exists(&self, path: &str) -> io::Result<bool> {
        self.files.exists(path)
    }
    fn delete(&self, path: &str) -> io::Result<()> {
        self.log.lock().unwrap().push(Op::Delete(path.to_owned()));
        self.files.delete(path)
    }
    fn sync_dir(&self, _path: &str) -> io::Result<()> {
        self.log.lock().unwrap().push(Op::SyncDir);
        Ok(())
    }
}

impl VfsFile for RecorderFile {
    fn read_at(&mut self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.log.lock().unwrap().push(Op::Write(self.path.clone(), offset, bytes.to_vec()));
        self.file.write_at(bytes, offset)
    }
    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.log.lock().unwrap().push(Op::SetLen(self.path.clone(), len));
        self.file.set_len(len)
    }
    fn size(&mut self) -> io::Result<u64> {
        self.file.size()
    }
    fn sync(&mut self) -> io::Result<()> {
        self.log.lock().unwrap().push(Op::Sync(self.path.clone()));
        self.file.sync()
    }
    fn lock(&mut self, lock: Lock) -> io::Result<bool> {
        self.file.lock(lock)
    }
}

/// What is on the disk for certain, and what may or may not be.
#[derive(Clone, Debug, Default)]
struct Disk {
    /// A file's bytes belong to a number; its name is a separate matter.
    files: Vec<Vec<u8>>,
    names: BTreeMap<String, usize>,
    pending: Vec<Pending>,
    /// Which number a name has for the running program.
    open: BTreeMap<String, usize>,
}

#[derive(Clone, Debug)]
enum Pending {
    Name(String, Option<usize>),
    Piece(usize, usize, Vec<u8>),
    Len(usize, usize),
}

impl Disk {
    fn apply(&mut self, op: &Op) {
        match op {
            Op::Create(name) => {
                self.files.push(Vec::new());
                self.open.insert(name.clone(), self.files.len() - 1);
                self.pending.push(Pending::Name(name.clone(), Some(self.files.len() - 1)));
            }
            Op::Delete(name) => {
                self.open.remove(name);
                self.pending.push(Pending::Name(name.clone(), None));
            }
            Op::Write(name, offset, bytes) => {
                let (file, mut at, mut rest) =
                    (self.open[name], usize::try_from(*offset).unwrap(), &bytes[..]);
                while !rest.is_empty() {
                    let (piece, after) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
                    self.pending.push(Pending::Piece(file, at, piece.to_vec()));
                    (at, rest) = (at + piece.len(), after);
                }
            }
            Op::SetLen(name, len) => {
                self.pending.push(Pending::Len(self.open[name], usize::try_from(*len).unwrap()));
            }
            Op::Sync(name) => {
                let synced = self.open[name];
                self.settle(|p| match p {
                    Pending::Name(..) => false,
                    Pending::Piece(file, ..) | Pending::Len(file, _) => *file == synced,
                });
            }
            Op::SyncDir => self.settle(|p| matches!(p, Pending::Name(..))),
        }
    }

    fn settle(&mut self, certain: impl Fn(&Pending) -> bool) {
        for pending in std::mem::take(&mut self.pending) {
            if certain(&pending) {
                self.write(&pending, None);
            } else {
                self.pending.push(pending);
            }
        }
    }

    /// Writes a pending piece, or its first `torn` bytes and then junk.
    fn write(&mut self, pending: &Pending, torn: Option<usize>) {
        match pending {
            Pending::Name(name, Some(file)) => {
                self.names.insert(name.clone(), *file);
            }
            Pending::Name(name, None) => {
                self.names.remove(name);
            }
            Pending::Len(file, len) => self.files[*file].resize(*len, 0),
            Pending::Piece(file, at, bytes) => {
                let bytes_of_file = &mut self.files[*file];
                let end = at + bytes.len();
                if bytes_of_file.len() < end {
                    bytes_of_file.resize(end, 0);
                }
                let whole = bytes.len().min(torn.unwrap_or(SECTOR));
                bytes_of_file[*at..at + whole].copy_from_slice(&bytes[..whole]);
                bytes_of_file[at + whole..end].fill(JUNK);
            }
        }
    }

    /// The files after a power cut that `fate` decides: a pending piece is kept, lost or torn.
    fn after(&self, mut fate: impl FnMut(usize) -> Fate) -> MemoryVfs {
        let mut disk = self.clone();
        for (i, pending) in self.pending.iter().enumerate() {
            match fate(i) {
                Fate::Kept => disk.write(pending, None),
                Fate::Lost => {}
                Fate::Torn(len) => disk.write(pending, Some(len)),
            }
        }
        let vfs = MemoryVfs::default();
        for (name, file) in disk.names {
            vfs.put(&name, std::mem::take(&mut disk.files[file]));
        }
        vfs
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Kept,
    Lost,
    /// Only so many bytes arrived; what follows them in the sector is junk.
    Torn(usize),
}

impl Fate {
    fn any(rng: &mut Rng) -> Fate {
        match rng.below(4) {
            0 | 1 => Fate::Kept,
            2 => Fate::Lost,
            _ => Fate::Torn(usize::try_from(rng.below(SECTOR as u64)).unwrap()),
        }
    }
}

/// A history of transactions, and after how many operations each was acknowledged.
struct History {
    log: Vec<Op>,
    states: Vec<(usize, Option<Rows>)>,
    roots: (u32, u32),
}

/// Runs transactions of `steps` changes each.
fn history(options: &Options, transactions: &[u64], len_max: u64) -> History {
    let recorder = Recorder::default();
    let log = Arc::clone(&recorder.log);
    let pager = Pager::open(Box::new(recorder), "d", options.clone()).unwrap();
    let mut states = vec![(0, None)];
    let done = |model: &Model| (log.lock().unwrap().len(), Some(model.rows.clone()));
    let mut model = Model::new(pager, 7);
    states.push(done(&model));
    for (i, &steps) in transactions.iter().enumerate() {
        model.pager.begin_write().unwrap();
        let outer = model.pager.savepoint().unwrap();
        model.change(steps, 60, len_max, if i % 2 == 0 { 20 } else { 70 });
        if i % 3 == 1 {
            // A part that is taken back, perhaps after it was spilled.
            let (rows, inner) = (model.rows.clone(), model.pager.savepoint().unwrap());
            model.change(steps, 90, len_max, 30);
            model.pager.rollback_to(inner).unwrap();
            model.rows = rows;
            model.change(2, 90, len_max, 30);
        }
        model.pager.release(outer).unwrap();
        model.pager.commit().unwrap();
        states.push(done(&model));
    }
    let roots = model.roots;
    drop(model);
    let log = log.lock().unwrap().clone();
    History { log, states, roots }
}

/// The rows of the table, or `None` if there is not even a catalog.
fn rows(pager: &mut Pager, root: u32) -> orm::sql::Result<Option<Rows>> {
    pager.begin_read()?;
    if pager.page_count() < 3 {
        return Ok(None);
    }
    let found = integrity_check(pager, &[check_table((root, root + 1))], 10)?;
    assert_eq!(found, ["ok"]);
    read(pager, root).map(Some)
}

/// Cuts the power after every operation in many ways; the number of cuts tried.
fn cut_everywhere(history: &History, options: &Options, name: &str) -> usize {
    let program = tests::peer("sqlite3");
    let dir = Dir::new(name);
    let mut rng = Rng(99);
    let (mut disk, mut tried) = (Disk::default(), 0);
    for n in 0..=history.log.len() {
        let known =
            history.states.iter().rposition(|(acknowledged, _)| *acknowledged <= n).unwrap();
        let allowed = &history.states[known..history.states.len().min(known + 2)];
        let pieces = disk.pending.len();
        let mut cases: Vec<Vec<Fate>> = vec![vec![Fate::Kept; pieces], vec![Fate::Lost; pieces]];
        let singles = if tests::full() { pieces } else { pieces.min(6) };
        for i in 0..singles {
            let one = rng.below(pieces as u64).try_into().unwrap();
            let one = if singles == pieces { i } else { one };
            for fate in [Fate::Lost, Fate::Torn(10), Fate::Torn(256), Fate::Torn(500)] {
                cases.push((0..pieces).map(|j| if j == one { fate } else { Fate::Kept }).collect());
            }
        }
        for _ in 0..if tests::full() { 40 } else { 6 } {
            cases.push((0..pieces).map(|_| Fate::any(&mut rng)).collect());
        }
        for case in cases {
            tried += 1;
            let vfs = disk.after(|i| case[i]);
            if let Some(program) = program.as_ref().filter(|_| tried % 199 == 0) {
                judge_by_sqlite3(program, &dir, &vfs, allowed, n);
            }
            let at = format!("{name}: after operation {n}");
            if tried % 61 == 0 {
                cut_the_recovery(&vfs, history, allowed, options, &at);
            }
            judge(&vfs, history, allowed, options, &at);
        }
        if let Some(op) = history.log.get(n) {
            disk.apply(op);
        }
    }
    tried
}

/// Opens what the power cut left, which recovers it, and looks at the rows.
fn judge(
    vfs: &MemoryVfs,
    history: &History,
    allowed: &[(usize, Option<Rows>)],
    options: &Options,
    at: &str,
) {
    let found = Pager::open(Box::new(vfs.clone()), "d", options.clone())
        .and_then(|mut pager| rows(&mut pager, history.roots.0))
        .unwrap_or_else(|error| panic!("{at}: {error}"));
    let fits = allowed.iter().any(|(_, state)| *state == found);
    assert!(fits, "{at}: neither the old nor the new state");
}

/// The power fails again while the first crash is being recovered from.
fn cut_the_recovery(
    vfs: &MemoryVfs,
    history: &History,
    allowed: &[(usize, Option<Rows>)],
    options: &Options,
    at: &str,
) {
    let mut disk = Disk::default();
    for name in ["d", "d-journal"] {
        if let Some(bytes) = vfs.get(name) {
            disk.files.push(bytes);
            disk.names.insert(name.to_owned(), disk.files.len() - 1);
        }
    }
    disk.open = disk.names.clone();
    let recorder = Recorder { files: vfs.copy(), log: Arc::default() };
    let log = Arc::clone(&recorder.log);
    drop(Pager::open(Box::new(recorder), "d", options.clone()).unwrap());
    let mut rng = Rng(5);
    for (m, op) in log.lock().unwrap().iter().enumerate() {
        disk.apply(op);
        let at = format!("{at}, operation {m} of the recovery");
        judge(&disk.after(|_| Fate::Kept), history, allowed, options, &at);
        judge(&disk.after(|_| Fate::Lost), history, allowed, options, &at);
        for _ in 0..3 {
            judge(&disk.after(|_| Fate::any(&mut rng)), history, allowed, options, &at);
        }
    }
}

fn judge_by_sqlite3(
    program: &Path,
    dir: &Dir,
    vfs: &MemoryVfs,
    allowed: &[(usize, Option<Rows>)],
    n: usize,
) {
    let file = dir.file("d");
    for (name, suffix) in [("d", ""), ("d-journal", "-journal")] {
        let path = format!("{file}{suffix}");
        match vfs.get(name) {
            Some(bytes) => std::fs::write(&path, bytes).unwrap(),
            None => drop(std::fs::remove_file(&path)),
        }
    }
    let texts: Vec<String> = allowed
        .iter()
        .map(|(_, state)| {
            let line = |(a, (b, c)): (&i64, &(i64, Vec<u8>))| {
                let hex: String = c.iter().map(|byte| format!("{byte:02X}")).collect();
                format!("{a}|{b}|{hex}\n")
            };
            state.iter().flatten().map(line).collect()
        })
        .collect();
    assert_eq!(sqlite3(program, &file, "PRAGMA integrity_check"), "ok\n", "after operation {n}");
    let tables = sqlite3(program, &file, "SELECT count(*) FROM sqlite_master");
    if tables != "0\n" {
        let found = sqlite3(program, &file, "SELECT a, b, hex(c) FROM t ORDER BY a");
        assert!(texts.contains(&found), "after operation {n} sqlite3 sees another state");
    }
}

#[test]
fn a_power_cut_at_any_moment_leaves_the_old_or_the_new_state() {
    let small = Options { page_size: 512, ..Options::default() };
    // The cache is so small that every transaction is written out before it ends.
    let spilling = Options { cache_bytes: 16 * 512, ..small.clone() };
    let exclusive = Options { exclusive: true, ..small.clone() };
    let both = Options { exclusive: true, ..spilling.clone() };
    let cases =
        [("small", small), ("spilling", spilling), ("exclusive", exclusive), ("both", both)];
    for (name, options) in cases {
        let history = history(&options, &[3, 30, 1, 12, 25], 900);
        let tried = cut_everywhere(&history, &options, name);
        println!("{name}: {} operations, {tried} power cuts", history.log.len());
        assert!(tried > 1000, "{tried}");
    }
}
