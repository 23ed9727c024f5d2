//! Files that the sqlite3 program made: read by us, written on by us, recovered by us.

use crate::model::Model;
use crate::support::{Dir, Rng, encode, sqlite3};
use orm::sql::btree::{self, Bias, IndexCursor, TableCursor};
use orm::sql::check::{CheckColumn, CheckIndex, CheckTable, integrity_check};
use orm::sql::record::{self, KeyColumn, KeyInfo};
use orm::sql::{Collation, Connection, Error, Options, Pager, Value};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// A table with values of all kinds, long and short, deleted from and refilled.
fn script(page_size: usize, rows: usize) -> String {
    let long = page_size * 5 / 2;
    format!(
        "PRAGMA page_size={page_size};
         CREATE TABLE t(a INTEGER PRIMARY KEY, b, c);
         CREATE INDEX i ON t(b DESC, c COLLATE NOCASE);
         WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {rows})
         INSERT INTO t SELECT x * 7919 % 1000003, CASE x % 7 WHEN 0 THEN NULL WHEN 1 THEN x * x * x
           WHEN 2 THEN x / 4.0 WHEN 3 THEN 'Text ' || x WHEN 4 THEN zeroblob(x % 50)
           WHEN 5 THEN -x ELSE x % 2 END,
           printf('%.*c', CASE WHEN x % 11 = 0 AND x < 30000 THEN x % {long} ELSE x % 40 END, 'abcDEF')
         FROM n;
         DELETE FROM t WHERE a % 3 = 0;
         UPDATE t SET c = c || c WHERE a % 5 = 0;
         INSERT INTO t SELECT -a, c, b FROM t WHERE a % 4 = 0;
         DELETE FROM t WHERE a BETWEEN 20000 AND 40000;"
    )
}

/// The first row id and root page of each entry of the catalog.
fn roots(pager: &mut Pager) -> Vec<u32> {
    let mut cursor = TableCursor::new(1);
    let mut roots = Vec::new();
    while cursor.next(pager).unwrap() {
        cursor.fetch(pager).unwrap();
        match record::column(cursor.record(), 3).unwrap().unwrap().to_value() {
            Value::Integer(root) => roots.push(u32::try_from(root).unwrap()),
            other => panic!("a root page {other:?}"),
        }
    }
    roots
}

fn quoted(value: &Value) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02X}")).collect::<String>();
    match value {
        Value::Null => "NULL".into(),
        Value::Integer(n) => n.to_string(),
        Value::Real(r) => format!("{r:?}"),
        Value::Text(text) => format!("'{text}'"),
        Value::Blob(bytes) => format!("X'{}'", hex(bytes)),
    }
}

fn table_dump(pager: &mut Pager, root: u32) -> String {
    let (mut cursor, mut out) = (TableCursor::new(root), String::new());
    while cursor.next(pager).unwrap() {
        cursor.fetch(pager).unwrap();
        let row = record::decode(cursor.record()).unwrap();
        out += &format!("{}|{}|{}\n", cursor.rowid(), quoted(&row[1]), quoted(&row[2]));
    }
    out
}

fn index_dump(pager: &mut Pager, root: u32) -> String {
    let (mut cursor, mut out) = (IndexCursor::new(root, key_info()), String::new());
    while cursor.next(pager).unwrap() {
        let entry = record::decode(cursor.record()).unwrap();
        out += &format!("{}|{}|{}\n", quoted(&entry[2]), quoted(&entry[0]), quoted(&entry[1]));
    }
    out
}

fn key_info() -> Arc<KeyInfo> {
    let b = KeyColumn { collation: Collation::Binary, desc: true };
    let c = KeyColumn { collation: Collation::NoCase, desc: false };
    Arc::new(KeyInfo { columns: vec![b, c] })
}

fn check(pager: &mut Pager, table: u32, index: u32) -> Vec<String> {
    let column = |name: &str| CheckColumn { name: name.into(), ..CheckColumn::default() };
    let indexes = vec![CheckIndex {
        name: "i".into(),
        root: index,
        info: key_info(),
        columns: vec![Some(1), Some(2)],
        unique: false,
    }];
    let columns = ["a", "b", "c"].map(column).to_vec();
    let table =
        CheckTable { name: "t".into(), root: table, columns, rowid_alias: Some(0), indexes };
    integrity_check(pager, &[table], 100).unwrap()
}

