//! Day 4, first half: [`crc32`], the hash that groupcache puts keys on its ring with.
//!
//! A cyclic redundancy check takes the bytes as one long polynomial over bits and keeps the remainder
//! of its division by a fixed one. Bit by bit that is: shift right; if a 1 fell out, xor the polynomial
//! in. It is no cryptographic hash and no very good one for rings (the next chapter measures it), but
//! it is *the same everywhere*, and nodes in Go and Rust must place a key alike.
//!
//! ```text
//!   one bit at a time      c = c & 1 ? c >> 1 ^ POLY : c >> 1             8 steps per byte
//!   one table              c = T0[(c ^ byte) & 255] ^ c >> 8              1 step per byte
//!   slicing by 8           T7[b0^c0] ^ T6[b1^c1] ^ .. ^ T0[b7]            1 step per 8 bytes
//! ```
//! A step of the one-table form must wait for the one before. Since xor does not care about order, the
//! effect of a byte followed by k zero bytes can be tabled ahead: `TABLES[k]`. Eight look-ups then do
//! not wait for each other. The tables, 8 KiB, are computed by the compiler (`const fn`).
//!
//! ```
//! assert_eq!(cache::crc32(b"Tom"), 0x4592_35f3);
//! assert_eq!(cache::crc32(b"0http://localhost:8001"), 90_546_225);
//! ```
//! Reference: ITU-T V.42 (polynomial 0x04C11DB7, here with its bits reversed); "slicing by 8" is from
//! Kounavis and Berry, 2005.

/// The polynomial, lowest bit first.
const POLY: u32 = 0xEDB8_8320;

/// `TABLES[k][b]`: the remainder of byte `b` followed by `k` zero bytes.
static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0_u32;
    while byte < 256 {
        let mut crc = byte;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ POLY } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte as usize] = crc;
        byte += 1;
    }
    // One more zero byte is one more step of the one-table form.
    let mut k = 1;
    while k < 8 {
        let mut byte = 0;
        while byte < 256 {
            let crc = tables[k - 1][byte];
            tables[k][byte] = crc >> 8 ^ one_byte(&tables[0], crc);
            byte += 1;
        }
        k += 1;
    }
    tables
}

const fn one_byte(table: &[u32; 256], crc: u32) -> u32 {
    table[(crc & 255) as usize]
}

/// The CRC-32 (IEEE) of `bytes`, as Go's `crc32.ChecksumIEEE`, zlib and PNG have it.
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    let t = &TABLES;
    let (eights, rest) = bytes.as_chunks::<8>();
    let mut crc = u32::MAX;
    let at = usize::from;
    for &[b0, b1, b2, b3, b4, b5, b6, b7] in eights {
        // The last four bytes do not meet the sum so far: they are looked up while the others wait for it.
        let ahead = (t[3][at(b4)] ^ t[2][at(b5)]) ^ (t[1][at(b6)] ^ t[0][at(b7)]);
        let [c0, c1, c2, c3] = (crc ^ u32::from_le_bytes([b0, b1, b2, b3])).to_le_bytes();
        crc = ahead ^ ((t[7][at(c0)] ^ t[6][at(c1)]) ^ (t[5][at(c2)] ^ t[4][at(c3)]));
    }
    for &byte in rest {
        crc = crc >> 8 ^ one_byte(&t[0], crc ^ u32::from(byte));
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_known_sums() {
        const CASES: &[(&str, u32)] = &[
            ("", 0),
            ("123456789", 0xCBF4_3926), // the check value of every CRC catalogue
            ("Tom", 0x4592_35f3),
            ("Jack", 0x0848_46e6),
            ("Sam", 0xde5e_0ef8),
            ("kkk", 0xe7aa_f76f),
            ("a b", 0x806c_5cd3),
            ("x/y", 0x9e66_110f),
            ("你", 0xd617_d273),
            ("unknown", 0xad26_a7c7),
            ("0http://localhost:8001", 90_546_225),
        ];
        for &(text, want) in CASES {
            assert_eq!(crc32(text.as_bytes()), want, "{text}");
        }
    }

    #[test]
    fn agrees_with_the_definition_at_every_length() {
        let bytes: Vec<u8> = (0..100).map(|i: u8| i.wrapping_mul(167) ^ 0x5a).collect();
        for len in 0..bytes.len() {
            let mut crc = u32::MAX;
            for &byte in &bytes[..len] {
                crc ^= u32::from(byte);
                for _ in 0..8 {
                    crc = if crc & 1 == 1 { crc >> 1 ^ POLY } else { crc >> 1 };
                }
            }
            assert_eq!(crc32(&bytes[..len]), !crc, "{len} bytes");
        }
    }
}
