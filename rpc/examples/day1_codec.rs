//! Day 1: header and body through a codec. A server that takes every body for a text, and a
//! client written by hand, in one process: `cargo run -p rpc --example day1_codec`.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use rpc::codec::Side;
use rpc::gob::MESSAGE_BYTES_MAX;
use rpc::handshake::Opening;
use rpc::{CodecType, Dialect, Header, Input};
use web::log;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Outcome<()> {
    web::cli::no_flags();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let addr = listener.local_addr()?;
    log::line(format_args!("start rpc server on {addr}"));
    let server = thread::spawn(move || -> Outcome<()> { serve(&listener.accept()?.0) });
    client(&TcpStream::connect(addr)?)?;
    // The client has hung up, so the server ends.
    server.join().map_err(|_| "the server panicked")??;
    Ok(())
}

/// Answers every request with its number.
fn serve(stream: &TcpStream) -> Outcome<()> {
    let mut input = Input::new(stream.try_clone()?, Vec::new());
    // The option ends with its brace. What has been read behind it stays in the input, and goes
    // on to the codec with it: in the Go tutorial it was lost, and this demo hung now and then.
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

/// Sends the option and five requests, and reads each reply.
fn client(stream: &TcpStream) -> Outcome<()> {
    let opening = Opening::new(CodecType::Gob, Duration::from_secs(10), Duration::ZERO);
    let input = Input::new(stream.try_clone()?, Vec::new());
    let (mut reader, mut writer) = Dialect::default().open(Side::Client, input, MESSAGE_BYTES_MAX);
    let mut out = opening.to_bytes()?;
    for seq in 0..5 {
        let mut header = Header { method: "Foo.Sum".to_owned(), seq, error: String::new() };
        writer.message(&header, &format!("geerpc req {seq}"), &mut out)?;
        (&mut &*stream).write_all(&out)?;
        out.clear();
        let mut reply = String::new();
        reader.header(&mut header)?;
        reader.body(&mut reply)??;
        log::line(format_args!("reply: {reply}"));
    }
    Ok(())
}
