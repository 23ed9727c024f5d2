//! The corners of the format, most of them as bytes that Go's or C++'s codec would write.

#![cfg(test)]

use cache::Result;
use cache::beyond::numbers::{int32, put_fixed64, varints};
use cache::proto::*;

/// One field of each kind that the course's two messages lack.
#[derive(Debug, Default, PartialEq)]
struct Kinds {
    int: i32,
    flag: bool,
    text: String,
    many: Vec<u64>,
    double: f64,
    float: u32,
    group: Vec<u8>,
}

impl Message for Kinds {
    fn encode(&self, out: &mut Vec<u8>) {
        put_varint(1, i64::from(self.int).cast_unsigned(), out);
        put_varint(2, u64::from(self.flag), out);
        put_bytes(3, self.text.as_bytes(), out);
        put_fixed64(5, self.double.to_bits(), out);
    }

    fn merge(&mut self, number: u32, field: Field<'_>) -> Result<(), Malformed> {
        match (number, field) {
            (1, Field::Varint(value)) => self.int = int32(value),
            (2, Field::Varint(value)) => self.flag = value != 0,
            (3, Field::Bytes(bytes)) => self.text = utf8(bytes)?.to_owned(),
            (4, Field::Varint(value)) => self.many.push(value),
            (4, Field::Bytes(packed)) => {
                for value in varints(packed) {
                    self.many.push(value?);
                }
            }
            (5, Field::Fixed64(bits)) => self.double = f64::from_bits(bits),
            (6, Field::Fixed32(bits)) => self.float = bits,
            (7, Field::Group(fields)) => self.group = fields.to_vec(),
            _ => {}
        }
        Ok(())
    }
}

fn encoded(message: &impl Message) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(&mut out);
    out
}

fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

#[test]
fn the_bytes_are_those_of_the_chapter() {
    let response = Response { value: "630".into() };
    assert_eq!(encoded(&response), hex("0a 03 36 33 30"));
    assert_eq!(Response::decode(&encoded(&response)).unwrap(), response);
    assert_eq!(encoded(&Response::default()), []);
    assert_eq!(Response::decode(&[]).unwrap(), Response::default());
    assert_eq!(Response::decode(&hex("0a 00")).unwrap(), Response::default());
    let request = Request { group: "scores".into(), key: b"Tom".into() };
    assert_eq!(encoded(&request), hex("0a 06 73 63 6f 72 65 73 12 03 54 6f 6d"));
    assert_eq!(Request::decode(&encoded(&request)).unwrap(), request);
}

#[test]
fn varints_of_every_length() {
    for bits in 0..64 {
        for value in [1 << bits, (1_u64 << bits) - 1, u64::MAX >> bits] {
            let mut out = Vec::new();
            put_varint(1, value, &mut out);
            let significant = (64 - value.leading_zeros()).max(1).div_ceil(7) as usize;
            assert_eq!(out.len(), 1 + significant, "{value}");
            let field = Reader::new(&out).field().unwrap();
            assert_eq!(field, Some((1, Field::Varint(value))));
        }
    }
}

