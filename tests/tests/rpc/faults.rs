//! Bad input and faults: cut streams, slow peers, dead peers, lies about lengths.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rpc::{Client, Dialect, Error, Limits, Options};
use tests::full;

use crate::sessions::{OURS_LIVES, direction, session, sessions};
use crate::{args, connect, quiet, read_exactly, start, watched};

#[test]
fn a_session_may_be_cut_at_every_byte() {
    watched(|| {
        let (_serving, address) = start(quiet());
        for (_, name) in sessions().filter(|(_, name)| full() || name.ends_with("basic")) {
            let (sent, whole) = (direction(&name, "C>S"), direction(&name, "S>C"));
            for cut in 0..=sent.len() {
                let mut stream = connect(&address);
                stream.write_all(&sent[..cut]).unwrap();
                stream.shutdown(Shutdown::Write).unwrap();
                let mut got = Vec::new();
                stream.read_to_end(&mut got).unwrap();
                // What was whole is answered, and nothing else but the reason to hang up.
                if cut == sent.len() && !OURS_LIVES.contains(&name.as_str()) {
                    assert_eq!(got.len(), whole.len(), "{name}");
                } else {
                    assert!(got.len() < whole.len() + 100, "{name} cut at {cut}");
                }
            }
        }
    });
}

#[test]
fn a_session_may_come_byte_by_byte() {
    watched(|| {
        let (_serving, address) = start(quiet());
        for (_, name) in sessions() {
            let mut stream = connect(&address);
            stream.set_nodelay(true).unwrap();
            for line in session(&name) {
                match line.kind.as_str() {
                    "C>S" => {
                        line.bytes.iter().for_each(|byte| stream.write_all(&[*byte]).unwrap());
                    }
                    "S>C" => {
                        let got = read_exactly(&mut stream, line.bytes.len());
                        assert_eq!(got, line.bytes, "{name}");
                    }
                    _ => {}
                }
            }
        }
    });
}

#[test]
fn a_client_survives_a_reply_cut_at_every_byte() {
    watched(|| {
        let reply = session("rpc-basic").into_iter().find(|line| line.kind == "S>C").unwrap().bytes;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("tcp@{}", listener.local_addr().unwrap());
        let options = Options { dialect: Dialect::NetRpc, ..Options::default() };
        for cut in 0..=reply.len() {
            let client = Client::dial_with(&address, &options).unwrap();
            let (mut stream, _) = listener.accept().unwrap();
            let handle = client.go::<i64>("Foo.Sum", &args(3, 4)).unwrap();
            read_exactly(&mut stream, 106);
            stream.write_all(&reply[..cut]).unwrap();
            drop(stream);
            match handle.wait() {
                Ok(sum) => assert_eq!((sum, cut), (7, reply.len())),
                Err(error) => assert!(error.is_connection_lost(), "{cut}: {error}"),
            }
        }
    });
}

/// What the server says when it gets `bytes`; it must hang up by itself.
fn hangs_up(address: &str, bytes: &[u8]) -> String {
    let mut stream = connect(address);
    stream.write_all(bytes).unwrap();
    let mut got = Vec::new();
    // A reset is a way of hanging up.
    if let Err(error) = stream.read_to_end(&mut got) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{bytes:?}");
    }
    String::from_utf8_lossy(&got).into_owned()
}

#[test]
fn lengths_ids_and_garbage_are_refused_and_others_live() {
    watched(|| {
        let (_serving, address) = start(quiet());
        let client = Client::dial(&address).unwrap();
        let option = &b"{\"MagicNumber\":3927900,\"CodecType\":\"application/gob\"}\n"[..];
        let said = hangs_up(&address, &[option, b"\xfc\x7f\xff\xff\xff"].concat());
        assert!(said.contains("invalid message length"), "{said}");
        for bad in [
            &b"\xf8\xff\xff\xff\xff\xff\xff\xff\xff"[..],
            b"\x07\xff\x84\x01\x02\x01\x04\x00",
            b"\xf7garbage",
            b"\x05\xff\x81\x03\x01\x09",
            b"{\"method\":5}",
            b"{\"method\":]}",
            b"CONNECT /nope HTTP/1.0\n\n",
        ] {
            hangs_up(&address, bad);
        }
        assert_eq!(client.call::<i64>("Foo.Sum", &args(3, 4)).unwrap(), 7);
    });
}

