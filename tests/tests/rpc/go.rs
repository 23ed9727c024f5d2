//! Live Go programs (tests/go), both ways: net/rpc over TCP, Unix sockets and CONNECT, jsonrpc,
//! and GeeRPC as the tutorial speaks it.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use rpc::{Client, Dialect, Error, Options};
use tests::{Running, example, full, peer, root};

use crate::{args, watched};

/// The Go program, built once; `None` without Go.
fn go_peer() -> Option<PathBuf> {
    static PEER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        let program = std::env::temp_dir().join(format!("rpc-go-peer-{}", std::process::id()));
        let built = Command::new(peer("go")?)
            .args(["build", "-o"])
            .arg(&program)
            .arg(".")
            .current_dir(root().join("tests/go"))
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Some(program)
    };
    PEER.get_or_init(build).clone()
}

#[test]
fn go_clients_call_our_server() {
    let Some(program) = go_peer() else { return };
    let path = std::env::temp_dir().join(format!("rpc-go-{}.sock", std::process::id()));
    let path = path.to_str().unwrap();
    let flags = ["--addr", "127.0.0.1:0", "--unix", path];
    let server = Running::start(&example("rpc", "serve"), &flags, 2);
    let (callers, calls) = if full() { ("64", "1000") } else { ("16", "100") };
    let tcp = server.addr();
    let kinds = [
        ("tcp", tcp),
        ("json", tcp),
        ("http", tcp),
        ("unix", path),
        ("gee", tcp),
        ("geehttp", tcp),
    ];
    for (kind, addr) in kinds {
        let check = ["check", kind, addr, callers, calls];
        let output = Command::new(&program).args(check).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.stdout, b"ok\n", "{kind}: {said}");
    }
    let _ = std::fs::remove_file(path);
}

/// The Go server, told to end when dropped.
struct GoServer {
    child: Child,
    /// The address of each way in: tcp, json, http, gee, unix.
    at: HashMap<String, String>,
}

impl GoServer {
    fn start(program: &Path) -> GoServer {
        let mut child = Command::new(program)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().take(5);
        let at = lines.map(|line| {
            let line = line.unwrap();
            let (kind, addr) = line.split_once(' ').unwrap();
            (kind.to_owned(), addr.to_owned())
        });
        GoServer { at: at.collect(), child }
    }
}

impl Drop for GoServer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

rpc::message! {
    #[derive(Debug, Clone, PartialEq)]
    struct Point {
        x: f64,
        y: f64,
    }

    #[derive(Debug, Clone, PartialEq)]
    struct Record {
        name: String,
        score: f64,
        f32: f32,
        delta: i64,
        small: i8,
        count: u64,
        ok: bool,
        data: Vec<u8>,
        tags: Vec<String>,
        points: Vec<Point>,
        grid: [i64; 3],
        table: HashMap<String, i64>,
        codes: HashMap<i64, String>,
        inner: Point,
        maybe: Option<Point>,
        empty: (),
    }
}

fn record() -> Record {
    Record {
        name: "héllo".to_owned(),
        score: -2.25,
        f32: 0.5,
        delta: i64::MIN,
        small: -128,
        count: u64::MAX,
        ok: true,
        data: vec![0, 255],
        tags: vec!["a".to_owned(), String::new()],
        points: vec![Point { x: 1.0, y: 0.0 }, Point { x: 0.0, y: 0.0 }],
        grid: [1, 0, -3],
        table: HashMap::from([("k".to_owned(), 7), (String::new(), 0)]),
        codes: HashMap::from([(-1, "x".to_owned())]),
        inner: Point { x: 0.0, y: 9.0 },
        maybe: Some(Point { x: 0.0, y: 0.0 }),
        empty: (),
    }
}

