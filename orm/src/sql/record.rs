//! Records: a row, or an index entry, as one string of bytes (day 0).
//!
//! A record is a header and a body. The header begins with its own length and then holds one
//! *serial type* per column, all varints; the body holds the values with nothing between them.
//! So the type of every column is known before the first value is read, and column `i` is found by
//! adding up the lengths before it:
//!
//! ```text
//!   serial type   0     1 2 3 4 5 6        7     8  9   even n >= 12     odd n >= 13
//!   value         NULL  int of 8 16 24     f64   0  1   blob of          text of
//!                       32 48 64 bits                   (n-12)/2 bytes   (n-13)/2 bytes
//! ```
//!
//! The row `(NULL, 'Tom', 18, 0.5)`, where NULL stands for the row id, which is kept elsewhere:
//!
//! ```text
//!   05                       the header has 5 bytes, this one included
//!   00                       NULL
//!   13                       19: text of (19-13)/2 = 3 bytes
//!   01                       int of 8 bits
//!   07                       f64
//!   54 6f 6d                 'Tom'
//!   12                       18
//!   3f e0 00 00 00 00 00 00  0.5
//! ```
//!
//! A record may have fewer columns than its table: those that `ALTER TABLE ADD COLUMN` added later
//! are missing, and [`Columns::get`] answers `None` for them. A REAL column stores 5.0 as the integer
//! 5 to save bytes ([`real_as_integer`]); whoever knows the column's type turns it back.
//!
//! Records are compared without taking them apart: [`compare`] walks the header of an encoded
//! record only as far as the order is not yet decided.
//!
//! Reference: <https://sqlite.org/fileformat2.html>, section 2.1.

use super::error::{Error, Result};
use super::value::{Collation, Value, ValueRef};
use super::varint;
use std::cmp::Ordering;

/// How the columns of an index are ordered; what lies beyond (the row id) is BINARY and ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyInfo {
    /// One per column of the index.
    pub columns: Vec<KeyColumn>,
}

/// The order of one column of an index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyColumn {
    /// How texts compare.
    pub collation: Collation,
    /// Whether larger values come first.
    pub desc: bool,
}

/// Makes a record of `values` in `out`, which is emptied first.
pub fn encode<'a>(values: impl Iterator<Item = ValueRef<'a>> + Clone, out: &mut Vec<u8>) {
    out.clear();
    out.push(0); // Here comes the header's length, once it is known.
    for value in values.clone() {
        varint::write(serial_type(value), out);
    }
    match u8::try_from(out.len()) {
        Ok(header @ ..0x80) => out[0] = header,
        _ => lengthen(out),
    }
    for value in values {
        match value {
            ValueRef::Null => {}
            ValueRef::Integer(n) => out.extend_from_slice(&n.to_be_bytes()[8 - int_len(n)..]),
            ValueRef::Real(r) => out.extend_from_slice(&r.to_bits().to_be_bytes()),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => out.extend_from_slice(bytes),
        }
    }
}

/// Puts the length of a header that outgrew its first byte there, which moves the types on.
fn lengthen(header: &mut Vec<u8>) {
    // The length counts itself: where it grows by a byte, so does the header.
    let types = header.len() - 1;
    let mut len = types + 2;
    while types + varint::len(len as u64) != len {
        len = types + varint::len(len as u64);
    }
    let mut bytes = Vec::new();
    varint::write(len as u64, &mut bytes);
    header.splice(..1, bytes);
}

/// The integer as which a REAL column stores `real`, if that takes fewer bytes. As in SQLite, -0.0 is
/// stored as 0.
#[must_use]
pub fn real_as_integer(real: f64) -> Option<i64> {
    const TWO_47: f64 = 140_737_488_355_328.0;
    // Beyond 48 bits an integer takes as many bytes as the double.
    let small = (-TWO_47..TWO_47).contains(&real) && real.fract() == 0.0;
    #[allow(clippy::cast_possible_truncation, reason = "a whole number of 48 bits")]
    small.then_some(real as i64)
}

