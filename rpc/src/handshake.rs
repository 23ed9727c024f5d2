//! Day 1: the first bytes - the option, and recognising who is speaking.
//!
//! A GeeRPC connection begins with one JSON object, then speaks the codec it names:
//!
//! ```text
//! {"MagicNumber":3927900,"CodecType":"application/gob","ConnectTimeout":10000000000,"HandleTimeout":0}
//! ```
//!
//! Durations are in nanoseconds. No answer comes; if the server does not like the option, it
//! sends a header with the number 0 and the reason, and closes.
//!
//! **Why 512 bytes?** Go's JSON decoder reads in blocks, the first of 512 bytes, and what it reads
//! beyond the object is lost to the gob decoder after it. A Go server that gets the option and the
//! first request in one packet hangs for ever (RPC-1). So we pad the option with blanks before its
//! closing brace to 512 bytes exactly: the block ends where the option ends, and nothing is lost.
//! Our own server reads to the brace and leaves the rest in the [`Input`].
//!
//! | first bytes | dialect |
//! |---|---|
//! | `{"MagicNumber"` or another name of the option | GeeRPC |
//! | `{"method"`, or any other object | net/rpc/jsonrpc |
//! | `CONNECT ` | HTTP, then one of the others |
//! | anything else: the length of a gob message | net/rpc |

use std::time::Duration;

use crate::codec::{CodecType, Dialect};
use crate::gob::Gob;
use crate::json::{JsonForm, Scanner};
use crate::{Error, Input, Result, message};

/// What every GeeRPC option carries, so that a stray connection is recognised as one.
pub const MAGIC_NUMBER: i64 = 0x3b_ef5c;

/// The length that an option is padded to.
const PADDED_BYTES: usize = 512;

/// The longest option, and the longest head of a CONNECT request, that is looked at.
const OPENING_BYTES_MAX: usize = 4096;

message! {
    /// The option as it travels.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Opening {
        /// [`MAGIC_NUMBER`].
        pub magic_number: i64,
        /// [`CodecType::name`].
        pub codec_type: String,
        /// How long the client waits for a connection, in nanoseconds; 0 is for ever.
        pub connect_timeout: i64,
        /// How long the server may take for a call, in nanoseconds; 0 is for ever.
        pub handle_timeout: i64,
    }
}

impl Opening {
    /// The option for `codec` and these timeouts; [`Duration::ZERO`] is none.
    #[must_use]
    pub fn new(codec: CodecType, connect_timeout: Duration, handle_timeout: Duration) -> Opening {
        let nanos = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Opening {
            magic_number: MAGIC_NUMBER,
            codec_type: codec.name().to_owned(),
            connect_timeout: nanos(connect_timeout),
            handle_timeout: nanos(handle_timeout),
        }
    }

    /// The bytes to be sent: the option, padded.
    ///
    /// # Errors
    /// None for an option of this crate's making.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut text = String::new();
        self.write_json(&mut text)?;
        text.pop();
        let mut bytes = text.into_bytes();
        bytes.resize(bytes.len().max(PADDED_BYTES - 1), b' ');
        bytes.push(b'}');
        Ok(bytes)
    }

    /// The codec and the handle timeout that the option asks for.
    ///
    /// # Errors
    /// [`Error::Handshake`] with the text that goes to the log and to the client.
    pub fn check(&self) -> Result<(CodecType, Duration)> {
        if self.magic_number != MAGIC_NUMBER {
            let magic = self.magic_number;
            return Err(Error::Handshake(format!("rpc server: invalid magic number {magic:x}")));
        }
        let codec = CodecType::of_name(&self.codec_type).ok_or_else(|| {
            Error::Handshake(format!("rpc server: invalid codec type {}", self.codec_type))
        })?;
        Ok((codec, Duration::from_nanos(u64::try_from(self.handle_timeout).unwrap_or(0))))
    }
}

