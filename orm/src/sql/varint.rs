//! Varints: integers of 64 bits in 1 to 9 bytes (day 0).
//!
//! Most numbers in a database file are small: lengths, types, row ids. A varint spends one byte on
//! those below 128. Seven bits per byte, the most significant group first; the high bit says that
//! another byte follows. The ninth byte, if it comes to that, carries all its eight bits, so that
//! 8 x 7 + 8 = 64 bits are reached without a tenth:
//!
//! ```text
//!   81 00          1 0000001  0 0000000      1 << 7 | 0                = 128
//!   82 2c          1 0000010  0 0101100      2 << 7 | 44               = 300
//!   ff .. ff ff    eight times seven ones, then eight ones             = 2^64 - 1, that is -1
//! ```
//!
//! Protobuf and Go's gob also have a "varint", each another one: protobuf starts with the *least*
//! significant group. Reference: <https://sqlite.org/fileformat2.html>, section 1.6.

/// Reads one varint from the start of `bytes`: the value and how many bytes it took.
///
/// `None` when `bytes` ends inside it.
#[inline]
#[must_use]
pub fn read(bytes: &[u8]) -> Option<(u64, usize)> {
    match *bytes {
        [a, ..] if a < 0x80 => Some((u64::from(a), 1)),
        [a, b, ..] if b < 0x80 => Some((u64::from(a & 0x7f) << 7 | u64::from(b), 2)),
        [a, b, c, ..] if c < 0x80 => {
            Some((u64::from(a & 0x7f) << 14 | u64::from(b & 0x7f) << 7 | u64::from(c), 3))
        }
        _ => read_long(bytes),
    }
}

fn read_long(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (i, &byte) in bytes.iter().enumerate().take(8) {
        value = value << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some((value, i + 1));
        }
    }
    let ninth = bytes.get(8)?;
    Some((value << 8 | u64::from(*ninth), 9))
}

/// Appends `value` in the fewest bytes.
#[inline]
pub fn write(value: u64, out: &mut Vec<u8>) {
    if value < 0x80 {
        out.push(low_seven(value));
    } else {
        write_long(value, out);
    }
}

fn write_long(value: u64, out: &mut Vec<u8>) {
    let len = len(value);
    if len == 9 {
        // The ninth byte takes eight bits; the eight before it seven each, all with a high bit.
        for group in (0..8).rev() {
            out.push(0x80 | low_seven(value >> (8 + 7 * group)));
        }
        out.push(value.to_be_bytes()[7]);
        return;
    }
    for group in (1..len).rev() {
        out.push(0x80 | low_seven(value >> (7 * group)));
    }
    out.push(low_seven(value));
}

/// How many bytes [`write()`] takes for `value`.
#[must_use]
pub fn len(value: u64) -> usize {
    match 64 - value.leading_zeros() {
        0..=7 => 1,
        57.. => 9,
        bits => bits.div_ceil(7) as usize,
    }
}

fn low_seven(value: u64) -> u8 {
    value.to_be_bytes()[7] & 0x7f
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_the_format() {
        const CASES: &[(u64, &[u8])] = &[
            (0, &[0]),
            (127, &[0x7f]),
            (128, &[0x81, 0x00]),
            (300, &[0x82, 0x2c]),
            (16_383, &[0xff, 0x7f]),
            (16_384, &[0x81, 0x80, 0x00]),
            ((1 << 56) - 1, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
            (1 << 56, &[0x80, 0xc0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]),
            (u64::MAX, &[0xff; 9]),
        ];
        for &(value, bytes) in CASES {
            let mut out = Vec::new();
            write(value, &mut out);
            assert_eq!(out, bytes, "{value}");
            assert_eq!(read(&out), Some((value, out.len())), "{value}");
            assert_eq!(len(value), out.len(), "{value}");
            for short in 0..out.len() {
                assert_eq!(read(&out[..short]), None, "{value} cut to {short}");
            }
        }
    }

    #[test]
    fn every_length_survives_a_round_trip() {
        for shift in 0..64 {
            for value in [(1_u64 << shift) - 1, 1 << shift, (1 << shift) | 1] {
                let mut out = Vec::new();
                write(value, &mut out);
                assert_eq!(read(&out), Some((value, len(value))), "{value}");
            }
        }
    }
}