/// All columns of a record, owned.
///
/// # Errors
/// [`Error::Corrupt`] when the header or the body is cut short.
pub fn decode(record: &[u8]) -> Result<Vec<Value>> {
    columns(record)?.map(|value| value.map(ValueRef::to_value)).collect()
}

/// The columns of a record, one after another.
///
/// # Errors
/// [`Error::Corrupt`] when the header is cut short; so for each column.
pub fn columns(record: &[u8]) -> Result<impl Iterator<Item = Result<ValueRef<'_>>>> {
    let mut scan = Scan::start(record).ok_or_else(corrupt)?;
    Ok(std::iter::from_fn(move || {
        let (serial, at) = match scan.step(record) {
            Some(place) => place?,
            None => return Some(Err(corrupt())),
        };
        Some(value_at(record, serial, at).ok_or_else(corrupt))
    }))
}

/// Calls `with` with the columns of a record; keys of up to eight columns need no allocation.
pub(crate) fn with_columns<T>(
    record: &[u8],
    with: impl FnOnce(&[ValueRef<'_>]) -> Result<T>,
) -> Result<T> {
    let mut few = [ValueRef::Null; 8];
    let mut rest = columns(record)?;
    for (i, slot) in few.iter_mut().enumerate() {
        match rest.next() {
            Some(value) => *slot = value?,
            None => return with(&few[..i]),
        }
    }
    let mut all = few.to_vec();
    for value in rest {
        all.push(value?);
    }
    with(&all)
}

/// The last column of a record: the row id, in an index.
///
/// # Errors
/// [`Error::Corrupt`] when there is none, or the header or the body is cut short.
pub fn last_column(record: &[u8]) -> Result<ValueRef<'_>> {
    let mut scan = Scan::start(record).ok_or_else(corrupt)?;
    let mut last = None;
    while let Some(place) = scan.step(record).ok_or_else(corrupt)? {
        last = Some(place);
    }
    last.and_then(|(serial, at)| value_at(record, serial, at)).ok_or_else(corrupt)
}

/// Column `i` of a record, or `None` if it has fewer columns.
///
/// # Errors
/// [`Error::Corrupt`] when the header or the body is cut short.
pub fn column(record: &[u8], i: usize) -> Result<Option<ValueRef<'_>>> {
    let mut scan = Scan::start(record).ok_or_else(corrupt)?;
    for _ in 0..i {
        if scan.step(record).ok_or_else(corrupt)?.is_none() {
            return Ok(None);
        }
    }
    match scan.step(record).ok_or_else(corrupt)? {
        Some((serial, at)) => value_at(record, serial, at).map(Some).ok_or_else(corrupt),
        None => Ok(None),
    }
}

/// Reads the columns of one record after another, each header only as far as it is needed.
///
/// It remembers where the columns lie that it has passed, so that reading columns 3, 1 and 3 again
/// walks the header once; and it reuses its memory for the next row.
#[derive(Debug, Default)]
pub struct Columns {
    scan: Scan,
    found: Vec<(u64, usize)>,
    started: bool,
    page: u32,
}

impl Columns {
    /// Forgets the record seen last; the next comes from `page`, which errors will name.
    #[inline]
    pub fn reset(&mut self, page: u32) {
        self.started = false;
        self.page = page;
    }

    /// Column `i` of `record`, or `None` if it has fewer columns.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the header or the body is cut short.
    #[inline]
    pub fn get<'a>(&mut self, record: &'a [u8], i: usize) -> Result<Option<ValueRef<'a>>> {
        let place = self.place(record, i).ok_or_else(|| Error::corrupt(self.page, CUT_SHORT))?;
        let Some((serial, at)) = place else { return Ok(None) };
        value_at(record, serial, at).map(Some).ok_or_else(|| Error::corrupt(self.page, CUT_SHORT))
    }

    #[inline]
    fn place(&mut self, record: &[u8], i: usize) -> Option<Option<(u64, usize)>> {
        if !self.started {
            self.scan = Scan::start(record)?;
            self.found.clear();
            self.started = true;
        }
        if let Some(&place) = self.found.get(i) {
            return Some(Some(place));
        }
        let mut scan = self.scan;
        while let Some(place) = scan.step(record)? {
            self.found.push(place);
            if self.found.len() > i {
                self.scan = scan;
                return Some(Some(place));
            }
        }
        self.scan = scan;
        Some(None)
    }
}