/// Reads all of a file, looks each entry up, then deletes and inserts a few hundred rows.
fn read_and_write(program: &Path, file: &str) {
    let by_table =
        sqlite3(program, file, "SELECT a, quote(b), quote(c) FROM t NOT INDEXED ORDER BY a");
    let by_index = "SELECT a, quote(b), quote(c) FROM t ORDER BY b DESC, c COLLATE NOCASE, a";
    let by_index = sqlite3(program, file, by_index);
    let mut pager = Pager::open_file(file, Options::default()).unwrap();
    pager.begin_read().unwrap();
    let [table, index] = roots(&mut pager)[..] else { panic!("two entries") };
    assert_eq!(table_dump(&mut pager, table), by_table);
    assert_eq!(index_dump(&mut pager, index), by_index);
    assert_eq!(btree::count(&mut pager, table).unwrap(), by_table.lines().count() as u64);
    assert_eq!(check(&mut pager, table, index), ["ok"]);

    pager.begin_write().unwrap();
    let (mut rows, mut entries) = (TableCursor::new(table), IndexCursor::new(index, key_info()));
    let mut rng = Rng(4711);
    for round in 0..600 {
        let target = rng.below(120_000).cast_signed() - 20_000;
        let exact = rows.seek(&mut pager, target).unwrap();
        if round % 3 > 0 && rows.is_valid() {
            rows.fetch(&mut pager).unwrap();
            let row = record::decode(rows.record()).unwrap();
            let key = [row[1].as_ref(), row[2].as_ref(), Value::Integer(rows.rowid()).as_ref()]
                .map(|value| value.to_value());
            rows.delete(&mut pager).unwrap();
            let key: Vec<_> = key.iter().map(Value::as_ref).collect();
            assert!(entries.seek(&mut pager, &key, Bias::First).unwrap());
            entries.delete(&mut pager).unwrap();
        } else if !exact {
            let len = usize::try_from(rng.below(900)).unwrap();
            let (b, c) = (Value::Integer(round), Value::Blob(rng.bytes(len)));
            let record = encode(&[Value::Null, b.clone(), c.clone()]);
            rows.insert(&mut pager, target, &record).unwrap();
            entries.insert(&mut pager, &encode(&[b, c, Value::Integer(target)])).unwrap();
        }
    }
    assert_eq!(check(&mut pager, table, index), ["ok"]);
    pager.commit().unwrap();
    pager.begin_read().unwrap();
    let ours = table_dump(&mut pager, table);
    drop(pager);
    assert_eq!(sqlite3(program, file, "PRAGMA integrity_check"), "ok\n");
    assert_eq!(sqlite3(program, file, "SELECT a, quote(b), quote(c) FROM t ORDER BY a"), ours);
}

#[test]
fn files_of_every_page_size_are_read_and_written_on() {
    let Some(program) = tests::peer("sqlite3") else { return };
    let dir = Dir::new("foreign");
    for shift in 9..=16 {
        let page_size = 1 << shift;
        let file = dir.file(&format!("{page_size}.db"));
        let rows = match tests::full() {
            true if page_size == 4096 => 1_000_000,
            true => 20_000,
            false => 2_500,
        };
        sqlite3(&program, &file, &script(page_size, rows));
        read_and_write(&program, &file);
    }
}

#[test]
fn reserved_bytes_at_the_end_of_each_page_are_left_alone() {
    let Some(program) = tests::peer("sqlite3") else { return };
    let dir = Dir::new("reserved");
    let file = dir.file("reserved.db");
    let sql = format!(".filectrl reserve_bytes 32\n{}", script(1024, 2000));
    let input = dir.file("script");
    std::fs::write(&input, sql).unwrap();
    sqlite3(&program, &file, &format!(".read {input}"));
    assert_eq!(std::fs::read(&file).unwrap()[20], 32);
    read_and_write(&program, &file);
    assert_eq!(std::fs::read(&file).unwrap()[20], 32);
}

