//! The defects of the Go tutorial's ORM, ORM-1 to ORM-22, each done right: one test per number.
//!
//! Some are compile errors here. Then the test holds what runs instead, and the `compile_fail` test that
//! holds the error is named.

use orm::{
    Engine, Error, Hooks, Logger, Migration, Model, Result, Session, SqliteDriver, Value, col,
    desc, raw, set,
};

use crate::recorder::Recorder;

#[derive(Model, Debug, PartialEq, Clone)]
struct User {
    #[model(primary_key)]
    name: String,
    age: i32,
}

fn user(name: &str, age: i32) -> User {
    User { name: name.into(), age }
}

fn engine() -> Engine {
    let mut engine = Engine::quiet("sqlite3", ":memory:").unwrap();
    let mut s = engine.session();
    s.create_table::<User>().unwrap();
    s.insert_all(&mut [user("Tom", 18), user("Sam", 25)]).unwrap();
    drop(s);
    engine
}

/// The table of yesterday: a column that the model does not have, an index, and a lack of another.
fn yesterday() -> Engine {
    let mut engine = Engine::quiet("sqlite3", ":memory:").unwrap();
    let mut s = engine.session();
    for sql in [
        "CREATE TABLE User(Name text PRIMARY KEY, XXX integer)",
        "CREATE INDEX by_name ON User(Name)",
        "INSERT INTO User VALUES ('Tom', 1), ('Sam', 2)",
    ] {
        s.raw(sql, &[]).exec().unwrap();
    }
    drop(s);
    engine
}

/// Refuses to be called "no", and tells the table `Trace` who it was.
#[derive(Model, Debug)]
#[model(hooks)]
struct Guarded {
    #[model(primary_key)]
    id: i64,
    text: String,
}

impl Guarded {
    fn look(&self, hook: &str, s: &mut Session<'_>) -> Result<()> {
        s.raw("INSERT INTO Trace VALUES (?)", &[&format!("{hook} {} {}", self.id, self.text)])
            .exec()?;
        if self.text == "no" { Err(Error::abort("refused")) } else { Ok(()) }
    }
}

impl Hooks for Guarded {
    fn before_insert(&mut self, s: &mut Session<'_>) -> Result<()> {
        self.look("before_insert", s)
    }
    fn after_insert(&mut self, s: &mut Session<'_>) -> Result<()> {
        self.look("after_insert", s)
    }
    fn before_update(&mut self, s: &mut Session<'_>) -> Result<()> {
        self.look("before_update", s)
    }
    fn before_delete(&self, s: &mut Session<'_>) -> Result<()> {
        self.look("before_delete", s)
    }
    fn before_query(s: &mut Session<'_>) -> Result<()> {
        s.raw("INSERT INTO Trace VALUES ('before_query Guarded')", &[]).exec().map(drop)
    }
}

fn guarded() -> Engine {
    let mut engine = Engine::quiet("sqlite3", ":memory:").unwrap();
    let mut s = engine.session();
    s.raw("CREATE TABLE Trace(line text)", &[]).exec().unwrap();
    s.create_table::<Guarded>().unwrap();
    drop(s);
    engine
}

fn guard(text: &str) -> Guarded {
    Guarded { id: 0, text: text.into() }
}

fn trace(s: &mut Session<'_>) -> Vec<String> {
    let lines: Vec<(String,)> = s.raw("SELECT line FROM Trace", &[]).query_rows().unwrap();
    lines.into_iter().map(|(line,)| line).collect()
}

