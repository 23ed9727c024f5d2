//! Day 1: the three numbers gob is written in - unsigned, signed and floating.
//!
//! | bytes | value |
//! |---|---|
//! | `00`..`7f` | the unsigned number itself |
//! | `ff 80` | minus one byte follows: 128 |
//! | `fe 01 00` | minus two bytes, big-endian: 256 |
//! | `f8` + 8 bytes | the largest: 64 bits |
//!
//! A signed number is shifted left by one and, if it is negative, inverted, so that small numbers
//! of either sign stay small: 3 is `06`, -3 is `05`. A float is its 64 bits **with the bytes
//! reversed**, sent as an unsigned number: the exponent comes to stand low and the usual trailing
//! zeros of the fraction stand high, where an unsigned number drops them. 17.0 is `fe 31 40`.
//!
//! The same idea as a program of its own:
//!
//! ```
//! fn uint(value: u64) -> Vec<u8> {
//!     let bytes = value.to_be_bytes();
//!     let skip = value.leading_zeros() as usize / 8;
//!     match value {
//!         0..128 => vec![bytes[7]],
//!         _ => [&[(skip as u8).wrapping_sub(8)], &bytes[skip..]].concat(),
//!     }
//! }
//! assert_eq!(uint(7), [7]);
//! assert_eq!(uint(256), [0xfe, 0x01, 0x00]); // 0xfe is -2: two bytes follow
//! assert_eq!(uint(17f64.to_bits().swap_bytes()), [0xfe, 0x31, 0x40]);
//! ```
//!
//! Source: the package documentation of Go's `encoding/gob`, "Encoding Details".

use crate::{Error, Result};

/// Appends an unsigned number.
pub fn put_uint(out: &mut Vec<u8>, value: u64) {
    let bytes = value.to_be_bytes();
    if value < 128 {
        out.push(bytes[7]);
        return;
    }
    let count = bytes.len() - zero_bytes(value);
    // The byte count, negated: 0xff for one byte, 0xf8 for eight.
    out.push(0u8.wrapping_sub(u8::try_from(count).unwrap_or(8)));
    out.extend_from_slice(&bytes[8 - count..]);
}

/// Appends a signed number: its sign goes to the lowest bit.
pub fn put_int(out: &mut Vec<u8>, value: i64) {
    put_uint(out, (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned());
}

/// Appends a floating-point number: its bytes reversed, then as an unsigned number.
pub fn put_float(out: &mut Vec<u8>, value: f64) {
    put_uint(out, value.to_bits().swap_bytes());
}

/// The unsigned number at the front of `bytes`, and how many bytes it takes.
///
/// # Errors
/// [`Error::Corrupt`] when it announces more than eight bytes, [`Error::UnexpectedEof`] when
/// `bytes` ends before it does.
#[inline]
pub fn take_uint(bytes: &[u8]) -> Result<(u64, usize)> {
    match bytes.first() {
        None => Err(Error::UnexpectedEof),
        Some(&first) if first < 128 => Ok((u64::from(first), 1)),
        Some(&first) => take_long(bytes, usize::from(first.wrapping_neg())),
    }
}

/// The `count` big-endian bytes after the first.
fn take_long(bytes: &[u8], count: usize) -> Result<(u64, usize)> {
    if count > 8 {
        return Err(Error::Corrupt("gob: encoded unsigned integer out of range"));
    }
    let digits = bytes.get(1..=count).ok_or(Error::UnexpectedEof)?;
    Ok((digits.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)), count + 1))
}

/// The signed number that `put_int` sent as `value`.
#[must_use]
pub fn signed(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// The float that `put_float` sent as `value`.
#[must_use]
pub fn float(value: u64) -> f64 {
    f64::from_bits(value.swap_bytes())
}

/// How many of the eight bytes of `value` are leading zeros.
fn zero_bytes(value: u64) -> usize {
    usize::try_from(value.leading_zeros()).unwrap_or(0) / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    const UINTS: &[(u64, &[u8])] = &[
        (0, &[0]),
        (127, &[127]),
        (128, &[0xff, 128]),
        (256, &[0xfe, 1, 0]),
        (65536, &[0xfd, 1, 0, 0]),
        (u64::MAX, &[0xf8, 255, 255, 255, 255, 255, 255, 255, 255]),
    ];

    #[test]
    fn unsigned_numbers_are_as_short_as_they_can_be() {
        for &(value, bytes) in UINTS {
            let mut out = Vec::new();
            put_uint(&mut out, value);
            assert_eq!(out, bytes);
            assert_eq!(take_uint(bytes).unwrap(), (value, bytes.len()));
        }
    }

    #[test]
    fn signed_numbers_keep_their_sign_in_the_lowest_bit() {
        for (value, byte) in [(0, 0), (1, 2), (-1, 1), (3, 6), (-3, 5), (63, 126), (-64, 127)] {
            let mut out = Vec::new();
            put_int(&mut out, value);
            assert_eq!(out, [byte]);
            assert_eq!(signed(u64::from(byte)), value);
        }
        for value in [i64::MIN, i64::MAX] {
            let mut out = Vec::new();
            put_int(&mut out, value);
            assert_eq!(signed(take_uint(&out).unwrap().0), value);
        }
    }

    #[test]
    fn floats_drop_the_zeros_of_their_fraction() {
        for (value, bytes) in [(17.0, &[0xfe, 0x31, 0x40][..]), (0.0, &[0]), (-0.0, &[0xff, 0x80])]
        {
            let mut out = Vec::new();
            put_float(&mut out, value);
            assert_eq!(out, bytes);
            assert_eq!(float(take_uint(&out).unwrap().0).to_bits(), value.to_bits());
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        assert_eq!(
            take_uint(&[0xf7, 0, 0]).unwrap_err().to_string(),
            "gob: encoded unsigned integer out of range"
        );
        for cut in [&[][..], &[0xff], &[0xf8, 1, 2]] {
            assert_eq!(take_uint(cut).unwrap_err().to_string(), "unexpected EOF");
        }
    }
}
