//! Day 1: the gob codec. One encoder and one decoder live as long as the connection, so that each
//! type is defined once in each direction.
//!
//! GeeRPC's `Header`, and net/rpc's `Request` and `Response`, differ in name and by one field;
//! gob matches fields by name, so that one struct of three fields reads them all. For writing each
//! has its own, so that our bytes are Go's.

use super::{Body, CodecReader, CodecWriter, Header};
use crate::gob::{Decoder, Encoder, Gob};
use crate::{Result, message};

message! {
    /// GeeRPC's header.
    #[derive(Debug)]
    struct Gee as "Header" { service_method: String, seq: u64, error: String }

    /// The header of a net/rpc request.
    #[derive(Debug)]
    struct Request { service_method: String, seq: u64 }

    /// The header of a net/rpc reply.
    #[derive(Debug)]
    struct Response { service_method: String, seq: u64, error: String }
}

/// Reads gob headers and bodies.
pub(super) struct GobReader {
    decoder: Decoder,
    /// Kept, so that its strings are allocated once.
    header: Gee,
}

impl GobReader {
    pub(super) fn new(decoder: Decoder) -> GobReader {
        GobReader { decoder, header: Gee::zero() }
    }
}

impl CodecReader for GobReader {
    fn header(&mut self, header: &mut Header) -> Result<bool> {
        if self.decoder.next_id()?.is_none() {
            return Ok(false);
        }
        // What is zero is not sent, so it must be zero before.
        self.header.service_method.clear();
        self.header.error.clear();
        self.header.seq = 0;
        self.decoder.decode(&mut self.header)??;
        header.method.clone_from(&self.header.service_method);
        header.error.clone_from(&self.header.error);
        header.seq = self.header.seq;
        Ok(true)
    }

    fn body(&mut self, into: &mut dyn Body) -> Result<Result<()>> {
        into.take_gob(&mut self.decoder)
    }

    fn discard(&mut self) -> Result<()> {
        // What is wrong inside a body that nobody wants is nobody's concern.
        self.decoder.discard().map(drop)
    }

    fn ready(&self) -> bool {
        self.decoder.values_here(2)
    }
}

/// Writes a header of type `H` and a body.
struct GobWriter<H> {
    encoder: Encoder,
    header: H,
    /// Puts a header into the struct that travels.
    fill: fn(&mut H, &Header),
}

/// The writer of both sides in the GeeRPC dialect.
pub(super) fn gee() -> Box<dyn CodecWriter> {
    writer(|own: &mut Gee, header| {
        own.service_method.clone_from(&header.method);
        own.error.clone_from(&header.error);
        own.seq = header.seq;
    })
}

/// The writer of a net/rpc client.
pub(super) fn request() -> Box<dyn CodecWriter> {
    writer(|own: &mut Request, header| {
        own.service_method.clone_from(&header.method);
        own.seq = header.seq;
    })
}

/// The writer of a net/rpc server.
pub(super) fn response() -> Box<dyn CodecWriter> {
    writer(|own: &mut Response, header| {
        own.service_method.clone_from(&header.method);
        own.error.clone_from(&header.error);
        own.seq = header.seq;
    })
}

fn writer<H: Gob + Send>(fill: fn(&mut H, &Header)) -> Box<dyn CodecWriter> {
    Box::new(GobWriter { encoder: Encoder::new(), header: H::zero(), fill })
}

impl<H: Gob + Send> CodecWriter for GobWriter<H> {
    fn message(&mut self, header: &Header, body: &dyn Body, out: &mut Vec<u8>) -> Result<()> {
        (self.fill)(&mut self.header, header);
        self.encoder.define::<H>(out);
        let start = out.len();
        self.encoder.encode(&self.header, out);
        let end = out.len();
        let result = body.put_gob(&mut self.encoder, out);
        if result.is_err() {
            // The header goes, the definitions behind it stay: the encoder counts on them.
            out.drain(start..end);
        }
        result
    }
}
