//! The playground: `cargo run` serves the systems of this repository to your browser, and builds the
//! four WASM demos beside it.
//!
//! ```text
//! $ cargo run
//! listening on http://127.0.0.1:9999
//! demos: looking for the target ...
//! demos: looking for the target: wasm32-unknown-unknown is installed (0.1 s)
//! demos: compiling the demos ...
//! ```
//! `--addr HOST:PORT` listens elsewhere, `--open` shows the page in your browser, `--no-demos` builds
//! nothing. It is a program of [`web`], with nothing else below it: std alone, its pages, styles and
//! scripts inside the executable.
//!
//! # What is here
//! Read in this order; a module's documentation is its chapter.
//!
//! | read | what it shows |
//! |---|---|
//! | [`pages`], [`systems`], [`assets`] | a small real application: routes, templates, files in the program |
//! | [`inspect`] | a request, every byte named, from the ranges that the real parser found |
//! | [`tree`] | the route tree as a picture, and the way of a path through it |
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
//! 3. [`inspect::pieces`] asks the request for those places and gives every byte a name.
//! 4. [`inspect::as_json`] lays the pieces out as lines and as rows of sixteen bytes.
//! 5. [`tree::as_json`] lays out the routes, and lights the way of `?path=`.
//! 6. The template `wasm/pages/web.html` becomes the page. Each value is escaped for its place, so a
//!    request full of `<script>` is text.
//!
//! # What the compiler says about the demos
//! A `cdylib` has no `main`, and nothing of it is kept that is not exported: that is how 2.8 KB come
//! about. `wasm32-unknown-unknown` has no operating system: what needs one compiles and then fails
//! when it runs. There:
//!
//! | std | on that target |
//! |---|---|
//! | `Mutex`, `HashMap`, `OnceLock`, `Vec`, formatting | work |
//! | `fs`, `net`, `env::args` | errors or nothing, never a panic |
//! | `Instant::now`, `SystemTime::now`, `thread::spawn`, `Condvar::wait` | panic, which is a trap |
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

pub mod inspect;
pub mod tree;

pub mod demos;
pub mod progress;
pub mod builder;
pub mod command;
