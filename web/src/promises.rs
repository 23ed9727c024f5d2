//! What this crate promises, and the test that holds each promise.
//!
//! The tests are in `src/` (`cargo test -p web`) and in `tests/tests/web_*.rs` (`cargo test -p
//! tests`). With `TESTS_FULL=1` those that change inputs by chance run a million each, and 100,000
//! for whole requests against the second reader.
//!
//! | promise | held by |
//! |---|---|
//! | **HTTP/1.1** |  |
//! | lines end in CR LF, no control character in a value, obs-fold or space before a colon: 400 and close | `head_lines_end_in_crlf_and_hold_no_controls` |
//! | method and version: 400, 505; targets: path, absolute, `*`, authority; one empty line before is skipped | `the_request_line_is_method_target_version`, `an_absolute_target_wins_over_host` |
//! | one Host that is host\[:port\]: else 400 | `there_is_one_host_and_it_is_a_host` |
//! | request line over 8 KiB: 414; head over 64 KiB or 100 fields: 431 | `heads_have_limits` |
//! | octets mean the same however TCP cuts them | `a_line_may_come_in_pieces` |
//! | Content-Length is digits, once; not beside Transfer-Encoding; only `chunked`, only in 1.1: else 400, 501 | `a_length_is_digits_and_there_is_one_framing` |
//! | chunks: hexadecimal and exact; extensions and trailers bounded, trailers dropped | `chunks_are_exact` |
//! | body over its limit: 413, unread where the length is known; the answer arrives | `a_body_over_its_limit_is_413_and_the_answer_arrives`, `an_early_refusal_survives_a_client_that_has_sent_megabytes` |
//! | an unread body is skipped within a bound, else the connection closes | `an_unread_body_is_skipped_within_a_bound` |
//! | `100 Continue` when the body is wanted, not for 1.0; else 417 | `continue_is_said_when_the_body_is_wanted` |
//! | pipelined requests in order, none after a close; the last answer is not lost | `pipelined_requests_are_answered_in_order_and_none_after_a_close`, `the_last_answer_survives_the_requests_behind_it` |
//! | keep-alive for 1.1, on request for 1.0 | `connections_are_kept_as_the_version_and_the_client_say` |
//! | Date; one framing or, for 204 and 304, none; HEAD as GET without a body | `answers_are_framed_once` |
//! | 405 with Allow, HEAD through GET, OPTIONS, CONNECT 501 | `methods_are_answered_by_what_is_routed`, `head_options_and_other_methods_are_answered_by_what_is_routed` |
//! | bare LF only in the head of a CONNECT of 1.0; a handler takes the connection over | `a_connect_of_http_1_0_may_end_its_lines_in_line_feeds_and_get_the_connection` |
//! | slow head or body: 408; silence between requests: the end | `what_is_slow_is_408_and_silence_is_just_the_end`, `a_trickle_of_octets_is_cut_off_all_the_same` |
//! | a second, strict reader agrees on 100,000 changed inputs | `mutated_requests_are_served_or_refused_once_as_a_strict_reader_would` |
//! | **Threads and load** |  |
//! | threads bounded, jobs queued, then refused: 503 and close | `jobs_run_wait_and_are_refused_in_this_order`, `at_capacity_answers_close_then_connections_queue_then_503` |
//! | idle connections make room for new ones | `idle_connections_make_room_for_new_ones`, `more_keep_alive_clients_than_threads_all_get_their_turn` |
//! | 1,000 idle, slow, silent or unreading peers hold nobody up | `a_thousand_idle_connections_hold_nobody_up`, `slow_and_silent_peers_hold_nobody_up` |
//! | a reader that takes nothing is given up | `a_reader_that_takes_nothing_is_given_up` |
//! | no descriptors (EMFILE), no threads, an aborted accept, a flood of connect-and-close | `running_out_of_descriptors_is_survived`, `refused_spawns_are_survived` |
//! |  | `an_aborted_accept_is_passed_over_and_starvation_is_noted`, `a_flood_of_connect_and_close_is_survived` |
//! | a panic costs one answer; after streaming began, the connection | `a_panicking_handler_costs_one_response`, `a_panic_after_streaming_began_cuts_the_connection` |
//! | a stop loses no accepted request and keeps its deadline | `a_stop_under_load_loses_no_answer`, `a_stop_answers_all_that_was_sent` |
//! |  | `a_stop_keeps_its_deadline_whatever_a_handler_does`, `a_stop_may_come_at_any_moment` |
//! | descriptors, threads and memory return to where they were | `descriptors_threads_and_memory_return_to_where_they_were` |
//! | **Framework** |  |
//! | text before `:param` before `*rest`, with backtracking, in any order of registration | `text_wins_over_param_over_rest_in_every_order`, `the_same_paths_twice_are_a_conflict_that_names_both` |
//! | `any`, `no_route`, the slash redirect | `any_takes_seven_methods_and_no_route_the_rest`, `a_slash_is_redirected_only_when_asked_and_never_to_another_host` |
//! | the onion; `abort`; chains fixed by groups | `the_onion_has_the_order_of_the_groups_whenever_middleware_is_added`, `only_abort_stops_the_chain` |
//! | a failure in JSON, a page or a header is a clean 500 | `what_goes_wrong_decides_whatever_the_handler_says_then` |
//! | forms: urlencoded and multipart, with files and bounds | `values_and_files_are_read_from_both_forms`, `broken_forms_are_errors` |
//! | JSON: every case of `JSONTestSuite`; depth bounded | `every_case_of_the_json_test_suite_gets_its_verdict`, `nesting_is_bounded` |
//! | pages: what Go's make; escaping by place, unsafe places refused at load | `the_language_does_what_go_does`, `the_place_decides_how_a_value_is_escaped` |
//! | static files: nothing outside, no pipe, no encoded slash | `nothing_outside_the_root_is_served` |
//! | preconditions in RFC 9110's order, ranges, packed neighbours | `the_questions_are_asked_in_the_order_of_the_rfc`, `a_part_or_a_packed_copy_is_sent_to_those_who_ask` |
//! | no query or field writes a header of ours; a million changed requests | `no_request_writes_a_header_of_its_own`, `what_would_split_a_response_is_refused` |
//! | JSON, pages, URLs, forms, preconditions, answers: a million changed inputs each | `no_change_of_bytes_brings_it_down` |
//! | cookies, sign-in, CORS, proxies, values, limits, streams: see [`crate::beyond`] | `cookies_are_read_and_written_by_the_rules` |
//! | **Client** |  |
//! | answers that lie, dawdle or never end | `what_is_not_an_answer_is_refused`, `what_never_ends_is_ended` |
//! | the total deadline holds against a trickle | `a_trickle_is_cut_off_at_the_total_timeout` |
//! | a dead kept connection is replaced for idempotent methods only | `a_dead_kept_connection_costs_a_get_nothing_and_a_post_an_error`, `a_fresh_connection_that_dies_is_not_asked_twice` |
//! | every address of a name is tried; the client frames | `every_address_of_a_name_is_tried`, `a_request_is_framed_by_the_client_alone` |
//!
//! # Under attack
//! `slowhttptest` (a Debian package) holds connections open on purpose; meanwhile `curl` asks the
//! same server every two seconds. On 26 November 2026, two cores that other work kept busy as well,
//! `cargo run --release -p web --example echo -- --addr 127.0.0.1:9401`, 1,000 connections at 500
//! per second:
//!
//! | attack | command | curl's five answers | end |
//! |---|---|---|---|
//! | slow heads | `slowhttptest -H -i 10 -r 500 -c 1000 -l 14 -p 3 -u http://127.0.0.1:9401/` | 200 in 0.2 to 40 ms | all 1,000 closed by us in the 12th second |
//! | slow bodies | the same with `-B -s 8192` | 200 in 2 to 14 ms | all 1,000 closed by us in the 12th second |
//! | slow reading | `slowhttptest -X -r 500 -c 1000 -l 14 -w 10 -y 20 -n 5 -z 32 -p 3 -u ...` | 200 in 8 to 35 ms | the test's time was up, the connections still open |
//!
//! "Service available" was YES throughout. 1,000 slow connections were 1,000 threads and as many
//! descriptors, which went with them.
//!
//! # Speed
//! `cargo bench -p web` prints our figures beside the ceiling. Beside other servers, on the same
//! day and machine with nothing else to do, `wrk -t1 -c64 -d3s`, the server's CPU time per request
//! from `/proc`, best of three turns:
//!
//! | hello | here | nginx | axum 0.8 |
//! |---|---|---|---|
//! | kept connections | 8.4 µs | 5.7 µs | 6.1 µs |
//! | 16 pipelined (`-s`, a script) | 0.9 µs | 3.2 µs | 3.6 µs |
//! | a connection per request (`-H "Connection: close"`) | 32 µs | 17 µs | 34 µs |
//!
//! Where the time goes (`perf record -e cpu-clock`): in the scheduler. A thread per connection is
//! switched in and out for each request, and a fresh connection wakes two threads; event loops wake
//! once for many. Our own code is about 4,000 instructions per request (`valgrind
//! --tool=callgrind`), a tenth of the time, and allocates nothing: 10,000 further requests on a kept
//! connection cost 18 allocations, all for the Date line, once per second (`valgrind`, "total heap
//! usage" after 1,000 and after 11,000 requests; std cannot count them without `unsafe`).

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    fn read(dir: &Path, all: &mut String) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, all);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                all.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }

    /// A test that was renamed must not leave its promise behind.
    #[test]
    fn every_promise_names_a_test_that_is_there() {
        let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources = String::new();
        read(&crate_dir.join("src"), &mut sources);
        read(&crate_dir.join("../tests/tests"), &mut sources);
        let rows = include_str!("promises.rs").lines().filter_map(|l| l.strip_prefix("//! | "));
        let table = rows.take_while(|row| !row.starts_with("attack"));
        let held = table.filter_map(|row| row.rsplit(" | ").next());
        let mut count = 0;
        for name in held.flat_map(|cell| cell.split('`')).filter(|name| name.contains('_')) {
            assert!(sources.contains(&format!("fn {name}()")), "no test is named {name}");
            count += 1;
        }
        assert!(count > 50, "only {count} tests were found in the table");
    }
}