#[test]
fn orm_1_a_rebuild_keeps_key_indexes_types_and_rows() {
    let mut engine = yesterday();
    let mut s = engine.session();
    Migration::<User>::new().allow_drop().run(&mut s).unwrap();
    let (sql,): (String,) =
        s.raw("SELECT sql FROM sqlite_master WHERE name = 'User'", &[]).query_row().unwrap();
    assert_eq!(sql, r#"CREATE TABLE "User" ("Name" text PRIMARY KEY,"Age" integer )"#);
    assert!(matches!(s.insert(&mut user("Tom", 1)), Err(Error::UniqueViolation { .. })));
    let index = s.raw("SELECT name FROM sqlite_master WHERE name = 'by_name'", &[]);
    assert_eq!(index.query_row::<(String,)>().unwrap().0, "by_name");
}

#[test]
fn orm_2_an_added_column_has_a_value_in_old_rows() {
    let mut engine = yesterday();
    let mut s = engine.session();
    Migration::<User>::new().allow_drop().run(&mut s).unwrap();
    assert_eq!(s.find(&User::query()).unwrap(), [user("Tom", 0), user("Sam", 0)]);
}

#[test]
fn orm_3_a_text_is_one_statement() {
    let mut engine = engine();
    let mut s = engine.session();
    // Two in one are refused; `the_migration_sends_one_statement_at_a_time` has the migration's.
    let two = s.raw("DELETE FROM User; DROP TABLE User", &[]).exec().unwrap_err();
    assert_eq!(two.to_string(), "this text has two statements; run one at a time");
    assert_eq!(s.count(&User::query()).unwrap(), 2);
}

#[test]
fn orm_4_a_migration_that_fails_says_so_and_leaves_no_cursor() {
    let mut engine = yesterday();
    let mut s = engine.session();
    s.raw("CREATE TABLE tmp_User(a)", &[]).exec().unwrap();
    let error = Migration::<User>::new().allow_drop().run(&mut s).unwrap_err();
    assert_eq!(error.to_string(), "table tmp_User already exists");
    s.raw("DROP TABLE tmp_User", &[]).exec().unwrap(); // a cursor would lock it
    Migration::<User>::new().allow_drop().run(&mut s).unwrap();
}

/// That no model can be missing is a compile error: `orm::schema`.
#[test]
fn orm_5_a_new_session_needs_no_model() {
    let mut engine = engine();
    engine.session().insert(&mut user("Jack", 25)).unwrap();
    assert_eq!(engine.session().find(&User::query()).unwrap().len(), 3);
}

#[test]
fn orm_6_a_custom_table_name_is_used_everywhere() {
    #[derive(Model, Debug)]
    #[model(table = "ns_acc")]
    struct Acc {
        #[model(primary_key)]
        id: i64,
    }
    let mut engine = Engine::quiet("sqlite3", ":memory:").unwrap();
    let mut s = engine.session();
    let missing = s.find(&Acc::query()).unwrap_err();
    assert!(matches!(&missing, Error::NoSuchTable(name) if name == "ns_acc"), "{missing}");
    s.create_table::<Acc>().unwrap();
    s.insert(&mut Acc { id: 3 }).unwrap();
    assert_eq!(s.first(&Acc::query()).unwrap().id, 3);
    assert_eq!(s.delete(&Acc::query().filter(col("ID").eq(3))).unwrap(), 1);
}

#[test]
fn orm_7_a_hook_that_refuses_stops_the_statement_and_takes_all_back() {
    let mut engine = guarded();
    let mut s = engine.session();
    let mut batch = [guard("a"), guard("no"), guard("c")];
    assert_eq!(s.insert_all(&mut batch).unwrap_err().to_string(), "refused");
    assert_eq!((s.count(&Guarded::query()).unwrap(), trace(&mut s).len()), (0, 0));
    s.raw("INSERT INTO Guarded VALUES (1, 'a'), (2, 'no'), (3, 'c')", &[]).exec().unwrap();
    s.delete(&Guarded::query().all()).unwrap_err();
    s.update(&Guarded::query().all(), set("Text", "no")).unwrap_err();
    assert_eq!((s.count(&Guarded::query()).unwrap(), trace(&mut s).len()), (3, 0));
    s.insert(&mut guard("d")).unwrap();
}

#[test]
fn orm_8_hooks_are_called_on_the_records_concerned() {
    let mut engine = guarded();
    let mut s = engine.session();
    s.insert(&mut guard("a")).unwrap();
    s.insert(&mut guard("b")).unwrap();
    s.update(&Guarded::query().filter(col("Text").eq("a")), set("Text", "c")).unwrap();
    s.delete(&Guarded::query().filter(col("Text").eq("b"))).unwrap();
    let want = [
        "before_insert 0 a",
        "after_insert 1 a",
        "before_insert 0 b",
        "after_insert 2 b",
        "before_update 1 c",
        "before_delete 2 b",
    ];
    assert_eq!(trace(&mut s), want);
}

#[test]
fn orm_9_the_hook_of_the_type_that_is_read_is_called() {
    let mut engine = guarded();
    let mut s = engine.session();
    s.create_table::<User>().unwrap();
    s.find(&User::query()).unwrap();
    assert!(trace(&mut s).is_empty());
    s.find(&Guarded::query()).unwrap();
    assert_eq!(trace(&mut s), ["before_query Guarded"]);
}

/// A hook with a misspelt name is a compile error, as is any method that its trait does not have:
/// the `compile_fail` test is in `orm::hooks`.
#[test]
fn orm_10_a_hook_is_a_method_of_a_trait() {
    let hook: fn(&mut Guarded, &mut Session<'_>) -> Result<()> = <Guarded as Hooks>::before_insert;
    let mut engine = guarded();
    assert!(hook(&mut guard("no"), &mut engine.session()).is_err());
}

#[test]
fn orm_11_two_conditions_are_both_meant() {
    let mut engine = engine();
    let mut s = engine.session();
    s.insert(&mut user("Jack", 25)).unwrap();
    let both = User::query().filter(col("Age").eq(25)).filter(raw("Name = ?").bind("Sam"));
    assert_eq!(s.find(&both).unwrap(), [user("Sam", 25)]);
}

#[test]
fn orm_12_an_update_has_pairs_in_a_stable_order_and_says_whom_it_means() {
    let recorder = Recorder::new(&SqliteDriver);
    let mut engine = Engine::open_with(&recorder, ":memory:", Logger::disabled()).unwrap();
    let mut s = engine.session();
    s.create_table::<User>().unwrap();
    recorder.take();
    let nothing: [(&str, i32); 0] = [];
    assert!(matches!(s.update(&User::query().all(), nothing), Err(Error::Misuse(_))));
    assert!(matches!(s.update(&User::query(), set("Age", 1)), Err(Error::MissingWhere)));
    assert!(matches!(s.delete(&User::query()), Err(Error::MissingWhere)));
    assert!(recorder.take().is_empty());
    s.update(&User::query().all(), set("Age", 1).set("Name", "x")).unwrap();
    assert_eq!(recorder.take()[0].0, r#"UPDATE "User" SET "Name" = ?, "Age" = ?"#);
}

/// Hostile names and values have tests of their own: `hostile_names_stay_names`, `hostile_values_stay_values`.
#[test]
fn orm_13_names_are_quoted() {
    #[derive(Model, Debug, PartialEq)]
    struct Order {
        group: String,
        select: i32,
    }
    let mut engine = Engine::quiet("sqlite3", ":memory:").unwrap();
    let mut s = engine.session();
    s.create_table::<Order>().unwrap();
    s.insert(&mut Order { group: "a".into(), select: 1 }).unwrap();
    let query = Order::query().filter(col("Group").eq("a")).order_by(desc("Select"));
    assert_eq!(s.find(&query).unwrap(), [Order { group: "a".into(), select: 1 }]);
    let hostile = Order::query().order_by("Select; DROP TABLE Order");
    assert!(matches!(s.find(&hostile), Err(Error::NoSuchColumn { .. })));
}

/// Using a transaction that was committed is a compile error: `orm::transaction`.
#[test]
fn orm_14_the_session_goes_on_after_a_transaction() {
    let mut engine = engine();
    let mut s = engine.session();
    s.begin().unwrap().commit().unwrap();
    s.insert(&mut user("Jack", 25)).unwrap();
    s.begin().unwrap().rollback().unwrap();
    s.begin().unwrap().commit().unwrap();
    assert_eq!(s.count(&User::query()).unwrap(), 3);
}

#[test]
fn orm_15_an_error_is_not_a_no() {
    let path = std::env::temp_dir().join(format!("orm-15-{}.db", std::process::id()));
    let mut engine = Engine::quiet("sqlite3", path.to_str().unwrap()).unwrap();
    engine.session().create_table::<User>().unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100] = 0x77; // the catalog's own page
    std::fs::write(&path, bytes).unwrap();
    drop(engine);
    let asked = Engine::quiet("sqlite3", path.to_str().unwrap())
        .and_then(|mut engine| engine.session().has_table::<User>());
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(asked, Err(Error::Corrupt { page: 1, .. })), "{asked:?}");
}

#[test]
fn orm_16_an_unknown_driver_is_an_error() {
    assert!(matches!(Engine::quiet("nope", ""), Err(Error::UnknownDriver(name)) if name == "nope"));
}

#[test]
fn orm_17_a_statement_that_failed_or_panicked_holds_no_cursor() {
    struct Panics;
    impl orm::FromRow for Panics {
        fn from_row(_: &mut orm::Row<'_>) -> Result<Panics> {
            panic!("in the middle of the rows")
        }
    }
    let mut engine = engine();
    let mut s = engine.session();
    s.raw("UPDATE User SET Age = NULL WHERE Name = 'Sam'", &[]).exec().unwrap();
    assert!(matches!(s.find(&User::query()), Err(Error::TypeMismatch { .. })));
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        s.raw("SELECT * FROM User", &[]).query_rows::<Panics>().map(drop)
    }));
    assert!(read.is_err());
    assert_eq!(s.raw("SELECT * FROM User", &[]).query_rows::<(String, Value)>().unwrap().len(), 2);
    s.drop_table::<User>().unwrap();
}

