//! What the derive says of a struct that it cannot map, to the letter and to the column; and that the text in its
//! documentation is the text that it writes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The library of the ORM that this test was built with.
fn library(deps: &Path) -> PathBuf {
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("liborm-") && name.ends_with(".rlib")
    };
    let files = fs::read_dir(deps).unwrap().map(|entry| entry.unwrap().path()).filter(named);
    files.max_by_key(|path| fs::metadata(path).unwrap().modified().unwrap()).expect("orm is built")
}

/// What the compiler says to a program, on stdout and stderr; `None` without a compiler. With `expand` it
/// prints the program without its macros, an option that only nightly compilers admit to.
fn compile(source: &str, expand: bool) -> Option<(String, String)> {
    let rustc = tests::peer("rustc")?;
    let this = std::env::current_exe().unwrap();
    let deps = this.parent().unwrap();
    let mut dependency = std::ffi::OsString::from("dependency=");
    dependency.push(deps);
    let mut library_is = std::ffi::OsString::from("orm=");
    library_is.push(library(deps));
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let run = format!("orm-derive-{}-{}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
    let out = std::env::temp_dir().join(run);
    let mut command = Command::new(rustc);
    command.args(["--edition=2024", "--crate-type=lib", "--error-format=short"]);
    command.arg("-L").arg(dependency).arg("--extern").arg(library_is);
    if expand {
        command.arg("-Zunpretty=expanded").env("RUSTC_BOOTSTRAP", "1");
    } else {
        command.arg("--emit=metadata").arg("-o").arg(&out);
    }
    command.arg("-").current_dir(tests::root());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let _ = fs::remove_file(out);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Some((text(output.stdout), text(output.stderr)))
}

/// A field or struct; the line and column of the error, from 1; the error.
const CASES: &[(&str, &str)] = &[
    ("struct Pair(i32, i32);", "2:8: error: Model needs a struct with named fields"),
    ("enum Light { Red, Green }", "2:6: error: Model needs a struct with named fields"),
    ("struct Unit;", "2:8: error: Model needs a struct with named fields"),
    ("struct Page<T> { body: T }", "2:12: error: Model knows no generic structs"),
    ("struct Nothing { #[model(skip)] a: i32 }", "2:8: error: Model needs at least one column"),
    (
        "struct User {\n    #[model(primry_key)] name: String }",
        "3:13: error: unknown attribute `primry_key`: a field has column, primary_key, unique, not_null, default, index, constraint, skip; table goes on the struct",
    ),
    (
        "#[model(tabel = \"x\")] struct User { name: String }",
        "2:9: error: unknown attribute `tabel`: a struct has table, snake_case, hooks, constraint",
    ),
    (
        "struct User { #[model(default = 18)] age: i32 }",
        "2:23: error: expected `default = \"...\"`",
    ),
    ("struct User { #[model(default)] age: i32 }", "2:23: error: expected `default = \"...\"`"),
    ("struct User { #[model(unique = \"x\")] age: i32 }", "2:23: error: `unique` takes no value"),
    (
        "struct User { #[model(unique index)] age: i32 }",
        "2:23: error: expected a comma after `unique`",
    ),
    ("struct User { #[model] age: i32 }", "2:16: error: expected `#[model(...)]`"),
    (
        "struct User { name: String,\n    #[model(column = \"Name\")] other: String }",
        "3:38: error: two columns `Name`",
    ),
    (
        "struct Job {\n    worker: std::thread::Thread }",
        "3:13: error[E0277]: the trait bound `Thread: orm::Column` is not satisfied",
    ),
];

#[test]
fn each_refusal_has_its_text_and_its_place() {
    for (source, want) in CASES {
        let Some((_, said)) = compile(&format!("#[derive(orm::Model)]\n{source}\n"), false) else {
            return;
        };
        assert!(said.contains(&format!(":{want}")), "{source}\nwanted {want}\n{said}");
    }
}

#[test]
fn fields_of_any_shape_and_name_are_mapped() {
    let source = r##"
        #[derive(orm::Model, Debug)]
        #[model(table = "odd \"names\"", constraint = "UNIQUE (Type, Row)")]
        pub(crate) struct Odd {
            /// With a comment.
            #[model(skip)]
            pub(crate) pairs: std::collections::HashMap<String, Vec<u8>>,
            #[model(skip)]
            pub work: Option<fn(i32, i32) -> Option<i32>>,
            pub r#type: std::option::Option<String>,
            #[allow(dead_code)]
            row: ::std::vec::Vec<u8>,
            #[model(column = "select", index = "a", unique, not_null, default = "'x'",)]
            session: String,
        }
        pub fn names() -> usize { <Odd as orm::Model>::SCHEMA.fields.len() }
    "##;
    let Some((_, said)) = compile(source, false) else { return };
    assert!(!said.contains("error"), "{said}");
}

/// Without blanks, trailing commas and the beginnings of paths.
fn bare(code: &str) -> String {
    let mut text: String = code.split_whitespace().collect();
    for (long, short) in [
        ("::orm::", "orm::"),
        ("::std::vec::", ""),
        ("::core::result::Result::", ""),
        (",]", "]"),
        (",}", "}"),
        (",)", ")"),
    ] {
        text = text.replace(long, short);
    }
    text
}

#[test]
fn the_expansion_in_the_documentation_is_the_one() {
    let source =
        "#[derive(orm::Model)]\nstruct User { #[model(primary_key)] name: String, age: i32 }\n";
    let Some((expanded, said)) = compile(source, true) else { return };
    let docs = fs::read_to_string(tests::root().join("orm/derive/src/lib.rs")).unwrap();
    let printed: String = docs
        .lines()
        .filter_map(|line| line.strip_prefix("//! ").or(line.strip_prefix("//!")))
        .skip_while(|line| !line.starts_with("impl orm::Hooks"))
        .take_while(|line| !line.starts_with("```"))
        .fold(String::new(), |all, line| all + line + "\n");
    assert!(printed.len() > 500, "{printed}");
    assert!(bare(&expanded).contains(&bare(&printed)), "{said}\n{expanded}\n{printed}");
}