/// Compares the first columns of an encoded record with the values of `key`.
///
/// Equal means that `record` begins with `key`. A record shorter than `key` comes first.
///
/// # Errors
/// [`Error::Corrupt`] when the header or the body is cut short.
#[inline]
pub fn compare(info: &KeyInfo, record: &[u8], key: &[ValueRef<'_>]) -> Result<Ordering> {
    order(info, record, key).ok_or_else(corrupt)
}

/// The same; `None` when the header or the body is cut short. A search calls this for each step.
#[inline]
fn order(info: &KeyInfo, record: &[u8], key: &[ValueRef<'_>]) -> Option<Ordering> {
    // Mostly the first column decides, and is found at once.
    if let (Some(value), Some(&wanted)) = (first_column(record), key.first()) {
        let order = order_of(info, 0, value, wanted);
        if order.is_ne() || key.len() == 1 {
            return Some(order);
        }
    }
    order_of_all(info, record, key)
}

fn order_of_all(info: &KeyInfo, record: &[u8], key: &[ValueRef<'_>]) -> Option<Ordering> {
    let mut scan = Scan::start(record)?;
    for (i, &wanted) in key.iter().enumerate() {
        let Some((serial, at)) = scan.step(record)? else { return Some(Ordering::Less) };
        let order = order_of(info, i, value_at(record, serial, at)?, wanted);
        if order.is_ne() {
            return Some(order);
        }
    }
    Some(Ordering::Equal)
}

/// The first column, if the header's length and its type take one byte each.
#[inline]
fn first_column(record: &[u8]) -> Option<ValueRef<'_>> {
    let [header @ 2..0x80, serial @ ..0x80, ..] = *record else { return None };
    value_at(record, u64::from(serial), usize::from(header))
}

/// The order of a value of column `i` of an index.
#[inline]
fn order_of(info: &KeyInfo, i: usize, value: ValueRef<'_>, wanted: ValueRef<'_>) -> Ordering {
    let column = info.columns.get(i).copied().unwrap_or_default();
    let order = value.compare(wanted, column.collation);
    if column.desc { order.reverse() } else { order }
}

/// A walk along the header: where the next serial type is, and where its value will be.
#[derive(Clone, Copy, Debug, Default)]
struct Scan {
    header_at: usize,
    header_end: usize,
    body_at: usize,
}

impl Scan {
    #[inline]
    fn start(record: &[u8]) -> Option<Scan> {
        let (header_end, header_at) = varint::read(record)?;
        let header_end = usize::try_from(header_end).ok()?;
        (header_end <= record.len()).then_some(Scan { header_at, header_end, body_at: header_end })
    }

    /// The serial type and the place of the next column; the outer `None` for a broken header.
    #[inline]
    fn step(&mut self, record: &[u8]) -> Option<Option<(u64, usize)>> {
        if self.header_at >= self.header_end {
            return Some(None);
        }
        let (serial, len) = match *record.get(self.header_at)? {
            short @ ..0x80 => (u64::from(short), 1),
            _ => varint::read(record.get(self.header_at..self.header_end)?)?,
        };
        self.header_at += len;
        let at = self.body_at;
        self.body_at = at.checked_add(serial_len(serial)?)?;
        Some(Some((serial, at)))
    }
}

/// The value of type `serial` at `at`; `None` when it reaches beyond the record.
#[inline]
pub(crate) fn value_at(record: &[u8], serial: u64, at: usize) -> Option<ValueRef<'_>> {
    let body = record.get(at..)?;
    Some(match serial {
        0 => ValueRef::Null,
        1 => ValueRef::Integer(i64::from(i8::from_be_bytes(*body.first_chunk()?))),
        2 => ValueRef::Integer(i64::from(i16::from_be_bytes(*body.first_chunk()?))),
        3 => {
            let [a, b, c] = *body.first_chunk()?;
            ValueRef::Integer(i64::from(i32::from_be_bytes([a, b, c, 0]) >> 8))
        }
        5 => {
            let [a, b, c, d, e, f] = *body.first_chunk()?;
            ValueRef::Integer(i64::from_be_bytes([a, b, c, d, e, f, 0, 0]) >> 16)
        }
        4 => ValueRef::Integer(i64::from(i32::from_be_bytes(*body.first_chunk()?))),
        6 => ValueRef::Integer(i64::from_be_bytes(*body.first_chunk()?)),
        7 => {
            let real = f64::from_be_bytes(*body.first_chunk()?);
            if real.is_nan() { ValueRef::Null } else { ValueRef::Real(real) }
        }
        8 => ValueRef::Integer(0),
        9 => ValueRef::Integer(1),
        _ => {
            let bytes = body.get(..serial_len(serial)?)?;
            if serial.is_multiple_of(2) { ValueRef::Blob(bytes) } else { ValueRef::Text(bytes) }
        }
    })
}

fn serial_type(value: ValueRef<'_>) -> u64 {
    match value {
        ValueRef::Null => 0,
        ValueRef::Integer(0) => 8,
        ValueRef::Integer(1) => 9,
        ValueRef::Integer(n) => [0, 1, 2, 3, 4, 5, 5, 6, 6][int_len(n)],
        ValueRef::Real(_) => 7,
        ValueRef::Blob(bytes) => bytes.len() as u64 * 2 + 12,
        ValueRef::Text(bytes) => bytes.len() as u64 * 2 + 13,
    }
}

/// The length of a value in the body; `None` for the types 10 and 11, which no file has.
#[inline]
pub(crate) fn serial_len(serial: u64) -> Option<usize> {
    const FIXED: [usize; 10] = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];
    match usize::try_from(serial).ok()? {
        small @ 0..=9 => Some(FIXED[small]),
        10 | 11 => None,
        long => Some((long - 12) / 2),
    }
}

