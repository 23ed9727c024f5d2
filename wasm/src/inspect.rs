//! Every byte named: any bytes, cut into pieces that each have a name, as the pages show them.
//!
//! ```text
//! as text    GET /web?x=1 HTTP/1.1\r\n       one span per piece, a new line where a piece says so
//! in hex     0000  47 45 54 20 2f 77 65 62   sixteen to a row, the same pieces in the same colours
//! said       method · bytes 0 to 2 · What to do with the target. ...
//! ```
//! This module knows no format. Who shows bytes makes a list of [`Piece`]s of them, and takes the
//! places from the parser that works with those bytes, so that the picture cannot drift from it:
//!
//! | bytes | pieces | places from |
//! |---|---|---|
//! | an HTTP request | [`request`] | [`web::Request::parts`] |
//! | an HTTP answer | [`response`] | [`web::Answer::parts`] |
//! | a database's page, a journal | [`sqlite`] | [`orm::sql::inspect`] |
//! | a protobuf message | [`protobuf`] | [`cache::beyond::trace`] |
//! | a gob stream | [`gob`] | [`rpc::beyond::trace`] |
//! | JSON | [`json_text`] | [`web::json::parse_first`] |
//!
//! Then [`as_json`] lays the pieces out, the part `inspector` of `pages/layout.html` draws them
//! (`{{template "inspector" .request}}`), and `static/inspect.js` lights a piece in both pictures.
//!
//! A page of a database is mostly zeros. Rows of a piece that repeat the row above them are left
//! out, as `hexdump` does, and their number is said.

pub mod gob;
pub mod json_text;
pub mod protobuf;
pub mod request;
pub mod response;
pub mod sqlite;

use std::borrow::Cow;
use std::ops::Range;

use web::json;
use web::json::Json;

/// A run of bytes with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where it stands.
    pub range: Range<usize>,
    /// Its colour.
    pub class: Class,
    /// What it is called: `method`, `row id`.
    pub name: Cow<'static, str>,
    /// What a reader may want to know about it.
    pub about: Cow<'static, str>,
    /// What it says, in the line above the bytes: `GET`, `7`.
    pub text: String,
    /// Whether the next piece begins a new line.
    pub ends_line: bool,
}

/// What part a piece plays in its format; each has a colour in the style sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// What sort of message or page this is: a method, a page's type.
    Kind,
    /// Where something is: a target, a page's number, an offset.
    Place,
    /// What qualifies a place, or a flag: a query, an option.
    Extra,
    /// The format and its version, a magic word, a checksum.
    Format,
    /// How many bytes or entries follow.
    Length,
    /// What a value is called, or of which type it is: a field's name, a tag.
    Name,
    /// A value.
    Value,
    /// What is inside: a body, a payload that goes on.
    Body,
    /// What separates, pads, or is free.
    Gap,
    /// What ends something.
    End,
}

impl Class {
    /// The end of the class's name in the style sheet, after `k-`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Kind => "kind",
            Class::Place => "place",
            Class::Extra => "extra",
            Class::Format => "format",
            Class::Length => "length",
            Class::Name => "name",
            Class::Value => "value",
            Class::Body => "body",
            Class::Gap => "gap",
            Class::End => "end",
        }
    }
}

/// No more bytes than this are shown: a page of SQLite, unless another size is asked for.
const SHOWN_BYTES_MAX: usize = 4096;
const ROW_BYTES: usize = 16;

/// The pieces as the part `inspector` draws them: lines of text, and rows of sixteen bytes.
///
/// The pieces must be in the order of their places; what lies beyond `bytes` is left out. Of a text
/// no more characters are shown than there are bytes at most.
#[must_use]
pub fn as_json(bytes: &[u8], pieces: &[Piece]) -> Json {
    let shown = bytes.len().min(SHOWN_BYTES_MAX);
    let mut lines: Vec<Vec<Json>> = vec![Vec::new()];
    let mut rows: Vec<Vec<Run>> = vec![Vec::new(); shown.div_ceil(ROW_BYTES)];
    for (id, piece) in pieces.iter().enumerate() {
        let range = piece.range.start..piece.range.end.min(shown);
        if range.is_empty() {
            continue;
        }
        if let Some(line) = lines.last_mut() {
            line.push(json!({
                "id": id, "class": (piece.class.as_str()), "name": (&*piece.name),
                "about": (&*piece.about), "text": (beginning(&piece.text)),
                "place": (place(&piece.range)),
            }));
        }
        if piece.ends_line {
            lines.push(Vec::new());
        }
        let mut start = range.start;
        while start < range.end {
            let row = start / ROW_BYTES;
            let end = range.end.min((row + 1) * ROW_BYTES);
            rows[row].push((id, piece.class, start..end));
            start = end;
        }
    }
    lines.retain(|line| !line.is_empty());
    // Texts that are the bytes themselves stand side by side; those that tell about them, apart.
    let is_bytes = |piece: &Piece| {
        bytes.get(piece.range.clone()).is_some_and(|bytes| visible(bytes) == piece.text)
    };
    let apart = !pieces.iter().all(is_bytes);
    let rows = fold(bytes, &rows);
    json!({
        "lines": lines, "rows": rows, "apart": apart,
        "bytes": (bytes.len()), "hidden": (bytes.len() - shown),
    })
}

/// Some bytes of one piece within one row: the piece's number, its colour, their place.
type Run = (usize, Class, Range<usize>);

