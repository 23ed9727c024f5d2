//! Slow peers: what drips in, what comes half, and a connection that never rests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rpc::{Client, Dialect, Error, Limits, Options};

use crate::sessions::session;
use crate::{args, connect, quiet, read_exactly, start, watched};

const NET_RPC: Options = Options {
    dialect: Dialect::NetRpc,
    connect_timeout: Duration::from_secs(10),
    handle_timeout: Duration::ZERO,
    message_bytes_max: 1 << 20,
    message_timeout: Duration::from_secs(30),
};

/// A client and the server's end of its connection.
fn pair(options: &Options) -> (Client, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp@{}", listener.local_addr().unwrap());
    let client = Client::dial_with(&address, options).unwrap();
    let (stream, _) = listener.accept().unwrap();
    stream.set_nodelay(true).unwrap();
    (client, stream)
}

/// The captured reply to the first call of a net/rpc client: 7, with the definition of its header.
fn reply() -> Vec<u8> {
    session("rpc-basic").into_iter().find(|line| line.kind == "S>C").unwrap().bytes
}

/// The body at the end of [`reply`]: 3 bytes follow, an int, no struct, 7.
const BODY_BYTES: usize = 4;

#[test]
fn a_reply_may_come_byte_by_byte() {
    watched(|| {
        let (client, mut stream) = pair(&NET_RPC);
        let handle = client.go::<i64>("Foo.Sum", &args(3, 4)).unwrap();
        reply().iter().for_each(|byte| stream.write_all(&[*byte]).unwrap());
        assert_eq!(handle.wait().unwrap(), 7);
    });
}

#[test]
fn a_reply_that_drips_in_does_not_outlast_the_deadline() {
    watched(|| {
        let (client, mut stream) = pair(&NET_RPC);
        let (over, is_over) = mpsc::channel::<()>();
        let server = thread::spawn(move || {
            // A byte every 30 ms: two seconds in all.
            for byte in reply() {
                if stream.write_all(&[byte]).is_err()
                    || is_over.recv_timeout(Duration::from_millis(30))
                        != Err(mpsc::RecvTimeoutError::Timeout)
                {
                    break;
                }
            }
        });
        let began = Instant::now();
        let late = client.call_timeout::<i64>("Foo.Sum", &args(3, 4), Duration::from_millis(200));
        assert!(matches!(late, Err(Error::Timeout)), "{late:?}");
        assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
        drop(over);
        server.join().unwrap();
    });
}

#[test]
fn a_deadline_may_fall_between_header_and_body() {
    watched(|| {
        let (client, mut stream) = pair(&NET_RPC);
        let reply = reply();
        let (header, body) = reply.split_at(reply.len() - BODY_BYTES);
        let mut handle = client.go::<i64>("Foo.Sum", &args(3, 4)).unwrap();
        stream.write_all(header).unwrap();
        let began = Instant::now();
        assert!(handle.wait_timeout(Duration::from_millis(300)).is_none());
        assert!(began.elapsed() < Duration::from_millis(550), "{:?}", began.elapsed());
        // Nothing is lost: whoever waits next reads on where that one stopped.
        stream.write_all(body).unwrap();
        assert_eq!(handle.wait().unwrap(), 7);
    });
}

#[test]
fn a_header_whose_body_never_comes_ends_the_connection() {
    watched(|| {
        let options = Options { message_timeout: Duration::from_millis(200), ..NET_RPC };
        let (client, mut stream) = pair(&options);
        let handle = client.go::<i64>("Foo.Sum", &args(3, 4)).unwrap();
        let reply = reply();
        stream.write_all(&reply[..reply.len() - BODY_BYTES]).unwrap();
        let error = handle.wait().unwrap_err().to_string();
        let want = "the connection was lost: the peer stalled in mid-message for 200ms";
        assert_eq!(error, want);
    });
}

#[test]
fn a_connection_that_never_rests_is_not_taken_for_a_stalled_one() {
    // Every packet ends in the middle of a message: there is always a part of one here, but never
    // of the same one for long.
    watched(|| {
        let limits = Limits { message_timeout: Duration::from_millis(400), ..Limits::default() };
        let (_serving, address) = start(quiet().limits(limits));
        let stream = connect(&address);
        stream.set_nodelay(true).unwrap();
        let line = b"{\"method\":\"Foo.Echo\",\"params\":[\"abcdef\"],\"id\":1}\n";
        let half = line.len() / 2;
        let (_never, pace) = mpsc::channel::<()>();
        (&stream).write_all(&line[..half]).unwrap();
        let mut replies = BufReader::new(&stream).lines();
        for _ in 0..25 {
            let _ = pace.recv_timeout(Duration::from_millis(40));
            (&stream).write_all(&[&line[half..], &line[..half]].concat()).unwrap();
            let reply = replies.next().expect("the connection lives").unwrap();
            assert_eq!(reply, "{\"id\":1,\"result\":\"abcdef\",\"error\":null}");
        }
    });
}

#[test]
fn a_server_that_hangs_up_in_mid_send_is_noticed() {
    // FIN, then RST, while 16 MiB of arguments are on their way.
    watched(|| {
        let (client, mut stream) = pair(&NET_RPC);
        let server = thread::spawn(move || {
            read_exactly(&mut stream, 100_000);
            drop(stream);
        });
        let error = client.call::<String>("Foo.Echo", &"x".repeat(16 << 20)).unwrap_err();
        assert!(error.is_connection_lost(), "{error}");
        let error = client.call::<i64>("Foo.Sum", &args(3, 4)).unwrap_err();
        assert!(error.is_connection_lost(), "{error}");
        server.join().unwrap();
    });
}

#[cfg(unix)]
#[test]
fn a_peer_that_stops_reading_alone_is_noticed() {
    // Its socket takes nothing any more, but never ends: only the write can tell.
    use rpc::Stream;
    use std::os::unix::net::UnixStream;
    watched(|| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        theirs.shutdown(std::net::Shutdown::Read).unwrap();
        let client = Client::with_stream(Stream::Unix(ours), Vec::new(), &NET_RPC).unwrap();
        let error = client.call::<i64>("Foo.Sum", &args(3, 4)).unwrap_err();
        assert!(error.is_connection_lost(), "{error}");
        let _ = (&theirs).read(&mut [0; 1]);
    });
}
