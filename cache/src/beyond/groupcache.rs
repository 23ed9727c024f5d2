//! The groupcache dialect: nodes of ours in a cluster of Go's.
//!
//! `github.com/golang/groupcache` puts the same messages on another path, in proto2 instead of proto3,
//! and has no status of its own for keys that do not exist:
//!
//! ```text
//! > GET /_groupcache/scores/Tom HTTP/1.1
//! < HTTP/1.1 200 OK
//! < Content-Type: application/x-protobuf
//! <
//! < 0a 03 36 33 30           GetResponse { 1: bytes value, 2: double minute_qps }, proto2:
//! <                          an empty value is written out, 0a 00
//! ```
//! With [`Dialect::groupcache`] a node asks and answers like that, and since the ring is the same to the
//! point, Go and Rust nodes share one list of peers: the same owner for every key, each key loaded once.
//! `tests/tests/cache_go.rs` runs such a cluster.
//!
//! What to know in a mixed cluster: a missing key is a 500 there, so a node takes it for a failure and asks
//! its own source once more. And Go's client writes a space in a key as `+` and never decodes it: keys with
//! spaces are other keys to Go's servers when Go asks. Ours sends `%20`, which every server reads rightly.

use super::numbers::put_fixed64;
use crate::http::BodyForm;
use crate::proto::{self, Field, Malformed, Message};
use crate::{ByteView, Dialect};

impl Dialect {
    /// As `github.com/golang/groupcache` talks.
    #[must_use]
    pub fn groupcache() -> Dialect {
        Dialect {
            base_path: "/_groupcache/".to_owned(),
            content_type: "application/x-protobuf",
            body: BodyForm::Proto2,
            not_found_status: 500,
        }
    }
}

/// groupcache's whole answer. Its nodes never set the rate today; a reader must still know it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GetResponse {
    /// Field 1. `None` when it is not there, which proto2 tells from empty.
    pub value: Option<ByteView>,
    /// Field 2: how often the owner is asked for the key, per minute.
    pub minute_qps: Option<f64>,
}

impl Message for GetResponse {
    fn encode(&self, out: &mut Vec<u8>) {
        if let Some(value) = &self.value {
            proto::put_bytes(1, value, out);
        }
        if let Some(rate) = self.minute_qps {
            put_fixed64(2, rate.to_bits(), out);
        }
    }

    fn merge(&mut self, number: u32, field: Field<'_>) -> Result<(), Malformed> {
        match (number, field) {
            (1, Field::Bytes(bytes)) => self.value = Some(bytes.into()),
            (2, Field::Fixed64(bits)) => self.minute_qps = Some(f64::from_bits(bits)),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_as_gos_proto_package_writes_them() {
        let cases: &[(GetResponse, &[u8])] = &[
            (GetResponse::default(), b""),
            (GetResponse { value: Some("".into()), minute_qps: None }, b"\x0a\x00"),
            (GetResponse { value: Some("630".into()), minute_qps: None }, b"\x0a\x03630"),
            (
                GetResponse { value: Some("630".into()), minute_qps: Some(1.5) },
                b"\x0a\x03630\x11\0\0\0\0\0\0\xf8\x3f",
            ),
        ];
        for (message, bytes) in cases {
            let mut out = Vec::new();
            message.encode(&mut out);
            assert_eq!(&out, bytes);
            assert_eq!(&GetResponse::decode(bytes).unwrap(), message);
        }
    }

    #[test]
    fn the_dialect_reads_values_with_and_without_the_rate() {
        let dialect = Dialect::groupcache();
        let mut body = Vec::new();
        dialect.encode(ByteView::default(), &mut body);
        assert_eq!(body, [0x0a, 0]);
        let with_rate = b"\x11\0\0\0\0\0\0\xf8\x3f\x0a\x03630".to_vec();
        assert_eq!(dialect.decode(with_rate).unwrap().to_string(), "630");
        assert!(dialect.decode(Vec::new()).unwrap().is_empty());
    }
}
