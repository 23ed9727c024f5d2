//! Rust in the page: four demos, and everything that stands between Rust and the browser.
//!
//! # What you will have at the end
//! Four pages whose programs are written in Rust, and a clear picture of what the generated
//! JavaScript does, line by line. About forty minutes, with the four examples.
//!
//! | demo | what one sees | read | .wasm + .js |
//! |---|---|---|---|
//! | 1 `hello_world` | an alert when the page has loaded | `examples/hello_world.rs` | 2.8 + 5.0 KB |
//! | 2 `register_functions` | a script calls `fibFunc(n)`, a bad `n` is an exception | `examples/register_functions.rs` | 14.4 + 9.5 KB |
//! | 3 `manipulate_dom` | Rust itself finds the elements and listens | `examples/manipulate_dom.rs` | 14.7 + 9.8 KB |
//! | 4 `callback` | `fibFunc(n, callback)`: the number comes after three seconds | `examples/callback.rs` | 14.5 + 9.6 KB |
//! | 5 `database` | no demo of the glue: this repository's SQL engine in the page `/orm` | `examples/database.rs` | 608 + 9.1 KB |
//!
//! What they compute is in [`fib`]. (The Go tutorial's modules have 1.4 MB each: a Go program brings
//! its collector and scheduler along. More than half of our 14 KB is the allocator,
//! which the first demo does not need.)
//!
//! # Why there is glue
//! A WebAssembly module is a box. It has functions, and one block of bytes, its *linear memory*; it
//! can call nothing that was not handed in when it was made. And everything that crosses its border
//! is a number (or an opaque reference to a JavaScript value): no strings, no objects, no closures.
//! So somebody has to stand at the border, who turns `"Hello World!"` into two numbers and back.
//!
//! One could do it by hand, a dozen lines of JavaScript per function. wasm-bindgen writes them: the
//! macro notes in the module what it wants, and a tool reads the notes after rustc has run. That is
//! the one package from elsewhere in this repository, and what it writes is small enough to read.
//! Crates such as web-sys hold ready-made bindings for the whole browser; here each binding is
//! written down in an `extern` block, since there are few and you should see them.
//!
//! # The picture
//! ```text
//!  page            glue (hello_world.js)                 module (hello_world_bg.wasm)
//!  init() ───────► fetch the module, hand in the imports
//!                  wasm.__wbindgen_start() ────────────► start()
//!                                                          alert("Hello World!")
//!                  __wbg_alert(1048576, 12) ◄────────────  two numbers: where, how many bytes
//!                    getStringFromWasm0: TextDecoder over memory[1048576 .. +12]
//!  ┌─────────┐       alert("Hello World!")
//!  │ Hello.. │◄──────┘
//!  └─────────┘
//! ```
//!
//! # The idea alone
//! Both directions of a string, and how Rust holds a JavaScript value, with the module's memory and
//! the table of references as plain data:
//! ```
//! /// The module's side: bytes, and a place from where on they are free.
//! struct Memory { bytes: Vec<u8>, free: usize }
//!
//! impl Memory {
//!     /// `__wbindgen_malloc`: the page asks the module for room.
//!     fn malloc(&mut self, length: usize) -> usize {
//!         let at = self.free;
//!         self.free += length;
//!         self.bytes.resize(self.free, 0);
//!         at
//!     }
//! }
//!
//! /// `passStringToWasm0`: a text goes in as an address and a length.
//! fn pass_string(memory: &mut Memory, text: &str) -> (usize, usize) {
//!     let at = memory.malloc(text.len());
//!     memory.bytes[at..at + text.len()].copy_from_slice(text.as_bytes());
//!     (at, text.len())
//! }
//!
//! /// `getStringFromWasm0`: and comes out as a copy.
//! fn get_string(memory: &Memory, (at, length): (usize, usize)) -> String {
//!     String::from_utf8(memory.bytes[at..at + length].to_vec()).unwrap()
//! }
//!
//! /// JavaScript values that Rust holds: it gets places in a table, never the values.
//! #[derive(Default)]
//! struct Table { values: Vec<Option<&'static str>> }
//!
//! impl Table {
//!     fn add(&mut self, value: &'static str) -> usize {
//!         let free = self.values.iter().position(Option::is_none).unwrap_or_else(|| {
//!             self.values.push(None);
//!             self.values.len() - 1
//!         });
//!         self.values[free] = Some(value);
//!         free
//!     }
//!     /// What dropping a `JsValue` does: the collector may have the value, if nobody else does.
//!     fn drop(&mut self, at: usize) { self.values[at] = None }
//! }
//!
//! let mut memory = Memory { bytes: Vec::new(), free: 0 };
//! let (at, length) = pass_string(&mut memory, "89");
//! assert_eq!((at, length, get_string(&memory, (at, length))), (0, 2, "89".to_owned()));
//!
//! let mut table = Table::default();
//! let (button, input) = (table.add("<button>"), table.add("<input>"));
//! table.drop(button);
//! assert_eq!((table.add("<p>"), input), (0, 1)); // the place is used again
//! ```
//!
//! # The walk: what the generated code does
//! Open `target/demos/pkg/hello_world.js` and the others, and find:
//!
//! | in the `.js` | what it is for | appears in |
//! |---|---|---|
//! | `__wbg_init`, the default export | fetches the module, makes it, hands the imports in | all |
//! | `__wbg_load` | compiles while the bytes still arrive, if their type is `application/wasm` | all |
//! | `__wbg_finalize_init` | keeps the instance, forgets old views, and calls `__wbindgen_start`: our `start` | all |
//! | `initSync` | the same for a module that is there already; unused here | all |
//! | `__wbg_get_imports` | one function per line of our `extern` blocks | all |
//! | `getStringFromWasm0`, `decodeText` | a `&str` on its way out: a view of memory, decoded | all |
//! | `passStringToWasm0` | a string on its way in: room from Rust's allocator, then the bytes | 2 3 4 5 |
//! | `WASM_VECTOR_LEN` | how long that was: a call has one result, the address | 2 3 4 5 |
//! | `passArray8ToWasm0`, `getArrayU8FromWasm0` | the same for bytes, a `Vec<u8>` here and a `Uint8Array` there | 5 |
//! | `getUint8ArrayMemory0`, `getDataViewMemory0` | views of the memory, made anew when it has grown | all; 2 3 4 |
//! | `__wbindgen_externrefs` | the table of values that Rust holds | all |
//! | `addToExternrefTable0`, `takeFromExternrefTable0` | a value goes into the table, or out of it for good | 2 3 4 5 |
//! | `makeClosure` | a JavaScript function that calls a Rust closure | 2 3 4 |
//! | `wasm_bindgen__convert__closures_____invoke__...` | how it calls: the closure's address first, then the arguments | 2 3 4 |
//! | `CLOSURE_DTORS` | frees the closure when the collector has taken the function | 2 3 4 |
//! | `isLikeNone` | an `Option` on its way in: `null` and `undefined` are `None` | 3 4 |
//! | `Database` | a Rust struct as a class: an address, and methods that hand it in | 5 |
//! | `DatabaseFinalization` | drops the struct when the collector has taken the object; `free` does so at once | 5 |
//!
//! **Strings.** A `&str` argument is lent for the call: the glue decodes it and forgets the place.
//! A `String` that Rust returns is owned: the glue decodes it and then calls `__wbindgen_free`. A
//! string that comes in is written into memory that Rust's allocator has given, and becomes a
//! `String`. JavaScript's strings are UTF-16, so each crossing is a copy and a conversion.
//!
//! **Memory.** It only grows. When an allocation makes it grow, every view that JavaScript had of
//! it is dead (its length is 0): hence the checks in `getUint8ArrayMemory0`, before each use.
//!
//! **Values.** An `Element` or a `JsValue` is a place in the table. Dropping it in Rust empties the
//! place. That is all the memory management there is; a cycle through both worlds is never freed.
//!
//! **Closures.** A `Closure` is a Rust closure in a box, and a JavaScript function that knows where
//! the box is. Who frees the box? If Rust drops the `Closure`, JavaScript is left with a function
//! that throws. So `forget` gives it away for as long as the page lives: right for a function that
//! was registered once, a leak if you did it on each click. The fourth demo needs none for its
//! timer: `setTimeout` hands further arguments to the function that it calls, so the page's callback
//! and the number are all it wants. Had Rust something to do after those three seconds,
//! `Closure::once_into_js` would be the way: it frees itself after its one call.
//!
//! **Errors.** `Result::Err` becomes a `throw`. The other way round, an import that may throw is
//! declared with `catch` and returns a `Result`; without it the exception flies through the Rust
//! frames, and nothing in them is dropped. A Rust panic is worse: the module is built with `panic =
//! "abort"`, so a panic is a trap, and what the module holds may be half changed. Bad input is no
//! reason to panic: see [`fib::answer`].
//!
//! # What the borrow checker says
//! The listener of the third demo outlives the function that makes it, and so must what it uses:
//! with `Closure::new(|| ans.set_text_content(..))` the compiler says "closure may outlive the
//! current function, but it borrows `ans`". `move` makes the closure the owner of the four elements.
//! `FibFunc` is `Fn`, not `FnMut`: a script may call it again from within its own callback, and a
//! `FnMut` that is entered twice would be two `&mut` to one state; wasm-bindgen throws then.
//!
//! # From the Go names to ours
//! | Go's `syscall/js` | here |
//! |---|---|
//! | `js.Global().Get("alert").Invoke("Hello World!")` | `fn alert(text: &str);` in an `extern` block, and a call |
//! | `js.Global().Set("fibFunc", js.FuncOf(fibFunc))` | a setter of `globalThis`, and a `Closure` that is forgotten |
//! | `args[0].Int()`, `callback := args[1]` | the closure's arguments: a `JsValue`, a `Function` |
//! | `document.Call("getElementById", "num")` | `document.get_element_by_id("num")`, an `Option` |
//! | `ansEle.Set("innerHTML", v)` | `ans.set_text_content(..)`: a text is not HTML |
//! | `go func() { time.Sleep(..); callback.Invoke(v) }()` | `set_timeout(callback, 3000, ..)` |
//! | `done := make(chan int, 0); <-done` | nothing: there is no `main` that could end |
//! | `wasm_exec.js` | the glue |
//!
//! # Where this differs from the Go tutorial
//! The functions here return, whatever they are given (WASM-1); what is no number is a message and
//! not 0 (WASM-2); a fresh clone serves the pages with one command, and they have a doctype, labels
//! and no globals but `fibFunc` (WASM-3). `fibFunc` returns text, since 2^53 is where JavaScript's
//! numbers stop being exact and fib(185) has 39 digits.
//!
//! # Try it
//! `cargo run` in the root of the repository, then <http://127.0.0.1:9999/wasm>. `cargo test` in
//! `wasm/demos` runs what needs no browser. In the console of the second demo, `fibFunc(20)` gives
//! `'10946'`, and `fibFunc("abc")` says `RangeError: Please type a whole number, such as 10.`
//!
//! Exercises, at the end of `fib.rs`: `exercise_digits_in_groups` and `exercise_where_it_stands`; there
//! `cargo test exercise_ -- --ignored` says whether they are solved.

pub mod fib;
