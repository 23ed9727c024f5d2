//! Day 7: a registry, two servers that say they are there, and a client that asks:
//! `cargo run -p rpc --example day7_registry`.

use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rpc::discovery::Random;
use rpc::registry::REGISTRY_PATH;
use rpc::{Heartbeat, Registry, RegistryDiscovery, Server, Service, Serving, XClient};
use web::{Engine, cli, log};

rpc::message! {
    /// What `Foo`'s methods take.
    #[derive(Debug, Clone)]
    pub struct Args {
        /// The first number.
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
    let listener = cli::listen("http", addr)?;
    let url = format!("http://{}{REGISTRY_PATH}", listener.local_addr()?);
    let (registry, stopper) = start_registry(listener)?;
    let servers = [start_server(&url)?, start_server(&url)?];
    // The first heartbeats are on their way; Go's demo waits a second.
    while registry.snapshot().len() < servers.len() {
        thread::sleep(Duration::from_millis(1));
    }
    rounds("call", &XClient::new(RegistryDiscovery::new(&url), Random::new()));
    rounds("broadcast", &XClient::new(RegistryDiscovery::new(&url), Random::new()));
    // The servers take themselves out before the registry goes.
    drop(servers);
    stopper.shutdown(Duration::from_secs(1));
    Ok(())
}

/// The registry, served in a thread that ends when it is stopped.
fn start_registry(listener: TcpListener) -> Outcome<(Arc<Registry>, web::Stopper)> {
    let registry = Arc::new(Registry::default());
    let mut engine = Engine::new();
    registry.mount(&mut engine)?;
    log::line(format_args!("rpc registry path: {REGISTRY_PATH}"));
    let server = web::Server::new(engine);
    let stopper = server.stopper();
    thread::spawn(move || {
        if let Err(error) = server.serve(listener) {
            log::line(format_args!("{error}"));
        }
    });
    Ok((registry, stopper))
}

/// A server on a free port, and the thread that tells the registry of it.
fn start_server(registry: &str) -> rpc::Result<(Heartbeat, Serving)> {
    let service = Service::new("Foo").method("Sum", |args: Args| Ok(args.num1 + args.num2)).method(
        "Sleep",
        |args: Args| {
            thread::sleep(Duration::from_secs(u64::try_from(args.num1).unwrap_or(0)));
            Ok(args.num1 + args.num2)
        },
    );
    let server = Server::new().register(service)?.start()?;
    let addr = server.listen("127.0.0.1:0")?;
    let address = Heartbeat::address_for(registry, addr)?;
    Ok((Heartbeat::start(registry, &address, Duration::ZERO)?, server))
}

/// The rounds of day 6: five calls at once; a broadcast goes to every server, and is followed by one
/// to `Foo.Sleep`, which sleeps for 0 to 4 seconds and has 2.
fn rounds(kind: &str, client: &XClient) {
    thread::scope(|scope| {
        for number in 0..5 {
            scope.spawn(move || {
                let args = Args { num1: number, num2: number * number };
                if kind == "call" {
                    told(kind, "Foo.Sum", &args, client.call("Foo.Sum", &args));
                    return;
                }
                told(kind, "Foo.Sum", &args, client.broadcast("Foo.Sum", &args, None));
                let within = Some(Duration::from_secs(2));
                told(kind, "Foo.Sleep", &args, client.broadcast("Foo.Sleep", &args, within));
            });
        }
    });
}

fn told(kind: &str, method: &str, args: &Args, result: rpc::Result<i64>) {
    match result {
        Ok(sum) => {
            log::line(format_args!(
                "{kind} {method} success: {} + {} = {sum}",
                args.num1, args.num2
            ));
        }
        Err(error) => log::line(format_args!("{kind} {method} error: {error}")),
    }
}