#[test]
fn a_hot_journal_that_sqlite3_left_is_played_back() {
    let Some(program) = tests::peer("sqlite3") else { return };
    let dir = Dir::new("hot");
    let (file, copy) = (dir.file("a.db"), dir.file("b.db"));
    sqlite3(&program, &file, &script(1024, 3000));
    let before = sqlite3(&program, &file, "SELECT a, quote(b), quote(c) FROM t ORDER BY a");
    // A cache of ten pages makes sqlite3 write before the commit; the copy is what a crash leaves.
    let input = dir.file("script");
    let sql = format!(
        "PRAGMA cache_size=10;\nBEGIN;\nUPDATE t SET c = b || 'changed';\nDELETE FROM t WHERE a > 50000;\n\
         .shell cp {file} {copy}\n.shell cp {file}-journal {copy}-journal\nROLLBACK;\n"
    );
    std::fs::write(&input, sql).unwrap();
    sqlite3(&program, &file, &format!(".read {input}"));
    assert_ne!(std::fs::read(&copy).unwrap(), std::fs::read(&file).unwrap());

    let refused = Pager::open_file(&copy, Options { read_only: true, ..Options::default() });
    assert!(matches!(refused, Err(Error::Unsupported(_))), "{refused:?}");
    let mut pager = Pager::open_file(&copy, Options::default()).unwrap();
    assert!(pager.recovered());
    pager.begin_read().unwrap();
    let [table, index] = roots(&mut pager)[..] else { panic!("two entries") };
    assert_eq!(table_dump(&mut pager, table), before);
    assert_eq!(check(&mut pager, table, index), ["ok"]);
    drop(pager);
    assert!(!Path::new(&format!("{copy}-journal")).exists());
}

#[test]
fn what_we_do_not_handle_is_refused_with_a_reason() {
    let Some(program) = tests::peer("sqlite3") else { return };
    let dir = Dir::new("refused");
    let open = |name: &str, sql: &str| {
        let file = dir.file(name);
        sqlite3(&program, &file, sql);
        Pager::open_file(&file, Options::default())
    };
    let wal = open("wal.db", "PRAGMA journal_mode=WAL; CREATE TABLE t(a)").unwrap_err();
    assert!(wal.to_string().contains("WAL mode"), "{wal}");
    let utf16 = open("utf16.db", "PRAGMA encoding='UTF-16le'; CREATE TABLE t(a)").unwrap_err();
    assert!(utf16.to_string().contains("UTF-16"), "{utf16}");
    let sql = "PRAGMA auto_vacuum=FULL; CREATE TABLE t(a); INSERT INTO t VALUES(1),(2)";
    let mut auto = open("auto.db", sql).unwrap();
    auto.begin_read().unwrap();
    let root = roots(&mut auto)[0];
    assert_eq!(btree::count(&mut auto, root).unwrap(), 2, "reading is fine");
    let refused = auto.begin_write().unwrap_err();
    assert!(refused.to_string().contains("auto-vacuum"), "{refused}");
    let text = dir.file("text.db");
    std::fs::write(&text, "This is no database, but it is long enough to be one. ".repeat(9))
        .unwrap();
    assert!(matches!(Pager::open_file(&text, Options::default()), Err(Error::NotADatabase)));
}

#[test]
fn a_file_without_a_table_gets_a_format_with_the_first() {
    let Some(program) = tests::peer("sqlite3") else { return };
    let dir = Dir::new("format");
    let file = dir.file("a.db");
    sqlite3(&program, &file, "PRAGMA user_version=5");
    assert_eq!(std::fs::read(&file).unwrap()[44..60], [0; 16], "neither format nor encoding");
    let mut model = Model::new(Pager::open_file(&file, Options::default()).unwrap(), 1);
    model.step(200, 100, 100, 0);
    drop(model);
    let bytes = std::fs::read(&file).unwrap();
    assert_eq!((bytes[47], bytes[59], bytes[63]), (4, 1, 5));
    // The index of the model is DESC, which an older format would not mean.
    assert_eq!(sqlite3(&program, &file, "PRAGMA integrity_check"), "ok\n");
}

#[test]
fn a_view_goes_with_its_triggers() {
    let Some(program) = tests::peer("sqlite3") else { return };
    let dir = Dir::new("view");
    let file = dir.file("a.db");
    let sql = "CREATE TABLE t(a); CREATE VIEW v AS SELECT a FROM t;
               CREATE TRIGGER r INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (new.a); END";
    sqlite3(&program, &file, sql);
    Connection::open(&file).unwrap().execute("DROP VIEW v", &[]).unwrap();
    assert_eq!(sqlite3(&program, &file, "SELECT group_concat(name) FROM sqlite_schema"), "t\n");
}

