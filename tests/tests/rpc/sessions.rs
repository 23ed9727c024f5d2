//! Sessions captured from Go programs (tests/vectors/rpc), replayed in both roles.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::thread;
use std::time::Duration;

use rpc::{Client, CodecType, Dialect, Error, Options};
use tests::root;

use crate::{Quotient, args, connect, quiet, read_exactly, start, watched};

/// One line of a captured session.
pub(crate) struct Line {
    pub(crate) kind: String,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn session(name: &str) -> Vec<Line> {
    let path = root().join("tests/vectors/rpc").join(format!("wire-{name}.jsonl"));
    let text = std::fs::read_to_string(path).unwrap();
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
    let lines = text.lines().map(|line| {
        let json = web::json::parse(line).unwrap();
        let hex = json["hex"].as_str().unwrap().as_bytes();
        let bytes = hex.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
        Line { kind: json["dir"].as_str().unwrap().to_owned(), bytes }
    });
    lines.collect()
}

/// All bytes of one direction, `C>S` or `S>C`.
pub(crate) fn direction(name: &str, kind: &str) -> Vec<u8> {
    session(name).into_iter().filter(|line| line.kind == kind).flat_map(|line| line.bytes).collect()
}

/// `gee` is GeeRPC, `rpc` Go's net/rpc; those with `http` begin with a CONNECT.
const SESSIONS: &[(&str, &[&str])] = &[
    (
        "gee",
        &["basic", "error", "nomethod", "noservice", "illformed", "badargs", "timeout", "zero"],
    ),
    ("geehttp", &["basic"]),
    ("rpc", &["basic", "error", "nomethod", "noservice", "illformed", "badargs", "zero"]),
    ("rpchttp", &["basic"]),
    ("jsonrpc", &["basic", "error", "nomethod", "noservice", "illformed", "badargs", "zero"]),
];

pub(crate) fn sessions() -> impl Iterator<Item = (&'static str, String)> {
    SESSIONS.iter().flat_map(|(dialect, names)| {
        names.iter().map(move |name| (*dialect, format!("{dialect}-{name}")))
    })
}

/// After these a Go server hangs up, and ours does not (RPC-2).
pub(crate) const OURS_LIVES: [&str; 3] = ["gee-nomethod", "gee-noservice", "gee-illformed"];

#[test]
fn our_server_answers_a_go_client_byte_for_byte() {
    watched(|| {
        let (_serving, address) = start(quiet());
        for (_, name) in sessions() {
            let mut stream = connect(&address);
            for line in session(&name) {
                match line.kind.as_str() {
                    "C>S" => stream.write_all(&line.bytes).unwrap(),
                    "S>C" => {
                        let got = read_exactly(&mut stream, line.bytes.len());
                        assert_eq!(got, line.bytes, "{name}");
                    }
                    _ => {}
                }
            }
            if OURS_LIVES.contains(&name.as_str()) {
                // The types are defined; another request is a header and arguments alone.
                stream.write_all(b"\x0e\xff\x82\x01\x07Foo.Sum\x01\x02\x00").unwrap();
                stream.write_all(b"\x07\xff\x84\x01\x06\x01\x08\x00").unwrap();
                let reply = b"\x0e\xff\x82\x01\x07Foo.Sum\x01\x02\x00\x03\x04\x00\x0e";
                assert_eq!(read_exactly(&mut stream, reply.len()), reply, "{name}");
            }
            stream.shutdown(Shutdown::Write).unwrap();
            assert_eq!(stream.read(&mut [0; 9]).unwrap(), 0, "{name}: something follows");
        }
    });
}

/// Makes the call of a session's comment; its result in the form of the comment after it.
fn call_as_told(client: &Client, told: &str) -> Result<String, String> {
    let (method, given) = told.strip_prefix("# call ").unwrap().split_once(" args=").unwrap();
    // `{Num1:3 Num2:-4}`: behind each colon.
    let number = |index: usize| {
        let word = given.split(':').nth(index).unwrap();
        word.trim_end_matches(" Num2").trim_end_matches('}').parse::<i64>().unwrap()
    };
    let result = match (method, given) {
        ("Foo.Echo", _) => {
            client.call::<String>(method, &given.to_owned()).map(|text| format!("{text:?}"))
        }
        ("Foo.Keys", _) => client
            .call::<Vec<String>>(method, &HashMap::from([("k".to_owned(), 1i64)]))
            .map(|keys| format!("{keys:?}")),
        (_, "a string") => client.call::<i64>(method, &given.to_owned()).map(|n| n.to_string()),
        ("Foo.Div", _) => client
            .call::<Quotient>(method, &args(number(1), number(2)))
            .map(|reply| format!("{{\"Quo\":{},\"Rem\":{}}}", reply.quo, reply.rem)),
        _ => client.call::<i64>(method, &args(number(1), number(2))).map(|n| n.to_string()),
    };
    result.map_err(|error: Error| error.to_string())
}

/// Plays a session's server, and asserts what its client sends.
fn play_server(listener: &TcpListener, name: &str) {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    for line in session(name) {
        match line.kind.as_str() {
            "C>S" if line.bytes.starts_with(b"{\"Magic") => {
                // Ours is padded, against RPC-1 on the other side; all else is Go's.
                let padded = read_exactly(&mut stream, 512);
                assert_eq!(padded.last(), Some(&b'}'));
                let told = padded[..511].trim_ascii_end();
                assert_eq!(told, &line.bytes[..line.bytes.len() - 2], "{name}");
            }
            "C>S" => {
                let got = read_exactly(&mut stream, line.bytes.len());
                assert_eq!(got, line.bytes, "{name}");
            }
            "S>C" => stream.write_all(&line.bytes).unwrap(),
            _ => {}
        }
    }
}

#[test]
fn our_client_asks_a_go_server_byte_for_byte() {
    watched(|| {
        for (dialect, name) in sessions() {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let kind = if dialect.ends_with("http") { "http" } else { "tcp" };
            let address = format!("{kind}@{}", listener.local_addr().unwrap());
            let server = thread::spawn({
                let name = name.clone();
                move || play_server(&listener, &name)
            });
            let dialect = match dialect {
                "gee" | "geehttp" => Dialect::Gee(CodecType::Gob),
                "rpc" | "rpchttp" => Dialect::NetRpc,
                _ => Dialect::JsonRpc,
            };
            let mut options = Options { dialect, ..Options::default() };
            if name == "gee-timeout" {
                options.handle_timeout = Duration::from_millis(500);
            }
            let client = Client::dial_with(&address, &options).unwrap();
            let mut got = None;
            for line in session(&name) {
                if line.kind.starts_with("# call") {
                    got = Some(call_as_told(&client, &line.kind));
                } else if let Some(result) = line.kind.strip_prefix("# result err=") {
                    let (error, reply) = result.rsplit_once(" reply=").unwrap();
                    match got.take().unwrap() {
                        Ok(got) => assert_eq!((got.as_str(), error), (reply, "<nil>"), "{name}"),
                        // RPC-8: Go's client took the text for a format.
                        Err(got) if got == "boom 100%s" => {}
                        Err(got) if error == "connection is shut down" => {
                            assert!(got.starts_with("the connection was"), "{name}: {got}");
                        }
                        Err(got) => assert_eq!(got, error, "{name}"),
                    }
                }
            }
            drop(client);
            server.join().unwrap();
        }
    });
}
