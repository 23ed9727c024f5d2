//! Day 1: Go's `net/rpc/jsonrpc` - header and body in one object.
//!
//! ```text
//! {"method":"Foo.Sum","params":[{"Num1":3,"Num2":4}],"id":0}
//! {"id":0,"result":7,"error":null}
//! ```
//!
//! To a server an id is any JSON value, to be given back as it came. Whole numbers are used as
//! they are; for anything else the reading half invents a number and leaves the id where the
//! writing half finds it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::json::Values;
use super::{Body, CodecReader, CodecWriter, Halves, Header};
use crate::json::{Json, plain};
use crate::{Error, Result};

/// Numbers from here on stand for an id that is none.
const INVENTED: u64 = 1 << 63;

/// Ids that are no numbers, by the number that stands for them; shared by the two halves.
type Ids = Arc<Mutex<HashMap<u64, Json>>>;

/// The halves of a server's codec.
pub(super) fn server(values: Values) -> Halves {
    let ids = Ids::default();
    let reader = Requests { values, params: Json::Null, ids: Arc::clone(&ids), invented: INVENTED };
    (Box::new(reader), Box::new(Replies { ids, text: String::new() }))
}

/// The halves of a client's codec.
pub(super) fn client(values: Values) -> Halves {
    let reader = ReplyReader { values, result: Json::Null };
    (Box::new(reader), Box::new(RequestWriter { text: String::new() }))
}

/// One field out of an object.
fn take(json: &mut Json, name: &str) -> Json {
    match json {
        Json::Object(fields) => fields.remove(name).unwrap_or_default(),
        _ => Json::Null,
    }
}

struct Requests {
    values: Values,
    /// What the request just read asks with.
    params: Json,
    ids: Ids,
    invented: u64,
}

impl CodecReader for Requests {
    fn header(&mut self, header: &mut Header) -> Result<bool> {
        let Some(mut request) = self.values.next()? else { return Ok(false) };
        let Json::String(method) = take(&mut request, "method") else {
            return Err(Error::Corrupt("jsonrpc: a request without a method"));
        };
        self.params = take(&mut request, "params");
        let id = take(&mut request, "id");
        let seq = id.as_u64().filter(|&id| id < INVENTED).unwrap_or_else(|| {
            self.invented += 1;
            let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
            ids.insert(self.invented, id);
            self.invented
        });
        *header = Header { method, seq, error: String::new() };
        Ok(true)
    }

    fn body(&mut self, into: &mut dyn Body) -> Result<Result<()>> {
        let first = match std::mem::take(&mut self.params) {
            Json::Array(params) => params.into_iter().next(),
            _ => None,
        };
        let missing = || Error::Mismatch("jsonrpc: request body missing params".to_owned());
        Ok(first.ok_or_else(missing).and_then(|json| into.take_json(json)))
    }

    fn discard(&mut self) -> Result<()> {
        self.params = Json::Null;
        Ok(())
    }

    fn ready(&self) -> bool {
        self.values.ready(1)
    }
}

struct Replies {
    ids: Ids,
    text: String,
}

impl CodecWriter for Replies {
    fn message(&mut self, header: &Header, body: &dyn Body, out: &mut Vec<u8>) -> Result<()> {
        self.text.clear();
        self.text.push_str("{\"id\":");
        let known = || self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        let id = if header.seq < INVENTED { None } else { known().get(&header.seq).cloned() };
        match id {
            Some(id) => plain(&id, &mut self.text)?,
            None => plain(&header.seq, &mut self.text)?,
        }
        self.text.push_str(",\"result\":");
        if header.error.is_empty() {
            body.put_json(&mut self.text)?;
            self.text.push_str(",\"error\":null");
        } else {
            self.text.push_str("null,\"error\":");
            plain(header.error.as_str(), &mut self.text)?;
        }
        self.text.push_str("}\n");
        if header.seq >= INVENTED {
            known().remove(&header.seq);
        }
        out.extend_from_slice(self.text.as_bytes());
        Ok(())
    }
}

struct ReplyReader {
    values: Values,
    result: Json,
}

impl CodecReader for ReplyReader {
    fn header(&mut self, header: &mut Header) -> Result<bool> {
        let Some(mut reply) = self.values.next()? else { return Ok(false) };
        let unknown = Error::Corrupt("jsonrpc: a reply without a number for its id");
        let seq = take(&mut reply, "id").as_u64().ok_or(unknown)?;
        self.result = take(&mut reply, "result");
        let error = match take(&mut reply, "error") {
            Json::Null => String::new(),
            Json::String(text) if text.is_empty() => "unspecified error".to_owned(),
            Json::String(text) => text,
            other => format!("invalid error {other}"),
        };
        *header = Header { method: String::new(), seq, error };
        Ok(true)
    }

    fn body(&mut self, into: &mut dyn Body) -> Result<Result<()>> {
        Ok(into.take_json(std::mem::take(&mut self.result)))
    }

    fn discard(&mut self) -> Result<()> {
        self.result = Json::Null;
        Ok(())
    }

    fn ready(&self) -> bool {
        self.values.ready(1)
    }
}

struct RequestWriter {
    text: String,
}

impl CodecWriter for RequestWriter {
    fn message(&mut self, header: &Header, body: &dyn Body, out: &mut Vec<u8>) -> Result<()> {
        self.text.clear();
        self.text.push_str("{\"method\":");
        plain(header.method.as_str(), &mut self.text)?;
        self.text.push_str(",\"params\":[");
        body.put_json(&mut self.text)?;
        self.text.push_str("],\"id\":");
        plain(&header.seq, &mut self.text)?;
        self.text.push_str("}\n");
        out.extend_from_slice(self.text.as_bytes());
        Ok(())
    }
}
