//! Calls any GeeRPC or Go net/rpc server from the command line.
//!
//! ```text
//! call tcp@127.0.0.1:9999 Foo.Sum '{"Num1":3,"Num2":4}'
//! call --dialect netrpc --timeout 500 http@127.0.0.1:1234 Arith.Multiply '{"A":7,"B":8}'
//! printf 'Foo.Sum {"Num1":1,"Num2":2}\nEcho.Text "hi"\n' | call --callers 4 tcp@127.0.0.1:9999 -
//! ```
//!
//! The reply is printed as one line of JSON; an error goes to stderr, and the exit code is then 1.

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{env, io, thread};

use rpc::beyond::dynamic::Dynamic;
use rpc::{Client, CodecType, Dialect, Error, Options};

const USAGE: &str = "usage: call [--dialect geerpc|netrpc|jsonrpc] [--timeout MS] [--callers N] \
ADDR (SERVICE.METHOD JSON | -)
  ADDR is tcp@HOST:PORT, http@HOST:PORT or unix@PATH; with - calls are read from stdin, a line each";

/// What the command line asks for.
struct Asked {
    options: Options,
    timeout: Option<Duration>,
    callers: usize,
    rest: Vec<String>,
}

fn main() -> ExitCode {
    let Some(asked) = read_flags(env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let result = match asked.rest.as_slice() {
        [addr, dash] if dash == "-" => many(&asked, addr),
        [addr, method, json] => Client::dial_with(addr, &asked.options).and_then(|client| {
            println!("{}", call(&client, &asked, method, json)?);
            Ok(ExitCode::SUCCESS)
        }),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}

fn read_flags(mut args: impl Iterator<Item = String>) -> Option<Asked> {
    let mut asked =
        Asked { options: Options::default(), timeout: None, callers: 1, rest: Vec::new() };
    while let Some(arg) = args.next() {
        let (flag, given) = match arg.split_once('=').filter(|_| arg.starts_with("--")) {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (&*arg, None),
        };
        let mut value = || given.clone().or_else(|| args.next());
        match flag {
            "--dialect" => {
                asked.options.dialect = match value()?.as_str() {
                    "geerpc" => Dialect::Gee(CodecType::Gob),
                    "netrpc" => Dialect::NetRpc,
                    "jsonrpc" => Dialect::JsonRpc,
                    _ => return None,
                };
            }
            "--timeout" => {
                let limit = Duration::from_millis(value()?.parse().ok()?);
                asked.timeout = Some(limit);
                asked.options.connect_timeout = limit;
            }
            "--callers" => asked.callers = value()?.parse().ok().filter(|&count| count > 0)?,
            flag if flag.starts_with("--") => return None,
            _ => asked.rest.push(arg),
        }
    }
    Some(asked)
}

/// Makes one call; the reply as a line of JSON.
fn call(client: &Client, asked: &Asked, method: &str, json: &str) -> Result<String, Error> {
    let args: Dynamic = json.parse()?;
    let reply: Dynamic = match asked.timeout {
        Some(within) => client.call_timeout(method, &args, within)?,
        None => client.call(method, &args)?,
    };
    Ok(reply.text().to_owned())
}

/// Makes the calls on stdin over one connection, and prints the replies in their order.
fn many(asked: &Asked, addr: &str) -> Result<ExitCode, Error> {
    let client = Client::dial_with(addr, &asked.options)?;
    let lines: Vec<String> = io::stdin().lock().lines().map_while(Result::ok).collect();
    let lines: Vec<&String> = lines.iter().filter(|line| !line.trim().is_empty()).collect();
    let (next, replies) = (AtomicUsize::new(0), Mutex::new(vec![None; lines.len()]));
    thread::scope(|scope| {
        for _ in 0..asked.callers {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(line) = lines.get(index) else { return };
                    let (method, json) =
                        line.trim().split_once(' ').unwrap_or((line.trim(), "null"));
                    let reply = call(&client, asked, method, json.trim());
                    if let Ok(mut replies) = replies.lock() {
                        replies[index] = Some(reply);
                    }
                }
            });
        }
    });
    let mut code = ExitCode::SUCCESS;
    let mut out = io::stdout().lock();
    for reply in replies.into_inner().unwrap_or_default().into_iter().flatten() {
        let line = reply.unwrap_or_else(|error| {
            code = ExitCode::FAILURE;
            format!("error: {error}")
        });
        // A reader that is gone does not want the rest.
        if writeln!(out, "{line}").is_err() {
            break;
        }
    }
    Ok(code)
}
