//! HTML pages from templates (day 6), in the manner of Go's `html/template`.
//!
//! **At the end** `<p>hello, {{.title}}</p>` becomes a page, and a title of `<script>` becomes text
//! and not a script. Twenty minutes; `parser.rs` and `html.rs` are for those who want to see how.
//!
//! # Why
//! Pages pieced together with `format!` forget to escape once, and once is enough: whoever may
//! choose a name then runs a script in every visitor's browser. A template engine that escapes
//! everything helps only in text: in `<a href="{{.url}}">` a value `javascript:steal()` needs no
//! `<`. So the place decides, and the engine must know the place. (Jinja and Tera escape for text
//! everywhere; Go and this module read the HTML.)
//!
//! # The picture
//! ```text
//!  source --parser--> [Text "<a href=\"", Print .url, Text "\">", Print .name, Text "</a>"]
//!                              |  context: what is open after this text?
//!                              v
//!                      [.., Print .url as URL, .., Print .name as text, ..]     at load, once
//!  data -----------------------+--run--> page                                   per request
//!
//!  place                   what happens to the value
//!  text, title, textarea   < > & ' " + become &lt; &gt; &amp; &#39; &#34; &#43;
//!  "attribute"             the same
//!  href="..", src="..", .. percent-encoded; with a scheme other than http, https, mailto it is
//!                          replaced by #ZgotmplZ, Go's word that is easy to search for
//!  <script>..</script>     as JSON, with < > & escaped, so that </script> cannot occur
//!  <!-- comment -->        comments are removed, with all that is in them
//!  anywhere else           a load error that says what to write
//! ```
//!
//! # The language
//! ```text
//! {{.}} {{.a.b}} {{$}}                   the value at hand, its field, the page's whole data
//! {{if .x}} {{else if .y}} {{else}} {{end}}    false: false, 0, null, "", [], {}
//! {{range .list}} {{range $i, $e := .list}} {{else}} {{end}}   . is the element; objects by key
//! {{with .x}} {{else}} {{end}}           . is .x, if it is true
//! {{$n := len .list}} {{$n = 3}}         variables, seen up to the {{end}} around them
//! {{.date | format}} {{eq (len .a) 1}}   functions: eq ne lt le gt ge and or not len index, yours
//! {{template "x" .}} {{define "x"}} {{block "x" .}} {{end}}    pages made of parts
//! {{- .x -}} {{/* comment */}}           - eats the white space beside it
//! ```
//! A field that is not there is null, and null prints as nothing, as does every field of null.
//!
//! # The idea alone
//! ```
//! use std::collections::HashMap;
//!
//! enum Node { Text(String), Field(String) }
//!
//! fn parse(mut source: &str) -> Result<Vec<Node>, String> {
//!     let mut nodes = Vec::new();
//!     while let Some((text, rest)) = source.split_once("{{") {
//!         let (name, rest) = rest.split_once("}}").ok_or("an action has no }}")?;
//!         nodes.push(Node::Text(text.to_owned()));
//!         nodes.push(Node::Field(name.trim_start_matches('.').to_owned()));
//!         source = rest;
//!     }
//!     nodes.push(Node::Text(source.to_owned()));
//!     Ok(nodes)
//! }
//!
//! fn render(nodes: &[Node], data: &HashMap<&str, &str>) -> String {
//!     let mut page = String::new();
//!     for node in nodes {
//!         match node {
//!             Node::Text(text) => page += text,
//!             Node::Field(name) => for c in data.get(name.as_str()).unwrap_or(&"").chars() {
//!                 match c {
//!                     '<' => page += "&lt;",
//!                     '&' => page += "&amp;",
//!                     '"' => page += "&#34;",
//!                     c => page.push(c),
//!                 }
//!             },
//!         }
//!     }
//!     page
//! }
//!
//! let nodes = parse("<p>hello, {{.title}}</p>").unwrap();
//! assert_eq!(render(&nodes, &HashMap::from([("title", "<b>")])), "<p>hello, &lt;b></p>");
//! ```
//!
//! # The walk
//! [`Templates::add`] parses a file (`parser.rs`, and `expr.rs` for what stands inside an action).
//! `context.rs` walks the result and finds each value's place; `html.rs`, `attribute.rs` and
//! `script.rs` follow the text between them. [`Templates::render`] walks it with the data (`run.rs`,
//! `functions.rs`) and writes each value for its place (`escape.rs`). The page goes into the
//! caller's buffer, so that a failure half-way can still become a clean 500.
//! ```
//! use web::json;
//! use web::json::Json;
//! use web::template::Templates;
//!
//! let mut pages = Templates::new();
//! pages.func("upper", |args| match args {
//!     [Json::String(text)] => Ok(text.to_uppercase().into()),
//!     _ => Err("wants one text".to_owned()),
//! });
//! pages.add("hi", r#"<a href="/u?n={{.n}}">{{range $i, $e := .all}}{{$i}}:{{$e | upper}} {{end}}</a>"#)?;
//!
//! let mut page = String::new();
//! pages.render("hi", &json!({"n": "a&b", "all": ["x", "<y>"]}), &mut page)?;
//! assert_eq!(page, r#"<a href="/u?n=a%26b">0:X 1:&lt;Y&gt; </a>"#);
//!
//! let error = pages.add("bad", "<p>\n<a href={{.n}}>").unwrap_err();
//! assert_eq!(error.to_string(), "bad:2:11: put the attribute's value in quotes");
//! # Ok::<(), web::template::TemplateError>(())
//! ```
//!
//! # What the borrow checker says
//! In Go a value at hand is an `interface{}`, and who owns it is the collector's business. Here
//! `.a.b` should lend from the data, but a function's result belongs to nobody yet: a reference to
//! it "does not live long enough". [`Cow<'a, Json>`](Cow) is either. The data stays where it is; only
//! what is handed to a function of yours, what `index` finds and the key of a `range` are copied.
//!
//! # Where this differs from Go
//! * Actions in unquoted attributes, style sheets, event handlers and strings in scripts are load
//!   errors; Go escapes them. A template begins and ends in text, so `{{template}}` stands there.
//! * Contexts are checked at load, not at the first rendering: a bad page never starts the server.
//! * Numbers print as JSON prints them, lists and objects as JSON; a value's HTML is never trusted.
//! * Not here: `printf`, `html`, `js`, `urlquery`, `slice`, `call`, `break`, `continue`, methods.
//!
//! # Try it
//! `cargo run -p web --example day6_template`, then open `http://127.0.0.1:9999/students`. Exercises
//! (`cargo test -p web --lib template::tests::exercise -- --ignored`): `exercise_plural` and
//! `exercise_layout` at the end of `template/tests.rs`.

