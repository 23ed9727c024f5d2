//! Every example is started alike: the same flags, and the same words when something is wrong.
#![cfg(test)]

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use tests::{example, root};

/// Package and name of every example.
fn all() -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for package in ["web", "cache", "orm", "rpc"] {
        for entry in fs::read_dir(root().join(package).join("examples")).unwrap() {
            let path = entry.unwrap().path();
            let file = path.extension().is_some_and(|suffix| suffix == "rs");
            if file || path.join("main.rs").is_file() {
                all.push((package, path.file_stem().unwrap().to_str().unwrap().to_owned()));
            }
        }
    }
    assert!(all.len() >= 33, "the examples are not where they were: {all:?}");
    all
}

/// The exit code, stdout and stderr.
fn run(package: &str, name: &str, args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(example(package, name));
    // One that takes a flag for a file must not leave it among the sources.
    command.args(args).stdin(Stdio::null()).current_dir(std::env::temp_dir());
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_bad_flag_prints_the_usage_and_exits_2() {
    for (package, name) in all() {
        for args in [&["--no-such-flag"][..], &["-x"], &["--no-such-flag=1", "2"]] {
            let (code, out, err) = run(package, &name, args);
            let usage = err.lines().any(|line| {
                line.strip_prefix(&format!("usage: {name}")).is_some_and(|rest| {
                    rest.is_empty() || rest.starts_with(' ') && !rest.ends_with([' ', '.'])
                })
            });
            assert!(code == Some(2) && out.is_empty() && usage, "{name} {args:?}: {code:?} {err}");
        }
    }
}

#[test]
fn an_address_that_cannot_be_had_is_told_and_exits_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let mut serving = 0;
    for (package, name) in all() {
        let (_, _, usage) = run(package, &name, &["--no-such-flag"]);
        if !usage.contains("--addr HOST:PORT") {
            continue;
        }
        serving += 1;
        // As one node, a member of a cluster has one address; without it three on ports of their own.
        let one: &[&str] = &["--port", "1", "--peers", "http://localhost:1"];
        let one = if usage.contains("--peers") { one } else { &[] };
        for addr in [&*taken, "nowhere", "127.0.0.1:99999"] {
            for flag in [&["--addr", addr][..], &[&*format!("--addr={addr}")]] {
                let (code, out, err) = run(package, &name, &[flag, one].concat());
                let reason = err.lines().last().unwrap_or_default();
                let told = reason.starts_with(&format!("listen on {addr}: "));
                assert!(code == Some(1) && out.is_empty() && told, "{name}: {code:?} {out}{err}");
            }
        }
    }
    assert!(serving >= 17, "{serving}");
}
