//! Two processes that write the same file wait for each other, and no change is lost.

use crate::support::Dir;
use orm::sql::disk::DiskVfs;
use orm::sql::{Options, Pager, Result};
use std::process::Command;
use std::time::Duration;

const FILE: &str = "ORM_COUNT_FILE";
const ROUNDS: i32 = 50;

fn open(file: &str) -> Result<Pager> {
    let vfs = DiskVfs { busy_timeout: Duration::from_secs(60) };
    Pager::open(Box::new(vfs), file, Options { sync: false, ..Options::default() })
}

#[test]
#[ignore = "one of the processes of two_processes_count_together"]
fn count() {
    let Some(file) = std::env::var_os(FILE) else { return };
    let mut pager = open(file.to_str().unwrap()).unwrap();
    for _ in 0..ROUNDS {
        pager.begin_write().unwrap();
        let version = pager.user_version().unwrap();
        pager.set_user_version(version + 1).unwrap();
        pager.commit().unwrap();
    }
}

#[test]
fn two_processes_count_together() {
    let dir = Dir::new("processes");
    let file = dir.file("count.db");
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "processes::count", "--ignored"])
            .env(FILE, &file)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut children = [start(), start()];
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let mut pager = open(&file).unwrap();
    pager.begin_read().unwrap();
    assert_eq!(pager.user_version().unwrap(), 2 * ROUNDS);
}