#[test]
fn a_refused_opening_is_told_why() {
    // RPC-11.
    watched(|| {
        let (_serving, address) = start(quiet());
        for (option, why) in [
            ("{\"MagicNumber\":1,\"CodecType\":\"application/gob\"}", "invalid magic number 1"),
            ("{\"MagicNumber\":3927900,\"CodecType\":\"x\"}", "invalid codec type x"),
            ("{\"MagicNumber\":\"x\"}", "options error"),
        ] {
            let said = hangs_up(&address, option.as_bytes());
            assert!(said.contains(why), "{said:?}");
        }
        // Our client hands the reason to whoever called.
        let (_picky, address) = start(quiet().only(Dialect::NetRpc));
        let client = Client::dial(&address).unwrap();
        let error = client.call::<i64>("Foo.Sum", &args(3, 4)).unwrap_err();
        assert!(error.to_string().contains("speaks NetRpc only"), "{error}");
    });
}

#[test]
fn the_first_request_may_come_with_the_option() {
    // RPC-1: 400 connections, option and request in one write.
    watched(|| {
        let (_serving, address) = start(quiet());
        let mut sent = session("gee-basic").into_iter().filter(|line| line.kind == "C>S");
        let both = [sent.next().unwrap().bytes, sent.next().unwrap().bytes].concat();
        for _ in 0..400 {
            let mut stream = connect(&address);
            stream.write_all(&both).unwrap();
            read_exactly(&mut stream, 76);
        }
    });
}

#[test]
fn a_message_larger_than_the_limit_ends_its_connection_only() {
    watched(|| {
        let limits = Limits { message_bytes_max: 10_000, ..Limits::default() };
        let (_serving, address) = start(quiet().limits(limits));
        let (small, large) = (Client::dial(&address).unwrap(), Client::dial(&address).unwrap());
        let error = large.call::<String>("Foo.Echo", &"x".repeat(20_000)).unwrap_err();
        assert!(error.is_connection_lost(), "{error}");
        assert_eq!(small.call::<String>("Foo.Echo", &"x".repeat(9_000)).unwrap().len(), 9_000);
    });
}

#[test]
fn what_does_not_come_ends_the_connection_in_time() {
    watched(|| {
        let limits = Limits { message_timeout: Duration::from_millis(200), ..Limits::default() };
        let (_serving, address) = start(quiet().limits(limits));
        let client = Client::dial(&address).unwrap();
        assert_eq!(client.call::<i64>("Foo.Sum", &args(3, 4)).unwrap(), 7);
        let first = session("rpc-basic").into_iter().find(|line| line.kind == "C>S").unwrap().bytes;
        // Nothing; a byte; half a definition; a header without its body; half a body.
        for part in [0, 1, 30, 61, 100] {
            let mut stream = connect(&address);
            stream.write_all(&first[..part]).unwrap();
            let mut got = Vec::new();
            let _ = stream.read_to_end(&mut got);
            assert!(got.is_empty(), "{part}");
        }
        // Meanwhile another rested: between requests a client may, for as long as it likes.
        assert_eq!(client.call::<i64>("Foo.Sum", &args(3, 5)).unwrap(), 8);
    });
}

#[test]
fn a_peer_that_never_reads_holds_up_nobody() {
    watched(|| {
        let limits = Limits { message_timeout: Duration::from_millis(300), ..Limits::default() };
        let (serving, address) = start(quiet().limits(limits));
        // A client that sends and sends, and reads nothing: until the server hangs up.
        let mut deaf = connect(&address);
        let text = "x".repeat(60_000);
        let line = format!("{{\"method\":\"Foo.Echo\",\"params\":[\"{text}\"],\"id\":1}}\n");
        while deaf.write_all(line.as_bytes()).is_ok() {}
        let client = Client::dial(&address).unwrap();
        assert_eq!(client.call::<i64>("Foo.Sum", &args(3, 4)).unwrap(), 7);
        drop((client, deaf));
        serving.shutdown(Duration::from_secs(5)).unwrap();
    });
}

