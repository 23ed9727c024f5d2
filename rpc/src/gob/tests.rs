//! The 94 streams that a Go program wrote, read and written again; and what Go accepts.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::io::Cursor;

use super::*;
use crate::message;

/// Captured from Go 1.19.8; see tests/vectors/rpc/SOURCE.md.
const VECTORS: &str = include_str!("../../../tests/vectors/rpc/gob-vectors.jsonl");

fn unhex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .bytes()
        .map(|digit| u8::try_from(char::from(digit).to_digit(16).unwrap()).unwrap())
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// The text of a string field of one line of JSON that has no escapes in it.
fn field<'a>(line: &'a str, name: &str) -> &'a str {
    let (_, rest) = line.split_once(&format!("\"{name}\":\"")).unwrap();
    rest.split('"').next().unwrap()
}

fn vector(name: &str) -> Vec<u8> {
    let line = VECTORS.lines().find(|line| field(line, "name") == name);
    unhex(field(line.unwrap_or_else(|| panic!("no vector {name}")), "hex"))
}

#[test]
fn every_stream_of_go_is_read_and_written_again_to_the_same_bytes() {
    let mut count = 0;
    for line in VECTORS.lines() {
        let (name, bytes) = (field(line, "name"), unhex(field(line, "hex")));
        let mut decoder = Decoder::new(Cursor::new(bytes.clone()));
        let (mut encoder, mut again) = (Encoder::new(), Vec::new());
        while decoder.next_id().unwrap().is_some() {
            let (id, value) = decoder.decode_value().unwrap().unwrap();
            encoder.encode_as(decoder.types(), id, &value, &mut again).unwrap();
        }
        assert_eq!(again, bytes, "{name}");
        // The same stream, stepped over.
        let mut decoder = Decoder::new(Cursor::new(bytes));
        while decoder.next_id().unwrap().is_some() {
            decoder.discard().unwrap().unwrap();
        }
        count += 1;
    }
    assert_eq!(count, 94);
}

message! {
    #[derive(Debug, Clone, PartialEq)]
    struct Point { x: i64, y: i64 }

    #[derive(Debug, Clone, PartialEq)]
    struct Rect { min: Point, max: Point }

    #[derive(Debug, Clone, PartialEq)]
    struct T2 { a: Point, b: i64 }

    #[derive(Debug, Clone, PartialEq)]
    struct Empty {}

    #[derive(Debug, Clone, PartialEq)]
    struct Skip { a: i64, b: String, c: i64, d: String, e: i64 }

    #[derive(Debug, Clone, PartialEq)]
    struct Cont {
        ints: Vec<i64>,
        strs: Vec<String>,
        arr: [i64; 3],
        m: Option<HashMap<String, i64>>,
        pts: Vec<Point>,
        ppts: Vec<Option<Point>> as "PPts",
        mp: Option<BTreeMap<String, Point>> as "MP",
        nest: Vec<Vec<i64>>,
        barr: [u8; 4] as "BArr",
    }

    #[derive(Debug, Clone, PartialEq)]
    struct Ptrs { pi: Option<i64> as "PI", ps: Option<String> as "PS", pp: Option<Point> as "PP" }

    #[derive(Debug, Clone, PartialEq)]
    struct Base { id: i64 as "ID" }

    #[derive(Debug, Clone, PartialEq)]
    struct Emb { base: Base, name: String }

    #[derive(Debug, Clone, PartialEq)]
    struct List { v: i64, next: Option<Box<List>> }

    #[derive(Debug, Clone, PartialEq)]
    struct Inner { s: String }

    #[derive(Debug, Clone, PartialEq)]
    struct Deep { m: HashMap<String, Vec<Inner>>, a: [Vec<String>; 2] }
}

/// Decodes the vector as a `T`, compares, and encodes it again.
fn both_ways<T: Gob + Debug + PartialEq>(name: &str, want: &T) {
    let bytes = vector(name);
    let mut got = T::zero();
    Decoder::new(Cursor::new(bytes.clone())).decode(&mut got).unwrap().unwrap();
    assert_eq!(got, *want, "{name}");
    let mut again = Vec::new();
    Encoder::new().encode(want, &mut again);
    assert_eq!(again, bytes, "{name}");
}

