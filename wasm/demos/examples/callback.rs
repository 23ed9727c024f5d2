//! The fourth demo: `fibFunc(n, callback)` returns at once, and three seconds later the callback
//! gets the number.
//!
//! The wait is the browser's timer, so that the page stays alive. (A computation that itself takes
//! long would still freeze it: Rust runs on the page's one thread. That wants a Worker.) Read
//! next: who owns a function that comes from JavaScript, in `wasm/demos/src/lib.rs`.

use demos::fib::answer;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type Global;
    #[wasm_bindgen(thread_local_v2, js_name = globalThis)]
    static GLOBAL: Global;
    #[wasm_bindgen(method, setter, js_name = fibFunc)]
    fn set_fib_func(this: &Global, value: &FibFunc);

    type Document;
    #[wasm_bindgen(thread_local_v2, js_name = document)]
    static DOCUMENT: Document;
    #[wasm_bindgen(method, js_name = getElementById)]
    fn get_element_by_id(this: &Document, id: &str) -> Option<Element>;
    type Element;
    #[wasm_bindgen(method, setter, js_name = textContent)]
    fn set_text_content(this: &Element, text: &str);

    #[wasm_bindgen(js_name = String)]
    fn text_of(value: &JsValue) -> String;

    /// A function of the page. We never call it, we only hand it on.
    type Function;
    /// What follows the time is handed to `run` when it has come.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(run: &Function, milliseconds: u32, number: &str);
}

/// What scripts see as `fibFunc`.
type FibFunc = Closure<dyn Fn(JsValue, Function)>;

/// Writes into an element; a page that has none does without.
fn show(id: &str, text: &str) {
    if let Some(element) = DOCUMENT.with(|document| document.get_element_by_id(id)) {
        element.set_text_content(text);
    }
}

/// The answer is known at once; only a right one is worth the wait.
fn fib_func(n: &JsValue, callback: &Function) {
    match answer(&text_of(n)) {
        Ok(number) => {
            show("msg", "");
            show("ans", "Waiting 3s...");
            set_timeout(callback, 3000, &number);
        }
        Err(reason) => show("msg", reason),
    }
}

/// Puts the function where every script finds it.
#[wasm_bindgen(start)]
pub fn start() {
    let function = FibFunc::new(|n: JsValue, callback: Function| fib_func(&n, &callback));
    GLOBAL.with(|global| global.set_fib_func(&function));
    function.forget();
}
