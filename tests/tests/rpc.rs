//! `rpc` from outside: sessions captured from Go programs, live Go programs, faults, and the
//! examples. [`DEFECTS`] has the known defects of the Go tutorial, and the tests of each.

#![allow(clippy::unwrap_used, reason = "these are tests, their helpers included")]

use std::collections::HashMap;
use std::io::Read;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use rpc::{Server, Service, Serving};
use tests::watched;

#[path = "rpc/calls.rs"]
mod calls;
#[path = "rpc/examples.rs"]
mod examples;
#[path = "rpc/faults.rs"]
mod faults;
#[path = "rpc/go.rs"]
mod go;
#[path = "rpc/http.rs"]
mod http;
#[path = "rpc/many.rs"]
mod many;
#[path = "rpc/panics.rs"]
mod panics;
#[path = "rpc/races.rs"]
mod races;
#[path = "rpc/sessions.rs"]
mod sessions;
#[path = "rpc/slow.rs"]
mod slow;

/// The defects of the Go tutorial, and the tests that pin what is right instead.
const DEFECTS: &[(&str, &[&str])] = &[
    (
        "RPC-1: option and first request in one packet hang",
        &[
            "the_first_request_may_come_with_the_option",
            "our_option_is_safe_with_a_go_server_that_reads_ahead",
        ],
    ),
    ("RPC-2: an unknown method kills the connection", &["a_typo_does_not_cost_the_connection"]),
    (
        "RPC-3: a reply of the wrong type ends the receiver",
        &["a_reply_of_another_type_fails_its_call_alone"],
    ),
    (
        "RPC-4: a panic kills the server, a wrong signature is found at run time",
        &[
            "a_panic_in_a_method_is_an_error_of_its_call",
            "services_are_checked_when_they_are_registered",
        ],
    ),
    (
        "RPC-5: handle timeouts leak",
        &["a_late_method_is_answered_for_once", "nothing_is_left_behind"],
    ),
    ("RPC-6: dialling that is late leaks", &["nothing_is_left_behind"]),
    ("RPC-7: no cancellation reaches a method", &["a_late_method_is_answered_for_once"]),
    ("RPC-8: error texts are formats", &["our_client_asks_a_go_server_byte_for_byte"]),
    ("RPC-9: a deadline does not cover sending", &["a_deadline_covers_sending"]),
    (
        "RPC-10: a caller that does not fetch stalls all",
        &["a_handle_can_wait_give_up_and_be_dropped"],
    ),
    ("RPC-11: who is refused is not told why", &["a_refused_opening_is_told_why"]),
    (
        "RPC-12: dialling changes the caller's options",
        &["options_are_not_changed_and_dialling_fails_in_time"],
    ),
    (
        "RPC-13: bytes behind CONNECT are lost",
        &["two_servers_share_a_process_and_each_has_its_http"],
    ),
    (
        "RPC-14: an unsorted page, one for the process",
        &["two_servers_share_a_process_and_each_has_its_http", "a_browser_shows_the_debug_page"],
    ),
    (
        "RPC-15: dialling under the lock of all; no failover",
        &[
            "a_dead_server_is_left_alone_and_another_takes_the_call",
            "a_silent_address_does_not_hold_up_the_others",
            "who_waits_for_another_s_dialling_waits_no_longer_than_it_wants",
        ],
    ),
    ("RPC-16: broadcasts lose results", &["a_broadcast_keeps_every_result"]),
    (
        "RPC-17: a heartbeat stops at its first failure",
        &["a_heartbeat_outlives_its_registry_and_ends_with_its_handle"],
    ),
    (
        "RPC-18: a heartbeat ignores the status, its ticker never stops",
        &[
            "a_heartbeat_outlives_its_registry_and_ends_with_its_handle",
            "a_heartbeat_that_is_refused_says_so_and_goes_on",
        ],
    ),
    (
        "RPC-19: discovery loses its list and blocks",
        &[
            "a_registry_that_fails_leaves_the_last_good_list",
            "a_registry_that_says_nothing_costs_three_seconds",
            "a_silent_registry_does_not_eat_a_call_s_time",
        ],
    ),
    (
        "RPC-20: no validation, no token, no way out",
        &["the_registry_speaks_as_go_s", "a_token_keeps_strangers_out"],
    ),
    (
        "RPC-21: a lost connection leaves its calls in the table",
        &["a_server_killed_in_mid_call_fails_every_waiting_call"],
    ),
    (
        "RPC-22: a connection that failed to open stays open",
        &["options_are_not_changed_and_dialling_fails_in_time", "nothing_is_left_behind"],
    ),
    (
        "RPC-23: no tests of these",
        &[
            "servers_are_found_through_the_registry",
            "a_handle_can_wait_give_up_and_be_dropped",
            "a_close_fails_the_calls_that_wait",
        ],
    ),
];

