//! `kill -9` in the middle of the work: what was acknowledged is there, and the file is in order.
//!
//! The test starts itself again as a process of its own, which commits one row after another and
//! says so on its standard output, until it is killed.

use crate::model::{Model, check_table, read};
use crate::support::{Dir, Rng};
use orm::sql::check::integrity_check;
use orm::sql::{Options, Pager};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const FILE: &str = "ORM_KILL_FILE";

/// A cache of 16 pages: every transaction is written out before it ends.
fn options() -> Options {
    Options { page_size: 512, cache_bytes: 16 * 512, ..Options::default() }
}

#[test]
#[ignore = "the process that kill_9_loses_no_acknowledged_commit kills"]
fn commit_until_killed() {
    let Some(file) = std::env::var_os(FILE) else { return };
    let pager = Pager::open_file(file.to_str().unwrap(), options()).unwrap();
    let mut model = Model::reopen(pager, 1);
    let mut next = model.rows.len();
    // Not for ever, should nobody kill it.
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(30) {
        model.commit_row(i64::try_from(next).unwrap());
        next += 1;
        // A write of its own: the line is out when the commit is.
        std::io::stderr().write_all(format!("{next}\n").as_bytes()).unwrap();
    }
}

#[test]
fn kill_9_loses_no_acknowledged_commit() {
    let dir = Dir::new("kill");
    let file = dir.file("kill.db");
    drop(Model::new(Pager::open_file(&file, options()).unwrap(), 1));
    let mut rng = Rng(42);
    let rounds = if tests::full() { 200 } else { 12 };
    let (mut acknowledged, mut recovered) = (0, 0);
    for round in 0..rounds {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::commit_until_killed", "--ignored", "--nocapture"])
            .env(FILE, &file)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // After so many commits, at whatever point the next one then is.
        for _ in 0..=rng.below(20) {
            let line = lines.next().unwrap().unwrap();
            acknowledged = line.parse().unwrap_or_else(|_| panic!("round {round}: {line}"));
        }
        let pause = Instant::now();
        let nanos = Duration::from_nanos(rng.below(3_000_000));
        while pause.elapsed() < nanos {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged = lines
            .map_while(Result::ok)
            .filter_map(|l| l.parse().ok())
            .last()
            .unwrap_or(acknowledged);

        let mut pager = Pager::open_file(&file, options()).unwrap();
        recovered += usize::from(pager.recovered());
        pager.begin_read().unwrap();
        let rows = read(&mut pager, 2).unwrap();
        assert!(rows.len() == acknowledged || rows.len() == acknowledged + 1, "round {round}");
        assert!(rows.keys().copied().eq(0..i64::try_from(rows.len()).unwrap()));
        assert_eq!(integrity_check(&mut pager, &[check_table((2, 3))], 10).unwrap(), ["ok"]);
    }
    println!("{acknowledged} commits, {rounds} kills, {recovered} hot journals");
}