fn point(x: i64, y: i64) -> Point {
    Point { x, y }
}

#[test]
fn numbers_texts_and_lists_of_rust_are_those_of_go() {
    both_ways("bool_true", &true);
    both_ways("int_neg129", &-129i64);
    both_ways("int_min64", &i64::MIN);
    both_ways("int8_neg128", &-128i8);
    both_ways("uint_max64", &u64::MAX);
    both_ways("uint8_255", &255u8);
    both_ways("float_pi", &std::f64::consts::PI);
    both_ways("float32_pi", &std::f32::consts::PI);
    both_ways("float_inf", &f64::INFINITY);
    both_ways("string_utf8", &"héllo 世界".to_owned());
    both_ways("bytes_3", &vec![0u8, 255, 128]);
    both_ways("slice_int_123", &vec![1i64, 2, 3]);
    both_ways("slice_int8", &vec![-1i8, 1]);
    both_ways("slice_slice_int", &vec![vec![1i64], vec![], vec![2, 3]]);
    both_ways("slice_bytes", &vec![vec![1u8], vec![]]);
    both_ways("slice_ptr_point", &vec![Some(point(1, 2))]);
    both_ways("slice_point", &vec![point(1, 2), point(0, 0)]);
    both_ways("array_3int", &[1i64, 0, 3]);
    both_ways("array_4byte", &[1u8, 0, 200, 255]);
    both_ways("array_0int", &[0i64; 0]);
    both_ways("map_string_int", &HashMap::from([("a".to_owned(), 1i64)]));
    both_ways("map_int_string", &BTreeMap::from([(-1i64, "x".to_owned())]));
    both_ways("map_string_point", &BTreeMap::from([("p".to_owned(), point(1, 2))]));
}

#[test]
fn structs_of_rust_are_those_of_go() {
    both_ways("point_zero", &point(0, 0));
    both_ways("point_x0_y5", &point(0, 5));
    both_ways("ptr_point", &point(1, 2));
    both_ways("empty_struct", &Empty {});
    both_ways("anon_empty_struct", &());
    both_ways("rect", &Rect { min: point(1, 2), max: point(3, 4) });
    both_ways("t2_zero_nested", &T2 { a: point(0, 0), b: 9 });
    let skip = |a, c| Skip { a, b: String::new(), c, d: String::new(), e: 5 };
    both_ways("skip_fields", &skip(1, 3));
    both_ways("skip_first", &skip(0, 0));
    both_ways("ptrs_nil", &Ptrs { pi: None, ps: None, pp: None });
    both_ways("ptrs_to_zero", &Ptrs { pi: None, ps: None, pp: Some(point(0, 0)) });
    both_ways("embedded", &Emb { base: Base { id: 7 }, name: "n".to_owned() });
    let node = |v, next| List { v, next };
    let list = node(1, Some(Box::new(node(2, Some(Box::new(node(3, None)))))));
    both_ways("list_3", &list);
    let s = |s: &str| Inner { s: s.to_owned() };
    let m = HashMap::from([("k".to_owned(), vec![s("a"), s("")])]);
    both_ways("deep", &Deep { m, a: [vec!["x".to_owned()], vec![]] });
}

#[test]
fn containers_in_a_struct_get_their_names_and_ids_as_in_go() {
    let mut cont = Cont::zero();
    both_ways("cont_zero", &cont);
    (cont.m, cont.mp) = (Some(HashMap::new()), Some(BTreeMap::new()));
    both_ways("cont_empty_nonnil", &cont);
    let full = Cont {
        ints: vec![1, 2],
        strs: vec!["a".to_owned()],
        arr: [1, 2, 3],
        m: Some(HashMap::from([("k".to_owned(), 7)])),
        pts: vec![point(1, 2)],
        ppts: vec![Some(point(3, 4))],
        mp: Some(BTreeMap::from([("q".to_owned(), point(5, 6))])),
        nest: vec![vec![1], vec![2]],
        barr: [1, 2, 3, 4],
    };
    both_ways("cont_full", &full);
}

