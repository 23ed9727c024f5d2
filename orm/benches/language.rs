//! How fast queries run beside the `sqlite3` program: `cargo bench -p orm --bench language [ROWS]`.
//!
//! One file is made, of 100,000 rows in `sale` and a tenth of that in `person`, and each script
//! below runs three times in one connection of either side; the best time counts, of the processor,
//! which a busy machine changes least. sqlite3's are those that its `.timer` prints. The answers must
//! be the same. Without sqlite3 ours stand alone.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use orm::sql::{Connection, Result};

/// As often does each query run.
const TIMES: usize = 3;

const QUERIES: &[(&str, &str)] = &[
    ("filtered scan", "SELECT count(*), sum(price) FROM sale WHERE price > 500 AND kind <> 'k3'"),
    ("join by rowid", "SELECT count(*), sum(p.age) FROM sale s JOIN person p ON p.id = s.person"),
    (
        "join by index",
        "SELECT count(*), sum(s.price) FROM person p JOIN sale s ON s.person = p.id \
         WHERE p.age < 30",
    ),
    (
        "left join, grouped",
        "SELECT count(*), max(n) FROM (SELECT p.id, count(s.id) AS n FROM person p \
         LEFT JOIN sale s ON s.person = p.id AND s.price > 900 GROUP BY p.id)",
    ),
    (
        "group by, few groups",
        "SELECT kind, count(*), sum(price), max(price) FROM sale GROUP BY kind",
    ),
    (
        "group by, many groups",
        "SELECT count(*), max(n) FROM (SELECT price, note, count(*) AS n FROM sale \
         GROUP BY price, note)",
    ),
    (
        "group by an index",
        "SELECT count(*), max(n) FROM (SELECT person, count(*) AS n FROM sale GROUP BY person)",
    ),
    (
        "order by, sorted",
        "SELECT count(*), max(id) FROM (SELECT id FROM sale ORDER BY price, id LIMIT -1)",
    ),
    ("order by, first ten", "SELECT id, price FROM sale ORDER BY price DESC, id LIMIT 10"),
    (
        "order by an index",
        "SELECT count(*), max(id) FROM (SELECT id FROM sale ORDER BY person LIMIT -1)",
    ),
    ("distinct", "SELECT count(*) FROM (SELECT DISTINCT price, kind FROM sale)"),
    (
        "correlated subquery",
        "SELECT count(*) FROM person p WHERE \
         (SELECT count(*) FROM sale s WHERE s.person = p.id) > 9",
    ),
    (
        "in (subquery)",
        "SELECT count(*) FROM sale WHERE person IN (SELECT id FROM person WHERE age = 40)",
    ),
    ("union", "SELECT count(*) FROM (SELECT price FROM sale UNION SELECT age FROM person)"),
    ("like", "SELECT count(*) FROM sale WHERE note LIKE '%77%'"),
    ("text functions", "SELECT sum(length(upper(note) || substr(kind, 2))) FROM sale"),
];

fn main() -> Result<()> {
    let rows = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(100_000);
    let path = std::env::temp_dir().join(format!("orm-language-{}.db", std::process::id()));
    let path = path.to_string_lossy().into_owned();
    let result = run(&path, rows);
    let _ = std::fs::remove_file(&path);
    result
}

fn run(path: &str, rows: i64) -> Result<()> {
    fill(path, rows)?;
    let theirs = theirs(path);
    let db = Connection::open(path)?;
    println!("{:<24} {:>12} {:>12} {:>8}", format!("{rows} rows"), "orm", "sqlite3", "ratio");
    for (at, (name, sql)) in QUERIES.iter().enumerate() {
        let (lines, seconds) = ours(&db, sql)?;
        let Some(theirs) = theirs.as_ref().map(|all| &all[at]) else {
            println!("{name:<24} {:>9.2} ms {:>12}", seconds * 1e3, "no sqlite3");
            continue;
        };
        assert_eq!(lines, theirs.0, "{sql}");
        let ratio = theirs.1 / seconds;
        let (own, other) = (seconds * 1e3, theirs.1 * 1e3);
        println!("{name:<24} {own:>9.2} ms {other:>9.2} ms {ratio:>7.2}x");
    }
    Ok(())
}

