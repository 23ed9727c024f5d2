//! Where this differs from the Go tutorial, in one place.
//!
//! The tutorial keeps each project small on purpose, and some corners are rough on purpose; it is
//! the reason why this course exists. What follows is not a list of complaints but of things that
//! behave otherwise here, for readers who hold the two side by side. The numbers are ours; many stand in
//! the code and its tests as well: try `git grep -w WEB-4`.
//!
//! # The whole
//! | there | here |
//! |---|---|
//! | `net/http`, `encoding/gob`, `encoding/json`, `html/template`, go-sqlite3 come from outside | written here, since std has none of them |
//! | one copy of the code for each day | one final source; modules are the days, examples use what a day has |
//! | logs in local time | in UTC |
//! | text types without a charset | `; charset=utf-8`, as gin and the tutorial's own transcripts have it |
//! | global registries (`GetGroup`, `RegisterDialect`, `DefaultServer`) | values that are passed on |
//! | reflection | a derive or a macro, written out in the chapter |
//!
//! # web
//! | no. | in the tutorial | here | chapter |
//! |---|---|---|---|
//! | WEB-1, 2, 3 | a route can be swallowed by a `:param` registered before it; the order of registration decides | text before `:param` before `*rest`, in any order; true conflicts are errors | [`web::trie`] |
//! | WEB-4, 5, 6 | middleware of `/v2` runs for `/v20`, and never for `/user/:id` | a chain is fixed with its route; 404 and 405 run the engine's own | [`web::middleware`] |
//! | WEB-7 | a `*` in a request path is read as a pattern | a path is text | [`web::trie`] |
//! | WEB-8 | `/a`, `/a/` and `//a` are the same route | slashes count; a redirect can be asked for | [`web::router`] |
//! | WEB-9 | the first days answer "404" with status 200 | 404 | [`web::server`] |
//! | WEB-10 | GET and POST only | all methods, HEAD through GET, 405 with Allow | [`web::router`] |
//! | WEB-11 | static files are logged as `[0]` | as what was sent | [`web::middleware`] |
//! | WEB-12, 13 | a static file stays open; directories are listed | closed; listed only when told | [`web::files`] |
//! | WEB-14, 15 | 200 is sent before the page or JSON is known to work | an answer is whole before its first byte leaves | [`web::context`] |
//! | WEB-16 | recovery writes its error behind half an answer | nothing is half sent; a stream is cut off | [`web::recovery`] |
//! | WEB-17 | user text is a format string | text is text | [`web::context`] |
//! | WEB-18 | a port in use ends the program silently | the reason, and exit code 1 | [`web::cli`] |
//! | WEB-19 | empty, double and missing names are found at the first request, or never | errors at registration | [`web::trie`] |
//! | WEB-20 | no limits, no deadlines, no end | [`web::Limits`], [`web::Stopper`] | [`web::server`] |
//! | WEB-21, 22 | transcripts and failure texts that the code does not produce | every output shown was printed; tests assert values | |
//! | WEB-23 | recovery stands inside the logger | so it does here; a panic of the logger costs its connection | [`web::recovery`] |
//!
//! # cache
//! | no. | in the tutorial | here | chapter |
//! |---|---|---|---|
//! | CACHE-1 | the key `a b` is asked of its owner as `a+b` | `a%20b`; `+` is a plus | [`cache::http`] |
//! | CACHE-2 | a panicking loader leaves all who wait waiting | an error for each of them | [`cache::flight`] |
//! | CACHE-3, 4 | a second load can begin just after the first | the cache is looked at again inside the flight | [`cache::flight`] |
//! | CACHE-5 | "not there" is asked for twice, each time | the owner's word is final, and can be remembered | [`cache::group`] |
//! | CACHE-6 | a peer may take for ever and send any amount | deadlines, limits, a rest after failures | [`cache::peers`] |
//! | CACHE-7, 8 | `PickPeer` before `Set`, `RegisterPeers` twice: panics | nobody to ask; an error | [`cache::peers`] |
//! | CACHE-9 | a group of the same name replaces the first | an error | [`cache::Groups`] |
//! | CACHE-10 | an unknown port panics | usage and exit code 2 | the examples |
//! | CACHE-11 | an unexpected path panics | 404 | [`cache::http`] |
//! | CACHE-12 | nodes with different lists can ask each other in a circle | who is asked by a peer asks no peer | [`cache::peers`] |
//! | CACHE-13 | a node added twice counts twice, none can be removed | a set, with removal; the points are Go's | [`cache::ring`] |
//! | CACHE-14 | one value too large empties the cache | it is refused, and nothing else moves | [`cache::lru`] |
//! | CACHE-15 | no hot cache, expiry, removal or figures | all four | [`cache::beyond`] |
//! | CACHE-16 | "no bytes, no error" is kept as an empty value | so it is here: an empty value is a value | [`cache::group`] |
//! | CACHE-17 | protobuf in the answer only | the same, to be compatible; said in the chapter | [`cache::proto`] |
//! | CACHE-18, 19 | fixed ports, two seconds of sleep, "fontend" | any port, ready when it says so | the examples |
//!
//! A missing key is 404 at `/api`, where the tutorial has 500.
//!
//! # orm
//! | no. | in the tutorial | here | chapter |
//! |---|---|---|---|
//! | ORM-1, 2 | migration loses keys, constraints and types; new columns are NULL and cannot be read | a rebuild from the whole definition; defaults are filled in | [`orm::migrate`] |
//! | ORM-3, 4 | three statements in one text, results unread, errors ignored | one each, in one transaction | [`orm::migrate`] |
//! | ORM-5, 6 | a session without `Model()` panics; a table's own name gets lost | the type says what table it is | [`orm::schema`] |
//! | ORM-7, 8, 9, 10 | a hook's error is logged, some run on an empty object, a misspelt one never | a trait; on the records concerned; an error aborts | [`orm::hooks`] |
//! | ORM-11 | the second `Where` replaces the first | both hold | [`orm::query`] |
//! | ORM-12 | `Update()` panics; without a condition it changes every row | typed pairs, the model's order, `.all()` for every row | [`orm::change`] |
//! | ORM-13 | names are not quoted: a table `Order` is a syntax error | always quoted - the one difference in the SQL text | [`orm::dialect`] |
//! | ORM-14 | a session is dead after its transaction | it goes on | [`orm::transaction`] |
//! | ORM-15, 16 | errors read as "no"; an engine that is neither there nor an error | errors | [`orm::engine`] |
//! | ORM-17 | a failed scan leaves a cursor open | closed on every way out | [`orm::session`] |
//! | ORM-18 | nothing to insert is sent as half a statement | nothing is sent | [`orm::record`] |
//! | ORM-19 | `bigint` keys are not the rowid | an integer key is, and comes back | [`orm::dialect`] |
//! | ORM-20 | a session shared by threads breaks | it does not compile | [`orm::session`] |
//! | ORM-21, 22 | success is logged after a failure; tests share one file | what happened; a database for each test | [`orm::session`] |
//!
//! # rpc
//! | no. | in the tutorial | here | chapter |
//! |---|---|---|---|
//! | RPC-1 | a request that comes with the option is swallowed: demos hang nine times in ten | one buffered reader from the first byte on; for Go's servers the option is padded | [`rpc::handshake`] |
//! | RPC-2, 3 | one misspelt call, or one reply of another type, ends the connection for all | it fails alone | [`rpc::codec`] |
//! | RPC-4 | a panic ends the server | an error of its call | [`rpc::service`] |
//! | RPC-5, 6, 7 | a timeout leaves a goroutine behind, and the method never hears of it | one reply, nothing left; the method can ask | `rpc::deadline` |
//! | RPC-8 | an error's text is a format | text | [`rpc::service`] |
//! | RPC-9, 10 | sending has no deadline; a full channel stalls everybody | the deadline counts from the call; a place cannot be full | [`rpc::client`] |
//! | RPC-11 | a refused client sees the end of the stream | and is told why | [`rpc::server`] |
//! | RPC-12 | the caller's option is written to | options are borrowed | [`rpc::Options`] |
//! | RPC-13, 14 | bytes behind CONNECT are lost; the debug page is not sorted and global | kept; sorted and the server's own | [`rpc::http`] |
//! | RPC-15 | one dead server blocks the calls to all | each address has its own lock, and rests | [`rpc::xclient`] |
//! | RPC-16 | a broadcast to nobody succeeds | an error; all results are kept | [`rpc::xclient`] |
//! | RPC-17, 18 | a heartbeat stops at the first failure, or takes 404 for success | goes on for ever, looks at the status, ends with its owner | [`rpc::Heartbeat`] |
//! | RPC-19 | a failing registry empties the list | the last good list stays | [`rpc::RegistryDiscovery`] |
//! | RPC-20 | anybody registers anything, `[::]` included | checked, with a token, and can be taken back | [`rpc::registry`] |
//! | RPC-21, 22, 23 | calls left in the table, a connection left open, no tests | emptied, closed, tested | [`rpc::client`] |
//!
//! # wasm
//! | no. | in the tutorial | here |
//! |---|---|---|
//! | WASM-1 | a negative number overflows the stack, a large one freezes the page | a message; the loop ends at 186 |
//! | WASM-2 | what is no number counts as 0 | a message |
//! | WASM-3 | a helper to install, pages without doctype, names as globals | `cargo run`; pages one would show; `fibFunc` alone is global |
//!
//! `fib(0)` is 1, as there. The programs have 3 to 15 KB instead of 1.4 MB.
