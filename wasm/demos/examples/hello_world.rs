//! The first demo: the page's own `alert`, called from Rust when the module has been loaded.
//!
//! Read next: what the glue does with the string, in `wasm/demos/src/lib.rs`.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// `window.alert`: an extern block says what the browser has, as it would for C.
    fn alert(text: &str);
}

/// Runs when the page calls the glue's `init`, like a `main`.
#[wasm_bindgen(start)]
pub fn start() {
    alert("Hello World!");
}
