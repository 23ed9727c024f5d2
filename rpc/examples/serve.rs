//! A server to try things on: every dialect, recognised from the first bytes.
//!
//! `cargo run -p rpc --example serve -- [--addr HOST:PORT] [--unix PATH]`

use std::collections::HashMap;
use std::io::Write;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use rpc::{Server, Service, Serving};
use web::cli::{self, Flags};

rpc::message! {
    /// What `Foo`'s methods take.
    #[derive(Debug, Clone)]
    pub struct Args {
        /// The first number.
        pub num1: i64,
        /// The second.
        pub num2: i64,
    }

    /// A point.
    #[derive(Debug, Clone)]
    pub struct Point {
        /// To the right.
        pub x: f64,
        /// Upwards.
        pub y: f64,
    }

    /// One field of every kind. What may be nil in Go is an `Option`, so that it comes back as it
    /// went.
    #[derive(Debug, Clone)]
    pub struct Record {
        name: String,
        score: f64,
        f32: f32,
        delta: i64,
        small: i8,
        count: u64,
        ok: bool,
        data: Option<Vec<u8>>,
        tags: Option<Vec<String>>,
        points: Option<Vec<Point>>,
        grid: [i64; 3],
        table: Option<HashMap<String, i64>>,
        codes: Option<HashMap<i64, String>>,
        inner: Point,
        maybe: Option<Point>,
        empty: (),
    }
}

fn main() -> ExitCode {
    let flags = Flags::read("[--addr HOST:PORT] [--unix PATH]    (default 127.0.0.1:9999)");
    let addr = flags.get("--addr").unwrap_or("127.0.0.1:9999");
    let started = start(addr, flags.get("--unix"));
    while started.is_ok() {
        // std cannot catch Ctrl-C: it ends the process, and the kernel closes the sockets.
        thread::park();
    }
    cli::ended(started.map(drop))
}

fn start(addr: &str, unix: Option<&str>) -> rpc::Result<Serving> {
    let service = Service::new("Foo")
        .method("Sum", |args: Args| Ok(args.num1 + args.num2))
        .method_with("Sleep", |args: Args, call| {
            let long = Duration::from_secs(u64::try_from(args.num1).unwrap_or(0));
            // In steps, so that a call whose time is over does not keep its thread.
            let until = std::time::Instant::now() + long;
            while std::time::Instant::now() < until && !call.is_over() {
                let left = until.saturating_duration_since(std::time::Instant::now());
                thread::sleep(left.min(Duration::from_millis(50)));
            }
            Ok(args.num1 + args.num2)
        })
        .method("Fail", |_: Args| -> rpc::Reply<i64> { Err("boom 100%s".into()) });
    let echo = Service::new("Echo")
        .method("Text", |text: String| Ok(text))
        .method("Bytes", |bytes: Vec<u8>| Ok(bytes))
        .method("Nothing", |nothing: ()| Ok(nothing))
        .method("Record", |record: Record| Ok(record));
    let serving = Server::new().register(service)?.register(echo)?.start()?;
    println!("listening on tcp://{}", serving.listen(addr)?);
    #[cfg(unix)]
    if let Some(path) = unix {
        serving.listen_unix(path.as_ref())?;
        println!("listening on unix://{path}");
    }
    #[cfg(not(unix))]
    let _ = unix;
    let _ = std::io::stdout().flush();
    Ok(serving)
}