#[test]
fn reals_are_stored_in_the_bytes_that_sqlite3_stores() {
    let Some(program) = tests::peer("sqlite3") else { return };
    let dir = Dir::new("reals");
    let (own, other) = (dir.file("own.db"), dir.file("other.db"));
    let sql = "CREATE TABLE t(a REAL); CREATE INDEX i ON t(a);
               INSERT INTO t VALUES (5.0), (-0.0), (0.5), ('7'), (1e15), (-1e300), (140737488355327),
                 (140737488355328), (-140737488355328.0), (-140737488355329), (9007199254740993);";
    Connection::open(&own).unwrap().execute_batch(sql).unwrap();
    sqlite3(&program, &other, sql);
    let pages = |file: &str| std::fs::read(file).unwrap().split_off(4096);
    assert!(pages(&own) == pages(&other), "the table or the index has other bytes");
}

/// A prepared statement keeps its cursors; between two runs another process may have written.
#[test]
fn a_statement_that_waited_goes_on_behind_what_sqlite3_wrote_meanwhile() {
    let Some(program) = tests::peer("sqlite3") else { return };
    let dir = Dir::new("waited");
    let file = dir.file("a.db");
    let db = Connection::open(&file).unwrap();
    db.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT UNIQUE)", &[]).unwrap();
    let mut insert = db.prepare("INSERT INTO t(b) VALUES (?)").unwrap();
    let mut add = |text: &str| {
        insert.bind(1, text).unwrap();
        insert.execute().map(|_| db.last_insert_rowid())
    };
    assert_eq!([add("a").unwrap(), add("c").unwrap()], [1, 2]);
    sqlite3(&program, &file, "INSERT INTO t VALUES (3, 'b'), (7, 'd')");
    assert_eq!(add("e").unwrap(), 8);
    assert!(add("d").is_err(), "sqlite3 has written this one");
    sqlite3(&program, &file, "DELETE FROM t WHERE a > 2");
    assert_eq!(add("d").unwrap(), 3);
    let sql = "PRAGMA integrity_check; SELECT group_concat(a || b) FROM t";
    assert_eq!(sqlite3(&program, &file, sql), "ok\n1a,2c,3d\n");
}

/// A change that breaks a file whose pages have 1024 bytes.
type Break = fn(&mut [u8]);

/// The first byte of page `number`.
const fn page(number: usize) -> usize {
    (number - 1) * 1024
}

fn u16_at(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]))
}

/// Page 2 is the interior root of a table: the first byte of its first leaf.
fn first_leaf(bytes: &[u8]) -> usize {
    let cell = page(2) + u16_at(bytes, page(2) + 12);
    page(usize::from(bytes[cell + 3]) + usize::from(bytes[cell + 2]) * 256)
}

/// Each breaks a file in another way.
const BREAKS: &[(&str, Break)] = &[
    ("a freelist that is shorter than its count", |b| b[39] += 1),
    ("fragments that are not there", |b| {
        let leaf = first_leaf(b);
        b[leaf + 7] += 5;
    }),
    ("two pointers to one cell", |b| {
        let leaf = first_leaf(b);
        b.copy_within(leaf + 8..leaf + 10, leaf + 10);
    }),
    ("a page of no kind", |b| {
        let leaf = first_leaf(b);
        b[leaf] = 7;
    }),
    ("a child that is used elsewhere", |b| {
        let cell = page(2) + u16_at(b, page(2) + 12);
        let (child, other) = (cell + 3, page(2) + u16_at(b, page(2) + 14));
        b[child] = b[other + 3];
    }),
    ("a child that does not exist", |b| {
        let cell = page(2) + u16_at(b, page(2) + 12);
        b[cell] = 9;
    }),
    ("a cell pointer beyond the page", |b| {
        let leaf = first_leaf(b);
        b[leaf + 8] = 0x7f;
    }),
    ("row ids that fall", |b| {
        let leaf = first_leaf(b);
        let (x, y) = (b[leaf + 8], b[leaf + 9]);
        b.copy_within(leaf + 10..leaf + 12, leaf + 8);
        b[leaf + 10] = x;
        b[leaf + 11] = y;
    }),
    ("a freelist leaf that is a table's page", |b| {
        let trunk = page(usize::from(b[35]) + usize::from(b[34]) * 256);
        b[trunk + 10] = 0;
        b[trunk + 11] = 2;
    }),
];