#[test]
fn one_stream_carries_many_types_and_defines_each_once() {
    let (mut encoder, mut out) = (Encoder::new(), Vec::new());
    encoder.encode(&point(1, 2), &mut out);
    encoder.encode(&42i64, &mut out);
    encoder.encode(&Rect { min: point(1, 2), max: point(3, 4) }, &mut out);
    encoder.encode(&"s".to_owned(), &mut out);
    encoder.encode(&point(5, 6), &mut out);
    assert_eq!(out, vector("mixed_stream"));
}

mod accept {
    use super::*;

    message! {
        #[derive(Debug, PartialEq)]
        struct Point { x: i64, y: i64 }
        #[derive(Debug, PartialEq)]
        struct PB { b: Vec<u8> }
        #[derive(Debug, PartialEq)]
        struct Ep {}
        #[derive(Debug, PartialEq)]
        struct U { x: u64, y: u64 }
        #[derive(Debug, PartialEq)]
        struct F { x: f64, y: f64 }
        #[derive(Debug, PartialEq)]
        struct I8 { x: i8, y: i8 }
        #[derive(Debug, PartialEq)]
        struct PP { x: Option<i64>, y: Option<Option<i64>> }
        #[derive(Debug, PartialEq)]
        struct PS { s: Vec<i64> }
    }

    fn read<T: Gob>(decoder: &mut Decoder) -> Result<()> {
        decoder.decode(&mut T::zero())?
    }

    /// Go's type names, and what decodes into ours. `None`: Rust has no such type.
    fn reader(name: &str) -> Option<fn(&mut Decoder) -> Result<()>> {
        Some(match name {
            "*main.Point" => read::<Point>,
            "*main.PB" => read::<PB>,
            "*main.Ep" => read::<Ep>,
            "*main.U" => read::<U>,
            "*main.F" => read::<F>,
            "*main.I8" => read::<I8>,
            "*main.PP" => read::<PP>,
            "*main.PS" => read::<PS>,
            "*bool" => read::<bool>,
            "*int" | "*int64" => read::<i64>,
            "*uint" => read::<u64>,
            "*float64" => read::<f64>,
            "*string" => read::<String>,
            "*[]uint8" => read::<Vec<u8>>,
            "*[]int" => read::<Vec<i64>>,
            "*[3]int" => read::<[i64; 3]>,
            "*[3]uint8" => read::<[u8; 3]>,
            "*[4]uint8" => read::<[u8; 4]>,
            "<nil>" => |decoder| decoder.discard()?,
            _ => return None,
        })
    }

    #[test]
    fn what_go_accepts_and_refuses() {
        let text = include_str!("../../../tests/vectors/rpc/gob-accept.txt");
        let (mut verdicts, mut checked, mut same_text) = (Vec::new(), 0, 0);
        for line in text.lines() {
            if !line.starts_with(' ') {
                let (_, verdict) = line.split_once("-> ").unwrap();
                let verdict = verdict.rsplit_once("-> ").map_or(verdict, |(_, last)| last);
                verdicts.push((line, verdict));
                continue;
            }
            let mut decoder = Decoder::new(Cursor::new(unhex(line.trim())));
            for (title, verdict) in verdicts.drain(..) {
                let (go, verdict) = verdict.rsplit_once(" OK").map_or_else(
                    || verdict.split_once(" ERROR ").unwrap(),
                    |(name, _)| (name, "OK"),
                );
                let Some(read) = reader(go) else { continue };
                match read(&mut decoder) {
                    Ok(()) => assert_eq!(verdict, "OK", "{title}"),
                    Err(error) => {
                        assert_ne!(verdict, "OK", "{title}: {error}");
                        same_text += u32::from(error.to_string() == verdict);
                    }
                }
                checked += 1;
            }
        }
        assert_eq!(checked, 55, "all but the two that decode into an interface");
        assert_eq!(same_text, 19, "the texts that a caller may see are Go's own");
    }
}

/// Appends the message that defines a type.
fn define(out: &mut Vec<u8>, id: i64, kind: Kind) {
    let mut definition = Vec::new();
    Type { name: String::new(), kind }.put_definition(Id(id), &mut definition);
    varint::put_uint(out, definition.len() as u64);
    out.extend(definition);
}

fn struct_of(name: &str, id: i64) -> Kind {
    Kind::Struct(vec![Field { name: name.to_owned(), id: Id(id) }])
}

