//! The front page of the book, and the playground that `cargo run` starts.
//!
//! # The book
//! Most programs stand on a web framework, a cache, a database with a mapper before it, and remote calls.
//! Here is one of each, small enough to be read to the last byte, and real enough that browsers, `sqlite3` and
//! programs in Go work with it. It is the Rust counterpart of the Go tutorial
//! [7 days golang programs from scratch](https://github.com/geektutu/7days-golang).
//!
//! Each system is grown in seven days. The documentation of a module is its chapter; there is no second
//! text. You should know Rust as its own book teaches it; Go you need not know. Read the parts in this
//! order - `cache` and `rpc` stand on `web`, `orm` stands alone, and nothing looks ahead:
//!
//! | part | how long | afterwards you can say |
//! |---|---|---|
//! | [`web`], days 1 to 7 | an afternoon | what a server does with each byte of a request, how a thread pool stays alive under load, how routes are found, what middleware costs, why a template escapes by place |
//! | [`cache`], days 1 to 7 | an evening | how an LRU list is built without pointers, why a load happens once, who owns a key and what moves when a node comes, what protobuf is |
//! | [`orm::sql`], day 0 | half a day, with three places to stop; a day with the exercises | what is on each page of an SQLite file, why it survives a power cut, how a query becomes rows |
//! | [`orm`], days 1 to 7 | an evening | what an ORM does for you, what it must never do, what a migration is made of |
//! | [`rpc`], days 1 to 7 | an afternoon | how calls of many threads share a connection, how gob describes its own types, where a call can hang, what a registry is for |
//! | `wasm/demos`, four demos | an hour, with its exercises | what WebAssembly can do alone, and what the glue adds |
//! | the playground, [below](#what-is-here) | an evening, if you like | how an application stands on `web`: pages that change while one looks, strangers' input with bounds, a build that may fail |
//!
//! A chapter says at its beginning what stands at its end. It shows a picture or the bytes, tells the idea
//! alone as a program of a page, walks through the code, and tells what the borrow checker has against
//! the first version that comes to mind. It ends with a command to try and with exercises: tests that
//! are switched off, `cargo test -p cache exercise_ -- --ignored`. A solution of each lies in
//! `tests/solutions`.
//!
//! *I can follow but could not write it*, learners said of the Go tutorial. Take the idea alone, close the
//! book, and write it again from a blank file; it is a page.
//!
//! In between: [`book::glossary`], [`book::deviations`] from the Go tutorial,
//! [`book::figures`], [`book::deployment`]. And the playground, to look where you would rather look than read.
//!
//! # The playground
//! It serves the systems of this repository to your browser, and builds the four WASM demos beside
//! it.
//!
//! ```text
//! $ cargo run
//! listening on http://127.0.0.1:9999
//! demos: looking for the target ...
//! demos: looking for the target: wasm32-unknown-unknown is installed (0.1 s)
//! demos: compiling the demos ...
//! ```
//! `--addr HOST:PORT` listens elsewhere, `--open` shows the page in your browser. The build has rustup add
//! the target and fetches wasm-bindgen, if they are not there; `--no-demos` builds nothing.
//!
//! The playground is a program of [`web`] and shows the other crates at work; nothing else is below it
//! but std, and its pages, styles and scripts are inside the executable.
//!
//! # What is here
//! Read in this order; a module's documentation is its chapter.
//!
//! | read | what it shows |
//! |---|---|
//! | [`flags`], [`pages`], [`systems`], [`assets`], [`source`] | a small real application: routes, templates, files in the program |
//! | [`inspect`] | any bytes, each with a name; a request, from the ranges that the real parser found |
//! | [`beside`], [`answer`] | an answer as it was sent, from a small server beside the playground |
//! | [`tree`] | the route tree as a picture, and the way of a path through it |
//! | [`live`], [`cache_page`] | nodes of the cache on loopback, drawn while they work |
//! | [`orm_page`] | a database file: SQL, its trees, its pages and its journal, byte by byte |
//! | [`rpc_page`] | a registry and its servers, called, stopped and started |
//! | [`demos`], [`progress`] | pages that change while you look: server-sent events over a condition variable |
//! | [`builder`], [`command`] | a build with steps that may fail, told in a sentence each |
//!
//! # The demos
//! They are a package of their own, `wasm/demos`, outside the workspace: the only place, with the
//! maker of their glue in `wasm/glue`, that names a package from elsewhere. Its front page is the
//! chapter on strings, closures and memory between Rust and JavaScript: `cd wasm/demos && cargo doc
//! --open --no-deps`.
//!
//! | demo | page | what one sees |
//! |---|---|---|
//! | 1 `hello_world` | `/wasm/hello_world` | an alert when the page has loaded |
//! | 2 `register_functions` | `/wasm/register_functions` | a script calls a Rust function and catches its errors |
//! | 3 `manipulate_dom` | `/wasm/manipulate_dom` | Rust finds elements, listens, and writes the answer |
//! | 4 `callback` | `/wasm/callback` | the number comes after three seconds; the page stays alive |
//!
//! # One request from end to end
//! 1. You open `/web`. The [`web::Server`] reads the head and notes where its parts stand.
//! 2. The [`web::Engine`] that [`pages::engine`] has made finds the route, and runs its handler.
//! 3. [`inspect::request::pieces`] asks the request for those places and gives every byte a name.
//! 4. [`inspect::as_json`] lays the pieces out as lines and as rows of sixteen bytes.
//! 5. [`tree::as_json`] lays out the routes, and lights the way of `?path=`.
//! 6. The template `wasm/pages/web.html` becomes the page. Each value is escaped for its place, so a
//!    request full of `<script>` is text.
//!
//! # What the compiler says about the demos
//! A demo is a `cdylib`, a library for programs in other languages: it has no `main`, and nothing of it is
//! kept that is not exported. That is how 2.8 KB come about. `wasm32-unknown-unknown` has no operating
//! system: what needs one compiles, and then fails when it runs. There:
//!
//! | std | on that target |
//! |---|---|
//! | `Mutex`, `HashMap`, `OnceLock`, `Vec`, formatting | work |
//! | `fs`, `net`, `env::args` | errors or nothing, never a panic |
//! | `Instant::now`, `SystemTime::now`, `thread::spawn`, `Condvar::wait` | panic, and a panic ends the module (a *trap*) |
//!
//! That is why the pure parts of the other crates are handed a clock and start no threads.
//!
//! # What std cannot do here
//! It has no signals: Ctrl-C ends the program at once, and the terminal ends a running cargo with
//! it. It cannot ask the desktop to open a page, so `--open` starts the program that can. It has no
//! WebAssembly: the target is installed by rustup, and the glue is made by wasm-bindgen's own tool.

pub mod flags;

pub mod pages;
pub mod systems;
pub mod assets;
pub mod source;

pub mod inspect;
pub mod beside;
pub mod answer;
pub mod tree;

pub mod live;
pub mod cache_page;
pub mod orm_page;
pub mod rpc_page;

pub mod demos;
pub mod progress;
pub mod builder;
pub mod command;

pub mod book;