/// That a list has one type is a compile error otherwise.
#[test]
fn orm_18_inserting_nothing_is_nothing() {
    let recorder = Recorder::new(&SqliteDriver);
    let mut engine = Engine::open_with(&recorder, ":memory:", Logger::disabled()).unwrap();
    assert_eq!(engine.session().insert_all::<User>(&mut []).unwrap(), 0);
    assert!(recorder.take().iter().all(|(text, _)| !text.starts_with("INSERT")));
}

#[test]
fn orm_19_count_has_limits_and_a_64_bit_key_is_the_rowid() {
    #[derive(Model)]
    struct Ticket {
        #[model(primary_key, constraint = "AUTOINCREMENT")]
        id: i64,
        text: String,
    }
    let mut engine = engine();
    let mut s = engine.session();
    assert_eq!(s.count(&User::query().limit(1)).unwrap(), 1);
    s.create_table::<Ticket>().unwrap();
    let ticket = || Ticket { id: 0, text: "x".into() };
    let mut tickets = [ticket(), ticket()];
    s.insert_all(&mut tickets).unwrap();
    assert_eq!((tickets[1].id, tickets[1].text.as_str()), (2, "x"));
    let rowids = s.raw("SELECT rowid, ID FROM Ticket", &[]).query_rows::<(i64, i64)>().unwrap();
    assert_eq!(rowids, [(1, 1), (2, 2)]);
    s.delete(&Ticket::query().filter(col("ID").eq(2))).unwrap();
    let mut next = ticket();
    s.insert(&mut next).unwrap();
    assert_eq!(next.id, 3); // AUTOINCREMENT: never 2 again
}

