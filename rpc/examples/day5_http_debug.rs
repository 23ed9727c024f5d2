//! Day 5: calls through an HTTP server, and a page that counts them:
//! `cargo run -p rpc --example day5_http_debug`, then open <http://127.0.0.1:9999/debug/geerpc>.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use rpc::{Client, Server, Service};
use web::{Engine, cli, log};

rpc::message! {
    /// What `Foo.Sum` takes.
    #[derive(Debug, Clone)]
    pub struct Args {
        /// The first summand.
        pub num1: i64,
        /// The second.
        pub num2: i64,
    }
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    cli::ended(run(&cli::addr("127.0.0.1:9999")))
}

fn run(addr: &str) -> Outcome<()> {
    let service = Service::new("Foo").method("Sum", |args: Args| Ok(args.num1 + args.num2));
    let serving = Arc::new(Server::new().register(service)?.start()?);
    let mut engine = Engine::new();
    rpc::http::mount(&mut engine, &serving)?;
    let listener = cli::listen("http", addr)?;
    let addr = listener.local_addr()?;
    log::line(format_args!("rpc server debug path: {}", rpc::http::DEBUG_PATH));
    // Ends with its five calls; the server goes on, for the page.
    thread::spawn(move || {
        if let Err(error) = call(addr) {
            log::line(format_args!("{error}"));
        }
    });
    web::Server::new(engine).serve(listener)?;
    Ok(())
}

fn call(addr: SocketAddr) -> rpc::Result<()> {
    let client = Client::dial(&format!("http@{addr}"))?;
    thread::scope(|scope| {
        for number in 0..5 {
            let client = &client;
            scope.spawn(move || {
                let args = Args { num1: number, num2: number * number };
                match client.call::<i64>("Foo.Sum", &args) {
                    Ok(sum) => log::line(format_args!("{} + {} = {sum}", args.num1, args.num2)),
                    Err(error) => log::line(format_args!("call Foo.Sum error: {error}")),
                }
            });
        }
    });
    Ok(())
}
