//! Day 1: header and body, and the contract of a codec.
//!
//! **At the end** a client written by hand sends five requests, and a loop answers them: example
//! `day1_codec`. Fifteen minutes.
//!
//! # Why two parts
//! A call is a name, arguments, a result or an error. The server cannot decode the arguments before
//! it knows the name: their types depend on it. So each message is two: a [`Header`] of one known type,
//! then a [`Body`] of any. And because the formats of bodies are many, the two are read and written
//! through a contract. gRPC puts the name into HTTP/2 headers, Thrift into a message header; it is the
//! same cut.
//!
//! ```text
//! client                                      server
//!   | option {"MagicNumber":3927900,...}        |   once, GeeRPC only
//!   |------------------------------------------>|
//!   | Header{"Foo.Sum", 1, ""}  Args{3, 4}      |   any number of these,
//!   |------------------------------------------>|
//!   | Header{"Foo.Sum", 2, ""}  Args{5, 6}      |   without waiting
//!   |------------------------------------------>|
//!   |      Header{"Foo.Sum", 2, ""}  11         |   in any order: `seq` says which
//!   |<------------------------------------------|
//!   |      Header{"Foo.Sum", 1, "no"}  {}       |   an error has an empty body
//!   |<------------------------------------------|
//! ```
//!
//! # The idea alone
//! Framing with lines: `number method argument`, and `number result`.
//!
//! ```
//! use std::io::{BufRead, BufReader, Write};
//! use std::net::{TcpListener, TcpStream};
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let addr = listener.local_addr()?;
//! let server = std::thread::spawn(move || -> std::io::Result<()> {
//!     let (stream, _) = listener.accept()?;
//!     for line in BufReader::new(&stream).lines() {
//!         let line = line?;
//!         let mut words = line.splitn(3, ' ');
//!         let (seq, method) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
//!         match (method, words.next()) {
//!             ("Echo", Some(body)) => writeln!(&stream, "{seq} ok {body}")?,
//!             _ => writeln!(&stream, "{seq} error can't find method {method}")?,
//!         }
//!     }
//!     Ok(())
//! });
//! let stream = TcpStream::connect(addr)?;
//! let mut replies = BufReader::new(stream.try_clone()?).lines();
//! writeln!(&stream, "1 Echo hello there")?;
//! writeln!(&stream, "2 Ecco hello")?; // no need to wait for the first reply
//! assert_eq!(replies.next().unwrap()?, "1 ok hello there");
//! assert_eq!(replies.next().unwrap()?, "2 error can't find method Ecco");
//! stream.shutdown(std::net::Shutdown::Both)?;
//! server.join().unwrap()?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # The walk
//! [`Dialect::open`] makes the two halves of a codec for one side of a connection, [`CodecReader`] over
//! the [`Input`] and [`CodecWriter`] into a buffer. A body is a trait object here, [`Body`], and a type
//! again on the other side of it.
//!
//! # Where does the option end? (asked most often)
//! The option is JSON and ends with its brace; what follows is gob, and nothing separates them. The
//! Go tutorial gives the connection to a JSON decoder, which reads ahead, then to a gob decoder,
//! which misses what the first one holds. Here both read through one buffer: [`Input`].
//!
//! # What the borrow checker says
//! Go's codec is one value, used by the goroutine that reads and by those that write. As one `&mut`
//! it could be used by one thread only: `cannot borrow *codec as mutable more than once`. Behind one
//! mutex, a reader that waits would keep every writer out. So a codec comes apart into two halves
//! that share nothing: gob has a memory for each *direction* anyway. (jsonrpc's share the ids of
//! requests, behind a lock.)
//!
//! # Where this differs from Go
//! - Two traits instead of one, no `Close`: the stream is closed by who owns it.
//! - [`CodecReader::body`] has two errors, of the connection and of this body, so that a bad body costs
//!   its call and not the connection.
//!
//! # Try it
//! `cargo run -p rpc --example day1_codec` prints `&{Foo.Sum 0 } geerpc req 0` and
//! `reply: geerpc resp 0`, five times. Exercise, at the end of this file: codec names with parameters
//! (`application/gob; v=1`) are not known; let them be. `cargo test -p rpc exercise_codec -- --ignored`

mod gob;
mod json;
mod jsonrpc;

use crate::gob::{Decoder, Encoder, Gob};
use crate::json::{Json, JsonForm};
use crate::{Input, Result};

/// What stands before every request and every reply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// `Service.Method`; a reply repeats it.
    pub method: String,
    /// Which request a reply is to.
    pub seq: u64,
    /// In a reply: why there is no result. Empty in requests and when all went well.
    pub error: String,
}

/// A value that every codec can carry: arguments and replies.
///
/// [`message!`](crate::message) structs, numbers, texts, lists, maps are. It has no type
/// parameter, so that a codec can be a trait object and still meet every type.
pub trait Body: Send {
    /// An empty value to be read into.
    fn empty() -> Self
    where
        Self: Sized;

    /// Appends the value to a gob stream.
    ///
    /// # Errors
    /// [`Error::Mismatch`](crate::Error::Mismatch) for what gob cannot carry.
    fn put_gob(&self, encoder: &mut Encoder, out: &mut Vec<u8>) -> Result<()>;

    /// Reads the next value of a gob stream. The outer error is the stream's, the inner this
    /// value's.
    ///
    /// # Errors
    /// Those of [`Decoder::decode`].
    fn take_gob(&mut self, decoder: &mut Decoder) -> Result<Result<()>>;

