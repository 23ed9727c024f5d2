//! Deployment: several machines, limits to set, backups, and what not to use this for.
//!
//! # What not to use this for
//! Say no first. This is code to learn from that holds its promises; it is not a product with a
//! team on call.
//!
//! - **Nothing here speaks TLS.** Whatever leaves the machine in the clear can be read and changed
//!   on the way. A proxy in front of `web` ends TLS; `cache` and `rpc` have no such thing between
//!   their nodes and belong inside a network that you trust.
//! - **A thread for each connection.** 1,024 at once by default, some thousands if you raise it.
//!   For a hundred thousand idle connections take an asynchronous server.
//! - **One writer for a database file.** A program of ours locks others of ours out, but not
//!   sqlite3: their locks do not see each other. No replicas, no WAL, no users and rights.
//! - **Nobody is asked who they are**, but by `basic_auth` of `web` and the registry's token.
//!
//! # The web behind nginx
//! nginx ends TLS, holds the slow clients, and keeps a few connections to us open. Tried as it
//! stands here, with curl and `wrk -c64`:
//!
//! ```text
//! upstream app { server 127.0.0.1:9999; keepalive 32; }
//! server {
//!     listen 443 ssl;                              # and your certificate
//!     client_max_body_size 2m;                     # as Limits::body_bytes_max
//!     location / {
//!         proxy_pass http://app;
//!         proxy_http_version 1.1;
//!         proxy_set_header Connection "";          # else nginx closes each connection
//!         proxy_set_header Host $host;
//!         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
//!         proxy_buffering off;                     # for server-sent events
//!     }
//! }
//! ```
//! nginx closes an idle connection to us after 60 seconds and we after 75
//! ([`Limits::idle_timeout`](web::Limits::idle_timeout)): who sends requests must be the one to
//! close, or a request meets a closing door. Believe `X-Forwarded-For` from nginx only:
//!
//! ```
//! use std::time::Duration;
//! use web::beyond::client_ip::trust_proxies;
//! use web::{Engine, Server};
//!
//! let mut engine = Engine::default();
//! engine.middleware(trust_proxies(&["127.0.0.1"])?);
//! engine.get("/who", |c| {
//!     let who = c.client_ip().map_or("nobody".to_owned(), |ip| ip.to_string());
//!     c.string(200, who);
//! })?;
//! let mut server = Server::new(engine);
//! server.limits.body_bytes_max = 256 * 1024; // what your largest form needs, not more
//! server.limits.head_timeout = Duration::from_secs(5);
//! server.pool.threads_max = 256; // nginx needs few connections
//! # Ok::<(), web::Error>(())
//! ```
//!
//! # Limits to set
//! | where | limit | default | set it to |
//! |---|---|---|---|
//! | web | [`Limits::body_bytes_max`](web::Limits::body_bytes_max) | 2 MiB | the largest upload that you expect; more for one group with [`body_limit`](web::beyond::limits::body_limit) |
//! | web | [`Limits::head_timeout`](web::Limits::head_timeout), `body_timeout`, `rate_min` | 10 s, 10 s, 1 KiB/s | lower where clients are near |
//! | web | [`PoolLimits::threads_max`](web::pool::PoolLimits::threads_max) | 1,024 | connections that you want at once; 256 KiB of address space each |
//! | cache | [`PeerLimits`](cache::peers::PeerLimits) | 1 s to connect, 3 s in all | well below what your callers wait |
//! | cache | the budget of a [`Group`](cache::Group) | none: you give it | a part of memory; keys and values count, about 100 bytes an entry come on top |
//! | orm | [`Options`](orm::sql::Options) | 2 MiB of cache, synced | a cache as large as what is read again and again |
//! | rpc | [`Limits`](rpc::Limits) | 1,024 connections, 1,024 calls, 4 MiB | what one machine can do at once |
//! | rpc | [`Options::handle_timeout`](rpc::Options::handle_timeout) | none | what a caller is willing to wait |
//!
//! Descriptors are a limit as well: `ulimit -n` must be above the connections of all servers of a
//! process. When they run out, servers here log it, wait, and go on.
//!
//! # Several machines: cache
//! Every node is told all nodes, in the same spelling, and which of them it is itself. (The program is
//! made by `cargo build --release -p cache --example day7_protobuf`, in `target/release/examples`.)
//!
//! ```text
//! a$ day7_protobuf --port 8001 --addr 0.0.0.0:8001 --self http://10.0.0.1:8001 \
//!        --peers http://10.0.0.1:8001,http://10.0.0.2:8001
//! b$ day7_protobuf --port 8001 --addr 0.0.0.0:8001 --self http://10.0.0.2:8001 \
//!        --peers http://10.0.0.1:8001,http://10.0.0.2:8001
//! ```
//! Nodes whose lists differ answer all the same, but some keys are loaded twice: change the list
//! everywhere, within seconds, with [`HttpPool::set_peers`](cache::HttpPool::set_peers). A node
//! that is down costs its callers one deadline; then it rests, and its keys are loaded where they
//! are asked for. There is no invalidation across nodes: let values change their key (`user:7:v3`).
//!
//! # Several machines: rpc
//! A registry, servers that tell it where they are, clients that ask it:
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use rpc::discovery::RoundRobin;
//! use rpc::{Heartbeat, Registry, RegistryDiscovery, Server, Service, XClient};
//!
//! // On the registry's machine: engine.run("0.0.0.0:9999") afterwards.
//! let registry = Arc::new(Registry::new(Duration::from_secs(300)).token("a long secret"));
//! let mut engine = web::Engine::default();
//! registry.mount(&mut engine)?;
//!
//! // On a server's: listen on all addresses, advertise the one that reaches the registry.
//! let serving = Server::new().register(Service::new("Foo").method("Twice", |n: i64| Ok(2 * n)))?;
//! let serving = serving.start()?;
//! let addr = serving.listen("0.0.0.0:0")?;
//! let url = "http://127.0.0.1:9999/_geerpc_/registry";
//! let address = Heartbeat::address_for(url, addr)?;
//! assert!(address.starts_with("tcp@127.0.0.1:"));
//! # let _with_a_registry = || -> rpc::Result<()> {
//! let (beat, token) = (Duration::from_secs(60), Some("a long secret"));
//! let heart = Heartbeat::start_with(url, &address, beat, token)?; // beats until it is dropped
//!
//! // On a client's:
//! let client = XClient::new(RegistryDiscovery::new(url), RoundRobin::new());
//! let twice: i64 = client.call("Foo.Twice", &21_i64)?;
//! # drop((heart, twice));
//! # Ok(()) };
//! # Ok::<(), rpc::Error>(())
//! ```
//! If the registry dies, clients keep the last list that they got, and servers go on knocking. It
//! keeps nothing on disk: after a restart it is complete again within one heartbeat.
//!
//! # A database file
//! - **Backup**: end the program, copy the file - and, if there is one, `NAME-journal` beside it: that
//!   is a transaction that a crash left, and without it the copy is broken. Start the program again.
//!   While it runs, a copy may catch half a transaction. `sqlite3 NAME .dump` of a *copy* is the
//!   second form worth keeping: text outlives formats.
//! - **Check**: `sqlite3 NAME "PRAGMA integrity_check"`, or the same in our `shell`.
//! - **Disk**: what counts as written is what `fsync` says is written. A disk that lies loses the
//!   last transactions, here as with SQLite.
//! - **Looking in while the program runs**: not with sqlite3, not even to read. It does not see our
//!   lock; in the middle of a commit it takes our journal for one that a crash left, and plays it
//!   back. Ask the program instead.
//!
//! # Keeping it running
//! std has no signals, so SIGTERM ends a program at once. Requests under way are cut; a database
//! takes its unfinished transaction back at the next open; peers and registries notice. So a
//! plain supervisor is enough:
//!
//! ```text
//! [Service]
//! ExecStart=/usr/local/bin/yourserver --addr 127.0.0.1:9999
//! Restart=always
//! LimitNOFILE=8192
//! MemoryMax=512M
//! ```
//! A server that wants to end well needs an occasion of its own - an authenticated request, a file
//! that appears - and calls [`Stopper::shutdown`](web::Stopper::shutdown) or
//! [`Serving::shutdown`](rpc::Serving::shutdown), which wait for what runs.
//!
//! Log lines go to standard error, one event each, in UTC.
