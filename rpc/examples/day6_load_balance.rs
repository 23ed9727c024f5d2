//! Day 6: two servers, one client: `cargo run -p rpc --example day6_load_balance`.

use std::thread;
use std::time::Duration;

use rpc::discovery::{MultiServers, Random};
use rpc::{Server, Service, Serving, XClient};
use web::log;

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

fn main() -> rpc::Result<()> {
    web::cli::no_flags();
    let (one, two) = (start_server()?, start_server()?);
    let servers = [one.1, two.1];
    rounds("call", &XClient::new(MultiServers::new(servers.clone()), Random::new()));
    rounds("broadcast", &XClient::new(MultiServers::new(servers), Random::new()));
    Ok(())
}

/// A server on a free port, and its address.
fn start_server() -> rpc::Result<(Serving, String)> {
    let service = Service::new("Foo").method("Sum", |args: Args| Ok(args.num1 + args.num2)).method(
        "Sleep",
        |args: Args| {
            thread::sleep(Duration::from_secs(u64::try_from(args.num1).unwrap_or(0)));
            Ok(args.num1 + args.num2)
        },
    );
    let server = Server::new().register(service)?.start()?;
    let addr = server.listen("127.0.0.1:0")?;
    Ok((server, format!("tcp@{addr}")))
}

/// Five calls at once; a broadcast goes to every server, and is followed by one to `Foo.Sleep`,
/// which sleeps for 0 to 4 seconds and has 2.
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
