//! Another program, run to its end: its last line for those who watch, its error for those who
//! have to act.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// The program that is running now, if any; another thread may end it.
#[derive(Debug, Default)]
pub struct Running {
    slot: Mutex<Slot>,
}

/// Guarded by [`Running::slot`].
#[derive(Debug, Default)]
struct Slot {
    child: Option<Child>,
    /// No other may be started.
    stopped: bool,
}

/// Longer lines of a program's output are cut.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// So many lines of output are kept, to find the error in.
const LINES_MAX: usize = 400;

impl Running {
    /// Runs a program in `dir`, hands each line of its stderr to `heard`, and returns its stdout.
    ///
    /// # Errors
    /// One line that says why there is no success: the program is not there, its own first line
    /// that begins with `error`, or else its last one.
    pub fn run(
        &self,
        dir: &Path,
        program: &str,
        args: &[&str],
        mut heard: impl FnMut(&str),
    ) -> Result<String, String> {
        let mut command = Command::new(program);
        command.args(args).current_dir(dir).stdin(Stdio::null());
        // With it some programs end their error with a stack, in which no cause can be found.
        command.env_remove("RUST_BACKTRACE");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let (stdout, stderr) = {
            let mut slot = self.lock();
            if slot.stopped {
                return Err("interrupted".to_owned());
            }
            let mut child = command.spawn().map_err(|error| not_started(program, &error))?;
            let pipes = (child.stdout.take(), child.stderr.take());
            slot.child = Some(child);
            pipes
        };
        // Reads until the program has closed its stdout; joined below. Were there only one
        // reader, a program that fills the other pipe would wait for ever.
        let stdout = thread::spawn(move || {
            let mut text = String::new();
            let read = stdout.map(|out| out.take(LINE_BYTES_MAX).read_to_string(&mut text));
            read.transpose().map(|_| text)
        });
        let mut lines: Vec<String> = Vec::new();
        if let Some(stderr) = stderr {
            let mut reader = BufReader::new(stderr);
            while let Some(line) = next_line(&mut reader) {
                heard(line.trim());
                if lines.len() < LINES_MAX {
                    lines.push(line);
                }
            }
        }
        let stdout = stdout.join().ok().and_then(Result::ok).unwrap_or_default();
        let Some(mut child) = self.lock().child.take() else {
            return Err("interrupted".to_owned());
        };
        match child.wait() {
            Ok(status) if status.success() => Ok(stdout),
            Ok(status) => Err(reason(&lines).unwrap_or_else(|| format!("{program}: {status}"))),
            Err(error) => Err(format!("{program}: {error}")),
        }
    }

    /// Ends the running program, and lets none be started from now on.
    pub fn stop(&self) {
        let mut slot = self.lock();
        slot.stopped = true;
        if let Some(mut child) = slot.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One line, cut at its limit; `None` at the end.
fn next_line(reader: &mut impl BufRead) -> Option<String> {
    let mut bytes = Vec::new();
    let read = reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes).ok()?;
    (read > 0).then(|| String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

fn not_started(program: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("the program `{program}` is not there"),
        _ => format!("`{program}` cannot be started: {error}"),
    }
}

/// The line of the output that says most: cargo's and rustc's begin with `error`, and what caused
/// one stands indented at the end.
fn reason(lines: &[String]) -> Option<String> {
    let error = lines.iter().find(|line| line.starts_with("error"));
    let last = lines.iter().rev().find(|line| !line.trim().is_empty())?;
    let error = error.unwrap_or(last);
    let cause = Some(last).filter(|last| last.starts_with(' ') && *last != error);
    let error = error.strip_prefix("error: ").unwrap_or(error);
    Some(match cause {
        Some(cause) => format!("{error} ({})", cause.trim()),
        None => error.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_error_and_its_last_cause() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        const CASES: &[(&str, Option<&str>)] = &[
            ("", None),
            ("warning: a\nlast words\n\n", Some("last words")),
            ("error: no target\n  |\nhelp: x", Some("no target")),
            (
                "error: failed to get `a`\n\nCaused by:\n  offline\n\nCaused by:\n  no such host",
                Some("failed to get `a` (no such host)"),
            ),
        ];
        for (text, want) in CASES {
            assert_eq!(reason(&lines(text)).as_deref(), *want);
        }
    }

    #[test]
    fn a_program_is_heard_and_its_failure_is_told() {
        let running = Running::default();
        let here = Path::new(".");
        let mut heard = Vec::new();
        let version =
            running.run(here, "rustc", &["--version"], |line| heard.push(line.to_owned()));
        assert!(version.unwrap().starts_with("rustc "));
        let error = running.run(here, "rustc", &["no such file.rs"], |l| heard.push(l.to_owned()));
        let error = error.unwrap_err();
        assert!(error.starts_with("couldn't read"), "{error}");
        assert!(heard.contains(&format!("error: {error}")), "{heard:?}");
        let error = running.run(here, "no-such-program", &[], |_| {}).unwrap_err();
        assert_eq!(error, "the program `no-such-program` is not there");
        running.stop();
        let error = running.run(here, "rustc", &["--version"], |_| {}).unwrap_err();
        assert_eq!(error, "interrupted");
    }
}
