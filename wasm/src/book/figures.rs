//! Figures: how fast, beside what, and how to measure it again.
//!
//! A figure alone says little: machines differ, and this one was kept busy by other work. So each
//! row has a peer that ran in the same minutes on the same machine, and where it can be, processor
//! time, which a busy machine changes less than time on the wall. Two numbers are the least and the
//! most that were seen. Two virtual cores of an Intel Xeon, 26 November 2026, Debian 12, rustc 1.95,
//! release builds. Yours, beside what std can do or the peer's own program:
//!
//! ```text
//! cargo bench -p web        cargo bench -p cache        cargo bench -p rpc
//! cargo bench -p orm --bench storage      (beside the sqlite3 program, if it is there)
//! cargo bench -p orm --bench language     (the same)
//! cargo bench -p orm --bench orm
//! ```
//!
//! # web
//! `wrk -t1 -c64 -d3s`; CPU is the server's, for a request.
//!
//! | | here | nginx | axum |
//! |---|---|---|---|
//! | hello, CPU | 6.3 to 10.3 µs | 4.3 to 5.8 | 4.9 to 6.5 |
//! | sixteen at a time, CPU | 0.90 to 1.19 µs | 2.9 to 3.5 | 3.4 to 4.8 |
//! | sixteen at a time, requests a second | 0.78 to 1.07 M | 0.06 to 0.34 M | 0.06 to 0.28 M |
//! | a connection for each request, CPU | 41 to 58 µs | 15 to 22 | 26 to 42 |
//!
//! | | here | a library for that alone |
//! |---|---|---|
//! | parse a head of 46 octets, of 732 | 160 to 177 ns, 524 to 752 ns | httparse: 79 to 102 ns, 315 to 368 ns |
//! | find one of 153 routes | 103 to 110 ns | matchit: 48 to 49 ns |
//! | JSON: parse, print | | 0.96 to 1.29 and 0.65 to 0.95 of `serde_json`'s time |
//! | hello, beside a bare loop of `read` and `write` | 80 and 112 % | |
//! | 5,000 idle connections | 100 MB in all | |
//!
//! Where it goes: two thirds of a hello's samples are the kernel's switch from one thread to the
//! next. An event loop has fetched the next request before the switch would have begun: that is
//! what axum and nginx are ahead by, and what std does not have. With sixteen requests in a packet
//! all of them share a switch, and the order turns. A connection for each request costs here what a
//! bare loop with a thread for each costs, 36 µs: the thread is the price.
//!
//! # cache
//! | | here | beside it |
//! |---|---|---|
//! | LRU: get, insert and evict | 5.5 ns, 15.0 ns | the `lru` crate: 5.0 ns, 18.1 ns |
//! | a hit of a group, one thread | 50 ns | `quick_cache`: 55 to 59 ns |
//! | protobuf, 100 bytes: encode, decode | 6 ns, 70 to 78 ns | prost: 7 ns, 47 to 49 ns |
//! | CRC-32 of 24 bytes | 4.3 GB/s | |
//! | the owner among 500 points | 12 ns | |
//! | a value of a peer over loopback, CPU | 9.9 to 10.9 µs | the bare hello: 9.2 to 9.9 µs |
//!
//! Not shown: more hits a second with two threads than with one. Their processor time is equal, so
//! that they do not wait for each other, but two cores that others use as well gave less.
//!
//! # rpc
//! Both sides on the same machine, over TCP; CPU for a call is both sides'.
//!
//! | connections x callers | here | Go's net/rpc | tarpc |
//! |---|---|---|---|
//! | 1 x 64 | 228 to 254 k/s, 3.7 µs | 43 to 56 k/s, 15 to 16 µs | 124 to 150 k/s, 5.4 to 6.3 µs |
//! | 64 x 1 | 89 to 95 k/s, 13 µs | 43 to 51 k/s, 19 to 20 µs | 54 to 70 k/s, 12.3 to 12.8 µs |
//! | 1 x 1 | 86 k/s, 9 to 10 µs | 27 to 30 k/s, 40 µs | 30 to 41 k/s, 24 µs |
//!
//! A small struct as gob takes 27 to 85 ns to write and 75 to 230 ns to read. What made 1 x 64 three
//! times as fast: one caller promises to write and the others leave, so that a call costs 0.03
//! switches of the server and not 0.8. A lone call takes 1.3 to 1.6 times as long as a bare echo.
//!
//! # orm
//! SQLite's processor time over ours: above 1 we are faster. 100,000 rows; the upper half beside
//! rusqlite with the same settings, the lower half beside the sqlite3 program.
//!
//! | | | | |
//! |---|---|---|---|
//! | insert | 0.52 | select by rowid | 0.71 |
//! | insert, scattered text keys | 0.46 | select by text | 0.76 |
//! | update by rowid | 0.57 | filtered scan | 0.41 |
//! | update by text | 0.56 | count | 1.03 |
//! | delete | 0.53 | durable commit of one row | 0.75 to 1.47 |
//! | **language** | | | |
//! | group by, many groups | 2.21 | group by, few | 2.13 |
//! | order by | 1.18 | distinct | 1.09 |
//! | left join, grouped | 1.07 | union | 0.84 |
//! | like | 0.79 | join by index | 0.76 |
//! | group by an index | 0.45 | order by an index | 0.39 |
//! | correlated subquery | 0.34 | join by rowid | 0.26 |
//!
//! A commit takes four syncs, here and there. The last four rows are counts of instructions. What
//! they pay for: each step and seek takes a node apart again, and rows of a FROM subquery are stored
//! before they are used.
//!
//! The ORM over the bare engine, 10,000 structs: `insert_all` 0.78 of its time (it puts many rows into
//! one statement), `find` 0.94, inserts one by one 1.79.
//!
//! # Sizes
//! | | `.wasm` | glue |
//! |---|---|---|
//! | `hello_world` | 2,773 bytes | 4,982 |
//! | `register_functions` | 14,433 | 9,501 |
//! | `manipulate_dom` | 14,675 | 9,816 |
//! | `callback` | 14,451 | 9,645 |
//!
//! The Go tutorial's programs have 1.4 MB each.
