//! The text and the arguments of every statement form, as the driver gets them, in SQLite's dialect
//! and in the one that spells everything differently.

use orm::driver::Driver;
use orm::{
    Engine, Logger, Migration, Model, Result, Session, SqliteDriver, Value, col, desc, raw, set,
};

use crate::Other;
use crate::recorder::Recorder;

#[derive(Model, Debug)]
struct User {
    #[model(primary_key)]
    name: String,
    age: i32,
}

fn user(name: &str, age: i32) -> User {
    User { name: name.into(), age }
}

#[derive(Model, Debug)]
struct Note {
    #[model(primary_key)]
    id: i64,
    text: Option<String>,
}

type Step = fn(&mut Session<'_>) -> Result<()>;

/// A call; what SQLite is sent; what the other database is sent; the arguments.
type Case = (Step, &'static str, &'static str, &'static [&'static str]);

const CASES: &[Case] = &[
    (
        |s| s.create_table::<User>(),
        r#"CREATE TABLE "User" ("Name" text PRIMARY KEY,"Age" integer );"#,
        "CREATE TABLE `User` (`Name` VARCHAR(255) PRIMARY KEY,`Age` INT8 );",
        &[],
    ),
    (
        |s| s.has_table::<User>().map(|there| assert!(there)),
        "SELECT name FROM sqlite_master WHERE type='table' and name = ?",
        "SELECT tbl_name FROM sqlite_schema WHERE name = $1 AND type = 'table'",
        &["User"],
    ),
    (
        |s| s.insert(&mut user("Jack", 25)),
        r#"INSERT INTO "User" ("Name","Age") VALUES (?, ?)"#,
        "INSERT INTO `User` (`Name`,`Age`) VALUES ($1, $2)",
        &["Jack", "25"],
    ),
    (
        |s| {
            let query = User::query().limit(3).order_by(desc("Age")).filter(col("Age").eq(25));
            s.find(&query).map(|found| assert_eq!(found.len(), 1))
        },
        r#"SELECT "Name","Age" FROM "User" WHERE "Age" = ? ORDER BY "Age" DESC LIMIT ?"#,
        "SELECT `Name`,`Age` FROM `User` WHERE `Age` = $1 ORDER BY `Age` DESC LIMIT ($2) OFFSET (0)",
        &["25", "3"],
    ),
    (
        |s| {
            let tom_or_young = col("Name").eq("Tom").or(col("Age").lt(20));
            let query = User::query().filter(tom_or_young).filter(!col("Age").is_in([1, 2]));
            s.find(&query.filter(raw("length(Name) > ?").bind(2)).limit(5).offset(6)).map(drop)
        },
        r#"SELECT "Name","Age" FROM "User" WHERE ("Name" = ? OR "Age" < ?) AND NOT ("Age" IN (?, ?)) AND (length(Name) > ?) LIMIT ? OFFSET ?"#,
        "SELECT `Name`,`Age` FROM `User` WHERE (`Name` = $1 OR `Age` < $2) AND NOT (`Age` IN ($3, $4)) AND (length(Name) > $5) LIMIT ($6) OFFSET ($7)",
        &["Tom", "20", "1", "2", "2", "5", "6"],
    ),
    (
        |s| s.update(&User::query().filter(col("Name").eq("Tom")), set("Age", 30)).map(drop),
        r#"UPDATE "User" SET "Age" = ? WHERE "Name" = ?"#,
        "UPDATE `User` SET `Age` = $1 WHERE `Name` = $2",
        &["30", "Tom"],
    ),
    (
        |s| s.count(&User::query().filter(col("Age").gt(1))).map(drop),
        r#"SELECT count(*) FROM "User" WHERE "Age" > ?"#,
        "SELECT count(*) FROM `User` WHERE `Age` > $1",
        &["1"],
    ),
    (
        |s| s.first(&User::query()).map(drop),
        r#"SELECT "Name","Age" FROM "User" ORDER BY "Name" LIMIT ?"#,
        "SELECT `Name`,`Age` FROM `User` ORDER BY `Name` LIMIT ($1) OFFSET (0)",
        &["1"],
    ),
    (
        |s| s.pluck::<_, String>(&User::query().distinct(), "Name").map(drop),
        r#"SELECT DISTINCT "Name" FROM "User""#,
        "SELECT DISTINCT `Name` FROM `User`",
        &[],
    ),
    (
        |s| s.upsert(&mut user("Tom", 18)),
        r#"INSERT INTO "User" ("Name","Age") VALUES (?, ?) ON CONFLICT ("Name") DO UPDATE SET "Age" = excluded."Age""#,
        "INSERT INTO `User` (`Name`,`Age`) VALUES ($1, $2) ON CONFLICT (`Name`) DO UPDATE SET `Age` = excluded.`Age`",
        &["Tom", "18"],
    ),
    (
        |s| s.delete(&User::query().filter(col("Name").eq("Tom"))).map(drop),
        r#"DELETE FROM "User" WHERE "Name" = ?"#,
        "DELETE FROM `User` WHERE `Name` = $1",
        &["Tom"],
    ),
    (
        |s| s.drop_table::<User>(),
        r#"DROP TABLE IF EXISTS "User""#,
        "DROP TABLE IF EXISTS `User`",
        &[],
    ),
];