    /// Appends the value as JSON.
    ///
    /// # Errors
    /// [`Error::Mismatch`](crate::Error::Mismatch) for what JSON cannot say.
    fn put_json(&self, out: &mut String) -> Result<()>;

    /// Takes the value out of JSON.
    ///
    /// # Errors
    /// [`Error::Mismatch`](crate::Error::Mismatch) when it does not fit.
    fn take_json(&mut self, json: Json) -> Result<()>;
}

impl<T: Gob + JsonForm + Send> Body for T {
    fn empty() -> T {
        T::zero()
    }
    fn put_gob(&self, encoder: &mut Encoder, out: &mut Vec<u8>) -> Result<()> {
        encoder.encode(self, out);
        Ok(())
    }
    fn take_gob(&mut self, decoder: &mut Decoder) -> Result<Result<()>> {
        decoder.decode(self)
    }
    fn put_json(&self, out: &mut String) -> Result<()> {
        self.write_json(out)
    }
    fn take_json(&mut self, json: Json) -> Result<()> {
        self.read_json(json)
    }
}

/// The receiving half of a codec.
///
/// All methods wait for bytes. An error that is a timeout may be followed by the same call again;
/// after any other the connection is over.
pub trait CodecReader: Send {
    /// Reads the next header; false at the clean end of the connection.
    ///
    /// # Errors
    /// Those of the stream.
    fn header(&mut self, header: &mut Header) -> Result<bool>;

    /// Reads the body that follows. The inner error is the body's: it has been dropped, and the
    /// next header can be read.
    ///
    /// # Errors
    /// Those of the stream.
    fn body(&mut self, into: &mut dyn Body) -> Result<Result<()>>;

    /// Reads the body that follows, and forgets it.
    ///
    /// # Errors
    /// Those of the stream.
    fn discard(&mut self) -> Result<()>;

    /// Whether a header *and* its body are here as a whole, so that reading them will not wait.
    fn ready(&self) -> bool;
}

/// The sending half of a codec.
pub trait CodecWriter: Send {
    /// Appends a header and its body to `out`; on an error nothing of the two.
    ///
    /// # Errors
    /// [`Error::Mismatch`](crate::Error::Mismatch) for a body that the codec cannot carry.
    fn message(&mut self, header: &Header, body: &dyn Body, out: &mut Vec<u8>) -> Result<()>;
}

/// How header and body are written in the GeeRPC dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CodecType {
    /// `application/gob`
    #[default]
    Gob,
    /// `application/json`
    Json,
}

impl CodecType {
    /// The name in the option.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            CodecType::Gob => "application/gob",
            CodecType::Json => "application/json",
        }
    }

    /// The codec of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<CodecType> {
        [CodecType::Gob, CodecType::Json].into_iter().find(|codec| codec.name() == name)
    }
}

/// The language of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// An option, then pairs of header and body; numbers from 1.
    Gee(CodecType),
    /// Go's `net/rpc`: gob from the first byte, numbers from 0.
    NetRpc,
    /// Go's `net/rpc/jsonrpc`: one object for a request, one for a reply.
    JsonRpc,
}

impl Default for Dialect {
    fn default() -> Dialect {
        Dialect::Gee(CodecType::Gob)
    }
}

/// Which end of the connection a codec is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Sends requests.
    Client,
    /// Sends replies.
    Server,
}

/// The two halves of a codec.
pub type Halves = (Box<dyn CodecReader>, Box<dyn CodecWriter>);

impl Dialect {
    /// The number of a client's first request.
    #[must_use]
    pub fn first_seq(self) -> u64 {
        if matches!(self, Dialect::Gee(_)) { 1 } else { 0 }
    }

    /// The codec that goes on with `input`; no message may be longer than `message_bytes_max`.
    #[must_use]
    pub fn open(self, side: Side, input: Input, message_bytes_max: usize) -> Halves {
        let decoder = |input| gob::GobReader::new(Decoder::with_input(input, message_bytes_max));
        match (self, side) {
            (Dialect::Gee(CodecType::Gob), _) => (Box::new(decoder(input)), gob::gee()),
            (Dialect::NetRpc, Side::Client) => (Box::new(decoder(input)), gob::request()),
            (Dialect::NetRpc, Side::Server) => (Box::new(decoder(input)), gob::response()),
            (Dialect::Gee(CodecType::Json), _) => {
                let reader = json::JsonReader::new(json::Values::new(input, message_bytes_max));
                (Box::new(reader), Box::new(json::JsonWriter::default()))
            }
            (Dialect::JsonRpc, Side::Client) => {
                jsonrpc::client(json::Values::new(input, message_bytes_max))
            }
            (Dialect::JsonRpc, Side::Server) => {
                jsonrpc::server(json::Values::new(input, message_bytes_max))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_codec_is_known_by_its_name() {
        assert_eq!(CodecType::of_name("application/json"), Some(CodecType::Json));
        assert_eq!(CodecType::of_name("application/xml"), None);
    }

    #[test]
    #[ignore = "an exercise: see the end of the chapter"]
    fn exercise_codec_names_may_have_parameters() {
        assert_eq!(CodecType::of_name("application/gob; v=1"), Some(CodecType::Gob));
        assert_eq!(CodecType::of_name("application/gobs"), None);
    }
}
