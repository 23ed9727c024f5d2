//! Remote procedure calls in seven days, on the standard library alone, that Go's own programs
//! can make and answer.
//!
//! At the end of day 7 stands a framework like Go's `net/rpc`: typed functions on a server, many
//! callers on one connection, time limits, HTTP, several servers and a registry of them. It speaks
//! three dialects - `GeeRPC` of the tutorial "7 days golang programs from scratch", Go's `net/rpc`
//! and `net/rpc/jsonrpc` - over TCP, Unix sockets and HTTP `CONNECT`, and every byte it sends is
//! written by code you can read here.
//!
//! | day | what appears | module | example | test |
//! |---|---|---|---|---|
//! | 1 | gob, JSON, header and body, recognising a dialect | [`error`] [`input`] [`gob`] [`macros`] [`json`] [`codec`] [`handshake`] | `day1_codec` | `sessions` |
//! | 2 | a client that many callers share | [`stream`] `outgoing` [`client`] with `waiting`, `handle` `options` | `day2_client` | `calls` `races` |
//! | 3 | typed services, a server | [`service`] `connection` `gate` [`server`] with `serving` | `day3_service` | `calls` `panics` |
//! | 4 | time limits | `deadline` | `day4_timeout` | `faults` `slow` |
//! | 5 | HTTP, a debug page | [`http`] | `day5_http_debug` | `http` |
//! | 6 | many servers | [`discovery`] [`xclient`] | `day6_load_balance` | `many` |
//! | 7 | a registry | [`registry`] `heartbeat` | `day7_registry` | `http` |
//!
//! The modules are declared in the order in which they are to be read. Unit tests stand in each;
//! the tests of the table are those of `tests/tests/rpc/`, which also run live Go programs.
//!
//! # One call, from end to end
//! 1. [`Client::call`] takes a number for the call and a place for its reply (`client`).
//! 2. [`message!`] has written how `Args` becomes gob; the [`Encoder`](gob::Encoder) puts the
//!    definition of the type, once, and the value behind a [`Header`].
//! 3. The bytes join those of other callers, and one of them writes for all (`outgoing`).
//! 4. The server's [`Input`] has them; the first bytes of the connection told it the dialect
//!    ([`handshake`]).
//! 5. A thread reads header and arguments (`connection`), finds `Foo` and `Sum` in the table
//!    ([`service`]), *puts the right to read back* and runs the function itself.
//! 6. Should the function take long, the watch has another thread read on (`deadline`).
//! 7. The reply is lined up; it leaves when there is nothing more to read, with all others.
//! 8. Of the callers that wait, one reads for all. It finds the number, fills the place, wakes the
//!    owner.
//! 9. The owner takes the reply out. Nothing else was allocated but the place.
//!
//! ```
//! use rpc::{Client, Server, Service};
//!
//! rpc::message! {
//!     pub struct Args { pub num1: i64, pub num2: i64 }
//! }
//!
//! # fn main() -> rpc::Result<()> {
//! let service = Service::new("Foo").method("Sum", |args: Args| Ok(args.num1 + args.num2));
//! let server = Server::new().register(service)?.start()?;
//! let addr = server.listen("127.0.0.1:0")?;
//!
//! let client = Client::dial(&format!("tcp@{addr}"))?;
//! let sum: i64 = client.call("Foo.Sum", &Args { num1: 3, num2: 4 })?;
//! assert_eq!(sum, 7);
//! # Ok(())
//! # }
//! ```
//!
//! # Names, for readers of the Go text
//! | Go | here |
//! |---|---|
//! | `codec.Codec`, `GobCodec` | [`codec::CodecReader`] and [`codec::CodecWriter`]: it comes apart in two |
//! | `codec.Header` | [`Header`] |
//! | `Option` | [`Options`], on the wire [`handshake::Opening`] |
//! | `Client`, `Call` | [`Client`], [`Handle`] |
//! | `Go`, `Call` | [`Client::go`], [`Client::call`] |
//! | `Dial`, `XDial`, `DialHTTP` | [`Client::dial`] |
//! | `service`, `methodType`, `Register` | [`Service`], [`service::Method`], [`Server::register`] |
//! | `Accept`, `ServeConn` | [`Serving::listen`], [`Serving::serve_stream`] |
//! | `HandleHTTP`, `ServeHTTP`, `debugHTTP` | [`http::mount`] |
//! | `Discovery`, `MultiServersDiscovery` | [`Discovery`], [`discovery::MultiServers`] |
//! | `SelectMode` | [`Select`]: [`discovery::Random`], [`discovery::RoundRobin`] |
//! | `XClient` | [`XClient`] |
//! | `GeeRegistry`, `Heartbeat`, `GeeRegistryDiscovery` | [`Registry`], [`Heartbeat`], [`RegistryDiscovery`] |
//!
//! # Where the course stops
//! Everything above is complete without [`beyond`]: calls without types (the `call` tool), more
//! policies, failover, interceptors at work. No encryption, no streams of replies, no `context`
//! that travels: what the deadline of a caller means to the server is a handle timeout in the
//! option, for all calls of a connection.
//!
//! # What std cannot do here
//! - **No epoll**: a connection at rest holds a thread that waits in `read`. A thousand are fine.
//! - **No `select`**: a thread that waits for a socket waits for nothing else. That is why calls
//!   are cancelled by not waiting, and why the time limits are the socket's.
//! - **No way to stop a thread**: a method that runs past its time goes on; [`CallInfo::is_over`]
//!   lets it notice.
//! - **No signals**: Ctrl-C ends a server at once. [`Serving::shutdown`] is for those who can ask.
//! - **No TLS, no time zones**: logs are in UTC.
//!
//! # Several machines
//! Start the registry where every machine can reach it. A server listens on `0.0.0.0:PORT` and
//! advertises what [`Heartbeat::address_for`] finds: the address by which it reaches the
//! registry. Give the registry a [token](Registry::token); it travels in the clear, so keep it to
//! a network of your own.

pub mod error;
pub mod input;

pub mod gob;
pub mod macros;

pub mod json;

pub mod codec;
pub mod handshake;

pub mod stream;

mod outgoing;

pub mod client;
mod handle;
mod options;

pub mod service;

mod connection;
mod gate;
pub mod server;

mod deadline;

pub mod http;

pub mod discovery;
pub mod xclient;

mod heartbeat;
pub mod registry;

pub mod beyond;

pub use client::Client;
pub use codec::{Body, CodecType, Dialect, Header};
pub use discovery::{Discovery, Select};
pub use error::{Error, Result};
pub use handle::Handle;
pub use heartbeat::{HEARTBEAT_PERIOD, Heartbeat};
pub use input::{Input, Source};
pub use options::Options;
pub use registry::{Registry, RegistryDiscovery};
pub use server::{Limits, Server, Serving};
pub use service::{CallInfo, Interceptor, Outcome, Reply, Service};
pub use stream::{Address, Stream};
pub use xclient::XClient;