#[test]
fn a_chain_of_types_that_all_fit_one_list_node_is_too_deep() {
    let mut stream = Vec::new();
    (65..4000).for_each(|id| define(&mut stream, id, struct_of("Next", id + 1)));
    define(&mut stream, 4000, struct_of("V", Id::INT.0));
    // The first of them, without its field; then a number.
    stream.extend([3, 0xff, 0x82, 0, 3, 0x04, 0x00, 0x0e]);
    // As much room as a thread of the server has.
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(move || {
        let (mut decoder, mut number) = (Decoder::new(Cursor::new(stream)), 0i64);
        let refused = decoder.decode(&mut List::zero()).unwrap().unwrap_err();
        decoder.decode(&mut number).unwrap().unwrap();
        (refused.to_string(), number)
    });
    let told = thread.unwrap().join().unwrap();
    assert_eq!(told, ("values nested more than 100 deep".to_owned(), 7));
}

#[test]
fn thousands_of_fields_of_one_wide_type_are_walked_once() {
    const FIELDS: usize = 50_000;
    let wide = |id| Kind::Struct(vec![Field { name: String::new(), id: Id(id) }; FIELDS]);
    let (mut types, mut whole) = (Types::default(), std::collections::HashSet::new());
    types.insert(Id(65), Type { name: String::new(), kind: wide(66) }).unwrap();
    types.insert(Id(66), Type { name: String::new(), kind: wide(Id::INT.0) }).unwrap();
    // By squares this would be a matter of minutes.
    (0..FIELDS).for_each(|_| types.check_defined(Id(66), &mut whole).unwrap());
    types.check_defined(Id(65), &mut whole).unwrap();
    assert_eq!(whole.len(), 2);
    types.insert(Id(67), Type { name: String::new(), kind: wide(68) }).unwrap();
    assert!(types.check_defined(Id(67), &mut whole).is_err());
    assert_eq!(whole.len(), 2, "what is not whole is not entered");
}

#[test]
fn a_definition_takes_no_more_memory_than_a_value() {
    let mut body = Vec::new();
    varint::put_int(&mut body, -65);
    // StructT, Field: 4,000 fields without name and type, a byte each.
    body.extend([3, 2]);
    varint::put_uint(&mut body, 4000);
    body.resize(body.len() + 4002, 0);
    let mut stream = Vec::new();
    varint::put_uint(&mut stream, body.len() as u64);
    stream.extend(body);
    let mut decoder = Decoder::with_input(crate::Input::new(Cursor::new(stream), vec![]), 5000);
    let refused = decoder.next_id().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "gob: a value in memory is 80032 bytes, the limit is 80000; raise message_bytes_max"
    );
}

#[test]
fn a_slice_that_contains_itself_is_sent_on() {
    let mut types = Types::default();
    let slice = |elem| Type { name: String::new(), kind: Kind::Slice { elem: Id(elem) } };
    types.insert(Id(70), slice(70)).unwrap();
    let list = Value::List(vec![Value::List(vec![]), Value::List(vec![])]);
    let (mut encoder, mut out) = (Encoder::new(), Vec::new());
    encoder.encode_as(&types, Id(70), &list, &mut out).unwrap();
    let (id, got) = Decoder::new(Cursor::new(out)).decode_value().unwrap().unwrap();
    assert_eq!((id, got), (Id(65), list));

    // A chain without end is refused each time, not only the first.
    (100..4000).for_each(|id| types.insert(Id(id), slice(id + 1)).unwrap());
    for _ in 0..2 {
        let refused = encoder.encode_as(&types, Id(100), &Value::Nil, &mut Vec::new());
        assert!(matches!(refused, Err(crate::Error::TooDeep)), "{refused:?}");
    }
}

#[test]
#[ignore = "an exercise: see the end of the chapter"]
fn exercise_some_zero_survives() {
    let sent = Ptrs { pi: Some(0), ps: None, pp: None };
    let mut stream = Vec::new();
    Encoder::new().encode(&sent, &mut stream);
    let mut got = Ptrs::zero();
    Decoder::new(Cursor::new(stream)).decode(&mut got).unwrap().unwrap();
    assert_eq!(got, sent);
}