#[test]
fn every_known_defect_is_pinned_by_a_test_that_is_here() {
    let sources = [
        include_str!("rpc/calls.rs"),
        include_str!("rpc/faults.rs"),
        include_str!("rpc/go.rs"),
        include_str!("rpc/http.rs"),
        include_str!("rpc/many.rs"),
        include_str!("rpc/sessions.rs"),
        include_str!("rpc_leaks.rs"),
    ];
    for (number, (defect, names)) in (1..).zip(DEFECTS) {
        assert!(defect.starts_with(&format!("RPC-{number}: ")), "{defect}");
        for name in *names {
            let test = format!("#[test]\nfn {name}() {{");
            assert!(sources.iter().any(|source| source.contains(&test)), "{defect}: {name}");
        }
    }
    assert_eq!(DEFECTS.len(), 23);
}

rpc::message! {
    #[derive(Debug, Clone, PartialEq)]
    struct Args {
        num1: i64,
        num2: i64,
    }

    #[derive(Debug, Clone, PartialEq)]
    struct Quotient {
        quo: i64,
        rem: i64,
    }

    #[derive(Debug, Clone, PartialEq)]
    struct Blob {
        data: Vec<u8>,
        words: Vec<String>,
        table: HashMap<String, i64>,
    }
}

fn args(num1: i64, num2: i64) -> Args {
    Args { num1, num2 }
}

/// Waits until `done`; the watchdog has the clock.
fn until(done: impl Fn() -> bool) {
    while !done() {
        thread::yield_now();
    }
}

/// The service of the captured sessions, and a few methods that misbehave.
fn service() -> Service {
    Service::new("Foo")
        .method("Sum", |args: Args| Ok(args.num1 + args.num2))
        .method("Div", |args: Args| {
            if args.num2 == 0 {
                return Err("divide by zero".into());
            }
            Ok(Quotient { quo: args.num1 / args.num2, rem: args.num1 % args.num2 })
        })
        .method("Fail", |_: Args| -> rpc::Reply<i64> { Err("boom 100%s".into()) })
        .method("Echo", |text: String| Ok(text))
        .method("Keys", |map: HashMap<String, i64>| Ok(map.into_keys().collect::<Vec<_>>()))
        .method("Panic", |_: Args| -> rpc::Reply<i64> { panic!("on purpose") })
        .method("Blob", |blob: Blob| Ok(blob))
        .method_with("Slow", |args: Args, call| {
            let until = Instant::now() + Duration::from_secs(2);
            while !call.is_over() && Instant::now() < until {
                thread::park_timeout(Duration::from_millis(1));
            }
            Ok(args.num1 + args.num2)
        })
}

fn quiet() -> Server {
    Server::new().log(|_| {}).register(service()).unwrap()
}

fn start(server: Server) -> (Serving, String) {
    let serving = server.start().unwrap();
    let addr = serving.listen("127.0.0.1:0").unwrap();
    (serving, format!("tcp@{addr}"))
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address.split('@').nth(1).unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

fn read_exactly(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}
