//! A distributed cache like Go's groupcache, in seven days, on the standard library alone.
//!
//! **At the end** several processes, on one machine or many, share one cache. Any of them can be asked for
//! any key. Each key has one owner, which loads it once, however many ask at the same time; the others ask
//! the owner, and load the key themselves if it does not answer. Callers only ever say `get`: what is not
//! there the cache loads from a source that it was given. A node can join a cluster of Go nodes.
//!
//! ```
//! use std::sync::Arc;
//! use cache::{Dialect, Error, Group, Groups, HttpPool};
//!
//! let groups = Arc::new(Groups::default());
//! let scores = groups.add(Group::new("scores", 64 << 20, |key: &[u8]| match key {
//!     b"Tom" => Ok("630"),                                   // a database, in real life
//!     _ => Err(Error::not_found(key)),
//! }))?;
//! let pool = Arc::new(HttpPool::new("http://localhost:8001", Dialect::geecache()));
//! pool.set_peers(["http://localhost:8001"])?;                // and the other nodes' URLs
//! scores.register_peers(Arc::clone(&pool) as _)?;
//! let server = web::Server::new(pool.handler(&groups));      // .run("127.0.0.1:8001") serves peers
//! assert_eq!(scores.get("Tom")?.to_string(), "630");
//! # drop(server);
//! # Ok::<(), Error>(())
//! ```
//!
//! # The days
//! Read the modules in this order, each file from its first line to its last. Modules of one day belong
//! together. [`error`] is for looking things up.
//!
//! | day | what appears | module | example | its tests |
//! |---|---|---|---|---|
//! | 1 | least recently used, a budget of bytes | [`lru`] | `day1_lru` | `cache/tests/lru.rs` |
//! | 2 | shared bytes, locks, a cache that loads | [`bytes`], [`shards`], [`group`] | `day2_single_node` | `cache/tests/group.rs` |
//! | 3 | a node answers over HTTP | [`http`] | `day3_http_server` | `cache/tests/http.rs` |
//! | 4 | who owns a key | [`crc32`](mod@crc32), [`ring`] | `day4_consistent_hash` | in `crc32.rs`, `cache/tests/ring.rs` |
//! | 5 | ask the owner, get along without it | [`peers`] | `day5_multi_nodes` | in `peers.rs`, `tests/tests/cache.rs` |
//! | 6 | load once, whoever asks | [`flight`] | `day6_single_flight` | in `flight.rs`, `cache/tests/group.rs` |
//! | 7 | protobuf by hand | [`proto`] | `day7_protobuf` | `cache/tests/proto.rs` |
//!
//! Run one with `cargo run -p cache --example day7_protobuf`, then `curl 'localhost:9999/api?key=Tom'`
//! prints 630. Each chapter ends with exercises, `cache/tests/exercises.rs`; solutions lie in
//! `tests/solutions`. The course ends with day 7. What users of the real thing expect on top is in
//! [`beyond`], and no file of the course needs it. Figures: `cargo bench -p cache`.
//!
//! # One get, from end to end
//! 1. A user asks node 8003: `GET /api?key=Tom`. Its handler calls [`Group::get`].
//! 2. [`Shards::get`] hashes the key and takes the lock of its shard, one of up to sixteen; [`Lru::get`]
//!    does not find the key there.
//! 3. [`Flight::run`]: if somebody is loading Tom already, wait for that; else be the one who loads, and
//!    look into the cache once more first.
//! 4. [`HttpPool`] as [`PeerPicker`] asks its [`Ring`]: the first point at or after [`crc32()`] of `Tom` is
//!    one of node 8001's. Not this node, and not resting: it is asked.
//! 5. [`HttpPeer`](peers::HttpPeer) sends `GET /_geecache/scores/Tom` on a connection that it keeps.
//! 6. Node 8001: [`HttpPool::serve`] splits the path, finds the group and calls [`Group::get_for_peer`],
//!    which asks no peer in turn. A miss there too: another flight, and the [`Getter`] is called.
//! 7. The value goes into 8001's cache, *then* the flight ends. As a [`proto::Response`] it is five bytes,
//!    `0a 03 36 33 30`.
//! 8. Node 8003 decodes them into a [`ByteView`], and all who waited in step 3 get the same three bytes.
//!
//! # From Go's names to ours
//! | Go | here | |
//! |---|---|---|
//! | `lru.Cache`, `Value` | [`Lru`], [`Size`](lru::Size) | typed; a slab and indices for `container/list` |
//! | `ByteView` | [`ByteView`] | no copies: `Arc<[u8]>` |
//! | `cache` (mutex + lru) | [`Shards`] | several of them |
//! | `Getter`, `GetterFunc` | [`Getter`] | closures are getters |
//! | `Group`, `NewGroup`, `GetGroup` | [`Group`], [`Groups`] | a value instead of a global |
//! | `HTTPPool`, `httpGetter` | [`HttpPool`], [`HttpPeer`](peers::HttpPeer) | |
//! | `consistenthash.Map` | [`Ring`] | a set, with removal |
//! | `PeerPicker`, `PeerGetter` | [`PeerPicker`], [`PeerGetter`] | |
//! | `singleflight.Group`, `Do` | [`Flight`], [`Flight::run`] | |
//! | `geecachepb`, `groupcachepb` | [`proto`], [`beyond::GetResponse`] | by hand |
//!
//! # Beside groupcache
//! | feature | groupcache | here | test |
//! |---|---|---|---|
//! | same owner, URL and bytes as a Go node, both ways | yes | yes | `go_and_rust_nodes_share_one_ring` |
//! | one load per key, re-checked inside the flight | yes | yes | `two_hundred_keys_and_fifty_callers_are_two_hundred_loads` |
//! | a panicking loader frees all who wait | no | yes | `a_panicking_loader_is_an_error_for_all_who_wait` |
//! | hot cache, one fetched value in ten | yes | yes, off by default | `keeps_one_in_ten_of_what_peers_say_and_nothing_else` |
//! | statistics under the same names | yes | yes, and at `/stats` | `the_owner_is_asked_first_and_its_not_found_is_final` |
//! | a missing key is final, asked once | no | yes | `the_owners_not_found_is_final_and_costs_one_query` |
//! | protobuf's corners, each refused or read as the specification has it | generated | by hand | `what_is_malformed_is_refused_with_its_offset` |
//! | missing keys remembered for a time | no | yes, off by default | `remembers_absence_until_the_time_is_up` |
//! | deadline and size limit for peers' answers | no | yes | `every_bad_answer_is_its_own_error_and_the_value_is_loaded_here` |
//! | a peer that dies is replaced by loads here, and comes back | yes | yes | `peers_die_and_come_back_under_load` |
//! | a failing peer rests | no | yes | `a_peer_that_fails_rests_longer_each_time_and_is_tried_by_one` |
//! | nodes with different lists cannot deadlock | no | yes | `nodes_whose_lists_disagree_answer_each_other_and_do_not_wait_in_a_circle` |
//! | peers change at run time | yes | yes | `the_list_of_peers_changes_under_load` |
//! | several pools in one process | no | yes | `every_node_gives_every_value_and_only_the_owner_loads_it` |
//! | remove a key | no | on this node | `what_is_removed_is_loaded_anew_even_from_a_load_under_way` |
//! | time to live | no | [`Lru`] only | `each_entry_has_its_own_time` |
//! | contexts, HTTPS, custom transports | yes | no | |
//!
//! # What std cannot do here
//! - **No TLS**: peers are asked with `http://` only. Keep the peer port inside a network you trust.
//! - **No deadline on name look-ups**: `getaddrinfo` takes its time. Addresses in the list avoid it.
//! - **No signals**: Ctrl-C ends a node in the middle of whatever it does; its peers load its keys meanwhile.
//! - **No access to a `HashMap`'s table**: hence our own buckets, which keep each key once ([`lru`]).

pub mod error;
// Day 1
pub mod lru;
// Day 2
pub mod bytes;
pub mod shards;

pub mod group;
// Day 3
pub mod http;
// Day 4
pub mod crc32;
pub mod ring;
// Day 5
pub mod peers;
// Day 6
pub mod flight;
// Day 7
pub mod proto;

pub mod beyond;

pub use bytes::ByteView;
pub use crc32::crc32;
pub use error::{Error, Result};
pub use flight::Flight;
pub use group::{Getter, Group, Groups, Stats};
pub use http::{BodyForm, Dialect, HttpPool};
pub use lru::Lru;
pub use peers::{PeerGetter, PeerLimits, PeerPicker};
pub use ring::Ring;
pub use shards::{CacheStats, Shards};