#[test]
fn the_integrity_check_says_what_sqlite3_says() {
    let Some(program) = tests::peer("sqlite3") else { return };
    let dir = Dir::new("integrity");
    let file = dir.file("a.db");
    sqlite3(
        &program,
        &file,
        &format!(
            "{} CREATE TABLE u(x); INSERT INTO u SELECT c FROM t; DROP TABLE u;",
            script(1024, 400)
        ),
    );
    let sound = std::fs::read(&file).unwrap();
    for (what, change) in BREAKS {
        let mut broken = sound.clone();
        change(&mut broken);
        std::fs::write(&file, &broken).unwrap();
        // It may go on to rows, and fail there.
        let output = Command::new(&program).args([&file, "PRAGMA integrity_check"]).output();
        let theirs = String::from_utf8(output.unwrap().stdout).unwrap();
        let mut pager = Pager::open_file(&file, Options::default()).unwrap();
        pager.begin_read().unwrap();
        let ours = check(&mut pager, 2, 3);
        assert!(
            ours[0] != "ok" && theirs.starts_with(&format!("{}\n", ours[0])),
            "{what}:\n{theirs}\n{ours:?}"
        );
    }
}

/// A database that `sqlite3` is halfway through changing, and its journal, copied to `copy`.
fn cut_short(program: &Path, dir: &Dir, file: &str, copy: &str) {
    sqlite3(program, file, &script(1024, 3000));
    let input = dir.file("script");
    let sql = format!(
        "PRAGMA cache_size=10;\nBEGIN;\nUPDATE t SET c = b || 'changed';\n\
         .shell cp {file} {copy}\n.shell cp {file}-journal {copy}-journal\nROLLBACK;\n"
    );
    std::fs::write(&input, sql).unwrap();
    sqlite3(program, file, &format!(".read {input}"));
}

#[cfg(unix)]
#[test]
fn the_journal_is_found_through_a_symbolic_link() {
    let Some(program) = tests::peer("sqlite3") else { return };
    let (dir, other) = (Dir::new("real"), Dir::new("link"));
    let (file, copy, link) = (dir.file("a.db"), dir.file("b.db"), other.file("b.db"));
    cut_short(&program, &dir, &file, &copy);
    std::os::unix::fs::symlink(&copy, &link).unwrap();
    assert!(Pager::open_file(&link, Options::default()).unwrap().recovered());
    assert_eq!(std::fs::read(&copy).unwrap(), std::fs::read(&file).unwrap());
    assert!(!Path::new(&format!("{copy}-journal")).exists());
}

#[test]
fn a_journal_that_names_a_super_journal_is_judged_as_sqlite3_judges_it() {
    let Some(program) = tests::peer("sqlite3") else { return };
    let dir = Dir::new("super");
    let (file, copy) = (dir.file("a.db"), dir.file("b.db"));
    cut_short(&program, &dir, &file, &copy);
    let (name, journal) = (dir.file("a.db-mj12345678"), format!("{copy}-journal"));
    let mut bytes = std::fs::read(&journal).unwrap();
    let sum: u32 = name.bytes().map(u32::from).sum();
    let len = u32::try_from(name.len()).unwrap();
    let lock_page = (1_u32 << 20) + 1;
    bytes.extend_from_slice(&lock_page.to_be_bytes());
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(&len.to_be_bytes());
    bytes.extend_from_slice(&sum.to_be_bytes());
    bytes.extend_from_slice(&[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]);
    let halfway = std::fs::read(&copy).unwrap();
    for (exists, want) in [(false, &halfway), (true, &std::fs::read(&file).unwrap())] {
        for ours in [false, true] {
            std::fs::write(&copy, &halfway).unwrap();
            std::fs::write(&journal, &bytes).unwrap();
            if exists {
                // An empty one counts as missing in sqlite3, which never leaves it so.
                std::fs::write(&name, b"x").unwrap();
            }
            if ours {
                drop(Pager::open_file(&copy, Options::default()).unwrap());
            } else {
                sqlite3(&program, &copy, "PRAGMA user_version");
            }
            assert!(std::fs::read(&copy).unwrap() == *want, "exists {exists}, ours {ours}");
            assert!(!Path::new(&journal).exists());
        }
    }
}

#[test]
fn the_pointer_maps_of_an_auto_vacuum_file_are_known_for_what_they_are() {
    let Some(program) = tests::peer("sqlite3") else { return };
    let dir = Dir::new("maps");
    let file = dir.file("a.db");
    // More than 102 pages, so that there are several maps.
    sqlite3(&program, &file, &format!("PRAGMA auto_vacuum=INCREMENTAL; {}", script(512, 4000)));
    let mut pager = Pager::open_file(&file, Options::default()).unwrap();
    pager.begin_read().unwrap();
    assert!(pager.page_count() > 250);
    let [table, index] = roots(&mut pager)[..] else { panic!("two entries") };
    assert_eq!(check(&mut pager, table, index), ["ok"]);
}
