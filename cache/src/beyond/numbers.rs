//! The rest of protobuf's scalars: what the course's two messages do without.
//!
//! A negative int32 is written as the int64 of the same value, ten bytes long
//! (`put_varint(1, i64::from(n).cast_unsigned(), out)`), and read by dropping all but the low 32 bits
//! ([`int32`]). Any varint but 0 is a bool's `true`. A double is the fixed64 of its bits. A repeated number
//! may come one field each or packed, all in one field of bytes ([`varints`]), and a reader must take both.
//!
//! `cache/tests/proto.rs` has a message with all of them.

use crate::Result;
use crate::proto::{self, Malformed};

/// The numbers of a packed field's bytes. A repeated field may come packed or one by one: read both.
pub fn varints(mut packed: &[u8]) -> impl Iterator<Item = Result<u64, Malformed>> {
    std::iter::from_fn(move || {
        if packed.is_empty() {
            return None;
        }
        let number = proto::take_varint(&mut packed);
        if number.is_err() {
            packed = &[];
        }
        Some(number)
    })
}

/// An int32 from its varint: the low 32 bits, whatever is above.
#[must_use]
#[allow(clippy::cast_possible_truncation, reason = "the specification truncates")]
pub fn int32(varint: u64) -> i32 {
    varint as i32
}

/// Appends a fixed64 field; a double is its `to_bits`.
pub fn put_fixed64(number: u32, value: u64, out: &mut Vec<u8>) {
    proto::put_raw_varint(u64::from(number) << 3 | 1, out);
    out.extend_from_slice(&value.to_le_bytes());
}
