//! An answer, byte by byte: a small server beside the playground, asked over a bare socket.
//!
//! A page cannot show its own answer, which is made when the page is whole. So a server of the same
//! type answers here, on a port of its own; what it sends is read without a client that would take
//! it apart. Its routes show the ways in which an answer can end:
//!
//! | path | framing |
//! |---|---|
//! | `/hello/:name` | `Content-Length` |
//! | `/json` | the same, another type |
//! | `/chunks` | `Transfer-Encoding: chunked`: the length is not known at first |
//! | any other | 404, in the words of the router |

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use web::json::Json;
use web::{Engine, Result, json, url};

use crate::beside::{self, Beside};
use crate::inspect;

/// Of an answer so many bytes are read.
const ANSWER_BYTES_MAX: u64 = 4096;

/// So many bytes of a path are asked for.
const PATH_BYTES_MAX: usize = 256;

/// So many answers are made at once.
const CONNECTIONS_MAX: usize = 64;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A server to be asked. Dropping it ends it.
#[derive(Debug)]
pub struct Answerer {
    addr: SocketAddr,
    _serving: Beside,
}

impl Answerer {
    /// Starts it on a free port of the loopback interface.
    ///
    /// # Errors
    /// [`web::Error::Io`] when there is no port, or no thread.
    pub fn start() -> Result<Answerer> {
        let mut engine = Engine::new();
        engine.get("/hello/:name", |c| {
            let text = format!("hello {}\n", c.param("name"));
            c.string(200, text);
        })?;
        engine.get("/json", |c| c.json(200, &json!({"id": 42, "message": "hello world"})))?;
        engine.get("/chunks", |c| {
            c.stream(200, "text/plain; charset=utf-8", |out| {
                for part in ["one\n", "two\n", "and three\n"] {
                    out.write_all(part.as_bytes())?;
                    out.flush()?;
                }
                Ok(())
            });
        })?;
        let (listener, addr) = beside::listener("answerer")?;
        let serving = Beside::start("answerer", listener, CONNECTIONS_MAX, engine)?;
        Ok(Answerer { addr, _serving: serving })
    }

    /// The answer to `GET path`, as the part `inspector` draws it; or why there is none.
    #[must_use]
    pub fn as_json(&self, path: &str) -> Json {
        let path = if path.starts_with('/') { path } else { "/hello/gee" };
        if path.len() > PATH_BYTES_MAX {
            let bytes = path.len();
            let error = format!("the path is {bytes} bytes, the limit is {PATH_BYTES_MAX}");
            return json!({"path": "/", "error": error});
        }
        match self.ask(path) {
            Ok(bytes) => {
                let pieces = inspect::response::pieces(&bytes);
                json!({"path": path, "answer": (inspect::as_json(&bytes, &pieces))})
            }
            Err(error) => json!({"path": path, "error": (error.to_string())}),
        }
    }

    fn ask(&self, path: &str) -> io::Result<Vec<u8>> {
        // Whatever a path must not hold is percent-encoded, segment by segment.
        let target: Vec<String> =
            path.split('/').map(|segment| url::encode_segment(segment.as_bytes())).collect();
        let mut stream = TcpStream::connect_timeout(&self.addr, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        let head = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            target.join("/"),
            self.addr
        );
        stream.write_all(head.as_bytes())?;
        let mut answer = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of the picture of the answer to `path`.
    fn lines(path: &str) -> Vec<String> {
        let json = Answerer::start().unwrap().as_json(path);
        let lines = json["answer"]["lines"].as_array().unwrap().iter();
        let text = |line: &Json| {
            let pieces = line.as_array().unwrap().iter();
            pieces.map(|piece| piece["text"].as_str().unwrap()).collect::<String>()
        };
        lines.map(text).collect()
    }

    #[test]
    fn an_answer_is_shown_as_it_was_sent() {
        let hello = lines("/hello/a b");
        assert_eq!(hello[0], r"HTTP/1.1 200 OK\r\n");
        assert!(hello.contains(&r"Content-Length: 10\r\n".to_owned()), "{hello:?}");
        assert_eq!(hello.last().unwrap(), r"hello a b\n");
        let chunks = lines("/chunks");
        assert!(chunks.contains(&r"Transfer-Encoding: chunked\r\n".to_owned()), "{chunks:?}");
        assert!(chunks.contains(&r"and three\n".to_owned()), "{chunks:?}");
        assert_eq!(lines("/none")[0], r"HTTP/1.1 404 Not Found\r\n");
        assert_eq!(lines("no slash").last().unwrap(), r"hello gee\n");
        let long = Answerer::start().unwrap().as_json(&"/x".repeat(300));
        assert_eq!(long["error"].as_str(), Some("the path is 600 bytes, the limit is 256"));
    }
}
