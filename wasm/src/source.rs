//! The sources that a page names, one click away: `/source/web/src/trie.rs`.
//!
//! A panel shows what a module does; the module's first lines are its chapter. They come from the
//! repository that this program was compiled in, so they are what runs. Nothing else of it is served:
//! the path must begin with one of our crates, end in `.rs` and have no way out in between.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use web::{Context, Engine, Result};

/// The folders whose sources are shown.
const CRATES: &[&str] = &["web", "cache", "orm", "rpc", "wasm", "tests"];

/// A source is at most this long; ours are below 30 KiB.
const BYTES_MAX: u64 = 256 * 1024;

/// Serves the sources below `root`.
///
/// # Errors
/// [`web::Error`] if the pattern is taken.
pub fn register(engine: &mut Engine, root: PathBuf) -> Result<()> {
    let root: Arc<Path> = root.into();
    engine.get("/source/*file", move |c| answer(c, &root)).map(drop)
}

fn answer(c: &mut Context, root: &Path) {
    let found = is_source(c.param("file")).then(|| root.join(c.param("file")));
    // Asked before it is read: only a plain file of a plausible size is.
    let plain = |path: &PathBuf| {
        path.metadata().is_ok_and(|file| file.is_file() && file.len() <= BYTES_MAX)
    };
    match found.filter(plain).and_then(|path| std::fs::read_to_string(path).ok()) {
        Some(text) => c.string(200, text),
        None => c.string(404, "no source of ours has this name\n"),
    }
}

/// Whether a path names a source of one of our crates.
fn is_source(path: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
    };
    path.ends_with(".rs")
        && path.split('/').all(plain)
        && CRATES.iter().any(|name| path.split('/').next() == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use web::Request;

    #[test]
    fn sources_are_shown_and_nothing_else() {
        let mut engine = Engine::new();
        register(&mut engine, Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
        let get = |path: &str| {
            let response = engine.handle(Request::new("GET", path));
            (response.status(), String::from_utf8(response.into_bytes().unwrap()).unwrap())
        };
        let (status, text) = get("/source/web/src/trie.rs");
        assert!(status == 200 && text.starts_with("//! The route tree"), "{status} {text:.60}");
        for path in [
            "Cargo.toml",
            "web/Cargo.toml",
            "web/src/none.rs",
            "web/src",
            "target/debug/x.rs",
            ".git/config",
            "web/../wasm/src/main.rs",
            "web/..%2Fwasm/src/main.rs",
            "web//src/trie.rs",
            "/etc/passwd",
            "web/src/trie.rs%00",
        ] {
            assert_eq!(get(&format!("/source/{path}")).0, 404, "{path}");
        }
    }

    /// Name and text of each page.
    fn pages() -> Vec<(String, String)> {
        let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("pages");
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read_to_string(entry.path()).unwrap())
        };
        std::fs::read_dir(pages).unwrap().map(read).collect()
    }

    /// The texts between `before` and the next `after`.
    fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
        text.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
    }

    /// Every module that a page names is a link, and the link leads somewhere.
    #[test]
    fn every_module_that_a_page_names_can_be_read() {
        let mut links = 0;
        for (page, text) in pages() {
            for name in between(&text, "<code>", "</code>") {
                assert!(!is_source(name), "{page}: {name} is no link");
            }
            for name in between(&text, r#"{{template "source" ""#, "\"") {
                let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
                assert!(is_source(name) && file.is_file(), "{page}: {name} is not there");
                links += 1;
            }
        }
        assert!(links > 35, "only {links} links");
    }

    /// What a panel shows some module does; its first lines are the chapter.
    #[test]
    fn every_panel_links_to_the_module_that_does_the_work() {
        let mut panels = 0;
        for (page, text) in pages() {
            for panel in between(&text, "<section aria-labelledby=", "</section>") {
                if panel.contains("<h2 id=") && !panel.contains("{{.page}}") {
                    assert!(panel.contains(r#"{{template "source" ""#), "{page}: {panel:.40}");
                    panels += 1;
                }
            }
        }
        assert_eq!(panels, 16, "the panels of all pages");
    }
}
