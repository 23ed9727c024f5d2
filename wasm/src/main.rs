//! `cargo run`: serves the playground until it is interrupted.

use std::process::{Command, ExitCode};

use wasm::builder::Places;
use wasm::demos::Demos;
use wasm::flags::{Flags, USAGE};
use wasm::pages;
use web::Server;
use web::cli;

fn main() -> ExitCode {
    let Some(flags) = Flags::parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    cli::ended(run(&flags))
}

fn run(flags: &Flags) -> web::Result<()> {
    let demos = Demos::new(Places::of_repository(), flags.demos);
    // First, so that with a bad address nothing is started.
    let listener = cli::listen("http", &flags.addr)?;
    let engine = pages::engine(&demos)?;
    if let (true, Ok(addr)) = (flags.open, listener.local_addr()) {
        open_browser(&format!("http://{addr}/"));
    }
    // Serving ends with the program; until then the builder must not be dropped.
    let _builder = demos.build();
    Server::new(engine).serve(listener)
}

/// Asks the desktop to show a page. The program that does it ends by itself; if there is none,
/// the address on stdout is all one needs.
fn open_browser(url: &str) {
    let (program, args): (&str, &[&str]) = match std::env::consts::OS {
        "macos" => ("open", &[]),
        "windows" => ("cmd", &["/c", "start", ""]),
        _ => ("xdg-open", &[]),
    };
    if let Err(error) = Command::new(program).args(args).arg(url).spawn() {
        eprintln!("{program} cannot be started ({error}); open {url} yourself");
    }
}