/// Sharing a session is a compile error: `orm::session`.
#[test]
fn orm_20_each_thread_has_an_engine_of_its_own() {
    let counts = std::thread::scope(|scope| {
        let count = || engine().session().count(&User::query()).unwrap();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(count)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(counts, [2; 4]);
}

/// `orm::engine` holds the lines. Closing gives memory and a file handle back; nothing of it can fail, since
/// all that was committed is on the disk.
#[test]
fn orm_21_a_closed_database_can_be_opened_again_at_once() {
    let path = std::env::temp_dir().join(format!("orm-21-{}.db", std::process::id()));
    for n in 0..3 {
        let mut engine = Engine::quiet("sqlite3", path.to_str().unwrap()).unwrap();
        Migration::<User>::new().run(&mut engine.session()).unwrap();
        engine.session().insert(&mut user(&n.to_string(), n)).unwrap();
        engine.close();
    }
    let mut engine = Engine::quiet("sqlite3", path.to_str().unwrap()).unwrap();
    assert_eq!(engine.session().count(&User::query()).unwrap(), 3);
    drop(engine);
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn orm_22_the_plan_that_is_printed_runs_as_it_stands() {
    let mut engine = yesterday();
    let mut s = engine.session();
    let plan = Migration::<User>::new().allow_drop().dry_run(&mut s).unwrap();
    let before = s.raw("SELECT Name, XXX FROM User", &[]).query_rows::<(String, i64)>().unwrap();
    assert_eq!(before.len(), 2); // a dry run changes nothing
    for sql in &plan {
        let args: &[&dyn orm::ToValue] = if sql.contains('?') { &[&0] } else { &[] };
        s.raw(sql, args).exec().unwrap();
    }
    assert_eq!(s.find(&User::query()).unwrap(), [user("Tom", 0), user("Sam", 0)]);
}