/// Who is speaking.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Greeting {
    /// A client with this dialect and, if the option says so, a handle timeout.
    Client(Dialect, Duration),
    /// A CONNECT request for this path.
    Connect(String),
}

/// Looks at the first bytes, takes the option or the CONNECT head off the input, and leaves the
/// rest. After a timeout it can be called again. `None` if the stream ends before a byte came.
pub(crate) fn recognise(input: &mut Input) -> Result<Option<Greeting>> {
    if !input.want(1)? {
        return Ok(None);
    }
    let client = |dialect| Ok(Some(Greeting::Client(dialect, Duration::ZERO)));
    let first = input.here()[0];
    match first {
        b'{' => match first_key(input)?.as_deref() {
            None => client(Dialect::NetRpc),
            Some("magicnumber" | "codectype" | "connecttimeout" | "handletimeout") => {
                read_opening(input).map(Some)
            }
            Some(_) => client(Dialect::JsonRpc),
        },
        b'C' if starts_with(input, b"CONNECT ")? => read_connect(input).map(Some),
        _ => client(Dialect::NetRpc),
    }
}

/// Whether the stream begins with `text`, looking only as far as it does.
fn starts_with(input: &mut Input, text: &[u8]) -> Result<bool> {
    for (index, byte) in text.iter().enumerate() {
        if !input.want(index + 1)? || input.here()[index] != *byte {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The first key of the object that may begin here, in lower case; `None` if it is no object, but
/// a gob message of 123 bytes.
fn first_key(input: &mut Input) -> Result<Option<String>> {
    loop {
        let text = input.here()[1..].trim_ascii_start();
        match text.first() {
            Some(b'"') => {
                let mut parts = text[1..].splitn(2, |&byte| byte == b'"');
                let key = parts.next().unwrap_or_default();
                if parts.next().is_some() {
                    return Ok(Some(String::from_utf8_lossy(key).to_ascii_lowercase()));
                }
            }
            Some(b'}') => return Ok(Some(String::new())),
            Some(_) => return Ok(None),
            None => {}
        }
        more(input, "the opening object")?;
    }
}

/// Waits for another byte of something that has a limit.
fn more(input: &mut Input, what: &'static str) -> Result<()> {
    let here = input.here().len();
    if here >= OPENING_BYTES_MAX {
        let (size, limit) = (here as u64, OPENING_BYTES_MAX as u64);
        return Err(Error::TooLarge { what, size, limit, setting: None });
    }
    if input.want(here + 1)? { Ok(()) } else { Err(Error::UnexpectedEof) }
}

/// Reads the option to its closing brace.
fn read_opening(input: &mut Input) -> Result<Greeting> {
    let options = |error: String| Error::Handshake(format!("rpc server: options error: {error}"));
    let len = loop {
        match Scanner::default().end(input.here()) {
            Some(len) => break len,
            None => more(input, "the option")?,
        }
    };
    let json = web::json::parse(&input.here()[..len]);
    input.skip(len);
    let mut opening = Opening::zero();
    let json = json.map_err(|error| options(error.to_string()))?;
    opening.read_json(json).map_err(|error| options(error.to_string()))?;
    let (codec, handle_timeout) = opening.check()?;
    Ok(Greeting::Client(Dialect::Gee(codec), handle_timeout))
}

/// Go ends the option with a newline: drops it, once the byte behind the option is here. (No gob
/// stream begins with a message of 10 bytes: the definition of a header is longer.)
pub(crate) fn drop_newline(input: &mut Input) -> Result<()> {
    if input.want(1)? && input.here()[0] == b'\n' {
        input.skip(1);
    }
    Ok(())
}

/// Reads the head of a CONNECT request to its empty line; gives its path.
fn read_connect(input: &mut Input) -> Result<Greeting> {
    let len = loop {
        match end_of_head(input.here()) {
            Some(len) => break len,
            None => more(input, "the head of a CONNECT request")?,
        }
    };
    let head = String::from_utf8_lossy(&input.here()[..len]).into_owned();
    input.skip(len);
    let path = head.split(' ').nth(1).unwrap_or_default();
    Ok(Greeting::Connect(path.trim_end().to_owned()))
}

/// The length of a head that ends with an empty line, its lines ended by LF or CRLF.
pub(crate) fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let mut line = 0;
    for (index, byte) in bytes.iter().enumerate() {
        if *byte == b'\n' {
            if bytes[line..index].trim_ascii_end().is_empty() && line > 0 {
                return Some(index + 1);
            }
            line = index + 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn of(bytes: &[u8]) -> (Result<Option<Greeting>>, Vec<u8>) {
        let mut input = Input::new(Cursor::new(bytes.to_vec()), Vec::new());
        let greeting = recognise(&mut input);
        (greeting, input.here().to_vec())
    }

    #[test]
    fn the_option_is_512_bytes_and_read_back() {
        let second = Duration::from_secs(1);
        let bytes = Opening::new(CodecType::Json, 10 * second, second).to_bytes().unwrap();
        assert_eq!((bytes.len(), bytes.last()), (512, Some(&b'}')));
        let text = String::from_utf8(bytes.clone()).unwrap();
        let go = "{\"MagicNumber\":3927900,\"CodecType\":\"application/json\",\
                  \"ConnectTimeout\":10000000000,\"HandleTimeout\":1000000000";
        assert_eq!(text.trim_end_matches('}').trim_end(), go);
        let want = Greeting::Client(Dialect::Gee(CodecType::Json), second);
        assert_eq!(of(&[&bytes[..], b"rest"].concat()).0.unwrap(), Some(want));
    }

    #[test]
    fn four_greetings_and_what_follows_them_stays() {
        let gee = b"{\"MagicNumber\":3927900,\"CodecType\":\"application/gob\"}\n\x38";
        let (greeting, rest) = of(gee);
        let want = Greeting::Client(Dialect::default(), Duration::ZERO);
        assert_eq!((greeting.unwrap(), rest), (Some(want), b"\n\x38".to_vec()));
        let client = |dialect| Some(Greeting::Client(dialect, Duration::ZERO));
        assert_eq!(of(b"{ \"method\":\"A.B\"}").0.unwrap(), client(Dialect::JsonRpc));
        assert_eq!(of(b"\x2f\xff\x81").0.unwrap(), client(Dialect::NetRpc));
        assert_eq!(of(b"{\xff\x81").0.unwrap(), client(Dialect::NetRpc));
        assert_eq!(of(b"C\xff\x81").0.unwrap(), client(Dialect::NetRpc));
        let (greeting, rest) = of(b"CONNECT /_goRPC_ HTTP/1.1\r\nHost: x\r\n\r\n{");
        let connect = Greeting::Connect("/_goRPC_".to_owned());
        assert_eq!((greeting.unwrap(), rest), (Some(connect), b"{".to_vec()));
        assert_eq!(of(b"").0.unwrap(), None);
    }

    #[test]
    fn a_bad_option_is_told_why() {
        for (text, why) in [
            ("{\"MagicNumber\":3927901}", "rpc server: invalid magic number 3bef5d"),
            (
                "{\"MagicNumber\":3927900,\"CodecType\":\"application/xml\"}",
                "rpc server: invalid codec type application/xml",
            ),
            (
                "{\"MagicNumber\":\"x\"}",
                "rpc server: options error: json: cannot unmarshal string into Go value of type int",
            ),
            ("{\"MagicNumber\"", "unexpected EOF"),
        ] {
            assert_eq!(of(text.as_bytes()).0.unwrap_err().to_string(), why);
        }
        let endless = [&b"{\"MagicNumber\":[1"[..], &[b','; 5000]].concat();
        assert!(matches!(of(&endless).0, Err(Error::TooLarge { .. })));
    }
}
