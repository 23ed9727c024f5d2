//! The program from outside: its one line on stdout, its exit codes, its address.

#![cfg(test)]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

use web::Client;

fn playground(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_playground"));
    // From any directory: nothing is read from where it is started.
    command.args(args).current_dir(std::env::temp_dir()).stdin(Stdio::null());
    command
}

/// Exit code and stderr of a start that ends at once.
fn ended(args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = playground(args).output().unwrap();
    assert_eq!(stdout, b"", "{args:?}");
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn it_says_where_it_listens_and_serves_there() {
    let mut child = playground(&["--no-demos", "--addr", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = child.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let url = line.trim_end().strip_prefix("listening on ").map(str::to_owned);
    let answer = url.map(|url| Client::new().get(&url));
    child.kill().unwrap();
    child.wait().unwrap();
    let answer = answer.unwrap_or_else(|| panic!("{line:?}")).unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.body.starts_with(b"<!doctype html>"));
}

#[test]
fn a_bad_flag_is_the_usage_and_a_bad_address_the_reason() {
    for args in [&["--no-such-flag"][..], &["--addr"], &["9999"]] {
        let (code, stderr) = ended(args);
        assert_eq!(code, Some(2), "{args:?}");
        assert!(stderr.starts_with("usage: playground [--addr HOST:PORT]"), "{stderr}");
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    for addr in [&*addr, "nonsense", "127.0.0.1:99999"] {
        let (code, stderr) = ended(&["--no-demos", "--addr", addr]);
        assert_eq!(code, Some(1), "{addr}");
        assert!(stderr.starts_with(&format!("listening on {addr}: ")), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}
