//! Day 1: the JSON codec of the GeeRPC dialect - a header object, then a body value, each followed
//! by a newline as Go's `json.Encoder` writes it.

use super::{Body, CodecReader, CodecWriter, Header};
use crate::gob::Gob;
use crate::json::{Json, JsonForm, Scanner};
use crate::{Error, Input, Result, message};

message! {
    /// The header object.
    #[derive(Debug)]
    struct Fields { service_method: String, seq: u64, error: String }
}

/// One JSON value after the other out of an input.
pub(super) struct Values {
    input: Input,
    scanner: Scanner,
    message_bytes_max: usize,
}

impl Values {
    pub(super) fn new(input: Input, message_bytes_max: usize) -> Values {
        Values { input, scanner: Scanner::default(), message_bytes_max }
    }

    /// The next value; `None` at the clean end. After a timeout it can be called again.
    pub(super) fn next(&mut self) -> Result<Option<Json>> {
        loop {
            let here = self.input.here();
            if let Some(len) = self.scanner.end(here) {
                let value = web::json::parse(&here[..len]);
                self.input.skip(len);
                self.input.shrink();
                return value.map(Some).map_err(|error| Error::Handshake(format!("json: {error}")));
            }
            let here = here.len();
            if here > self.message_bytes_max {
                let (size, limit) = (here as u64, self.message_bytes_max as u64);
                let setting = Some("message_bytes_max");
                return Err(Error::TooLarge { what: "json: a message", size, limit, setting });
            }
            if !self.input.want(here + 1)? {
                let blank = self.input.here().iter().all(u8::is_ascii_whitespace);
                return if blank { Ok(None) } else { Err(Error::UnexpectedEof) };
            }
        }
    }

    /// Whether `count` values are here as a whole.
    pub(super) fn ready(&self, count: usize) -> bool {
        let mut rest = self.input.here();
        (0..count).all(|_| {
            let len = Scanner::default().end(rest);
            rest = &rest[len.unwrap_or(rest.len())..];
            len.is_some()
        })
    }
}

/// Reads header objects and body values.
pub(super) struct JsonReader {
    values: Values,
}

impl JsonReader {
    pub(super) fn new(values: Values) -> JsonReader {
        JsonReader { values }
    }
}

impl CodecReader for JsonReader {
    fn header(&mut self, header: &mut Header) -> Result<bool> {
        let Some(json) = self.values.next()? else { return Ok(false) };
        let mut fields = Fields::zero();
        fields.read_json(json)?;
        let Fields { service_method: method, seq, error } = fields;
        *header = Header { method, seq, error };
        Ok(true)
    }

    fn body(&mut self, into: &mut dyn Body) -> Result<Result<()>> {
        let json = self.values.next()?.ok_or(Error::UnexpectedEof)?;
        Ok(into.take_json(json))
    }

    fn discard(&mut self) -> Result<()> {
        self.values.next()?.map(drop).ok_or(Error::UnexpectedEof)
    }

    fn ready(&self) -> bool {
        self.values.ready(2)
    }
}

/// Writes header objects and body values.
#[derive(Default)]
pub(super) struct JsonWriter {
    /// The text of one message, kept for its room.
    text: String,
}

impl CodecWriter for JsonWriter {
    fn message(&mut self, header: &Header, body: &dyn Body, out: &mut Vec<u8>) -> Result<()> {
        let Header { method, seq, error } = header.clone();
        self.text.clear();
        Fields { service_method: method, seq, error }.write_json(&mut self.text)?;
        self.text.push('\n');
        body.put_json(&mut self.text)?;
        self.text.push('\n');
        out.extend_from_slice(self.text.as_bytes());
        Ok(())
    }
}
