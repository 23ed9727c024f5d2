//! The examples of `cache` as a reader would start them: alone, and as three processes that make a
//! cluster.

#![cfg(test)]

use std::net::TcpListener;
use std::process::Command;

use cache::Ring;
use tests::{Running, example};
use web::Client;

fn get(url: &str) -> (u16, String) {
    let answer = Client::new().get(url).unwrap();
    (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
}

#[test]
fn the_examples_serve_what_their_days_promise() {
    for day in ["day3_http_server", "day4_consistent_hash"] {
        let node = Running::start(&example("cache", day), &["--addr", "127.0.0.1:0"], 1);
        let at = |path: &str| get(&format!("http://{}{path}", node.addr()));
        assert_eq!(at("/_geecache/scores/Tom"), (200, "630".into()), "{day}");
        assert_eq!(at("/_geecache/scores/kkk"), (404, "kkk not exist\n".into()), "{day}");
    }
    for (day, body) in [
        ("day5_multi_nodes", "630"),
        ("day6_single_flight", "630"),
        ("day7_protobuf", "\x0a\x03630"),
    ] {
        // The three nodes, then the API.
        let all = Running::start(&example("cache", day), &["--addr", "127.0.0.1:0"], 4);
        let api = |query: &str| get(&format!("http://{}/api{query}", all.addrs[3]));
        for (key, score) in [("Tom", "630"), ("Jack", "589"), ("Sam", "567")] {
            assert_eq!(api(&format!("?key={key}")), (200, score.into()), "{day}");
        }
        assert_eq!(api("?key=kkk"), (404, "kkk not exist\n".into()), "{day}");
        assert_eq!(api(""), (500, "key is required\n".into()), "{day}");
        let value = get(&format!("http://{}/_geecache/scores/Tom", all.addrs[0]));
        assert_eq!(value, (200, body.into()), "{day}");
        let loads = |node: &String| {
            let stats: web::Json = get(&format!("http://{node}/stats")).1.parse().unwrap();
            stats["scores"]["loads_deduped"].as_i64().unwrap()
        };
        assert!(all.addrs[..3].iter().map(loads).sum::<i64>() >= 4, "{day}");
    }
}

/// The lines of a log that contain `text`, without their times.
fn lines_with(log: &str, text: &str) -> Vec<String> {
    let message = |line: &str| line.splitn(3, ' ').nth(2).unwrap_or_default().to_owned();
    log.lines().filter(|line| line.contains(text)).map(message).collect()
}

#[test]
fn the_logs_are_those_of_the_tutorial() {
    let day3 = Running::start(&example("cache", "day3_http_server"), &["--addr", "127.0.0.1:0"], 1);
    for _ in 0..2 {
        get(&format!("http://{}/_geecache/scores/Tom", day3.addr()));
    }
    let log = day3.log_with("[GeeCache] hit\n");
    let want = [
        "geecache is running at localhost:9999",
        "[Server localhost:9999] GET /_geecache/scores/Tom",
        "[SlowDB] search key Tom",
        "[Server localhost:9999] GET /_geecache/scores/Tom",
        "[GeeCache] hit",
    ];
    assert_eq!(lines_with(&log, ""), want);

    let day7 = Running::start(
        &example("cache", "day7_protobuf"),
        &["--addr", "127.0.0.1:0", "--source", "echo"],
        4,
    );
    let local = |addr: &String| format!("http://localhost:{}", addr.rsplit_once(':').unwrap().1);
    let urls: Vec<_> = day7.addrs.iter().map(local).collect();
    let mut ring = Ring::new(50);
    ring.add(&urls[..3]);
    let key =
        (0..).map(|i| format!("key{i}")).find(|key| ring.get(key.as_bytes()) == Some(&urls[0]));
    let key = key.unwrap();
    assert_eq!(get(&format!("http://{}/api?key={key}", day7.addrs[3])), (200, key.clone()));
    let log = day7.log_with(&format!("[SlowDB] search key {key}\n"));
    for url in &urls[..3] {
        assert_eq!(lines_with(&log, "geecache is").iter().filter(|l| l.ends_with(url)).count(), 1);
    }
    assert_eq!(
        lines_with(&log, "frontend"),
        [format!("frontend server is running at {}", urls[3])]
    );
    let want = [
        format!("[Server {}] Pick peer {}", urls[2], urls[0]),
        format!("[Server {}] GET /_geecache/scores/{key}", urls[0]),
        format!("[SlowDB] search key {key}"),
    ];
    let load: Vec<_> = lines_with(&log, "").into_iter().filter(|l| l.starts_with('[')).collect();
    assert_eq!(load, want);
}

#[test]
fn three_processes_make_a_cluster() {
    // The list has to be known before the first one starts, so port 0 will not do. These are below the
    // range from which the system picks, and free now.
    let from = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let ports: Vec<u16> = (from..).filter(free).take(3).collect();
    let urls: Vec<_> = ports.iter().map(|port| format!("http://localhost:{port}")).collect();
    let (program, list) = (example("cache", "day7_protobuf"), urls.join(","));
    let nodes: Vec<_> = ports
        .iter()
        .map(|port| {
            let port = port.to_string();
            let api = ["--api", "127.0.0.1:0", "--source", "echo", "--dialect", "groupcache"];
            let args = [&["--port", &port, "--peers", &list, "--cache-bytes", "100000"], &api[..]];
            Running::start(&program, &args.concat(), 2)
        })
        .collect();
    for key in ["Tom", "a%20b", "x%2Fy", "%FF", "hello", "1", "2", "3", "4", "5", "6", "7", "8"] {
        let answers =
            nodes.iter().map(|node| get(&format!("http://{}/api?key={key}", node.addrs[1])));
        let answers: Vec<_> = answers.collect();
        assert!(
            answers.iter().all(|answer| answer.0 == 200 && *answer == answers[0]),
            "{answers:?}"
        );
    }
    let sum = |counter: &str| {
        let stats = nodes.iter().map(|node| get(&format!("http://{}/stats", node.addr())).1);
        stats
            .map(|text| text.parse::<web::Json>().unwrap()["scores"][counter].as_i64().unwrap())
            .sum()
    };
    assert_eq!((sum("local_loads"), sum("server_requests")), (13_i64, 26_i64), "each key once");
    let (status, text) = get(&format!("http://{}/api?key=missing1", nodes[0].addrs[1]));
    assert_eq!((status, text.as_str()), (404, "missing1 not exist\n"));
}

#[test]
fn bad_flags_and_addresses_end_with_a_message_and_a_code() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let own = format!("http://localhost:{port}");
    let with_bad = format!("{own},localhost:1");
    let cases: &[(&str, &[&str], i32, &str)] = &[
        ("day5_multi_nodes", &["--x", "1"], 2, "unknown flag --x\nusage: day5_multi_nodes [--addr"),
        ("day5_multi_nodes", &["--port"], 2, "--port needs a value\nusage: "),
        ("day5_multi_nodes", &["--port", "8001"], 2, "--port needs --peers\nusage: "),
        ("day5_multi_nodes", &["--peers", "http://a:1"], 2, "--peers needs --port\nusage: "),
        ("day6_single_flight", &["--cache-bytes", "x"], 2, "--cache-bytes: invalid digit"),
        ("day6_single_flight", &["--source", "sql"], 2, "no source sql\nusage: "),
        ("day7_protobuf", &["--port", "66000", "--peers", &own], 2, "66000 is not a port\nusage: "),
        (
            "day7_protobuf",
            &["--addr", "127.0.0.1:0", "--port", &port, "--peers", &with_bad],
            2,
            "peer URL \"localhost:1\": must begin with http:// (std has no TLS)\nusage: ",
        ),
        ("day7_protobuf", &["--dialect", "go"], 2, "no dialect go\nusage: day7_protobuf [--addr"),
        (
            "day7_protobuf",
            &["--port", "9000", "--peers", "http://localhost:8001"],
            2,
            "this node's URL http://localhost:9000 is not among --peers\nusage: ",
        ),
        ("day7_protobuf", &["--port", &port, "--peers", &own], 1, "listen on 127.0.0.1:"),
    ];
    for (day, args, code, message) in cases {
        let ended = Command::new(example("cache", day)).args(*args).output().unwrap();
        let text = String::from_utf8(ended.stderr).unwrap();
        assert!(text.contains(message), "{day} {args:?}: {text}");
        assert_eq!(ended.status.code(), Some(*code), "{day} {args:?}");
    }
    for day in ["day1_lru", "day2_single_node"] {
        assert!(Command::new(example("cache", day)).output().unwrap().status.success(), "{day}");
    }
}
