//! The command line: three flags, read by hand.

/// What the flags say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flags {
    /// Where to listen: `HOST:PORT`, port 0 picks a free one.
    pub addr: String,
    /// Show the home page in the default browser.
    pub open: bool,
    /// Build the demos beside serving.
    pub demos: bool,
}

/// What a bad flag is answered with.
pub const USAGE: &str = "usage: playground [--addr HOST:PORT] [--open] [--no-demos]
  --addr HOST:PORT   where to listen (default 127.0.0.1:9999; port 0 picks one)
  --open             show the home page in the default browser
  --no-demos         do not build the WASM demos";

impl Flags {
    /// Reads the arguments after the program's name; `None` asks for [`USAGE`].
    #[must_use]
    pub fn parse(mut args: impl Iterator<Item = String>) -> Option<Flags> {
        let mut flags = Flags { addr: "127.0.0.1:9999".to_owned(), open: false, demos: true };
        while let Some(arg) = args.next() {
            match (&*arg, arg.split_once('=')) {
                ("--open", _) => flags.open = true,
                ("--no-demos", _) => flags.demos = false,
                ("--addr", _) => flags.addr = args.next()?,
                (_, Some(("--addr", addr))) => flags.addr = addr.to_owned(),
                _ => return None,
            }
        }
        Some(flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Option<Flags> {
        Flags::parse(args.iter().map(|arg| (*arg).to_owned()))
    }

    #[test]
    fn flags_are_read_and_anything_else_is_the_usage() {
        let flags = |addr: &str, open, demos| Some(Flags { addr: addr.to_owned(), open, demos });
        assert_eq!(parse(&[]), flags("127.0.0.1:9999", false, true));
        assert_eq!(parse(&["--no-demos", "--addr", "a:1", "--open"]), flags("a:1", true, false));
        assert_eq!(parse(&["--addr=b:0"]), flags("b:0", false, true));
        for bad in [&["--addr"][..], &["--port", "1"], &["x"], &["--open=1"], &["-h"]] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
