//! The second demo: a Rust function that scripts on the page can call as `fibFunc(n)`.
//!
//! Read next: what a closure becomes in JavaScript, in `wasm/demos/src/lib.rs`.

use demos::fib::answer;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The object whose properties are the global variables.
    type Global;
    #[wasm_bindgen(thread_local_v2, js_name = globalThis)]
    static GLOBAL: Global;

    /// `globalThis.fibFunc = value`
    #[wasm_bindgen(method, setter, js_name = fibFunc)]
    fn set_fib_func(this: &Global, value: &FibFunc);

    /// `String(value)`: `10` and `"10"` are the same to us, and `null` is `"null"`.
    #[wasm_bindgen(js_name = String)]
    fn text_of(value: &JsValue) -> String;

    /// What JavaScript throws when an argument is out of range.
    type RangeError;
    #[wasm_bindgen(constructor)]
    fn new(message: &str) -> RangeError;
}

/// `Ok` is returned to the script, `Err` is thrown.
type FibFunc = Closure<dyn Fn(JsValue) -> Result<String, JsValue>>;

/// Puts the function where every script finds it.
#[wasm_bindgen(start)]
pub fn start() {
    let fib_func = FibFunc::new(|n: JsValue| {
        answer(&text_of(&n)).map_err(|reason| RangeError::new(reason).into())
    });
    GLOBAL.with(|global| global.set_fib_func(&fib_func));
    // Dropping it would leave JavaScript with a function that throws. It lives as long as the page.
    fib_func.forget();
}