#[test]
fn a_deadline_covers_sending() {
    // RPC-9: the server accepts and never reads; the arguments are larger than every buffer.
    watched(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::dial(&format!("tcp@{}", listener.local_addr().unwrap())).unwrap();
        let (_stream, _) = listener.accept().unwrap();
        let (big, within) = ("x".repeat(16 << 20), Duration::from_millis(300));
        let began = Instant::now();
        let error = client.call_timeout::<String>("Foo.Echo", &big, within).unwrap_err();
        assert!(matches!(error, Error::Timeout), "{error}");
        // Those behind it time out as well, in time.
        let error = client.call_timeout::<i64>("Foo.Sum", &args(1, 2), within).unwrap_err();
        assert!(matches!(error, Error::Timeout), "{error}");
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        // Closing ends the thread that was left with the write.
        client.close().unwrap();
    });
}

#[test]
fn what_a_late_caller_left_is_sent_all_the_same() {
    watched(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let options = Options { dialect: Dialect::JsonRpc, ..Options::default() };
        let address = format!("tcp@{}", listener.local_addr().unwrap());
        let client = Client::dial_with(&address, &options).unwrap();
        let (stream, _) = listener.accept().unwrap();
        let big = "x".repeat(16 << 20);
        let late = client.call_timeout::<String>("A.B", &big, Duration::from_millis(100));
        assert!(matches!(late, Err(Error::Timeout)));
        // The server wakes up: it gets the large request whole, then the small one.
        let server = thread::spawn(move || {
            let (mut lines, mut line) = (BufReader::new(&stream), String::new());
            lines.read_line(&mut line).unwrap();
            assert!(line.len() > 16 << 20 && line.ends_with("\"],\"id\":0}\n"));
            line.clear();
            lines.read_line(&mut line).unwrap();
            assert_eq!(line, "{\"method\":\"A.C\",\"params\":[7],\"id\":1}\n");
            (&stream).write_all(b"{\"id\":1,\"result\":8,\"error\":null}\n").unwrap();
            // Until the client hangs up.
            let _ = lines.read_line(&mut line);
        });
        assert_eq!(client.call::<i64>("A.C", &7i64).unwrap(), 8);
        drop(client);
        server.join().unwrap();
    });
}

#[test]
fn a_server_killed_in_mid_call_fails_every_waiting_call() {
    // RPC-21: and none stays in the table.
    watched(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::dial(&format!("tcp@{}", listener.local_addr().unwrap())).unwrap();
        let (stream, _) = listener.accept().unwrap();
        let sent = Barrier::new(9);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let handle = client.go::<i64>("Foo.Sum", &args(1, 2)).unwrap();
                    sent.wait();
                    let error = handle.wait().unwrap_err();
                    assert!(matches!(error, Error::Lost(_)), "{error}");
                });
            }
            sent.wait();
            stream.shutdown(Shutdown::Both).unwrap();
        });
        assert!(!client.is_available());
        assert!(client.call::<i64>("Foo.Sum", &args(1, 2)).is_err());
        assert!(format!("{client:?}").contains("waiting: 0"), "{client:?}");
        assert!(matches!(client.close(), Err(Error::Shutdown)), "it had ended before");
    });
}

#[test]
fn a_close_fails_the_calls_that_wait() {
    watched(|| {
        let (_serving, address) = start(quiet());
        let client = Client::dial(&address).unwrap();
        let (sender, started) = mpsc::channel();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let handle = client.go::<i64>("Foo.Slow", &args(1, 2)).unwrap();
                sender.send(()).unwrap();
                handle.wait()
            });
            started.recv().unwrap();
            client.close().unwrap();
            let error = waiting.join().unwrap().unwrap_err();
            assert_eq!(error.to_string(), "connection is shut down");
        });
        let again = client.close().unwrap_err();
        assert_eq!(again.to_string(), "connection is shut down");
    });
}
