//! What is served, and what is not.

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
        engine.handle(fields.iter().fold(request, |r, (name, value)| r.with_header(name, value)))
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
fn a_part_or_a_packed_copy_is_sent_to_those_who_ask() {
    let dir = Scratch::new("part");
    let part = dir.get(false, "/s/css/x.css", &[("Range", "bytes=1-2")]);
    let field = part.headers.get("Content-Range").map(str::to_owned);
    assert_eq!((part.status(), field.as_deref()), (206, Some("bytes 1-2/4")));
    assert_eq!(part.into_bytes().unwrap(), b" {");
    let none = dir.get(false, "/s/css/x.css", &[("Range", "bytes=9-")]);
    assert_eq!((none.status(), none.headers.get("Content-Range")), (416, Some("bytes */4")));
    let etag = dir.get(false, "/s/css/x.css", &[]).headers.get("ETag").unwrap().to_owned();
    assert_eq!(dir.get(false, "/s/css/x.css", &[("If-None-Match", &etag)]).status(), 304);
    assert_eq!(dir.get(false, "/s/css/x.css", &[("If-Match", "\"x\"")]).status(), 412);
    fs::write(dir.0.join("root/css/x.css.gz"), "packed").unwrap();
    #[cfg(unix)]
    {
        let link = dir.0.join("root/a b.txt.gz");
        std::os::unix::fs::symlink(dir.0.join("secret.txt"), link).unwrap();
        let response = dir.get(false, "/s/a%20b.txt", &[("Accept-Encoding", "gzip")]);
        assert_eq!(response.into_bytes().unwrap(), b"text");
    }
    for (accept, want) in [("gzip, br", &b"packed"[..]), ("gzip;q=0", b"p {}"), ("br", b"p {}")] {
        let response = dir.get(false, "/s/css/x.css", &[("Accept-Encoding", accept)]);
        assert_eq!(response.headers.get("Vary"), Some("Accept-Encoding"));
        assert_eq!(response.headers.get("Content-Type"), Some("text/css; charset=utf-8"));
        assert_eq!(response.into_bytes().unwrap(), want, "{accept}");
    }
    // What is said about the file in plain words is not packed.
    for (name, value, status) in [("If-Match", "\"x\"", 412), ("Range", "bytes=99-", 416)] {
        let fields = [("Accept-Encoding", "gzip"), (name, value)];
        let response = dir.get(false, "/s/css/x.css", &fields);
        assert_eq!((response.status(), response.headers.get("Content-Encoding")), (status, None));
    }
}

#[test]
fn nothing_outside_the_root_is_served() {
    let dir = Scratch::new("outside");
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink(dir.0.join("secret.txt"), dir.0.join("root/link.txt")).unwrap();
        symlink(&dir.0, dir.0.join("root/up")).unwrap();
        // A pipe without a writer: whoever opens it waits.
        let made = std::process::Command::new("mkfifo").arg(dir.0.join("root/pipe")).status();
        assert!(made.unwrap().success());
    }
    for path in [
        "/s/../secret.txt",
        "/s/%2e%2e/secret.txt",
        "/s/..%2Fsecret.txt",
        "/s/css/../../secret.txt",
        "/s//etc/passwd",
        "/s/%2Fetc/passwd",
        "/s/link.txt",
        "/s/up/secret.txt",
        "/s/pipe",
        "/s/css%2Fx.css",
        "/s/css%5cx.css",
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
        assert_eq!((response.status(), response.into_bytes().unwrap()), (404, vec![]), "{path}");
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
    let mut engine = Engine::new();
    engine.static_dir("/", dir.0.join("root/css")).unwrap();
    engine.static_dir("/none", dir.0.join("root")).unwrap();
    let get = |path| engine.handle(Request::new("GET", path));
    assert_eq!(get("/").into_bytes().unwrap(), b"<p>index");
    assert_eq!([get("/x.css").status(), get("/none/").status()], [200, 404]);
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
