//! What is JSON, what is not, and that no bytes bring the parser down.

use super::*;
use crate::json;
use crate::random::{Random, rounds};

fn message(text: &[u8]) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn reads_what_is_json() {
    let cases: Vec<(&str, Json)> = vec![
        ("null", Json::Null),
        (" \t\r\n true \n", json!(true)),
        ("[]", json!([])),
        ("{\"\":{}}", json!({"": {}})),
        ("[1,[2,[]],\"\"]", json!([1, [2, []], ""])),
        (r#"{"a":1,"b":2,"a":3}"#, json!({"a": 3, "b": 2})),
        (r#""\"\\\/\b\f\n\r\t""#, json!("\"\\/\u{8}\u{c}\n\r\t")),
        (r#""\u00e9\u0000\u20AC é\u007f""#, json!("é\0€ é\u{7f}")),
        (r#""\ud83d\ude00 \uDBFF\uDFFF""#, json!("😀 \u{10ffff}")),
        // Half pairs, as Go reads them: each half alone is U+FFFD, the rest is kept.
        (r#""\ud800""#, json!("\u{fffd}")),
        (r#""\ude00x\ud800y""#, json!("\u{fffd}x\u{fffd}y")),
        (r#""\ud800\ud83d\ude00""#, json!("\u{fffd}😀")),
        (r#""\ud800\u0041\ud800\n""#, json!("\u{fffd}A\u{fffd}\n")),
    ];
    for (text, want) in cases {
        assert_eq!(parse(text).unwrap(), want, "{text}");
    }
}

#[test]
fn reads_numbers_exactly() {
    let cases: &[(&str, Json)] = &[
        ("0", Json::Int(0)),
        ("-9223372036854775808", Json::Int(i64::MIN)),
        ("9223372036854775807", Json::Int(i64::MAX)),
        ("9223372036854775808", Json::Uint(1 << 63)),
        ("18446744073709551615", Json::Uint(u64::MAX)),
        ("18446744073709551616", Json::Float(18_446_744_073_709_551_616.0)),
        ("-9223372036854775809", Json::Float(-9_223_372_036_854_775_808.0)),
        ("1.0", Json::Float(1.0)),
        ("1E+2", Json::Float(100.0)),
        ("123.456e-7", Json::Float(0.000_012_345_6)),
        ("0.1", Json::Float(0.1)),
        ("2.2250738585072014e-308", Json::Float(f64::MIN_POSITIVE)),
        ("1e-999", Json::Float(0.0)),
    ];
    for (text, want) in cases {
        assert_eq!(parse(text).unwrap(), *want, "{text}");
    }
    assert_eq!(parse("-0").unwrap().to_string(), "-0");
}

#[test]
fn says_where_and_what_was_expected() {
    const CASES: &[(&[u8], &str)] = &[
        (b"", "line 1, column 1: expected a value, found the end of the text"),
        (b"[1,\n 2,]", "line 2, column 4: expected a value, found ']'"),
        (b"[1 2]", "line 1, column 4: expected ',' or ']', found '2'"),
        (b"[,1]", "line 1, column 2: expected a value, found ','"),
        (b"{\"a\" 1}", "line 1, column 6: expected ':', found '1'"),
        (b"{\"a\":1", "line 1, column 7: expected ',' or '}', found the end of the text"),
        (b"{\"a\":1,}", "line 1, column 8: expected a key in double quotes, found '}'"),
        (b"{a:1}", "line 1, column 2: expected a key in double quotes, found 'a'"),
        (b"nul", "line 1, column 1: expected a value, found 'n'"),
        (b"'x'", "line 1, column 1: expected a value, found '\\''"),
        (b"01", "line 1, column 2: expected the end of the text, found '1'"),
        (b"+1", "line 1, column 1: expected a value, found '+'"),
        (b"-", "line 1, column 2: expected a digit, found the end of the text"),
        (b"[1.]", "line 1, column 4: expected a digit, found ']'"),
        (b".5", "line 1, column 1: expected a value, found '.'"),
        (b"[1e+x]", "line 1, column 5: expected a digit, found 'x'"),
        (b"[1e999]", "line 1, column 2: expected a number that fits 64 bits, found '1'"),
        (b"NaN", "line 1, column 1: expected a value, found 'N'"),
        (b"\"ab", "line 1, column 4: expected '\"', found the end of the text"),
        (
            b"\"a\nb\"",
            "line 1, column 3: expected no raw control character in a string, found '\\n'",
        ),
        (
            b"\"\\x\"",
            "line 1, column 3: expected one of \" \\ / b f n r t u after a backslash, found 'x'",
        ),
        (b"\"\\u12g4\"", "line 1, column 6: expected four hex digits after \\u, found 'g'"),
        ("\"é\" x".as_bytes(), "line 1, column 5: expected the end of the text, found 'x'"),
        ("\u{feff}1".as_bytes(), "line 1, column 1: expected a value, found a byte order mark"),
        ("[1,\u{a0}2]".as_bytes(), "line 1, column 4: expected a value, found '\\u{a0}'"),
        (b"[1] /* x */", "line 1, column 5: expected the end of the text, found '/'"),
        (b"\"a\xff\"", "line 1, column 3: expected UTF-8, found byte 0xff"),
        (b"1\xff", "line 1, column 2: expected UTF-8, found byte 0xff"),
        (b"[}\xff", "line 1, column 2: expected a value, found '}'"),
        (b"\xed\xa0\x80", "line 1, column 1: expected UTF-8, found byte 0xed"),
        (b"1\0", "line 1, column 2: expected the end of the text, found '\\0'"),
    ];
    for (text, want) in CASES {
        assert_eq!(message(text), *want, "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn nesting_is_bounded() {
    let nest = |depth| "[".repeat(depth) + &"]".repeat(depth);
    assert!(parse(nest(DEPTH_MAX)).is_ok());
    let want = "line 1, column 129: nested deeper than 128 levels; \
                flatten the text or raise the bound of parse_to_depth";
    assert_eq!(message(nest(DEPTH_MAX + 1).as_bytes()), want);
    assert_eq!(message("[".repeat(100_000).as_bytes()), want);
    assert!(parse("{\"a\":".repeat(100_000)).is_err());
    // Siblings are not deeper, and a bound of one's own is kept.
    assert!(parse(format!("[{}[]]", "[],{},".repeat(1000))).is_ok());
    assert!(parse_to_depth(b"[[]]", 1).is_err() && parse_to_depth(b"[{}]", 2).is_ok());
}

/// The server's threads have 256 KiB; [`DEPTH_MAX`] levels must not need half of that.
#[test]
fn the_deepest_text_fits_a_small_stack() {
    const STACK: usize = 128;
    let read_and_write = || {
        let text = "[{\"a\":".repeat(DEPTH_MAX / 2) + "1" + &"}]".repeat(DEPTH_MAX / 2);
        assert_eq!(parse(&text).unwrap().to_string(), text);
    };
    std::thread::Builder::new()
        .stack_size(STACK << 10)
        .spawn(read_and_write)
        .unwrap()
        .join()
        .unwrap();
}

type Read = Result<(Json, usize), JsonError>;

/// The tokens of the value at the beginning of a text, each with its octets, and what was read.
fn heard(text: &[u8]) -> (Vec<(Token, &[u8])>, Read) {
    let (mut tokens, mut at) = (Vec::new(), 0);
    let read = parse_first(text, |token, place| {
        let space = &text[at..place.start];
        assert!(space.iter().all(u8::is_ascii_whitespace), "between {tokens:?} and {place:?}");
        tokens.push((token, &text[place.clone()]));
        at = place.end;
    });
    if let Ok((_, end)) = read {
        assert_eq!(at, end, "the last token ends where the value does");
    }
    (tokens, read)
}

#[test]
fn each_token_is_heard_up_to_the_end_of_the_value_or_the_mistake() {
    const TEXT: &[u8] = br#" {"a\"b" : [-1.5e3,true,"x"]} {"next":1}"#;
    const WANT: &[(Token, &str)] = &[
        (Token::Brace, "{"),
        (Token::Key, r#""a\"b""#),
        (Token::Colon, ":"),
        (Token::Bracket, "["),
        (Token::Number, "-1.5e3"),
        (Token::Comma, ","),
        (Token::Word, "true"),
        (Token::Comma, ","),
        (Token::Text, r#""x""#),
        (Token::Bracket, "]"),
        (Token::Brace, "}"),
    ];
    let (tokens, read) = heard(TEXT);
    let want: Vec<_> = WANT.iter().map(|(token, text)| (*token, text.as_bytes())).collect();
    assert_eq!(tokens, want);
    let (value, end) = read.unwrap();
    assert_eq!(
        (value, &TEXT[end..]),
        (json!({"a\"b": [-1500.0, true, "x"]}), &br#" {"next":1}"#[..])
    );

    let (tokens, read) = heard(br#"{"a":[nul"#);
    let names: Vec<_> = tokens.iter().map(|(token, _)| *token).collect();
    assert_eq!(names, [Token::Brace, Token::Key, Token::Colon, Token::Bracket]);
    assert_eq!(read.unwrap_err().to_string(), "line 1, column 7: expected a value, found 'n'");
    // What follows the value is not looked at, whatever it is.
    assert_eq!(heard(b"1\xff").1.unwrap(), (json!(1), 1));
    assert_eq!(heard(b"").1.unwrap_err(), parse("").unwrap_err());
}

/// Whatever is changed in a good text: an error or a value, and a value that reads back the same.
#[test]
fn no_change_of_bytes_brings_it_down() {
    const SEED: &[u8] =
        br#"{"a":[1,-2.5e-3,"x\u00e9\ud83d\ude00\n",null,true,{"b":{}}],"c":18446744073709551615}"#;
    const PIECES: &[&str] =
        &["[", "]", "{", "}", ",", ":", "\"", "\\", "\\u", "\\ud800", "0", "e", "-", ".", "\u{e9}"];
    let (mut random, mut accepted) = (Random(1), 0);
    let rounds = rounds(20_000);
    for _ in 0..rounds {
        let text = random.change(SEED, PIECES);
        let (_, first) = heard(&text);
        if let Ok(value) = parse(&text) {
            accepted += 1;
            assert_eq!(first.unwrap().0.to_string(), value.to_string());
            let written = to_string(&value).unwrap();
            assert_eq!(to_string(&parse(&written).unwrap()).unwrap(), written);
        }
    }
    assert!(accepted > rounds / 50, "only {accepted} of the changed texts were JSON");
}