fn texts(args: &[Value]) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        Value::Integer(n) => n.to_string(),
        other => format!("{other:?}"),
    };
    args.iter().map(text).collect()
}

/// BEGIN, COMMIT and the like: calls that make several statements one.
fn is_frame(text: &str) -> bool {
    ["BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"].iter().any(|word| text.starts_with(word))
}

#[test]
fn every_statement_form_has_the_tutorials_text_with_quoted_names() {
    for (driver, is_other) in [(&SqliteDriver as &dyn Driver, false), (&Other, true)] {
        let recorder = Recorder::new(driver);
        let mut engine = Engine::open_with(&recorder, ":memory:", Logger::disabled()).unwrap();
        let mut s = engine.session();
        for (step, sqlite, other, args) in CASES {
            recorder.take();
            step(&mut s).unwrap();
            let sent: Vec<_> =
                recorder.take().into_iter().filter(|(text, _)| !is_frame(text)).collect();
            let [(text, sent_args)] = &sent[..] else { panic!("{sent:?}") };
            assert_eq!(text, if is_other { other } else { sqlite });
            assert_eq!(texts(sent_args), *args, "{text}");
        }
    }
}

#[test]
fn many_records_are_one_text_and_ids_come_back_with_it() {
    let recorder = Recorder::new(&SqliteDriver);
    let mut engine = Engine::open_with(&recorder, ":memory:", Logger::disabled()).unwrap();
    let mut s = engine.session();
    s.create_table::<User>().unwrap();
    s.create_table::<Note>().unwrap();
    recorder.take();
    s.insert_all(&mut [user("Tom", 18), user("Sam", 25)]).unwrap();
    let mut notes = [Note { id: 0, text: None }, Note { id: 0, text: Some("b".into()) }];
    s.insert_all(&mut notes).unwrap();
    assert_eq!((notes[0].id, notes[1].id, notes[1].text.as_deref()), (1, 2, Some("b")));
    let sent = recorder.take();
    let sent: Vec<_> = sent.iter().map(|(text, args)| (&**text, texts(args))).collect();
    let owned = |args: &[&str]| args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>();
    let want = [
        ("BEGIN", vec![]),
        (
            r#"INSERT INTO "User" ("Name","Age") VALUES (?, ?), (?, ?)"#,
            owned(&["Tom", "18", "Sam", "25"]),
        ),
        ("COMMIT", vec![]),
        ("BEGIN", vec![]),
        (r#"INSERT INTO "Note" ("Text") VALUES (?), (?) RETURNING "ID""#, owned(&["Null", "b"])),
        ("COMMIT", vec![]),
    ];
    assert_eq!(sent, want);
}

#[test]
fn chunks_keep_under_the_bind_limit() {
    let recorder = Recorder::new(&Other); // at most seven arguments
    let mut engine = Engine::open_with(&recorder, ":memory:", Logger::disabled()).unwrap();
    let mut s = engine.session();
    s.create_table::<User>().unwrap();
    recorder.take();
    let mut users: Vec<_> = (0..8).map(|n| user(&n.to_string(), n)).collect();
    assert_eq!(s.insert_all(&mut users).unwrap(), 8);
    let sizes: Vec<_> = recorder.take().iter().map(|(_, args)| args.len()).collect();
    assert_eq!(sizes, [0, 6, 6, 4, 0]);
}

#[test]
fn the_migration_sends_one_statement_at_a_time() {
    let recorder = Recorder::new(&SqliteDriver);
    let mut engine = Engine::open_with(&recorder, ":memory:", Logger::disabled()).unwrap();
    let mut s = engine.session();
    s.raw("CREATE TABLE User(Name text PRIMARY KEY, XXX integer);", &[]).exec().unwrap();
    s.raw("INSERT INTO User(`Name`) values (?), (?)", &[&"Tom", &"Sam"]).exec().unwrap();
    recorder.take();
    Migration::<User>::new().allow_drop().run(&mut s).unwrap();
    let asks = |text: &str| ["SELECT", "PRAGMA"].iter().any(|word| text.starts_with(word));
    let sent: Vec<_> = recorder.take().into_iter().filter(|(text, _)| !asks(text)).collect();
    let want = [
        ("BEGIN", &[] as &[&str]),
        (r#"ALTER TABLE "User" ADD COLUMN "Age" integer;"#, &[]),
        (r#"UPDATE "User" SET "Age" = ?"#, &["0"]),
        (r#"CREATE TABLE "tmp_User" ("Name" text PRIMARY KEY,"Age" integer );"#, &[]),
        (r#"INSERT INTO "tmp_User" ("Name","Age") SELECT "Name", "Age" FROM "User";"#, &[]),
        (r#"DROP TABLE "User";"#, &[]),
        (r#"ALTER TABLE "tmp_User" RENAME TO "User";"#, &[]),
        ("COMMIT", &[]),
    ];
    let sent: Vec<_> = sent.iter().map(|(text, args)| (&**text, texts(args))).collect();
    assert_eq!(sent.len(), want.len(), "{sent:?}");
    for ((text, args), (want_text, want_args)) in sent.iter().zip(want) {
        assert_eq!(
            (*text, &args[..]),
            (want_text, &want_args.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>()[..])
        );
    }
}

#[test]
fn a_statement_is_prepared_once_and_again_after_the_tables_changed() {
    let recorder = Recorder::new(&SqliteDriver);
    let mut engine = Engine::open_with(&recorder, ":memory:", Logger::disabled()).unwrap();
    let mut s = engine.session();
    s.create_table::<User>().unwrap();
    recorder.prepared();
    for n in 0..100 {
        s.insert(&mut user(&n.to_string(), n)).unwrap();
        s.first(&User::query().filter(col("Age").eq(n))).unwrap();
    }
    assert_eq!(recorder.prepared(), 2);
    // The kept statements meet other tables: a column more, a column less, another table, none.
    let star = |s: &mut Session<'_>| {
        s.raw("SELECT * FROM User WHERE Name = '7'", &[]).query_row::<(String, i64)>()
    };
    assert_eq!(star(&mut s).unwrap(), ("7".to_owned(), 7));
    s.raw("ALTER TABLE User RENAME COLUMN Age TO Years", &[]).exec().unwrap();
    assert_eq!(star(&mut s).unwrap(), ("7".to_owned(), 7));
    let lost = s.insert(&mut user("x", 1)).unwrap_err();
    assert_eq!(lost.to_string(), "table User has no column named Age");
    s.raw("DROP TABLE User", &[]).exec().unwrap();
    assert_eq!(star(&mut s).unwrap_err().to_string(), "no such table: User");
    s.raw("CREATE TABLE User(Years integer, Name text, Age integer)", &[]).exec().unwrap();
    s.insert(&mut user("7", 1)).unwrap();
    let three =
        s.raw("SELECT * FROM User WHERE Name = '7'", &[]).query_row::<(Option<i64>, String, i64)>();
    assert_eq!(three.unwrap(), (None, "7".to_owned(), 1));
}
