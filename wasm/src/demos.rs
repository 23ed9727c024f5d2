//! The four demos: their table, their pages, and what has been built for them.
//!
//! A demo's page and source are part of this program; its WebAssembly and JavaScript are made by
//! the [`builder`](crate::builder) and read from `target/demos/pkg` on each request. So a page
//! exists always, and says so itself when its module is not there.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use web::files::Files;
use web::json::Json;
use web::{Context, Engine, Result, json};

use crate::builder::{Builder, Places, STEPS};
use crate::live::Streams;
use crate::progress::Progress;
use crate::systems::Day;

/// A demo.
#[derive(Debug)]
pub struct Demo {
    /// Its example in `wasm/demos/examples`, and its page below `/wasm/`.
    pub name: &'static str,
    /// What one sees.
    pub about: &'static str,
    page: &'static str,
    source: &'static str,
}

/// One line per demo: number, name, what one sees.
macro_rules! demos {
    ($($day:literal $name:literal $about:literal;)*) => {
        /// All four, in the order in which to read them.
        pub const DEMOS: &[Demo] = &[$(Demo {
            name: $name,
            about: $about,
            page: include_str!(concat!("../demos/pages/", $name, ".html")),
            source: include_str!(concat!("../demos/examples/", $name, ".rs")),
        },)*];

        /// The same as rows of the home page.
        pub(crate) const DAYS: &[Day] = &[$(Day {
            day: $day,
            appears: $about,
            module: "wasm/demos/src/lib.rs",
            example: concat!("wasm/demos/examples/", $name),
            see: concat!("/wasm/", $name),
        },)*];
    };
}

demos! {
    "1" "hello_world" "Rust calls a function of the page: an alert on load";
    "2" "register_functions" "Scripts call a function of Rust, and catch its errors";
    "3" "manipulate_dom" "Rust finds elements, listens to the button and writes the answer";
    "4" "callback" "Rust hands a script's function to the browser's timer, for later";
}

/// The SQL engine as a module, built with the demos; the page `/orm` runs it.
pub const DATABASE: &str = "database";

/// The demos of a running playground.
#[derive(Debug, Clone)]
pub struct Demos {
    places: Places,
    progress: Arc<Progress>,
}

impl Demos {
    /// Demos in these places, to be built by [`Demos::build`] or, without `build`, only served.
    #[must_use]
    pub fn new(places: Places, build: bool) -> Self {
        let steps: &[&str] = if build { &STEPS } else { &[] };
        Demos { places, progress: Arc::new(Progress::new(steps)) }
    }

    /// The folder of the whole repository.
    #[must_use]
    pub fn repository(&self) -> PathBuf {
        self.places.sources.join("..")
    }

    /// Starts the build, unless there is to be none.
    #[must_use]
    pub fn build(&self) -> Option<Builder> {
        let wanted = !self.progress.is_finished();
        wanted.then(|| Builder::start(self.places.clone(), Arc::clone(&self.progress)))
    }

    /// How far the build is.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Registers the demos' pages.
    ///
    /// # Errors
    /// As for [`Engine::get`].
    pub fn register(&self, engine: &mut Engine, streams: &Streams) -> Result<()> {
        let demos = self.clone();
        engine.get("/wasm", move |c| {
            let data = demos.as_json();
            c.render(200, "wasm", &data);
        })?;
        let (progress, streams) = (Arc::clone(&self.progress), streams.clone());
        engine.get("/wasm/progress", move |c| watch(c, &streams, Arc::clone(&progress)))?;
        engine.get("/wasm/:page", page)?;
        let pkg = self.places.pkg();
        engine.get("/wasm/pkg/*file", move |c| built(c, &pkg))
    }

    /// The table with sizes, and the steps.
    fn as_json(&self) -> Json {
        let size = |name: String| fs::metadata(self.places.pkg().join(name)).ok().map(|m| m.len());
        let demo = |demo: &Demo| {
            let name = demo.name;
            let (wasm, js) = (size(format!("{name}_bg.wasm")), size(format!("{name}.js")));
            let source = demo.source.lines().count();
            json!({"name": name, "about": (demo.about), "wasm": wasm, "js": js, "lines": source})
        };
        let demos: Vec<Json> = DEMOS.iter().map(demo).collect();
        let (_, progress) = self.progress.snapshot();
        json!({"demos": demos, "progress": progress})
    }
}

