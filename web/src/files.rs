//! Static files (day 6): a URL subtree from a directory, and nothing else of the disk.
//!
//! ```text
//! GET /assets/css/geektutu.css        route /assets/*filepath
//!             └──────┬───────┘
//!                 filepath ──► each segment must be a plain name ──► root/css/geektutu.css
//!                                                                      │ canonical path
//!                              still under the canonical root? ◄───────┘ (no symlink out)
//! ```
//!
//! The path has been decoded once, so `%2e%2e` is `..` here and is refused like it, and `%2F` has
//! become a slash and is split on. What is refused is *not found*: an answer that says "forbidden"
//! tells that something is there. The file is opened once, and everything - existence, length,
//! time - is read from that handle; Go's tutorial opens it twice and closes it once (WEB-12).
//!
//! A browser that has the file asks `If-Modified-Since`, and an unchanged file is 304 without a
//! body. A directory without its slash is a 301, since relative links in it would lead astray; its
//! listing is nobody's business unless [`Files::list_dirs`] is set (WEB-13).
//! References: RFC 9110 sections 8.8.2, 13.1.3.

use std::fs::{self, File, Metadata};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{Content, Context, Engine, Error, Group, Result, http, url};

/// A directory that is served, and how.
#[derive(Debug, Clone)]
pub struct Files {
    root: PathBuf,
    list_dirs: bool,
}

impl Files {
    /// Serves what lies under `root`.
    ///
    /// # Errors
    /// [`Error::Io`] if there is no such directory.
    pub fn new(root: impl AsRef<Path>) -> Result<Self> {
        let path = root.as_ref();
        let root = path
            .canonicalize()
            .map_err(|e| Error::io(format!("static files in {}", path.display()), e))?;
        Ok(Files { root, list_dirs: false })
    }

    /// Whether a directory without `index.html` is answered with the names in it.
    #[must_use]
    pub fn list_dirs(mut self, list: bool) -> Self {
        self.list_dirs = list;
        self
    }

    /// Answers `filepath`, a decoded path relative to the root: the file, 304, 301, or an empty 404.
    pub fn answer(&self, c: &mut Context, filepath: &str) {
        let Some((path, file, meta)) = self.open(filepath) else {
            return not_found(c);
        };
        if !meta.is_dir() {
            return send(c, &path, file, &meta);
        }
        if !(filepath.is_empty() || filepath.ends_with('/')) {
            // Relative, so that a prefix taken off by a proxy in front does not matter.
            let name = filepath.rsplit('/').next().unwrap_or_default();
            c.set_header("Location", &format!("{}/", url::encode_segment(name.as_bytes())));
            return c.status(301);
        }
        match self.open(&format!("{filepath}index.html")).filter(|(_, _, meta)| meta.is_file()) {
            Some((path, file, meta)) => send(c, &path, file, &meta),
            None if self.list_dirs => list(c, &path),
            None => not_found(c),
        }
    }

    /// Opens what a request path names, if it lies under the root and is a file or a directory.
    fn open(&self, filepath: &str) -> Option<(PathBuf, File, Metadata)> {
        let mut path = self.root.clone();
        // An empty last segment is the slash after a directory; any other is `//`.
        for segment in filepath.strip_suffix('/').unwrap_or(filepath).split('/') {
            let mut parts = Path::new(segment).components();
            let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
            // A backslash separates on Windows, a colon names a drive or a stream there.
            if segment.contains(['\0', '\\', ':']) || (!plain && !filepath.is_empty()) {
                return None;
            }
            path.push(segment);
        }
        // Canonical: whatever symbolic links say, the place must be under the root. (Somebody who
        // can write there could change a link right after this look; he could as well copy.)
        let path = path.canonicalize().ok().filter(|path| path.starts_with(&self.root))?;
        let file = File::open(&path).ok()?;
        let meta = file.metadata().ok()?;
        let matches_kind = meta.is_dir() || (meta.is_file() && !filepath.ends_with('/'));
        matches_kind.then_some((path, file, meta))
    }
}

impl Engine {
    /// Serves the files under `root` below `pattern`: `/assets` answers `/assets/css/a.css` with
    /// `root/css/a.css`.
    ///
    /// # Errors
    /// [`Error::Io`] if there is no such directory, else as for [`Engine::route`].
    pub fn static_dir(&mut self, pattern: &str, root: impl AsRef<Path>) -> Result<()> {
        self.group("").static_dir(pattern, root)
    }

