//! Day 4: time limits. The sums of day 3 with a deadline each; then a call whose caller gives up,
//! and one that the server gives up: `cargo run -p rpc --example day4_timeout`.

use std::thread;
use std::time::Duration;

use rpc::{Client, Options, Server, Service};
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
    let service = Service::new("Foo")
        .method("Sum", |args: Args| Ok(args.num1 + args.num2))
        .method_with("Slow", |_: Args, call| {
            // A method can see that nobody waits any more. One that does not look goes on, and
            // its result is dropped.
            for _ in 0..20 {
                if call.is_over() {
                    break;
                }
                thread::sleep(Duration::from_millis(10));
            }
            Ok(0i64)
        });
    let server = Server::new().register(service)?.start()?;
    let addr = server.listen("127.0.0.1:0")?;
    log::line(format_args!("start rpc server on {addr}"));
    let client = Client::dial(&format!("tcp@{addr}"))?;
    thread::scope(|scope| {
        for number in 0..5 {
            let client = &client;
            scope.spawn(move || {
                let args = Args { num1: number, num2: number * number };
                match client.call_timeout::<i64>("Foo.Sum", &args, Duration::from_secs(1)) {
                    Ok(sum) => log::line(format_args!("{} + {} = {sum}", args.num1, args.num2)),
                    Err(error) => log::line(format_args!("call Foo.Sum error: {error}")),
                }
            });
        }
    });
    let args = Args { num1: 1, num2: 2 };
    if let Err(error) = client.call_timeout::<i64>("Foo.Slow", &args, Duration::from_millis(50)) {
        log::line(format_args!("call Foo.Slow error: {error}"));
    }
    let options = Options { handle_timeout: Duration::from_millis(50), ..Options::default() };
    let patient = Client::dial_with(&format!("tcp@{addr}"), &options)?;
    if let Err(error) = patient.call::<i64>("Foo.Slow", &args) {
        log::line(format_args!("call Foo.Slow error: {error}"));
    }
    Ok(())
}
