//! Glossary: the field's words, each in a sentence or two, and where it is met.
//!
//! | word | what it means here | where |
//! |---|---|---|
//! | affinity | what a column would like its values to be; SQLite converts `'5'` to 5 for an INTEGER column and leaves `'x'` as it is | [`orm::sql::affinity`] |
//! | b-tree | a tree whose nodes are pages with many keys each, so that a million rows are three or four reads away | [`orm::sql::btree`] |
//! | back-off | waiting longer after each failure before trying again | [`cache::peers`], [`rpc::Heartbeat`] |
//! | body | what follows the head of a message: an upload, a page, the arguments of a call | [`web::body`] |
//! | catalog | the table of all tables, `sqlite_schema`, whose rows are `CREATE` statements | [`orm::sql::catalog`] |
//! | cell | a row, or a key with a child's number, as it lies on a page | [`orm::sql::page`] |
//! | chunked | a body sent in pieces, each with its length in front, because the whole length is not known | [`web::body`] |
//! | codec | what makes bytes of values and values of bytes | [`rpc::codec`] |
//! | consistent hashing | keys and nodes on one circle; a key belongs to the next node; one node more moves only its own share | [`cache::ring`] |
//! | deadline | the moment at which one stops waiting; a *timeout* is how long that is from now | [`web::Limits`], [`rpc::Options`] |
//! | dialect | one of several languages for the same thing: GeeRPC, net/rpc, jsonrpc; GeeCache's nodes and groupcache's; SQLite's and others' SQL | [`rpc::Dialect`], [`cache::Dialect`], [`orm::Dialect`] |
//! | drop guard | a value whose end does what must happen on every way out, a panic included | [`cache::flight`], [`orm::transaction`] |
//! | eviction | throwing out what was used longest ago, because something new needs the room | [`cache::lru`] |
//! | flight | a load that is under way; who wants the same key waits for it instead of loading too | [`cache::flight`] |
//! | framing | how the end of a message is known | [`web::body`], [`rpc::gob`] |
//! | freelist | pages of a file that are in use no more, kept for the next who needs one | [`orm::sql::freelist`] |
//! | glue | the JavaScript between a page and a WebAssembly module: it makes strings of numbers and numbers of strings | `wasm/demos` |
//! | gob | Go's own format: types are described once in a stream, then values follow | [`rpc::gob`] |
//! | handler | the function that answers a request | [`web::Handler`] |
//! | heartbeat | a message that says no more than *I am here* | [`rpc::Heartbeat`] |
//! | hot cache | copies of other nodes' values that are asked for all the time | [`cache::beyond::hot`] |
//! | hot journal | a journal that is still there when a database is opened: a commit did not end | [`orm::sql::journal`] |
//! | interceptor | what runs before and after every call of a server, as middleware does on the web | [`rpc::Interceptor`] |
//! | journal | the old contents of pages, safe on the disk before new ones are written | [`orm::sql::journal`] |
//! | keep-alive | several requests on one connection, one after another | [`web::server`] |
//! | linear memory | the one block of bytes that a WebAssembly module has; JavaScript sees it as an array | `wasm/demos` |
//! | LRU | least recently used: the order in which a cache throws out | [`cache::lru`] |
//! | middleware | handlers around a handler, like the layers of an onion | [`web::middleware`] |
//! | negative cache | remembering that something is not there | [`cache::beyond::negative`] |
//! | overflow page | where the rest of a row goes that is too long for its page | [`orm::sql::btree::overflow`] |
//! | owner | the one node of a cluster that loads and keeps a key | [`cache::ring`] |
//! | page | 4,096 bytes, as a rule: what a database reads, writes and caches at a time | [`orm::sql::page`] |
//! | pager | gives pages by number, knows which have changed, commits or rolls back | [`orm::sql::pager`] |
//! | peer | another node of the same cluster | [`cache::peers`] |
//! | pipelining | sending the next request before the answer to the last has come | [`web::server`] |
//! | preload | fetching the related rows of many records by one query | [`orm::beyond::related`] |
//! | prepared statement | SQL that has been read and planned once, and is run many times with other values | [`orm::sql::Statement`] |
//! | read-through | a cache that is given the loader once; callers only ever get | [`cache::group`] |
//! | registry | the server that knows which servers there are | [`rpc::registry`] |
//! | replica, virtual node | one of the many points that a node has on the ring, so that shares become even | [`cache::ring`] |
//! | ring | see *consistent hashing* | [`cache::ring`] |
//! | rowid | the number under which a table keeps a row; an `INTEGER PRIMARY KEY` is another name for it | [`orm::sql::btree::table`] |
//! | savepoint | a mark inside a transaction to which one can go back | [`orm::sql::savepoint`] |
//! | single flight | see *flight* | [`cache::flight`] |
//! | slab | one vector of nodes that point at each other with indices | [`cache::lru`] |
//! | SSE | server-sent events: an answer that never ends, an event now and then | [`web::beyond::stream`] |
//! | three-valued logic | true, false and unknown: what NULL makes of a comparison | [`orm::sql::expr`] |
//! | trap | how a WebAssembly module ends when it must not go on: a panic, a place outside of its memory | [`crate`] |
//! | trie | a tree in which a path is found piece by piece | [`web::trie`] |
//! | varint | a whole number in as many bytes as it needs; protobuf, SQLite and gob each have their own | [`cache::proto`], [`orm::sql::varint`], [`rpc::gob::varint`] |
//! | VFS | the few things a database needs of a disk, as a trait | [`orm::sql::vfs`] |
//! | zero value | what Go gives a variable that nobody has set; gob does not send it | [`rpc::gob`] |
