//! The program from outside: its one line on stdout, its exit codes, its address.

#![cfg(test)]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};

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

/// A playground that serves; dropping it kills the process.
struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    fn start(mut command: Command) -> Serving {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.args(["--addr", "127.0.0.1:0"]).spawn().unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("listening on ").unwrap_or_default().to_owned();
        let serving = Serving { child, url };
        assert!(serving.url.starts_with("http://127.0.0.1:"), "{line:?}");
        serving
    }

    fn page(&self, path: &str) -> String {
        let answer = Client::new().get(&format!("{}{path}", self.url)).unwrap();
        assert_eq!(answer.status, 200, "{path}");
        String::from_utf8(answer.body).unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_says_where_it_listens_and_serves_there() {
    let serving = Serving::start(playground(&["--no-demos"]));
    assert!(serving.page("/").starts_with("<!doctype html>"));
    assert!(serving.page("/wasm").contains("--no-demos"));
}

/// What the build of the demos says last, while all that does not need it is served.
fn failure(settings: &[(&str, &str)]) -> String {
    let mut command = playground(&[]);
    command.env_remove("CARGO").env_remove("RUSTC").envs(settings.iter().copied());
    let mut serving = Serving::start(command);
    let lines = BufReader::new(serving.child.stderr.take().unwrap()).lines();
    let line = lines.map(Result::unwrap).find(|line| line.contains(" failed: ")).unwrap();
    assert!(serving.page("/").contains("Five systems"));
    let page = serving.page("/wasm");
    assert!(page.contains("class=\"failed\"") && page.contains("By hand: "), "{page}");
    assert!(serving.page("/wasm/callback").contains("id=\"num\""));
    line
}

#[test]
fn what_is_missing_is_told_in_a_sentence_with_a_command() {
    assert_eq!(
        failure(&[("PATH", "")]),
        "demos: looking for the target failed: the program `rustc` is not there; \
         by hand: install Rust as https://rustup.rs tells, then rustup target add wasm32-unknown-unknown"
    );
    // A folder cannot be made in a file.
    let file = std::env::current_exe().unwrap();
    let line = failure(&[("CARGO_TARGET_DIR", file.to_str().unwrap())]);
    assert!(line.starts_with("demos: looking for the target failed: "), "{line}");
    assert!(line.contains(" cannot be made: "), "{line}");
    assert!(line.ends_with("by hand: CARGO_TARGET_DIR=/a/folder/to/write/in cargo run"), "{line}");
}

/// A folder with these programs, each a script of the shell.
#[cfg(unix)]
fn programs(name: &str, scripts: &[(&str, &str)]) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let dir = std::env::temp_dir().join(format!("programs-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    for (program, script) in scripts {
        let file = dir.join(program);
        std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    dir
}

/// What the builder says with only these programs on PATH.
#[cfg(unix)]
fn failure_with(name: &str, scripts: &[(&str, &str)]) -> String {
    let dir = programs(name, scripts);
    let path = dir.to_str().unwrap();
    let line = failure(&[("PATH", path), ("CARGO_TARGET_DIR", path)]);
    std::fs::remove_dir_all(&dir).unwrap();
    line
}

#[cfg(unix)]
#[test]
fn each_program_that_is_missing_or_fails_is_told() {
    let by_hand = "; by hand: rustup target add wasm32-unknown-unknown";
    let first = "demos: looking for the target failed: the target wasm32-unknown-unknown is not \
                 installed, and cannot be added: ";
    let rustc = ("rustc", "echo /no/such/folder");
    assert_eq!(
        failure_with("no-rustup", &[rustc]),
        format!("{first}the program `rustup` is not there{by_hand}")
    );
    let offline = "echo info: downloading >&2; echo 'error: could not download file' >&2; exit 1";
    assert_eq!(
        failure_with("offline", &[rustc, ("rustup", offline)]),
        format!("{first}could not download file{by_hand}")
    );
    // The toolchain that was chosen is not there: what rustup, as rustc, says.
    let other = "echo \"error: toolchain 'x' is not installed\" >&2; exit 1";
    assert_eq!(
        failure_with("toolchain", &[("rustc", other)]),
        "demos: looking for the target failed: toolchain 'x' is not installed; by hand: install \
         Rust as https://rustup.rs tells, then rustup target add wasm32-unknown-unknown"
    );
    // The target can be had; the next step needs cargo, and one that is new enough.
    let there = ("rustc", "echo /");
    let line = failure_with("no-cargo", &[there]);
    assert!(
        line.starts_with("demos: compiling the demos failed: the program `cargo` is not there; by hand: cd wasm/demos && cargo build --release --locked --examples --target wasm32-unknown-unknown --target-dir "),
        "{line}"
    );
    let old = "echo 'error: rustc 1.80.0 is not supported by the following package:' >&2; echo '  demos@0.1.0 requires rustc 1.89' >&2; exit 101";
    let line = failure_with("old-cargo", &[there, ("cargo", old)]);
    let reason =
        "rustc 1.80.0 is not supported by the following package: (demos@0.1.0 requires rustc 1.89)";
    assert!(line.contains(reason), "{line}");
}

/// `rustup` adds what is missing, and the build goes on.
#[cfg(unix)]
#[test]
fn a_missing_target_is_added() {
    let rustup = "test \"$*\" = 'target add wasm32-unknown-unknown' && echo > \"${0%/*}/added\"";
    let rustc = "test -e \"${0%/*}/added\" && echo / || echo /no/such/folder";
    let dir = programs("target", &[("rustup", rustup), ("rustc", rustc)]);
    let path = dir.to_str().unwrap();
    let mut command = playground(&[]);
    command.env_remove("CARGO").env_remove("RUSTC");
    let mut serving = Serving::start({
        command.env("PATH", path).env("CARGO_TARGET_DIR", path);
        command
    });
    let lines = BufReader::new(serving.child.stderr.take().unwrap()).lines();
    let lines: Vec<String> =
        lines.map(Result::unwrap).take_while(|line| !line.contains(" failed: ")).collect();
    std::fs::remove_dir_all(&dir).unwrap();
    let said = "demos: looking for the target: wasm32-unknown-unknown has been added (";
    assert!(lines.iter().any(|line| line.starts_with(said)), "{lines:?}");
}

/// `--open` runs the desktop's program with the address, or says that there is none.
#[cfg(target_os = "linux")]
#[test]
fn the_page_is_opened_or_the_visitor_told_to() {
    // Other lines are those of the servers that the pages show.
    let told = |path: &str| {
        let mut command = playground(&["--no-demos", "--open"]);
        command.env("PATH", path);
        let mut serving = Serving::start(command);
        let mut lines = BufReader::new(serving.child.stderr.take().unwrap()).lines();
        let line = lines.find_map(|line| line.ok().filter(|line| line.contains("open"))).unwrap();
        line.replace(&serving.url, "URL")
    };
    let line = told("");
    assert!(line.starts_with("xdg-open cannot be started ("), "{line}");
    assert!(line.ends_with("); open URL/ yourself"), "{line}");
    let dir = programs("open", &[("xdg-open", "echo opened $1 >&2")]);
    assert_eq!(told(dir.to_str().unwrap()), "opened URL/");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn without_the_network_the_command_to_run_later_is_told() {
    // Nothing has been downloaded to this cargo home, and nothing can be.
    let home = std::env::temp_dir().join(format!("playground-{}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    let home = home.to_str().unwrap();
    let offline = [("CARGO_HOME", home), ("CARGO_TARGET_DIR", home), ("CARGO_NET_OFFLINE", "true")];
    // So that a missing target is not asked for either, where it is not installed.
    let line = failure(&[&offline[..], &[("RUSTUP_DIST_SERVER", "http://127.0.0.1:1")]].concat());
    std::fs::remove_dir_all(home).unwrap();
    assert!(line.contains("; by hand: "), "{line}");
    let target = line.starts_with("demos: looking for the target failed: ");
    let crates = line.starts_with("demos: compiling the demos failed: no matching package");
    assert!(target || crates, "{line}");
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
        assert!(stderr.starts_with(&format!("listen on {addr}: ")), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}
