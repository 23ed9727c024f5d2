//! The database page in a real browser: what it shows is compared with the downloaded file, byte by
//! byte, and with what `sqlite3` says about it.

#![cfg(test)]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tests::browser::{Browser, ENTER};
use wasm::builder::Places;
use wasm::demos::Demos;
use wasm::pages;
use web::{Client, Outgoing, Server};

/// Serves a playground of its own, whose database nobody else changes, until the process ends.
fn own_playground() -> String {
    let none = std::env::temp_dir().join("no such folder");
    let demos = Demos::new(Places { out: none.clone(), sources: none, offline: true }, false);
    let engine = pages::engine(&demos).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // Nobody joins it.
    thread::spawn(move || Server::new(engine).serve(listener));
    url
}

/// Posts the prompt's form as a browser without scripts does.
fn post(url: &str, sql: &str) -> (u16, String) {
    let request = Outgoing::new("POST", &format!("{url}/orm"))
        .header("Content-Type", "application/x-www-form-urlencoded");
    let sql: String = sql.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let answer = Client::new().send(request.body(format!("page=2&sql={sql}"))).unwrap();
    (answer.status, String::from_utf8(answer.body).unwrap())
}

/// What sqlite3 says about a downloaded file, asked these questions.
fn sqlite3(url: &str, questions: &str) -> Option<String> {
    let program = tests::peer("sqlite3")?;
    let answer = Client::new().get(&format!("{url}/orm/download")).unwrap();
    assert_eq!(answer.status, 200);
    let name = format!("download-{}-{}.db", std::process::id(), url.rsplit(':').next().unwrap());
    let file = std::env::temp_dir().join(name);
    std::fs::write(&file, answer.body).unwrap();
    let output = Command::new(program).arg(&file).arg(questions).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Types SQL into the prompt and runs it; the page is a new one when this returns.
fn run_sql(browser: &Browser, sql: &str) {
    browser.act("document.body.dataset.old = 1");
    browser.clear("#sql");
    browser.type_into("#sql", sql);
    browser.click("[data-prompt] button");
    browser.wait_for(
        "return document.body.dataset.old === undefined && document.readyState",
        "complete",
    );
}

/// The texts of all elements that a selector finds.
fn texts(browser: &Browser, selector: &str) -> Vec<String> {
    let script = format!(
        "return [...document.querySelectorAll('{selector}')].map(e => e.textContent.trim())"
    );
    let found = browser.run(&script);
    found.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_orm_page_answers_in_sqlites_words() {
    let Some(browser) = Browser::open("orm_answers") else { return };
    let url = own_playground();
    browser.look(1000, false);
    browser.go(&format!("{url}/orm"));
    run_sql(
        &browser,
        "SELECT name, people, NULL FROM city WHERE country = 'Peru' ORDER BY people;",
    );
    assert_eq!(texts(&browser, ".rows th"), ["name", "people", "NULL"]);
    assert_eq!(
        texts(&browser, ".rows td"),
        ["Cusco", "428450", "NULL", "Lima", "10092000", "NULL"]
    );
    assert_eq!(
        texts(&browser, ".plan li"),
        ["SEARCH city USING INDEX by_country (country=?)", "USE TEMP B-TREE FOR ORDER BY"]
    );
    assert!(texts(&browser, ".tally")[0].starts_with("2 rows, "));
    browser.picture("orm-query");

    run_sql(
        &browser,
        "CREATE TABLE t(a UNIQUE, b); INSERT INTO t VALUES ('<b>', 1), (2, 3); SELECT a FROM t;",
    );
    // The index has all that is asked for, and its order.
    assert_eq!(texts(&browser, ".rows td"), ["2", "<b>"]);
    assert!(texts(&browser, ".tally")[1].starts_with("2 rows changed, "));
    for (sql, error) in [
        ("INSERT INTO t VALUES (2, 2)", "Error: UNIQUE constraint failed: t.a"),
        ("SELECT * FROM nowhere", "Error: no such table: nowhere"),
        ("SELEKT 1", "Error: near \"SELEKT\": syntax error"),
        ("COMMIT", "Error: cannot commit - no transaction is active"),
        ("SELECT (1", "Error: incomplete input"),
    ] {
        run_sql(&browser, sql);
        assert_eq!(texts(&browser, ".wrong"), [error], "{sql}");
    }
    // A form without the script does the same; what follows an error is not run.
    let (status, page) =
        post(&url, "INSERT INTO t VALUES(9,9); SELEKT; INSERT INTO t VALUES(10,10)");
    assert!(status == 200 && page.contains("syntax error"));
    if let Some(said) = sqlite3(&url, "PRAGMA integrity_check; SELECT a FROM t ORDER BY b") {
        assert_eq!(said, "ok\n<b>\n2\n9\n");
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_orm_page_names_every_byte_of_the_file() {
    let Some(browser) = Browser::open("orm_bytes") else { return };
    let url = own_playground();
    browser.look(1000, false);
    browser.go(&format!("{url}/orm"));
    assert_eq!(
        texts(&browser, ".btree text"),
        ["1", "2 rows", "2", "2 pages", "4", "21 rows", "5", "3 rows", "3", "24 keys"]
    );
    run_sql(&browser, "INSERT INTO city(name, country) VALUES ('Long', hex(zeroblob(600)));");
    // The last leaf has one row more, which goes on in pages of its own.
    assert_eq!(texts(&browser, ".btree .overflow text")[1], "overflow");

    // Each page: the hex is the file's, and each byte has a name.
    let file = Client::new().get(&format!("{url}/orm/download")).unwrap().body;
    let tally = format!("{} pages, {} bytes.", file.len() / 512, file.len());
    assert!(texts(&browser, "#trees ~ p")[0].starts_with(&tally), "{tally}");
    for (n, page) in file.chunks(512).enumerate() {
        // By keyboard: a link like any other.
        browser.act(&format!("document.querySelector('[data-page=\"{}\"]').focus()", n + 1));
        browser.type_into(":focus", ENTER);
        browser.wait_for(
            "return document.querySelector('h2#page').textContent",
            &format!("Page {}", n + 1),
        );
        let shown = browser.text(SHOWN_BYTES);
        let want: Vec<String> = page.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(shown, want.join(" "), "page {}", n + 1);
    }
    // The leaf with the first rows: values are where the real parsers found them.
    browser.act("document.querySelector('[data-page=\"4\"]').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))");
    browser.wait_for("return document.querySelector('h2#page').textContent", "Page 4");
    let lines = texts(&browser, "#file [aria-labelledby=page] .line");
    assert_eq!(
        lines[0],
        "page type: leaf of a tablefirst freeblock: nonecells: 21cell area: starts at 57fragments: 0 bytes"
    );
    assert_eq!(
        lines.last().unwrap(),
        "payload length: 21 bytesrow id: 1record header: 5 bytesNULLtext of 6 bytestext of 7 bytesinteger of 24 bits'Aarhus''Denmark'285273"
    );
    // Pointed at in one picture, lit in the other, and said: 285273 is 04 5a 59.
    browser.act("[...document.querySelectorAll('.part')].find(part => part.textContent == '285273').focus()");
    let said = "return document.querySelector('.said').textContent";
    browser.wait_for(said, "column 3 · bytes 509 to 511, 3 of them · The value itself. A NULL, and the numbers 0 and 1, need no byte here.");
    assert_eq!(texts(&browser, ".hex .on"), ["04 5a 59", ".ZY"]);
    browser.picture("orm-bytes");
    assert_eq!(browser.complaints(), [""; 0]);
}

/// The bytes of the first inspector, rows that are only counted written out.
const SHOWN_BYTES: &str = "
    const rows = [];
    for (const row of document.querySelector('.hex').rows) {
        if (row.className == 'same') {
            for (let n = parseInt(row.cells[1].textContent); n > 0; n--) rows.push(rows.at(-1));
        } else rows.push(row.cells[1].textContent.trim().replace(/\\s+/g, ' '));
    }
    return rows.join(' ')";

#[test]
fn a_transaction_is_seen_while_it_is_open_and_by_others_at_once() {
    let Some(browser) = Browser::open("orm_transaction") else { return };
    let url = own_playground();
    browser.look(1000, false);
    browser.go(&format!("{url}/orm?page=4"));
    let before = browser.text(SHOWN_BYTES);
    run_sql(&browser, "BEGIN; UPDATE city SET people = 7 WHERE id = 1;");
    assert!(texts(&browser, ".notice")[0].starts_with("A transaction is open."));
    let during = browser.text(SHOWN_BYTES);
    assert_ne!(during, before);
    // The journal holds page 4 as it was: it is right what is in its hex.
    let journal = texts(&browser, "[aria-labelledby=journal] .part");
    assert_eq!(journal[0], "magic: zeros: not to be played back");
    assert!(journal.contains(&"page number: 4".to_owned()), "{journal:?}");
    assert!(journal.contains(&"checksum: right".to_owned()));
    let hex = texts(&browser, "[aria-labelledby=journal] .hex td:nth-child(2)").join(" ");
    let hex: Vec<&str> = hex.split_whitespace().collect();
    assert!(hex.join(" ").contains(&before[before.len() - 300..]), "the old bytes are not there");
    assert_eq!(Client::new().get(&format!("{url}/orm/download")).unwrap().status, 409);
    browser.picture("orm-transaction");

    // Somebody else takes it back; this page follows by itself.
    assert_eq!(post(&url, "ROLLBACK").0, 200);
    browser.wait_for("return document.querySelectorAll('.notice').length", "0");
    assert_eq!(browser.text(SHOWN_BYTES), before);
    let journal = texts(&browser, "[aria-labelledby=journal] p");
    assert!(journal[0].starts_with("Nothing to take back"), "{journal:?}");
    assert_eq!(browser.complaints(), [""; 0]);
}

/// Someone who follows the page's changes, and is being served.
fn watcher(addr: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let head = format!("GET /orm/changes?seen=0 HTTP/1.1\r\nHost: {addr}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.contains("200"), "{line}");
    reader
}

#[test]
fn thirty_watchers_and_huge_inputs_leave_the_page_as_it_was() {
    let url = own_playground();
    let addr = url.strip_prefix("http://").unwrap();
    let watchers: Vec<_> = (0..30).map(|_| watcher(addr)).collect();
    let fastest = (0..20).map(|_| {
        let since = Instant::now();
        assert_eq!(Client::new().get(&format!("{url}/")).unwrap().status, 200);
        since.elapsed()
    });
    let fastest = fastest.min().unwrap();
    assert!(fastest < Duration::from_millis(50), "the home page took {fastest:?} at best");

    let too_long = format!("SELECT '{}'", "x".repeat(100_000));
    let (status, page) = post(&url, &too_long);
    assert!(status == 200 && page.contains("the limit is 65536"), "{status}");
    assert!(page.len() < 100_000, "the text came back");
    assert_eq!(post(&url, &"x".repeat(5_000_000)).0, 413);
    let (_, page) = post(&url, &format!("CREATE TABLE t({})", vec!["a"; 10_000].join(",")));
    assert!(page.contains("Error: "));
    let (_, page) = post(&url, &format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000)));
    assert!(page.contains("Error: "));
    let (_, page) = post(&url, "INSERT INTO city(name) VALUES (hex(zeroblob(1000000)))");
    assert!(page.contains("1 row changed"));
    let (_, page) = post(&url, "SELECT name FROM city WHERE length(name) > 1000");
    assert!(page.contains("... (2000000 bytes)"), "a long value is cut");
    let (_, page) = post(&url, "SELECT a.name FROM city a, city b ORDER BY b.name, a.name");
    assert!(page.contains(" bytes, the limit is 33554432; raise "), "{}", said(&page));
    let (_, page) = post(&url, "INSERT INTO city(name) SELECT name || name FROM city");
    assert!(page.contains("Error: string or blob too big"), "{}", said(&page));
    let double = "INSERT INTO city(name) SELECT name FROM city";
    let (_, page) = post(&url, &format!("{double}; {double}"));
    assert!(page.contains("Error: database or disk is full"), "{}", said(&page));
    // Two seconds are the limit; others wait that long and no longer.
    let cities: Vec<String> = (0..10).map(|n| format!("city c{n}")).collect();
    let endless = format!("SELECT count(*) FROM {}", cities.join(", "));
    let (_, page) = post(&url, &endless);
    assert!(page.contains("Error: interrupted"));
    let (_, page) = post(&url, "SELECT zeroblob(1000000000)");
    assert!(page.contains("Error: string or blob too big"));
    for page in ["0", "-1", "4294967295", "x", "99999999999999999999"] {
        let answer = Client::new().get(&format!("{url}/orm?page={page}")).unwrap();
        assert_eq!(answer.status, 200, "page {page}");
    }
    // Everyone has heard that there is something new.
    for mut watcher in watchers {
        let mut line = String::new();
        while !line.starts_with("data: ") {
            line.clear();
            assert_ne!(watcher.read_line(&mut line).unwrap(), 0, "the stream has ended");
        }
    }
    if let Some(said) = sqlite3(&url, "PRAGMA integrity_check; SELECT count(*) FROM city") {
        assert_eq!(said, "ok\n50\n");
    }
}

/// What a page says under its statements, errors included.
fn said(page: &str) -> String {
    let lines =
        page.lines().filter(|line| line.contains("\"wrong\"") || line.contains("\"tally\""));
    lines.collect::<Vec<_>>().join("\n")
}