/// `/wasm/NAME` is a page, `/wasm/NAME.rs` its source.
fn page(c: &mut Context) {
    let asked = c.param("page");
    let (name, is_source) = match asked.strip_suffix(".rs") {
        Some(name) => (name, true),
        None => (asked, false),
    };
    match DEMOS.iter().find(|demo| demo.name == name) {
        Some(demo) if is_source => c.string(200, demo.source),
        Some(demo) => c.html(200, demo.page),
        None => {
            let data = json!({"path": (c.path())});
            c.render(404, "missing", &data);
        }
    }
}

/// A built file. It may be another one after the next build, so browsers have to ask each time.
fn built(c: &mut Context, pkg: &PathBuf) {
    let file = c.param("file").to_owned();
    match Files::new(pkg) {
        Ok(files) => {
            files.answer(c, &file);
            c.set_header("Cache-Control", "no-cache");
        }
        Err(_) => c.string(404, "the demos have not been built; see /wasm\n"),
    }
}

/// Sends the state now, after each change and every second, until the build is finished.
fn watch(c: &mut Context, streams: &Streams, progress: Arc<Progress>) {
    let Some(seat) = streams.enter(c) else { return };
    c.sse(move |events| {
        let _seat = seat;
        loop {
            let (version, state) = progress.snapshot();
            events.send("", &version.to_string(), &state.to_string())?;
            if state["finished"].as_bool() == Some(true) {
                return Ok(());
            }
            progress.wait_change(version, Duration::from_secs(1));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::WASM_BINDGEN;
    use web::Request;

    fn get(path: &str) -> (u16, String, String) {
        let demos =
            Demos::new(Places { sources: "none".into(), out: "none".into(), offline: true }, false);
        let engine = crate::pages::engine(&demos).unwrap();
        let response = engine.handle(Request::new("GET", path));
        let kind = response.headers.get("Content-Type").unwrap_or_default().to_owned();
        (response.status(), kind, String::from_utf8(response.into_bytes().unwrap()).unwrap())
    }

    #[test]
    fn pages_and_sources_are_there_before_anything_is_built() {
        for demo in DEMOS {
            let (status, kind, page) = get(&format!("/wasm/{}", demo.name));
            assert_eq!((status, &*kind), (200, "text/html; charset=utf-8"));
            for part in ["<!doctype html>", "<title>", "id=\"msg\"", &format!("{}.js", demo.name)] {
                assert!(page.contains(part), "{}: no {part}", demo.name);
            }
            let (status, kind, source) = get(&format!("/wasm/{}.rs", demo.name));
            assert_eq!((status, &*kind), (200, "text/plain; charset=utf-8"));
            assert!(source.starts_with("//! The "));
            assert_eq!(get(&format!("/wasm/pkg/{}.js", demo.name)).0, 404);
        }
        assert_eq!(get("/wasm/none").0, 404);
        assert_eq!(get("/wasm/none.rs").0, 404);
        let (status, _, page) = get("/wasm");
        assert!(status == 200 && page.contains("--no-demos"), "{page}");
    }

    #[test]
    fn the_stream_ends_when_the_build_has() {
        let (status, kind, text) = get("/wasm/progress");
        assert_eq!((status, &*kind), (200, "text/event-stream"));
        assert_eq!(text, "id: 0\ndata: {\"failed\":false,\"finished\":true,\"steps\":[]}\n\n");
    }

    #[test]
    fn both_sides_have_the_same_version() {
        let demos = include_str!("../demos/Cargo.toml");
        let glue = include_str!("../glue/Cargo.toml");
        assert!(demos.contains(&format!("\nwasm-bindgen = \"={WASM_BINDGEN}\"\n")));
        assert!(glue.contains(&format!("\nwasm-bindgen-cli-support = \"={WASM_BINDGEN}\"\n")));
    }
}
