//! The examples: the two tools, and the demos of the days.

use std::io::Write;
use std::process::{Command, Stdio};

use tests::{Running, example};

#[test]
fn call_asks_serve_in_every_dialect() {
    let server = Running::start(&example("rpc", "serve"), &["--addr", "127.0.0.1:0"], 1);
    let call = |args: &[&str]| {
        let output = Command::new(example("rpc", "call")).args(args).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    };
    for dialect in ["geerpc", "netrpc", "jsonrpc"] {
        for protocol in ["tcp", "http"] {
            let at = format!("{protocol}@{}", server.addr());
            let ask = |method, json| call(&["--dialect", dialect, &at, method, json]);
            let sum = ask("Foo.Sum", "{\"Num1\":3,\"Num2\":4}");
            assert_eq!(sum, (0, "7".to_owned(), String::new()), "{dialect} {protocol}");
            let fail = ask("Foo.Fail", "{}");
            assert_eq!(fail, (1, String::new(), "boom 100%s".to_owned()));
            let record = "{\"Name\":\"n\",\"Points\":[{\"X\":1.5}],\"Inner\":{\"Y\":2.5}}";
            let (code, reply, _) = ask("Echo.Record", record);
            let reply = web::json::parse(&reply).unwrap();
            assert_eq!((code, reply["Points"][0]["X"].as_f64()), (0, Some(1.5)));
            assert_eq!((reply["Grid"][2].as_i64(), reply["Maybe"].is_null()), (Some(0), true));
        }
    }
    let at = format!("tcp@{}", server.addr());
    let late = call(&["--timeout", "100", &at, "Foo.Sleep", "{\"Num1\":5}"]);
    assert_eq!(late.2, "rpc client: call failed: context deadline exceeded");
    assert_eq!(call(&["--nonsense"]).0, 2);
    assert_eq!(call(&["tcp@127.0.0.1:1", "A.B", "1"]).0, 1);
}

#[test]
fn call_makes_gob_of_json_by_the_rules() {
    let server = Running::start(&example("rpc", "serve"), &["--addr", "127.0.0.1:0"], 1);
    let at = format!("tcp@{}", server.addr());
    let call = |method: &str, json: &str| {
        let output =
            Command::new(example("rpc", "call")).args([&at, method, json]).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        (output.status.code().unwrap(), text(&output.stdout) + &text(&output.stderr))
    };
    let record = |json: &str| {
        let (code, said) = call("Echo.Record", json);
        assert_eq!(code, 0, "{json}: {said}");
        web::json::parse(&said).unwrap()
    };
    // A whole number is an int, also where another element of the list has a fraction; one with a
    // fraction or an exponent is a float; null and an empty list are left out.
    let got = record(
        r#"{"Delta":-5,"Score":1e2,"Points":[{"X":1},{"X":2.5}],"Tags":[],"Maybe":null,"Ok":true}"#,
    );
    assert_eq!((got["Delta"].as_i64(), got["Score"].as_f64()), (Some(-5), Some(100.0)));
    assert_eq!(got["Points"][0]["X"].as_f64(), Some(1.0));
    assert!(got["Tags"].is_null() && got["Maybe"].is_null() && got["Ok"].as_bool() == Some(true));
    assert_eq!(record(r#"{"Maybe":{"X":0.0}}"#)["Maybe"]["Y"].as_f64(), Some(0.0));
    for (method, json, want) in [
        ("Echo.Text", r#""a\u00e9\n""#, (0, "\"a\u{e9}\\n\"")),
        ("Echo.Nothing", "{}", (0, "{}")),
        (
            "Echo.Record",
            r#"{"Score":2}"#,
            (1, "gob: wrong type (float64) for received field Record.Score"),
        ),
        ("Foo.Sum", r#"{"Num1":1.5}"#, (1, "gob: wrong type (int) for received field Args.Num1")),
        ("Foo.Sum", "nonsense", (1, "line 1, column 1: expected a value, found 'n'")),
        ("nodot", "{}", (1, "rpc server: service/method request ill-formed: nodot")),
    ] {
        let (code, said) = call(method, json);
        assert_eq!((code, said.as_str()), want, "{method} {json}");
    }
    let usage = |args: &[&str]| {
        let output = Command::new(example("rpc", "call")).args(args).output().unwrap();
        (output.status.code(), output.stderr.starts_with(b"usage: call "))
    };
    for args in
        [&[][..], &[at.as_str()], &["--callers", "0", &at, "-"], &["--dialect", "x", &at, "-"]]
    {
        assert_eq!(usage(args), (Some(2), true), "{args:?}");
    }
}

#[test]
fn call_reads_many_calls_and_answers_in_their_order() {
    let server = Running::start(&example("rpc", "serve"), &["--addr", "127.0.0.1:0"], 1);
    let mut batch = Command::new(example("rpc", "call"))
        .args(["--callers", "8", &format!("tcp@{}", server.addr()), "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let line = |number| format!("Foo.Sum {{\"Num1\":{number},\"Num2\":1}}\n");
    let lines: String = (0..100).map(line).collect();
    let mut stdin = batch.stdin.take().unwrap();
    stdin.write_all((lines + "Foo.Nope {}\n").as_bytes()).unwrap();
    drop(stdin);
    let output = batch.wait_with_output().unwrap();
    let mut want: Vec<String> = (1..=100).map(|sum| sum.to_string()).collect();
    want.push("error: rpc server: can't find method Nope".to_owned());
    let got = String::from_utf8_lossy(&output.stdout);
    assert_eq!(got.lines().collect::<Vec<_>>(), want);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_demos_end_and_say_what_go_s_say() {
    let run = |name: &str, args: &[&str], lines: &[&str]| {
        let output = Command::new(example("rpc", name)).args(args).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{name}: {text}");
        for line in lines {
            assert!(text.contains(line), "{name} lacks {line:?}:\n{text}");
        }
    };
    run("day1_codec", &[], &["&{Foo.Sum 0 } geerpc req 0", "reply: geerpc resp 4"]);
    run("day2_client", &[], &["reply: geerpc resp 1", "reply: geerpc resp 5"]);
    let sums = [
        "rpc server: register Foo.Sum",
        "0 + 0 = 0",
        "1 + 1 = 2",
        "2 + 4 = 6",
        "3 + 9 = 12",
        "4 + 16 = 20",
    ];
    run("day3_service", &[], &sums);
    run("day4_timeout", &[], &sums);
    let rounds = [
        "call Foo.Sum success: 4 + 16 = 20",
        "broadcast Foo.Sum success: 3 + 9 = 12",
        "broadcast Foo.Sleep success: 1 + 1 = 2",
        "broadcast Foo.Sleep error: rpc client: call failed: context deadline exceeded",
    ];
    // Each sleeps for some seconds.
    std::thread::scope(|scope| {
        scope.spawn(|| run("day6_load_balance", &[], &rounds));
        scope.spawn(|| run("day7_registry", &["--addr", "127.0.0.1:0"], &rounds));
    });
}