#[test]
fn numbers_as_the_specification_has_them() {
    let minus_one = Kinds { int: -1, flag: true, double: 1.5, ..Kinds::default() };
    let want = "08 ff ff ff ff ff ff ff ff ff 01  10 01  1a 00  29 00 00 00 00 00 00 f8 3f";
    assert_eq!(encoded(&minus_one), hex(want), "a negative int32 is ten bytes");
    assert_eq!(Kinds::decode(&encoded(&minus_one)).unwrap(), minus_one);
    let cases: &[(&str, Kinds)] = &[
        ("08 85 80 80 80 10", Kinds { int: 5, ..Kinds::default() }), // bits past 32 fall off
        ("08 ff ff ff ff 0f", Kinds { int: -1, ..Kinds::default() }),
        ("10 80 80 04", Kinds { flag: true, ..Kinds::default() }), // any nonzero bool is true
        ("08 80 80 80 80 80 80 80 80 80 00", Kinds::default()),    // ten bytes of padding
        ("88 80 80 80 00 07", Kinds { int: 7, ..Kinds::default() }), // a padded tag
        ("08 01 08 02", Kinds { int: 2, ..Kinds::default() }),     // the last one counts
        ("22 03 01 ac 02 20 07", Kinds { many: vec![1, 300, 7], ..Kinds::default() }),
        ("35 01 02 03 04", Kinds { float: 0x0403_0201, ..Kinds::default() }),
        ("3b 08 01 3c", Kinds { group: vec![8, 1], ..Kinds::default() }),
        ("0a 01 41 1a 01 41", Kinds { text: "A".into(), ..Kinds::default() }), // 1 is no bytes
    ];
    for (bytes, want) in cases {
        assert_eq!(&Kinds::decode(&hex(bytes)).unwrap(), want, "{bytes}");
    }
}

#[test]
fn unknown_fields_of_every_type_are_skipped() {
    let unknown = "f8 ff ff ff 0f 01  71 01 02 03 04 05 06 07 08  72 02 ff ff  75 01 02 03 04 \
                   73 7b 0a 01 41 7c 78 05 74";
    let around = format!("{unknown} 0a 03 36 33 30 {unknown}");
    assert_eq!(Response::decode(&hex(&around)).unwrap().value.to_string(), "630");
}

#[test]
fn what_is_malformed_is_refused_with_its_offset() {
    let deep = "73 ".repeat(101);
    let cases: &[(&str, &str)] = &[
        ("0a", "the message is cut off at byte 0"),
        ("0a 03 36 33", "the message is cut off at byte 0"),
        ("08 01 0a 80", "the message is cut off at byte 2"),
        ("0a ff ff ff ff ff ff ff ff 7f", "the message is cut off at byte 0"),
        ("29 01 02 03", "the message is cut off at byte 0"),
        ("35 01 02 03", "the message is cut off at byte 0"),
        ("73 08 01", "the message is cut off at byte 0"),
        ("08 ff ff ff ff ff ff ff ff ff 02", "a varint has more than 64 bits at byte 0"),
        ("08 80 80 80 80 80 80 80 80 80 80 00", "a varint has more than 64 bits at byte 0"),
        ("08 01 88 80 80 80 10 00", "a tag has more than 32 bits at byte 2"),
        ("00 01", "field number 0 at byte 0"),
        ("0e", "wire type 6 does not exist at byte 0"),
        ("08 01 0f", "wire type 7 does not exist at byte 2"),
        ("74", "a group ends that was not started at byte 0"),
        ("73 7c", "a group ends that was not started at byte 0"),
        (&deep, "more than 100 groups in each other at byte 0"),
        ("1a 02 c3 28", "a string is not UTF-8 at byte 0"),
        ("08 01 22 01 80", "the message is cut off at byte 2"),
    ];
    for (bytes, want) in cases {
        assert_eq!(Kinds::decode(&hex(bytes)).unwrap_err().to_string(), *want, "{bytes}");
    }
    assert!(Kinds::decode(&hex(&("73 ".repeat(100) + &"74 ".repeat(100)))).is_ok());
}

#[test]
fn no_bytes_make_it_panic() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::new();
    for _ in 0..100_000 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        bytes.extend_from_slice(&random.to_le_bytes()[..(random >> 61) as usize]);
        bytes.drain(..bytes.len().saturating_sub(24));
        let _ = Kinds::decode(&bytes);
    }
}

#[test]
fn every_truncation_is_seen() {
    let whole = hex("08 ac 02 1a 03 61 62 63 29 00 00 00 00 00 00 f8 3f 3b 08 01 3c");
    let ends = [0, 3, 8, 17, 21];
    for len in 0..=whole.len() {
        assert_eq!(Kinds::decode(&whole[..len]).is_ok(), ends.contains(&len), "{len} bytes");
    }
}