/// How many bytes an integer takes: 0, 1, 2, 3, 4, 6 or 8.
fn int_len(n: i64) -> usize {
    // The bits that differ from the sign, and one for the sign itself.
    let bits = 65 - (n ^ (n >> 63)).leading_zeros();
    match bits {
        _ if n == 0 || n == 1 => 0,
        0..=8 => 1,
        9..=16 => 2,
        17..=24 => 3,
        25..=32 => 4,
        33..=48 => 6,
        _ => 8,
    }
}

const CUT_SHORT: &str = "a record is cut short";

#[cold]
fn corrupt() -> Error {
    Error::corrupt(0, CUT_SHORT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(values: &[Value]) -> Vec<u8> {
        let mut out = Vec::new();
        encode(values.iter().map(Value::as_ref), &mut out);
        out
    }

    #[test]
    fn the_row_of_the_chapter() {
        let row = [Value::Null, "Tom".into(), Value::Integer(18), Value::Real(0.5)];
        let bytes = b"\x05\x00\x13\x01\x07Tom\x12\x3f\xe0\0\0\0\0\0\0";
        assert_eq!(encoded(&row), bytes);
        assert_eq!(decode(bytes).unwrap(), row);
    }

    #[test]
    fn integers_take_the_fewest_bytes() {
        const CASES: &[(i64, u8, usize)] = &[
            (0, 8, 0),
            (1, 9, 0),
            (-1, 1, 1),
            (127, 1, 1),
            (-128, 1, 1),
            (128, 2, 2),
            (-32_768, 2, 2),
            (32_768, 3, 3),
            (-8_388_608, 3, 3),
            (8_388_608, 4, 4),
            (i32::MIN as i64, 4, 4),
            (1 << 31, 5, 6),
            (-(1 << 47), 5, 6),
            (1 << 47, 6, 8),
            (i64::MIN, 6, 8),
            (i64::MAX, 6, 8),
        ];
        for &(n, serial, len) in CASES {
            let bytes = encoded(&[Value::Integer(n)]);
            assert_eq!((bytes[1], bytes.len()), (serial, 2 + len), "{n}");
            assert_eq!(decode(&bytes).unwrap(), [Value::Integer(n)]);
        }
    }

    #[test]
    fn a_header_that_outgrows_one_byte_counts_its_own_second() {
        for columns in [126, 127, 128, 129, 16_380, 16_381, 16_382, 16_383] {
            let row = vec![Value::Integer(1); columns];
            let bytes = encoded(&row);
            assert_eq!(decode(&bytes).unwrap(), row, "{columns}");
            assert_eq!(varint::read(&bytes).unwrap().0, bytes.len() as u64);
        }
    }

    #[test]
    fn columns_are_found_in_any_order_and_missing_ones_are_none() {
        let bytes = encoded(&["a".into(), Value::Integer(300), vec![1_u8, 2].into()]);
        let mut columns = Columns::default();
        columns.reset(0);
        assert_eq!(columns.get(&bytes, 2).unwrap(), Some(ValueRef::Blob(&[1, 2])));
        assert_eq!(columns.get(&bytes, 0).unwrap(), Some(ValueRef::Text(b"a")));
        assert_eq!(columns.get(&bytes, 3).unwrap(), None);
        assert_eq!(column(&bytes, 1).unwrap(), Some(ValueRef::Integer(300)));
        assert_eq!(column(&bytes, 9).unwrap(), None);
    }

    #[test]
    fn every_cut_is_an_error_or_a_shorter_record_and_never_a_panic() {
        let bytes = encoded(&["Tom".into(), Value::Integer(70_000), Value::Real(1.5)]);
        for len in 0..bytes.len() {
            assert!(decode(&bytes[..len]).is_err(), "cut to {len}");
        }
        for at in 0..bytes.len() {
            for byte in 0..=255 {
                let mut broken = bytes.clone();
                broken[at] = byte;
                let _ = decode(&broken);
            }
        }
    }

    #[test]
    fn comparison_follows_collation_and_direction_and_prefixes_are_equal() {
        let info = KeyInfo {
            columns: vec![
                KeyColumn { collation: Collation::NoCase, desc: false },
                KeyColumn { collation: Collation::Binary, desc: true },
            ],
        };
        let record = encoded(&["Tom".into(), Value::Integer(5), Value::Integer(1)]);
        let against = |key: &[Value]| {
            let key: Vec<_> = key.iter().map(Value::as_ref).collect();
            compare(&info, &record, &key).unwrap()
        };
        assert_eq!(against(&["tOM".into()]), Ordering::Equal);
        assert_eq!(against(&["tom".into(), Value::Integer(4)]), Ordering::Less);
        assert_eq!(against(&["tom".into(), Value::Integer(6)]), Ordering::Greater);
        assert_eq!(against(&["tom".into(), Value::Integer(5), Value::Integer(2)]), Ordering::Less);
        assert_eq!(against(&vec![Value::Null; 4]), Ordering::Greater);
    }

    #[test]
    fn reals_are_stored_as_integers_where_that_is_shorter() {
        for (real, want) in [(5.0, Some(5)), (-3.0, Some(-3)), (-0.0, Some(0)), (0.5, None)] {
            assert_eq!(real_as_integer(real), want);
        }
        assert_eq!(real_as_integer(-140_737_488_355_328.0), Some(-140_737_488_355_328));
        assert_eq!(real_as_integer(140_737_488_355_328.0), None);
        assert_eq!(real_as_integer(f64::INFINITY), None);
    }
}