    /// Serves one file.
    ///
    /// # Errors
    /// [`Error::Io`] if it is not there now, else as for [`Engine::route`].
    pub fn static_file(&mut self, pattern: &str, file: impl AsRef<Path>) -> Result<()> {
        self.group("").static_file(pattern, file)
    }
}

impl Group<'_> {
    /// As [`Engine::static_dir`], below this group's prefix.
    ///
    /// # Errors
    /// As for [`Engine::static_dir`].
    pub fn static_dir(&mut self, pattern: &str, root: impl AsRef<Path>) -> Result<()> {
        let files = Files::new(root)?;
        self.get(&format!("{}/*filepath", pattern.trim_end_matches('/')), move |c| {
            let filepath = c.param("filepath").to_owned();
            files.answer(c, &filepath);
        })
    }

    /// As [`Engine::static_file`], below this group's prefix.
    ///
    /// # Errors
    /// As for [`Engine::static_file`].
    pub fn static_file(&mut self, pattern: &str, file: impl AsRef<Path>) -> Result<()> {
        let path = file.as_ref();
        let path = path
            .canonicalize()
            .map_err(|e| Error::io(format!("static file {}", path.display()), e))?;
        self.get(pattern, move |c| match File::open(&path).and_then(|f| Ok((f.metadata()?, f))) {
            Ok((meta, file)) if meta.is_file() => send(c, &path, file, &meta),
            _ => not_found(c),
        })
    }
}

/// The files that match `directory/*.suffix`, sorted; `*` may stand once, in the last segment.
///
/// # Errors
/// [`Error::Io`] if the directory cannot be read, or if nothing matches: a glob that finds nothing
/// is a typing error more often than not.
pub(crate) fn glob(pattern: &Path) -> Result<Vec<PathBuf>> {
    let doing = || format!("files that match {}", pattern.display());
    let name = pattern.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (before, after) = name.split_once('*').unwrap_or((&name, ""));
    let dir = pattern.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(|error| Error::io(doing(), error))? {
        let path = entry.map_err(|error| Error::io(doing(), error))?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let middle = file.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        if path.is_file() && middle.is_some_and(|middle| name.contains('*') || middle.is_empty()) {
            found.push(path);
        }
    }
    found.sort();
    if found.is_empty() {
        let none = std::io::Error::new(std::io::ErrorKind::NotFound, "there are none");
        return Err(Error::io(doing(), none));
    }
    Ok(found)
}

fn not_found(c: &mut Context) {
    c.response.reset();
    c.status(404);
}

fn send(c: &mut Context, path: &Path, file: File, meta: &Metadata) {
    if !matches!(c.method(), "GET" | "HEAD") {
        c.set_header("Allow", "GET, HEAD");
        return c.status(405);
    }
    if let Ok(modified) = meta.modified() {
        let modified = whole_seconds(modified);
        c.set_header("Last-Modified", &http::date(modified));
        let since = c.header("If-Modified-Since").and_then(http::parse_date);
        if since.is_some_and(|since| modified <= since) {
            return c.status(304);
        }
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    c.set_header("Content-Type", content_type(&name));
    c.response.content = Content::File(file, meta.len());
}

/// HTTP's dates have no fraction; without this a file would always look newer than its date.
fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

/// The type that goes with a file name's extension.
#[must_use]
pub fn content_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "md" => "text/markdown; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "xml" => "text/xml; charset=utf-8",
        "json" | "map" => "application/json",
        "wasm" => "application/wasm",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "gz" => "application/gzip",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "mp4" => "video/mp4",
        "mp3" => "audio/mpeg",
        _ => "application/octet-stream",
    }
}