/// The rows as a template reads them. A row of one piece whose bytes are those of the row above is
/// only counted, unless it is alone.
fn fold(bytes: &[u8], rows: &[Vec<Run>]) -> Vec<Json> {
    let repeats = |at: usize| match (at.checked_sub(1).map(|above| &rows[above][..]), &rows[at][..])
    {
        (Some([(above, _, was)]), [(id, _, is)]) => {
            above == id && bytes[was.clone()] == bytes[is.clone()]
        }
        _ => false,
    };
    let mut drawn = Vec::new();
    let mut at = 0;
    while at < rows.len() {
        let same = (at..rows.len()).take_while(|&row| repeats(row)).count();
        if same > 1 {
            drawn.push(json!({"same": same}));
            at += same;
            continue;
        }
        let runs: Vec<Json> = rows[at].iter().map(|run| draw_run(bytes, run)).collect();
        drawn.push(json!({"offset": (format!("{:04x}", at * ROW_BYTES)), "runs": runs}));
        at += 1;
    }
    drawn
}

/// A run in hex and as characters.
fn draw_run(bytes: &[u8], (id, class, range): &Run) -> Json {
    let bytes = &bytes[range.clone()];
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let char = |b: &u8| if b.is_ascii_graphic() || *b == b' ' { char::from(*b) } else { '.' };
    let chars: String = bytes.iter().map(char).collect();
    json!({"id": (*id), "class": (class.as_str()), "hex": (hex.join(" ")), "chars": chars})
}

/// So much of a text as is shown: the body of a request may be long.
fn beginning(text: &str) -> &str {
    let end = text.char_indices().nth(SHOWN_BYTES_MAX);
    &text[..end.map_or(text.len(), |(at, _)| at)]
}

fn place(range: &Range<usize>) -> String {
    match range.len() {
        1 => format!("byte {}", range.start),
        n => format!("bytes {} to {}, {n} of them", range.start, range.end - 1),
    }
}

/// Bytes as text in which line ends can be seen.
#[must_use]
pub fn visible(bytes: &[u8]) -> String {
    let mut text = String::new();
    for c in String::from_utf8_lossy(bytes).chars() {
        match c {
            '\r' => text.push_str("\\r"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            c if c.is_control() => text.push(char::REPLACEMENT_CHARACTER),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(range: Range<usize>, ends_line: bool) -> Piece {
        let text = range.len().to_string();
        Piece { range, class: Class::Value, name: "n".into(), about: "a".into(), text, ends_line }
    }

    /// Each row: its offset and its bytes, or how many are like the one above.
    fn rows(json: &Json) -> Vec<String> {
        let rows = json["rows"].as_array().unwrap().iter();
        rows.map(|row| match row["same"].as_u64() {
            Some(same) => format!("{same} like it"),
            None => {
                let runs = row["runs"].as_array().unwrap().iter();
                let runs: Vec<_> = runs.map(|run| run["hex"].as_str().unwrap()).collect();
                format!("{}: {}", row["offset"].as_str().unwrap(), runs.join("|"))
            }
        })
        .collect()
    }

    #[test]
    fn pieces_are_lines_of_text_and_rows_of_sixteen_bytes() {
        let bytes: Vec<u8> = (0..20).collect();
        let json = as_json(&bytes, &[piece(0..1, false), piece(1..18, true), piece(18..20, true)]);
        assert_eq!(
            rows(&json),
            ["0000: 00|01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f", "0010: 10 11|12 13"]
        );
        let lines = json["lines"].as_array().unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0][0]["place"].as_str(), Some("byte 0"));
        assert_eq!(lines[0][1]["place"].as_str(), Some("bytes 1 to 17, 17 of them"));
        assert_eq!((lines[0][1]["id"].as_u64(), lines[1][0]["id"].as_u64()), (Some(1), Some(2)));
    }

    #[test]
    fn rows_that_repeat_the_one_above_are_counted() {
        let bytes = [0; 96];
        let zeros = "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00";
        let whole = as_json(&bytes, &[piece(0..96, false)]);
        assert_eq!(rows(&whole), [format!("0000: {zeros}"), "5 like it".into()]);
        // Another piece begins: its first row is shown. A single row is shown in any case.
        let two = as_json(&bytes, &[piece(0..32, false), piece(32..96, false)]);
        let want = ["0000", "0010", "0020"].map(|offset| format!("{offset}: {zeros}"));
        assert_eq!(rows(&two), [&want[..], &["3 like it".into()]].concat());
    }

    #[test]
    fn what_is_long_is_cut_and_pieces_beyond_the_bytes_are_left_out() {
        let bytes: Vec<u8> = (0..5000).map(|n: usize| n.to_le_bytes()[n % 2]).collect();
        let mut long = piece(0..4097, true);
        long.text = "é".repeat(4097);
        let json = as_json(&bytes, &[long, piece(4097..6000, true)]);
        assert_eq!(json["lines"][0][0]["text"].as_str().unwrap().chars().count(), 4096);
        assert_eq!((json["bytes"].as_u64(), json["hidden"].as_u64()), (Some(5000), Some(904)));
        assert_eq!(json["rows"].as_array().unwrap().len(), 256);
        assert_eq!(json["lines"].as_array().unwrap().len(), 1);
        assert_eq!(as_json(&[], &[])["lines"].as_array().unwrap().len(), 0);
    }
}
