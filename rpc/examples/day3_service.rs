//! Day 3: a service of typed functions: `cargo run -p rpc --example day3_service`.

use std::thread;

use rpc::{Client, Server, Service};
use web::log;

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

fn main() -> rpc::Result<()> {
    web::cli::no_flags();
    let service = Service::new("Foo").method("Sum", |args: Args| Ok(args.num1 + args.num2));
    let server = Server::new().register(service)?.start()?;
    let addr = server.listen("127.0.0.1:0")?;
    log::line(format_args!("start rpc server on {addr}"));
    let client = Client::dial(&format!("tcp@{addr}"))?;
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
