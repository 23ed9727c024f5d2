//! `glue OUT_DIR INPUT.wasm...`: writes `NAME.js` and `NAME_bg.wasm` for each `NAME.wasm`.
//!
//! rustc leaves in the module a section in which the `#[wasm_bindgen]` macros have noted what they
//! want: "import `alert`, it takes a string". This program reads the notes, removes them, and
//! writes the JavaScript that keeps those promises. What the written code does is told in the
//! chapter of the demos (`wasm/demos/src/lib.rs`).

use std::path::Path;
use std::process::ExitCode;

use wasm_bindgen_cli_support::{Bindgen, EncodeInto};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [out_dir, inputs @ ..] = &args[..] else {
        eprintln!("usage: glue OUT_DIR INPUT.wasm...");
        return ExitCode::from(2);
    };
    for input in inputs {
        let made = Bindgen::new().input_path(input).web(true).and_then(|bindgen| {
            // Types for TypeScript, names for debuggers and the list of compilers are of no use
            // to a browser, and would be most of the bytes.
            bindgen.typescript(false).remove_name_section(true).remove_producers_section(true);
            // `init()` then knows where its module is; and every browser can encode in place.
            bindgen.omit_default_module_path(false).encode_into(EncodeInto::Always);
            bindgen.generate(Path::new(out_dir))
        });
        if let Err(error) = made {
            eprintln!("{input}: {error:#}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
