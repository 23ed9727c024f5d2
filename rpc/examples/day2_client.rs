//! Day 2: many callers on one connection. The server is that of day 1; the client is real:
//! `cargo run -p rpc --example day2_client`.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::thread;

use rpc::codec::Side;
use rpc::gob::MESSAGE_BYTES_MAX;
use rpc::{Client, Dialect, Header, Input};
use web::log;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Outcome<()> {
    web::cli::no_flags();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let addr = listener.local_addr()?;
    log::line(format_args!("start rpc server on {addr}"));
    let server = thread::spawn(move || -> Outcome<()> { serve(&listener.accept()?.0) });
    let client = Client::dial(&format!("tcp@{addr}"))?;
    thread::scope(|scope| {
        for number in 0..5 {
            let client = &client;
            scope.spawn(move || {
                let args = format!("geerpc req {number}");
                match client.call::<String>("Foo.Sum", &args) {
                    Ok(reply) => log::line(format_args!("reply: {reply}")),
                    Err(error) => log::line(format_args!("call Foo.Sum error: {error}")),
                }
            });
        }
    });
    client.close()?;
    server.join().map_err(|_| "the server panicked")??;
    Ok(())
}

/// Answers every request with its number.
fn serve(stream: &TcpStream) -> Outcome<()> {
    let mut input = Input::new(stream.try_clone()?, Vec::new());
    while !input.here().contains(&b'}') {
        let here = input.here().len();
        if !input.want(here + 1)? {
            return Err("the option is cut short".into());
        }
    }
    let end = input.here().iter().position(|&byte| byte == b'}').unwrap_or(0);
    input.skip(end + 1);
    let (mut reader, mut writer) = Dialect::default().open(Side::Server, input, MESSAGE_BYTES_MAX);
    let (mut header, mut body, mut out) = (Header::default(), String::new(), Vec::new());
    while reader.header(&mut header)? {
        reader.body(&mut body)??;
        let Header { method, seq, error } = &header;
        log::line(format_args!("&{{{method} {seq} {error}}} {body}"));
        out.clear();
        writer.message(&header, &format!("geerpc resp {seq}"), &mut out)?;
        (&mut &*stream).write_all(&out)?;
    }
    Ok(())
}