/// The names in a directory, as links; directories end in a slash.
fn list(c: &mut Context, path: &Path) {
    let Ok(entries) = fs::read_dir(path) else { return not_found(c) };
    let mut names: Vec<String> = entries
        .filter_map(std::result::Result::ok)
        .map(|entry| {
            let slash = if entry.path().is_dir() { "/" } else { "" };
            format!("{}{slash}", entry.file_name().to_string_lossy())
        })
        .collect();
    names.sort();
    let mut page = String::from("<!doctype html>\n<pre>\n");
    for name in names {
        let (text, slash) = name.strip_suffix('/').map_or((&*name, ""), |text| (text, "/"));
        let link = url::encode_segment(text.as_bytes());
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        page.push_str(&format!("<a href=\"{link}{slash}\">{text}{slash}</a>\n"));
    }
    page.push_str("</pre>\n");
    c.html(200, page);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Request, Response};

    /// A directory of its own for each test, removed afterwards.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("web-files-{}-{name}", std::process::id()));
            fs::create_dir_all(dir.join("root/css")).unwrap();
            fs::write(dir.join("secret.txt"), "secret").unwrap();
            fs::write(dir.join("root/a b.txt"), "text").unwrap();
            fs::write(dir.join("root/css/x.css"), "p {}").unwrap();
            Scratch(dir)
        }

        fn get(&self, list: bool, path: &str, fields: &[(&str, &str)]) -> Response {
            let files = Files::new(self.0.join("root")).unwrap().list_dirs(list);
            let mut engine = Engine::new();
            engine
                .get("/s/*filepath", move |c| {
                    let filepath = c.param("filepath").to_owned();
                    files.answer(c, &filepath);
                })
                .unwrap();
            let request = Request::new("GET", path);
            engine
                .handle(fields.iter().fold(request, |r, (name, value)| r.with_header(name, value)))
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_has_its_type_and_is_304_while_it_is_unchanged() {
        let dir = Scratch::new("type");
        let response = dir.get(false, "/s/css/x.css", &[]);
        assert_eq!(response.headers.get("Content-Type"), Some("text/css; charset=utf-8"));
        let date = response.headers.get("Last-Modified").unwrap().to_owned();
        assert_eq!(response.into_bytes().unwrap(), b"p {}");
        let again = dir.get(false, "/s/css/x.css", &[("If-Modified-Since", &date)]);
        assert_eq!((again.status(), again.into_bytes().unwrap()), (304, vec![]));
        let old = [("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT")];
        assert_eq!(dir.get(false, "/s/css/x.css", &old).status(), 200);
        assert_eq!(dir.get(false, "/s/a%20b.txt", &[]).into_bytes().unwrap(), b"text");
    }

    #[test]
    fn nothing_outside_the_root_is_served() {
        let dir = Scratch::new("outside");
        #[cfg(unix)]
        std::os::unix::fs::symlink(dir.0.join("secret.txt"), dir.0.join("root/link.txt")).unwrap();
        for path in [
            "/s/../secret.txt",
            "/s/%2e%2e/secret.txt",
            "/s/..%2Fsecret.txt",
            "/s/css/../../secret.txt",
            "/s//etc/passwd",
            "/s/%2Fetc/passwd",
            "/s/link.txt",
            "/s/a%20b.txt%00",
            "/s/..\\secret.txt",
            "/s/./a%20b.txt",
            "/s/css//x.css",
            "/s/a%20b.txt/",
            "/s/none",
            "/s/.",
            "/s/..",
        ] {
            let response = dir.get(true, path, &[]);
            assert_eq!(
                (response.status(), response.into_bytes().unwrap()),
                (404, vec![]),
                "{path}"
            );
        }
    }

    #[test]
    fn a_directory_is_redirected_to_its_slash_and_listed_only_when_told() {
        let dir = Scratch::new("dir");
        let response = dir.get(false, "/s/css", &[]);
        assert_eq!((response.status(), response.headers.get("Location")), (301, Some("css/")));
        assert_eq!(dir.get(false, "/s/css/", &[]).status(), 404);
        let page = dir.get(true, "/s/css/", &[]).into_bytes().unwrap();
        assert_eq!(page, b"<!doctype html>\n<pre>\n<a href=\"x.css\">x.css</a>\n</pre>\n");
        fs::write(dir.0.join("root/css/index.html"), "<p>index").unwrap();
        assert_eq!(dir.get(true, "/s/css/", &[]).into_bytes().unwrap(), b"<p>index");
    }

    #[test]
    fn globs_find_files_and_say_when_they_do_not() {
        let dir = Scratch::new("glob");
        assert_eq!(glob(&dir.0.join("root/*.txt")).unwrap(), [dir.0.join("root/a b.txt")]);
        assert_eq!(glob(&dir.0.join("root/css/x.css")).unwrap().len(), 1);
        let error = glob(&dir.0.join("*.tmpl")).unwrap_err().to_string();
        assert!(error.ends_with("*.tmpl: there are none"), "{error}");
        assert!(glob(Path::new("no/such/dir/*")).is_err() && Files::new("no/such/dir").is_err());
    }
}