fn fill(path: &str, rows: i64) -> Result<()> {
    let db = Connection::open(path)?;
    db.execute_batch(
        "BEGIN; CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT, age INTEGER); \
         CREATE TABLE sale(id INTEGER PRIMARY KEY, person INTEGER, kind TEXT, price INTEGER, \
                           note TEXT);",
    )?;
    let mut person = db.prepare("INSERT INTO person VALUES (?, 'name' || ?1, ?)")?;
    for id in 0..rows / 10 {
        person.bind_all(&[id.into(), (id * 7 % 80).into()])?;
        person.execute()?;
    }
    let mut sale = db.prepare("INSERT INTO sale VALUES (?, ?, 'k' || ?, ?, 'note ' || ?)")?;
    for id in 0..rows {
        let scattered = id.wrapping_mul(7_919) % 100_003;
        let person = (scattered % (rows / 10).max(1)).into();
        sale.bind_all(&[
            id.into(),
            person,
            (id % 7).into(),
            (scattered % 1000).into(),
            (scattered % 5000).into(),
        ])?;
        sale.execute()?;
    }
    db.execute_batch("CREATE INDEX sale_person ON sale(person); COMMIT")
}

/// The rows of a query and its best time, in seconds.
fn ours(db: &Connection, sql: &str) -> Result<(Vec<String>, f64)> {
    let (mut lines, mut best) = (Vec::new(), f64::MAX);
    for _ in 0..TIMES {
        let (started, cpu_started) = (Instant::now(), cpu_seconds());
        lines.clear();
        let mut statement = db.prepare(sql)?;
        let mut rows = statement.query()?;
        while let Some(row) = rows.next()? {
            let values: Vec<String> = row.values().iter().map(ToString::to_string).collect();
            lines.push(values.join("|"));
        }
        let cpu = cpu_seconds().zip(cpu_started).map(|(now, then)| now - then);
        // The kernel counts in ticks: what is shorter than a few of them is taken from the clock.
        let cpu = cpu.filter(|&seconds| seconds > 0.008);
        best = best.min(cpu.unwrap_or(started.elapsed().as_secs_f64()));
    }
    Ok((lines, best))
}

/// How long this process has been on a processor, on Linux.
fn cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    text.split(' ').next()?.parse::<f64>().ok().map(|nanos| nanos / 1e9)
}

/// The same of each query by sqlite3; `None` where there is no such program.
fn theirs(path: &str) -> Option<Vec<(Vec<String>, f64)>> {
    let mut child = Command::new("sqlite3")
        .args(["-batch", path])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut script = String::from(".timer on\n");
    for (_, sql) in QUERIES {
        script += &format!("{sql};\n").repeat(TIMES);
        script += ".print ~\n";
    }
    child.stdin.take()?.write_all(script.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut all = Vec::new();
    for answer in text.split("~\n").take(QUERIES.len()) {
        let (times, rows): (Vec<&str>, Vec<&str>) =
            answer.lines().partition(|line| line.starts_with("Run Time: "));
        // Run Time: real 0.012 user 0.011603 sys 0.000000
        let cpu = |line: &&str| {
            let words: Vec<&str> = line.split(' ').collect();
            Some(words.get(5)?.parse::<f64>().ok()? + words.get(7)?.parse::<f64>().ok()?)
        };
        let best = times.iter().filter_map(cpu).fold(f64::MAX, f64::min);
        let lines = rows[..rows.len() / TIMES].iter().map(|&row| row.to_owned()).collect();
        all.push((lines, best));
    }
    Some(all)
}
