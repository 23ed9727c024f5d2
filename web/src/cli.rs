//! What the examples share (day 1): flags, one line on stdout, honest exit codes.
//!
//! A flag is `--name VALUE` or `--name=VALUE`. A bad one prints what is wrong and the usage, and
//! exits 2. Every example that serves has `--addr HOST:PORT`; port 0 picks a free one. Once
//! connections are accepted, `listening on http://HOST:PORT` is printed on stdout, so that a script
//! or a test knows where and when. An address that cannot be listened on prints the reason and
//! exits 1. (Go's demos drop that error and exit 0, WEB-18.)

use std::fmt::Display;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{ExitCode, exit};

use crate::{Engine, Error, Result, Server};

/// Something that serves a listener until it is stopped: an [`Engine`] or a bare [`Server`].
pub trait Serve {
    /// Serves until stopped.
    ///
    /// # Errors
    /// As for [`Server::serve`].
    fn serve(self, listener: TcpListener) -> Result<()>;
}

impl Serve for Engine {
    fn serve(self, listener: TcpListener) -> Result<()> {
        Engine::serve(self, listener)
    }
}

impl Serve for Server {
    fn serve(self, listener: TcpListener) -> Result<()> {
        Server::serve(self, listener)
    }
}

/// The `main` of an example: reads the flags, then serves for ever.
pub fn serve(default_addr: &str, server: Result<impl Serve>) -> ExitCode {
    let addr = addr(default_addr);
    ended(server.and_then(|server| server.serve(listen("http", &addr)?)))
}

/// The value of `--addr`, of a program that has no other flag.
#[must_use]
pub fn addr(default: &str) -> String {
    let flags = Flags::read(&format!("[--addr HOST:PORT]    (default {default})"));
    flags.get("--addr").unwrap_or(default).to_owned()
}

/// Ends a program that takes no flags, if it was given some.
pub fn no_flags() {
    let _ = Flags::read("");
}

/// Binds an address and says so on stdout: `listening on SCHEME://HOST:PORT`.
///
/// # Errors
/// [`Error::Io`] if the address is malformed, in use, or not ours.
pub fn listen(scheme: &str, addr: &str) -> Result<TcpListener> {
    let listener = crate::server::bind(addr)?;
    let bound = listener.local_addr().map_err(|error| Error::io("ask for the address", error))?;
    println!("listening on {scheme}://{bound}");
    let _ = std::io::stdout().flush();
    Ok(listener)
}

/// The exit code of what a program did; an error is printed on stderr.
pub fn ended<E: Display>(outcome: std::result::Result<(), E>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The flags that a program was given.
#[derive(Debug)]
pub struct Flags {
    usage: String,
    values: Vec<(String, String)>,
}

impl Flags {
    /// Reads the command line. `usage` lists the flags there are, without the program's name:
    /// `[--addr HOST:PORT] [--unix PATH]`. One that is not in it ends the program.
    #[must_use]
    pub fn read(usage: &str) -> Flags {
        let mut args = std::env::args();
        let program = args.next().unwrap_or_default();
        let program = Path::new(&program).file_stem().unwrap_or_default().to_string_lossy();
        let (usage, read) = (format!("usage: {program} {usage}"), parse(args, usage));
        match read {
            Ok(values) => Flags { usage, values },
            Err(message) => Flags { usage, values: Vec::new() }.fail(&message),
        }
    }

    /// The value of a flag; of one that was given twice, the last.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().rfind(|(given, _)| given == name).map(|(_, value)| &**value)
    }

    /// Says what is wrong, prints the usage, and ends the program with status 2.
    pub fn fail(&self, message: &str) -> ! {
        eprintln!("{message}\n{}", self.usage.trim_end());
        exit(2)
    }
}

/// Names and values, or what is wrong with one.
fn parse(
    mut args: impl Iterator<Item = String>,
    usage: &str,
) -> std::result::Result<Vec<(String, String)>, String> {
    let mut values = Vec::new();
    while let Some(arg) = args.next() {
        let (name, value) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (&*arg, None),
        };
        if !name.starts_with("--") || !usage.split([' ', '[', ']']).any(|word| word == name) {
            return Err(format!("unknown flag {name}"));
        }
        let value = value.or_else(|| args.next()).ok_or_else(|| format!("{name} needs a value"))?;
        values.push((name.to_owned(), value));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_those_of_the_usage() {
        let read = |args: &[&str]| {
            let args = args.iter().map(|arg| (*arg).to_owned());
            let usage = "[--addr HOST:PORT] [--port PORT --peers URL,URL,...]";
            let given = |(name, value): &(String, String)| format!("{name} {value}");
            parse(args, usage).map(|values| values.iter().map(given).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(read(&[]).unwrap(), "");
        assert_eq!(read(&["--addr", "b:2", "--port=1"]).unwrap(), "--addr b:2 --port 1");
        assert_eq!(read(&["--peers", "--addr"]).unwrap(), "--peers --addr");
        for (bad, why) in [
            (&["--addr"][..], "--addr needs a value"),
            (&["--address", "b:2"], "unknown flag --address"),
            (&["x"], "unknown flag x"),
            (&["HOST:PORT", "x"], "unknown flag HOST:PORT"),
            (&["--addr", "b:2", ""], "unknown flag "),
        ] {
            assert_eq!(read(bad).unwrap_err(), why);
        }
    }
}
