//! The third demo: Rust finds the page's elements, listens to the button and writes the answer.
//! No script on the page takes part.
//!
//! Read next: how Rust holds on to an element, in `wasm/demos/src/lib.rs`.

use demos::fib::answer;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type Document;
    #[wasm_bindgen(thread_local_v2, js_name = document)]
    static DOCUMENT: Document;

    /// `None` is JavaScript's `null`.
    #[wasm_bindgen(method, js_name = getElementById)]
    fn get_element_by_id(this: &Document, id: &str) -> Option<Element>;

    /// Any element; asking one for what it has not gives `undefined`, which is an empty text here.
    type Element;
    #[wasm_bindgen(method, getter)]
    fn value(this: &Element) -> Option<String>;
    #[wasm_bindgen(method, setter, js_name = textContent)]
    fn set_text_content(this: &Element, text: &str);
    #[wasm_bindgen(method, js_name = addEventListener)]
    fn add_event_listener(this: &Element, event: &str, listener: &Closure<dyn Fn()>);
}

/// Looks up `num`, `btn`, `ans` and `msg`, and listens to the button from then on.
///
/// # Errors
/// A page without one of them; the page's script catches it.
#[wasm_bindgen(start)]
pub fn start() -> Result<(), JsValue> {
    let find = |id: &str| {
        let found = DOCUMENT.with(|document| document.get_element_by_id(id));
        found.ok_or_else(|| JsValue::from_str("the page lacks #num, #btn, #ans or #msg"))
    };
    let (num, btn, ans, msg) = (find("num")?, find("btn")?, find("ans")?, find("msg")?);
    let listener = Closure::new(move || match answer(&num.value().unwrap_or_default()) {
        Ok(number) => {
            ans.set_text_content(&number);
            msg.set_text_content("");
        }
        // The last good answer stays where it is.
        Err(reason) => msg.set_text_content(reason),
    });
    btn.add_event_listener("click", &listener);
    listener.forget();
    Ok(())
}
