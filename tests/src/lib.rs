//! What the integration tests share: finding our own examples, starting them, and asking for
//! other people's programs.
//!
//! - [`example`] finds `target/…/examples/NAME` beside the running test, [`Running`] starts one
//!   that serves and reads its `listening on` line.
//! - [`peer`] finds a program such as `sqlite3` or `go`. Without it a test says so and returns;
//!   with `REQUIRE_PEERS=1`, as in CI, its absence is a failure.
//! - [`raw`] is a server in this process and a client that sends any octets.
//! - [`fault_proxy`] stands between a client and a server and misbehaves.
//! - [`browser`] drives a headless Chromium.
//! - [`watched`] runs what could hang.
//! - [`full`] is true under `TESTS_FULL=1`, when the long counts run.

pub mod raw;
pub mod fault_proxy;
pub mod browser;

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Whether the long counts are to run (`TESTS_FULL=1`).
#[must_use]
pub fn full() -> bool {
    env::var_os("TESTS_FULL").is_some_and(|value| value == "1")
}

/// Runs `test` in a thread of its own; what would hang fails after a minute instead.
///
/// # Panics
/// When `test` does, or has not ended by then.
pub fn watched(test: impl FnOnce() + Send + 'static) {
    let (sender, done) = mpsc::channel();
    let thread = thread::spawn(move || {
        test();
        let _ = sender.send(());
    });
    match done.recv_timeout(Duration::from_secs(60)) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("hangs"),
        _ => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
    }
}

/// The path of another project's program, or `None`, said on one line.
///
/// # Panics
/// When the program is missing and `REQUIRE_PEERS=1` is set.
#[must_use]
pub fn peer(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file());
    if found.is_none() {
        missing(&format!("the program `{program}` is not on PATH"));
    }
    found
}

/// Says that something a test needs is missing, so that the test may return.
///
/// # Panics
/// When `REQUIRE_PEERS=1` is set: then nothing may be skipped.
pub fn missing(what: &str) {
    let required = env::var_os("REQUIRE_PEERS").is_some_and(|value| value == "1");
    assert!(!required, "REQUIRE_PEERS=1, but {what}");
    eprintln!("skipped: {what}");
}

/// The executable of the example `name` of `package`, built by `cargo test` beside this test.
///
/// # Panics
/// When it has not been built; the message has the command that builds it.
#[must_use]
pub fn example(package: &str, name: &str) -> PathBuf {
    let this = env::current_exe().expect("the running test has a path");
    let profile = this.ancestors().nth(2).expect("tests run from target/PROFILE/deps");
    let file = profile.join("examples").join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(file.is_file(), "{} is missing: cargo build -p {package} --examples", file.display());
    file
}

/// A server of ours in a process of its own; dropping it kills the process.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// What each `listening on` line named, without its scheme: `127.0.0.1:40123`.
    pub addrs: Vec<String>,
    /// What it has written to stderr, and a signal when there is more.
    log: Arc<(Mutex<String>, Condvar)>,
}

impl Running {
    /// Starts `program` and waits, 20 seconds at most, for `listeners` lines `listening on URL`.
    ///
    /// # Panics
    /// When the program cannot be started or ends or stays silent before that.
    #[must_use]
    pub fn start(program: &Path, args: &[&str], listeners: usize) -> Running {
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        let stdout = child.stdout.take().expect("invariant: stdout is piped");
        let (sender, lines) = mpsc::channel();
        // Ends with the process, whose death closes the pipe; nobody needs to join it.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let log = Arc::default();
        let stderr = child.stderr.take().expect("invariant: stderr is piped");
        let sink = Arc::clone(&log);
        thread::spawn(move || collect(stderr, &sink)); // ends like the one above
        let mut running = Running { child, addrs: Vec::new(), log };
        while running.addrs.len() < listeners {
            let line = lines
                .recv_timeout(Duration::from_secs(20))
                .unwrap_or_else(|_| panic!("{}: no `listening on` line", program.display()));
            if let Some((_, addr)) =
                line.split_once("://").filter(|_| line.starts_with("listening on "))
            {
                running.addrs.push(addr.to_owned());
            }
        }
        running
    }

    /// The address of the first listener.
    #[must_use]
    pub fn addr(&self) -> &str {
        &self.addrs[0]
    }

    /// Waits, 20 seconds at most, until the log contains `text`, and returns all of it.
    ///
    /// # Panics
    /// When the text does not come.
    #[must_use]
    pub fn log_with(&self, text: &str) -> String {
        let (log, more) = &*self.log;
        let guard = log.lock().expect("the log's reader is alive");
        let (guard, waited) = more
            .wait_timeout_while(guard, Duration::from_secs(20), |log| !log.contains(text))
            .expect("the log's reader is alive");
        assert!(!waited.timed_out(), "no {text:?} in the log:\n{guard}");
        guard.clone()
    }

    /// The id of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

fn collect(mut stderr: impl Read, sink: &(Mutex<String>, Condvar)) {
    let (log, more) = sink;
    let mut block = [0; 4096];
    while let Ok(got @ 1..) = stderr.read(&mut block) {
        log.lock().expect("nobody panics here").push_str(&String::from_utf8_lossy(&block[..got]));
        more.notify_all();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
