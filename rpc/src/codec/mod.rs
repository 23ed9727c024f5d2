//! Day 1: header and body, and the contract of a codec.
//!
//! (chapter)

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
    /// [`Error::Mismatch`] for what gob cannot carry.
    fn to_gob(&self, encoder: &mut Encoder, out: &mut Vec<u8>) -> Result<()>;

    /// Reads the next value of a gob stream. The outer error is the stream's, the inner this
    /// value's.
    ///
    /// # Errors
    /// Those of [`Decoder::decode`].
    fn from_gob(&mut self, decoder: &mut Decoder) -> Result<Result<()>>;

    /// Appends the value as JSON.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for what JSON cannot say.
    fn to_json(&self, out: &mut String) -> Result<()>;

    /// Takes the value out of JSON.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when it does not fit.
    fn from_json(&mut self, json: Json) -> Result<()>;
}

impl<T: Gob + JsonForm + Send> Body for T {
    fn empty() -> T {
        T::zero()
    }
    fn to_gob(&self, encoder: &mut Encoder, out: &mut Vec<u8>) -> Result<()> {
        encoder.encode(self, out);
        Ok(())
    }
    fn from_gob(&mut self, decoder: &mut Decoder) -> Result<Result<()>> {
        decoder.decode(self)
    }
    fn to_json(&self, out: &mut String) -> Result<()> {
        self.write_json(out)
    }
    fn from_json(&mut self, json: Json) -> Result<()> {
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
    /// [`Error::Mismatch`] for a body that the codec cannot carry.
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
