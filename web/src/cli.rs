//! What every example that serves does (day 1): one flag, one line, honest exit codes.
//!
//! `--addr HOST:PORT` says where to listen; port 0 picks a free one. Once connections are
//! accepted, `listening on http://HOST:PORT` is printed on stdout, so that a script or a test
//! knows where and when. A bad flag prints the usage and exits 2; an address that cannot be
//! listened on prints the reason and exits 1. (Go's demos drop that error and exit 0, WEB-18.)

use std::io::Write;
use std::net::TcpListener;
use std::process::ExitCode;

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
    let addr = match addr_flag(std::env::args().skip(1), default_addr) {
        Ok(addr) => addr,
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::from(2);
        }
    };
    let outcome = server.and_then(|server| server.serve(listen("http", &addr)?));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
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

/// The value of `--addr`, or the usage.
fn addr_flag(
    mut args: impl Iterator<Item = String>,
    default: &str,
) -> std::result::Result<String, String> {
    let mut addr = default.to_owned();
    while let Some(arg) = args.next() {
        let value = match arg.split_once('=') {
            Some(("--addr", value)) => Some(value.to_owned()),
            None if arg == "--addr" => args.next(),
            _ => None,
        };
        addr = value.ok_or_else(|| format!("usage: [--addr HOST:PORT]    (default {default})"))?;
    }
    Ok(addr)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_a_flag_and_anything_else_is_the_usage() {
        let flag = |args: &[&str]| addr_flag(args.iter().map(|a| (*a).to_owned()), "a:1");
        assert_eq!(flag(&[]).unwrap(), "a:1");
        assert_eq!(flag(&["--addr", "b:2"]).unwrap(), "b:2");
        assert_eq!(flag(&["--addr=b:2"]).unwrap(), "b:2");
        for bad in [&["--addr"][..], &["--port", "1"], &["x"], &["--addr", "b:2", "x"]] {
            assert_eq!(flag(bad).unwrap_err(), "usage: [--addr HOST:PORT]    (default a:1)");
        }
    }
}
