//! Figures: how fast, beside what, and how to measure it again.
//!
//! A figure alone says little: machines differ. So each row has a peer that ran in the same minutes
//! on the same machine, and where it can be, processor time, which other work on a machine changes
//! less than time on the wall. Two numbers are the least and the most that were seen. Two virtual
//! cores of an Intel Xeon with nothing else to do, 26 November 2026, Debian 12, rustc 1.95, release
//! builds. Yours, beside what std can do or the peer's own program:
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
//! | hello, CPU | 8.4 to 8.5 µs | 5.7 to 6.6 | 6.1 to 6.8 |
//! | hello, requests a second | 111 k | 128 to 164 k | 135 to 143 k |
//! | sixteen at a time, CPU | 0.91 to 0.98 µs | 3.2 to 3.4 | 3.6 to 3.7 |
//! | sixteen at a time, requests a second | 1.07 to 1.12 M | 0.35 to 0.37 M | 0.31 to 0.34 M |
//! | a connection for each request, CPU | 32 to 34 µs | 17 to 19 | 34 to 39 |
//!
//! | | here | a library for that alone |
//! |---|---|---|
//! | parse a head of 46 octets, of 732 | 109 ns, 518 to 526 ns | httparse: 54 ns, 254 ns |
//! | find one of 153 routes | 84 to 87 ns | matchit: 47 to 48 ns |
//! | JSON: parse 1.9 KB, print 1.6 KB | 6.4 µs, 1.7 µs | `serde_json`: 6.2 µs, 1.9 µs |
//! | hello's requests a second, beside a bare loop of `read` and `write` | 97 % | |
//! | the same, sixteen at a time; a connection for each | 71 %, 103 % | |
//! | 5,000 idle connections | 100 MB in all | |
//!
//! Where it goes: two thirds of a hello's samples are the kernel's switch from one thread to the
//! next. An event loop has fetched the next request before the switch would have begun: that is
//! what axum and nginx are ahead by, and what std does not have. With sixteen requests in a packet
//! all of them share a switch, and the order turns. A connection for each request costs here what a
//! bare loop with a thread for each costs: the thread is the price.
//!
//! # cache
//! | | here | beside it |
//! |---|---|---|
//! | LRU: get, insert and evict | 5.6 ns, 13.5 ns | the `lru` crate, the same hasher: 5.7 ns, 18.9 ns |
//! | a hit of a group, one thread | 48 to 53 ns, 20.7 M/s | `quick_cache`, a hasher without a key: 34 ns |
//! | a hit of a group, two threads together | 19.8 M/s | |
//! | protobuf, 100 bytes: encode, decode | 6.7 ns, 64 ns | prost: 7.0 ns, 44 ns |
//! | CRC-32 of 24 bytes | 4.6 GB/s | |
//! | the owner among 500 points | 12 ns | |
//! | values of a peer over loopback, one at a time | 118 k/s | the bare hello: 125 k/s |
//!
//! Two threads that ask for the same thousand keys together get no more than one. Each has to fetch
//! what the other has just written: the lock, three neighbours in the list, the value's counter. That
//! is the price of an exact order of use. `quick_cache` only sets a bit on a hit, and counts who is
//! used seldom when it has to evict.
//!
//! # rpc
//! Both sides on the same machine, over TCP; CPU for a call is both sides'.
//!
//! | connections x callers | here | Go's net/rpc | tarpc |
//! |---|---|---|---|
//! | 1 x 64 | 190 to 201 k/s, 7.2 to 7.6 µs | 81 k/s, 21 µs | 184 to 190 k/s, 9.2 µs |
//! | 64 x 1 | 156 to 161 k/s, 12.4 to 12.8 µs | 80 to 81 k/s, 22 to 23 µs | 121 to 136 k/s, 14 to 16 µs |
//! | 1 x 1 | 12.5 to 13.6 k/s, 54 to 59 µs | 10.9 to 12.7 k/s, 93 to 109 µs | 9.2 to 10.1 k/s, 93 to 99 µs |
//!
//! A small struct as gob takes 16 to 20 ns to write and 43 to 54 ns to read. What makes 1 x 64 fast:
//! one caller promises to write and the others leave, so that many calls share a write and a switch
//! of threads. The busier the machine, the more of them: with other work on both cores the same
//! calls took 3.7 µs, Go's 15 and tarpc's 5.4. A lone call waits for two processors to wake up, as a
//! bare echo of 64 bytes does; it took 0.84 to 0.86 of the echo's time.
//!
//! # orm
//! SQLite's processor time over ours: above 1 we are faster. 100,000 rows; the upper half beside
//! rusqlite with the same settings, the lower half beside the sqlite3 program.
//!
//! | | | | |
//! |---|---|---|---|
//! | insert | 0.81 | select by rowid | 0.77 |
//! | insert, scattered text keys | 0.56 | select by text | 0.79 |
//! | update by rowid | 0.63 | filtered scan | 0.62 |
//! | update by text | 0.76 | count (on the clock) | 0.85 |
//! | delete | 0.59 | durable commit of one row (on the clock) | 0.87 |
//! | **language** | | | |
//! | group by, many groups | 2.30 | group by, few | 2.14 |
//! | order by | 1.55 | distinct | 1.51 |
//! | left join, grouped | 1.41 | join by index | 1.01 |
//! | union | 1.00 | correlated subquery | 0.95 |
//! | text functions | 0.92 | group by an index | 0.85 |
//! | like | 0.76 | in (subquery) | 0.71 |
//! | filtered scan | 0.68 | join by rowid | 0.66 |
//! | order by an index | 0.61 | | |
//!
//! A commit takes four syncs, here and there. SQLite runs bytecode and decodes a value where it lies;
//! here each row of a result becomes a list of values, and a tree of expressions is called node by node.
//! That is most of what the rows below 1 pay. The rows above 1 sort, group or hash in memory what
//! SQLite puts into temporary b-trees.
//!
//! The ORM over the bare engine, 10,000 structs: `insert_all` 0.78 of its time (it puts many rows into
//! one statement), `find` 0.96, inserts one by one 1.22.
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
