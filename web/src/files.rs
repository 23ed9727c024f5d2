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
//! What a browser has already is not sent again, and it may ask for a part: see `preconditions`.
//! A file with a packed neighbour, `style.css.gz`, is sent packed to those who accept that; nothing
//! is packed here. A directory without its slash is a 301, since relative links in it would lead
//! astray; its listing is nobody's business unless [`Files::list_dirs`] is set (WEB-13).
//! References: RFC 9110 sections 8.8, 13, 14.

use std::fs::{self, File, Metadata};
use std::io::{Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::preconditions::{Verdict, judge};
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
            .map_err(|e| Error::io(format!("find the folder {}", path.display()), e))?;
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
        // No file's name has a slash in it: whoever writes one as `%2F` wants to get past somebody
        // who reads paths before they are decoded.
        let path = c.request.target().split(|&b| b == b'?').next().unwrap_or_default();
        let hidden = |code: &[u8]| code.eq_ignore_ascii_case(b"%2f");
        let opened = if path.windows(3).any(hidden) { None } else { self.open(filepath) };
        let Some((path, file, meta)) = opened else {
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
        let (file, meta) = open(&path)?;
        let matches_kind = meta.is_dir() || !filepath.ends_with('/');
        matches_kind.then_some((path, file, meta))
    }
}

/// Opens a file or a directory and nothing else: opening a named pipe would wait for its writer.
fn open(path: &Path) -> Option<(File, Metadata)> {
    let kind = fs::metadata(path).ok()?;
    let file = (kind.is_file() || kind.is_dir()).then(|| File::open(path).ok())??;
    let meta = file.metadata().ok()?;
    Some((file, meta))
}

impl Engine {
    /// Serves the files under `root` below `pattern`: `/assets` answers `/assets/css/a.css` with
    /// `root/css/a.css`, and `/assets/` with `root/index.html` if that is there by now.
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
        // `*filepath` is never empty, so the directory itself is a route of its own.
        if files.root.join("index.html").is_file() {
            let files = files.clone();
            self.get(&format!("{}/", pattern.trim_end_matches('/')), move |c| files.answer(c, ""))?;
        }
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
            .map_err(|e| Error::io(format!("find the file {}", path.display()), e))?;
        self.get(pattern, move |c| answer_file(c, &path))
    }
}

/// The files that match `directory/*.suffix`, sorted; `*` may stand once, in the last segment.
///
/// # Errors
/// [`Error::Io`] if the directory cannot be read, or if nothing matches: a glob that finds nothing
/// is a typing error more often than not.
pub(crate) fn glob(pattern: &Path) -> Result<Vec<PathBuf>> {
    let doing = || format!("find files that match {}", pattern.display());
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
    c.response.start_over();
    c.status(404);
}

/// Answers one file whose path the program knows.
pub(crate) fn answer_file(c: &mut Context, path: &Path) {
    match open(path) {
        Some((file, meta)) if meta.is_file() => send(c, path, file, &meta),
        _ => not_found(c),
    }
}

fn send(c: &mut Context, path: &Path, file: File, meta: &Metadata) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    c.set_header("Content-Type", content_type(&name));
    let (mut file, mut meta) = (file, meta.clone());
    if let Some((packed, about)) = packed_neighbour(path) {
        c.response.headers.push("Vary", "Accept-Encoding");
        if accepts_gzip(c.header("Accept-Encoding").unwrap_or_default()) {
            c.set_header("Content-Encoding", "gzip");
            (file, meta) = (packed, about);
        }
    }
    let modified = whole_seconds(meta.modified().unwrap_or(UNIX_EPOCH));
    let etag = entity_tag(&meta);
    c.set_header("Last-Modified", &http::date(modified));
    c.set_header("ETag", &etag);
    c.set_header("Accept-Ranges", "bytes");
    let length = meta.len();
    let part = match judge(c.request.headers(), &etag, modified, length) {
        Verdict::Whole => 0..length,
        Verdict::NotModified => return c.status(304),
        Verdict::Failed => {
            c.response.headers.remove("Content-Encoding");
            return c.answer(412, "text/plain; charset=utf-8", b"412: it has changed\n");
        }
        Verdict::OutOfRange => {
            c.response.headers.remove("Content-Encoding");
            c.set_header("Content-Range", &format!("bytes */{length}"));
            return c.answer(416, "text/plain; charset=utf-8", b"416: there is no such range\n");
        }
        Verdict::Part(part) => {
            let last = part.end - 1;
            c.set_header("Content-Range", &format!("bytes {}-{last}/{length}", part.start));
            c.status(206);
            part
        }
    };
    if part.start > 0 && file.seek(SeekFrom::Start(part.start)).is_err() {
        return c.server_error(&"a file cannot be read from its middle");
    }
    c.response.content = Content::File(file, part.end - part.start);
}

/// `NAME.gz` beside the file, if somebody packed it beforehand; not a link to somewhere else.
fn packed_neighbour(path: &Path) -> Option<(File, Metadata)> {
    let mut name = path.as_os_str().to_owned();
    name.push(".gz");
    let name = PathBuf::from(name);
    name.canonicalize().ok().filter(|place| *place == name)?;
    open(&name).filter(|(_, meta)| meta.is_file())
}

/// Whether an Accept-Encoding lists gzip, and not with a weight of zero.
fn accepts_gzip(field: &str) -> bool {
    field.split(',').any(|item| {
        let (coding, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        coding.trim().eq_ignore_ascii_case("gzip") && weight.parse::<f32>().is_ok_and(|w| w > 0.0)
    })
}

/// A strong tag from time and length: a file that is written twice within the file system's
/// clock tick and keeps its length would keep its tag; nginx takes the same chance.
fn entity_tag(meta: &Metadata) -> String {
    let modified = meta.modified().unwrap_or(UNIX_EPOCH);
    let nanos = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!("\"{nanos:x}-{:x}\"", meta.len())
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
mod tests;