mod attribute;
mod context;
mod error;
mod escape;
mod expr;
mod functions;
mod html;
mod parser;
mod run;
mod script;

use crate::json::Json;
pub use error::{Place, TemplateError};
use functions::Function;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Templates by name, and the functions they call.
#[derive(Clone)]
pub struct Templates {
    functions: BTreeMap<String, Function>,
    bodies: BTreeMap<String, Vec<parser::Node>>,
    page_bytes_max: usize,
}

impl Default for Templates {
    fn default() -> Self {
        Self::new()
    }
}

impl Templates {
    /// No templates, and the functions that are always there.
    #[must_use]
    pub fn new() -> Self {
        let builtin = |(name, call): (&str, _)| (name.to_owned(), Function::Builtin(call));
        Self {
            functions: functions::BUILTINS.map(builtin).into(),
            bodies: BTreeMap::new(),
            page_bytes_max: 16 << 20,
        }
    }

    /// Sets the bound on a page's bytes and steps together; 16 MiB at first.
    pub fn page_bytes_max(&mut self, bytes: usize) -> &mut Self {
        self.page_bytes_max = bytes;
        self
    }

    /// Makes a function known to the templates added from now on.
    ///
    /// It gets its arguments in their order, a piped one last, and may be handed fewer than it
    /// expects; the text of its error goes into the [`TemplateError`].
    pub fn func(
        &mut self,
        name: &str,
        function: impl Fn(&[Json]) -> Result<Json, String> + Send + Sync + 'static,
    ) -> &mut Self {
        self.functions.insert(name.to_owned(), Function::Custom(Arc::new(function)));
        self
    }

    /// Adds a template, and those that it defines; one of the same name is replaced.
    ///
    /// # Errors
    /// [`TemplateError::Syntax`] and [`TemplateError::Context`]; nothing is added then.
    pub fn add(&mut self, name: &str, source: &str) -> Result<(), TemplateError> {
        let mut parsed = parser::parse(name, source, &self.functions)?;
        for (part, body) in &mut parsed {
            context::check(name, part, body)?;
        }
        self.bodies.extend(parsed);
        Ok(())
    }

    /// Whether there is a template of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.bodies.contains_key(name)
    }

    /// Appends the page to `out`.
    ///
    /// # Errors
    /// [`TemplateError::Unknown`], or [`TemplateError::Run`]; `out` then ends in the middle.
    pub fn render(&self, name: &str, data: &Json, out: &mut String) -> Result<(), TemplateError> {
        let unknown = || TemplateError::Unknown { name: name.to_owned() };
        let body = self.bodies.get(name).ok_or_else(unknown)?;
        let (work_left, levels_left) = (self.page_bytes_max, run::LEVELS_MAX);
        run::Run { templates: self, out, work_left, levels_left }
            .template(body, &Cow::Borrowed(data))
    }

    fn body(&self, name: &str) -> Option<&[parser::Node]> {
        self.bodies.get(name).map(Vec::as_slice)
    }
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.bodies.keys()).finish()
    }
}

#[cfg(test)]
mod tests;
