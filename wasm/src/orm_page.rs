//! The page of the database: a SQL prompt on a real file, and the file itself, byte by byte.
//!
//! | path | what |
//! |---|---|
//! | `GET /orm?page=N&sql=...` | the page, with the bytes of page `N`; `sql` is put into the prompt, and not run |
//! | `POST /orm` | the same with the results of the form's `sql` |
//! | `GET /orm/file?page=N` | trees, journal and bytes alone: what `static/orm.js` puts in when they change |
//! | `GET /orm/changes?seen=V` | an event whenever somebody has run something |
//! | `GET /orm/download` | the file; open it with `sqlite3` |
//!
//! # One statement from end to end
//! 1. The form's text comes to `POST /orm`, and waits until the [`database`] is free.
//! 2. [`script`] has [`orm::sql`] prepare and run each statement, and keeps the first rows.
//! 3. [`trees`] walks the pages of every table and index as they are now.
//! 4. [`sqlite::pieces`] names the bytes of the page that is looked at, and those of the journal
//!    while a transaction is open: what no other program can see yet.
//! 5. `pages/orm.html` becomes the page; whoever else has it open gets an event, and looks again.

pub mod database;
pub mod script;
pub mod trees;

use std::sync::Arc;
use std::time::Duration;

use orm::sql::inspect::annotate_journal;
use orm::sql::{Connection, Error};
use web::json::Json;
use web::{Context, Engine, Result, json};

use crate::inspect::{self, sqlite};
use crate::live::Streams;
use database::{BYTES_MAX, Database, PAGE_BYTES};
use script::Limits;

/// What the links above the prompt put into it.
const TRY: &[(&str, &str)] = &[
    (
        "a query",
        "SELECT country, count(*), sum(people) FROM city\nGROUP BY country ORDER BY 3 DESC;",
    ),
    ("by index", "SELECT name FROM city WHERE country = 'Peru';"),
    (
        "grow the tree",
        "INSERT INTO city(name, country, people)\n  SELECT name || ' again', country, people FROM city;",
    ),
    ("a long row", "INSERT INTO city(name, country) VALUES ('Long', hex(zeroblob(500)));"),
    ("make holes", "DELETE FROM city WHERE id % 3 = 0;"),
    ("a transaction", "BEGIN;\nUPDATE city SET people = people + 1;"),
    ("take it back", "ROLLBACK;"),
    ("an error", "INSERT INTO city(id) VALUES (1);"),
    ("is it sound?", "PRAGMA integrity_check;"),
];

/// Registers the page.
///
/// # Errors
/// As for [`Engine::get`].
pub fn register(engine: &mut Engine, streams: &Streams) -> Result<()> {
    let database = Arc::new(Database::default());
    let shared = Arc::clone(&database);
    engine.get("/orm", move |c| {
        let sql = c.default_query("sql", TRY[0].1);
        page(c, &shared, &sql, false);
    })?;
    let shared = Arc::clone(&database);
    engine.post("/orm", move |c| {
        let sql = c.post_form("sql");
        page(c, &shared, &sql, true);
    })?;
    let shared = Arc::clone(&database);
    engine.get("/orm/file", move |c| {
        let number = asked_page(c);
        match shared.with(false, |connection| file(connection, number)) {
            Ok(file) => c.render(200, "orm_file", &file),
            Err(error) => c.string(503, error),
        }
    })?;
    let shared = Arc::clone(&database);
    engine.get("/orm/download", move |c| match shared.download() {
        Ok(bytes) => {
            c.set_header("Content-Type", "application/vnd.sqlite3");
            c.set_header("Content-Disposition", "attachment; filename=\"playground.db\"");
            c.data(200, bytes);
        }
        Err(error) => c.string(409, format!("{error}\n")),
    })?;
    let streams = streams.clone();
    engine.get("/orm/changes", move |c| watch(c, &streams, Arc::clone(&database)))
}

/// The number in `?page=` or in the form; 0, which no page has, without one.
fn asked_page(c: &mut Context) -> u32 {
    let asked = if c.method() == "POST" { c.post_form("page") } else { c.query("page") };
    asked.parse().unwrap_or(0)
}

fn page(c: &mut Context, database: &Database, sql: &str, run: bool) {
    let number = asked_page(c);
    let limits = Limits::default();
    let done = database.with(run, |connection| {
        let outcomes = if run { script::run(connection, sql, &limits) } else { Vec::new() };
        let outcomes: Vec<Json> = outcomes.iter().map(|outcome| outcome.as_json(&limits)).collect();
        (outcomes, file(connection, number))
    });
    let (status, (results, file, error)) = match done {
        Ok((results, file)) => (200, (results, file, None)),
        Err(error) => (503, (Vec::new(), Json::Null, Some(error))),
    };
    let examples: Vec<Json> =
        TRY.iter().map(|(name, sql)| json!({"name": (*name), "sql": (*sql)})).collect();
    let path = database.path().map(|path| path.display().to_string());
    // A text that is too long has been answered for; it need not travel back.
    let sql = if sql.len() > limits.text_bytes_max { "" } else { sql };
    let data = json!({
        "sql": sql, "results": results, "file": file, "error": error, "examples": examples,
        "version": (database.version()), "path": path,
        "megabytes_max": (BYTES_MAX / 1024 / 1024), "page_bytes": PAGE_BYTES,
        "seconds_max": (limits.timeout.as_secs()),
    });
    c.render(status, "orm", &data);
}

/// The file as it is now: its trees, the bytes of one page, and the journal.
fn file(connection: &Connection, number: u32) -> Json {
    let look = || -> orm::sql::Result<Json> {
        let pages = connection.page_count()?;
        // Before anyone has chosen: the root of the first table.
        let number = if (1..=pages).contains(&number) { number } else { pages.min(2) };
        let bytes = connection.page_bytes(number)?;
        let parts = sqlite::pieces(connection.annotate_page(number)?);
        let journal = connection
            .journal_bytes()?
            .map(|bytes| inspect::as_json(&bytes, &sqlite::pieces(annotate_journal(&bytes))));
        Ok(json!({
            "trees": (trees::as_json(connection, number)?), "number": number,
            "page": (inspect::as_json(&bytes, &parts)), "journal": journal,
            "in_transaction": (connection.in_transaction()), "bytes": (bytes.len() * pages as usize),
        }))
    };
    look().unwrap_or_else(|error: Error| json!({"error": (error.to_string())}))
}

/// Sends the version whenever it is another one than the page has seen.
fn watch(c: &mut Context, streams: &Streams, database: Arc<Database>) {
    let Some(seat) = streams.enter(c) else { return };
    let mut seen = c.query("seen").parse().unwrap_or_else(|_| database.version());
    c.sse(move |events| {
        let _seat = seat;
        // The head of the answer goes out with the first bytes: the browser sees that it is served.
        events.ping()?;
        loop {
            let version = database.wait_change(seen, Duration::from_secs(10));
            if version == seen {
                // So that a browser that has gone is noticed.
                events.ping()?;
            } else {
                seen = version;
                events.send("", &seen.to_string(), &seen.to_string())?;
            }
        }
    });
}