#[test]
fn our_client_calls_go_servers() {
    let Some(program) = go_peer() else { return };
    watched(move || {
        let server = GoServer::start(&program);
        let (callers, calls) = if full() { (64, 1000) } else { (16, 100) };
        for (kind, protocol, dialect) in [
            ("tcp", "tcp", Dialect::NetRpc),
            ("json", "tcp", Dialect::JsonRpc),
            ("http", "http", Dialect::NetRpc),
            ("unix", "unix", Dialect::NetRpc),
        ] {
            let options = Options { dialect, ..Options::default() };
            let address = format!("{protocol}@{}", server.at[kind]);
            let client = Client::dial_with(&address, &options).unwrap();
            assert_eq!(client.call::<i64>("Foo.Sum", &args(3, 4)).unwrap(), 7);
            let error = client.call::<i64>("Foo.Fail", &args(0, 0)).unwrap_err();
            assert_eq!(error.to_string(), "boom 100%s");
            let error = client.call::<i64>("Foo.Nope", &args(0, 0)).unwrap_err();
            assert_eq!(error.to_string(), "rpc: can't find method Foo.Nope");
            assert!(client.call::<i64>("Foo.Sum", &"a string".to_owned()).is_err());
            assert_eq!(client.call::<Record>("Echo.Record", &record()).unwrap(), record());
            client.call::<()>("Echo.Nothing", &()).unwrap();
            let big: Vec<u8> = (0..1u32 << 20).map(|n| n.to_le_bytes()[1]).collect();
            assert_eq!(client.call::<Vec<u8>>("Echo.Bytes", &big).unwrap(), big);
            let within = Duration::from_millis(50);
            let late = client.call_timeout::<i64>("Foo.Sleep", &args(1, 0), within);
            assert!(matches!(late, Err(Error::Timeout)));
            thread::scope(|scope| {
                for caller in 0..callers {
                    let client = &client;
                    scope.spawn(move || {
                        for call in 0..calls {
                            if call % 50 == 49 {
                                let error = client.call::<i64>("Foo.Nope", &args(0, 0));
                                assert!(matches!(error, Err(Error::Remote(_))), "{error:?}");
                                continue;
                            }
                            let sum = client.call::<i64>("Foo.Sum", &args(caller, call)).unwrap();
                            assert_eq!(sum, caller + call);
                        }
                    });
                }
            });
        }
    });
}

#[test]
fn the_call_tool_is_answered_by_a_go_server() {
    let Some(program) = go_peer() else { return };
    let server = GoServer::start(&program);
    for (kind, protocol, dialect) in [
        ("tcp", "tcp", "netrpc"),
        ("json", "tcp", "jsonrpc"),
        ("http", "http", "netrpc"),
        ("unix", "unix", "netrpc"),
        ("gee", "tcp", "geerpc"),
    ] {
        let at = format!("{protocol}@{}", server.at[kind]);
        let call = |method: &str, json: &str| {
            let args = ["--dialect", dialect, &at, method, json];
            let output = Command::new(example("rpc", "call")).args(args).output().unwrap();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
            (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
        };
        let sum = call("Foo.Sum", r#"{"Num1":3,"Num2":4}"#);
        assert_eq!(sum, (0, "7".to_owned(), String::new()), "{kind}");
        if kind == "gee" {
            continue; // which has nothing else
        }
        let fail = call("Foo.Fail", "{}");
        assert_eq!(fail, (1, String::new(), "boom 100%s".to_owned()), "{kind}");
        let record = r#"{"Name":"n","Points":[{"X":1.5}],"Inner":{"Y":2.5},"Tags":["a"]}"#;
        let (code, reply, said) = call("Echo.Record", record);
        assert_eq!(code, 0, "{kind}: {said}");
        let reply = web::json::parse(&reply).unwrap();
        assert_eq!(reply["Points"][0]["X"].as_f64(), Some(1.5), "{kind}");
        assert_eq!((reply["Tags"][0].as_str(), reply["Grid"][2].as_i64()), (Some("a"), Some(0)));
        // Two fields of one Go type, of which different parts were given.
        let inner = (reply["Inner"]["X"].as_f64(), reply["Inner"]["Y"].as_f64());
        assert_eq!(inner, (Some(0.0), Some(2.5)), "{kind}");
    }
}

#[test]
fn our_option_is_safe_with_a_go_server_that_reads_ahead() {
    // RPC-1 from the other side: Go's JSON decoder swallows what comes with the option.
    let Some(program) = go_peer() else { return };
    watched(move || {
        let server = GoServer::start(&program);
        for number in 0..if full() { 400 } else { 100 } {
            let client = Client::dial(&format!("tcp@{}", server.at["gee"])).unwrap();
            let within = Duration::from_secs(2);
            let sum = client.call_timeout::<i64>("Foo.Sum", &args(number, 1), within);
            assert_eq!(sum.unwrap(), number + 1, "connection {number}");
        }
    });
}
