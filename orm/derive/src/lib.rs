//! `#[derive(Model)]`: the program that types `impl Model` for you (day 2 of the crate `orm`).
//!
//! A derive macro is a function from tokens to tokens that the compiler runs. This one has four steps, and
//! uses only [`proc_macro`]:
//!
//! 1. `parse.rs` walks over the tokens of the struct and notes names, types and attributes.
//! 2. `user_name` becomes `UserName`.
//! 3. `write.rs` puts the `impl` together as text.
//! 4. The compiler's own parser makes tokens of the text, and each gets the [`Span`] of the field it
//!    came from: an error in the generated code points at the reader's line.
//!
//! For `struct User { #[model(primary_key)] name: String, age: i32 }` the text is, up to line breaks
//! and the beginnings of paths such as `::core::result::Result::Ok` (a test compares the two):
//!
//! ```text
//! impl orm::Hooks for User {}
//! impl orm::Model for User {
//!     const SCHEMA: orm::Schema = orm::Schema::new("User", &[
//!         orm::Field::of::<String>("Name").primary_key(),
//!         orm::Field::of::<i32>("Age"),
//!     ]);
//!     const HOOKED: bool = false;
//!     fn to_row(&self, row: &mut Vec<orm::Value>) -> orm::Result<()> {
//!         <Self as orm::Model>::put(row, "Name", &self.name)?;
//!         <Self as orm::Model>::put(row, "Age", &self.age)?;
//!         Ok(())
//!     }
//!     fn from_row(row: &mut orm::Row<'_>) -> orm::Result<Self> {
//!         Ok(Self { name: row.read("Name")?, age: row.read("Age")? })
//!     }
//!     fn set_id(&mut self, id: i64) -> orm::Result<()> {
//!         self.name = orm::FromValue::from_value(&orm::Value::Integer(id))?;
//!         Ok(())
//!     }
//! }
//! ```
//!
//! A macro sees tokens and not types, so it writes `set_id` for each single primary key; the ORM calls it for
//! integers alone.
//!
//! # What it refuses
//! Each with the place in the source:
//!
//! ```compile_fail
//! #[derive(orm::Model)]
//! struct Pair(i32, i32); // error: Model needs a struct with named fields
//! ```
//! ```compile_fail
//! #[derive(orm::Model)]
//! enum Light { Red, Green } // error: Model needs a struct with named fields
//! ```
//! ```compile_fail
//! #[derive(orm::Model)]
//! struct Page<T> { body: T } // error: Model knows no generic structs
//! ```
//! ```compile_fail
//! #[derive(orm::Model)]
//! struct User { #[model(primry_key)] name: String } // error: unknown attribute `primry_key`: ...
//! ```
//! ```compile_fail
//! #[derive(orm::Model)]
//! struct User { #[model(default = 18)] age: i32 } // error: expected `default = "..."`
//! ```
//! ```compile_fail
//! #[derive(orm::Model)]
//! struct User { name: String, #[model(column = "Name")] other: String } // error: two columns `Name`
//! ```
//! ```compile_fail,E0277
//! #[derive(orm::Model)]
//! struct Job { worker: std::thread::Thread } // `Thread: Column` is not satisfied, under the type
//! ```

mod parse;
mod write;

use proc_macro::{Span, TokenStream};

/// Writes `impl orm::Model`, and an empty `impl orm::Hooks` unless `#[model(hooks)]` says that there is one.
/// See the [crate](self) and the module `orm::schema`.
#[proc_macro_derive(Model, attributes(model))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    match parse::model(input).and_then(|model| write::implement(&model)) {
        Ok(code) => code,
        Err(error) => error.compile_error(),
    }
}

/// What is wrong, and where.
struct Error {
    span: Span,
    text: String,
}

impl Error {
    fn new(span: Span, text: impl Into<String>) -> Error {
        Error { span, text: text.into() }
    }

    /// `compile_error!("...")`, placed where the error is.
    fn compile_error(self) -> TokenStream {
        write::spanned(&format!("::core::compile_error!({:?});", self.text), self.span)
    }
}

/// How names of Rust become names of the database.
#[derive(Clone, Copy)]
enum Names {
    /// `user_name` to `UserName`, `id` to `ID`: Go's forms.
    Go,
    /// `UserName` to `user_name`.
    Snake,
}

impl Names {
    fn table(self, name: &str) -> String {
        match self {
            Names::Go => name.to_owned(),
            Names::Snake => {
                let mut out = String::new();
                for c in name.chars() {
                    if c.is_uppercase() && !out.is_empty() {
                        out.push('_');
                    }
                    out.extend(c.to_lowercase());
                }
                out
            }
        }
    }

    fn column(self, name: &str) -> String {
        let word = |word: &str| {
            let mut chars = word.chars();
            let first = chars.next().into_iter().flat_map(char::to_uppercase);
            if word == "id" { "ID".to_owned() } else { first.chain(chars).collect() }
        };
        match self {
            Names::Go => name.split('_').map(word).collect(),
            Names::Snake => name.to_owned(),
        }
    }
}
