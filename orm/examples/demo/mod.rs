//! What the seven days share: the file that a day leaves its database in.

use std::{env, fs, process};

/// The path on the command line, or `gee.db`. What an earlier run left there is removed. A flag, or a
/// second word, prints the usage and exits 2.
pub(crate) fn fresh_file() -> String {
    let mut args = env::args().skip(1);
    let path = args.next().unwrap_or_else(|| "gee.db".to_owned());
    if path.starts_with('-') || args.next().is_some() {
        // Compiled into each day, this is the day's name.
        eprintln!("usage: {} [FILE]    (default gee.db)", env!("CARGO_CRATE_NAME"));
        process::exit(2);
    }
    let _ = fs::remove_file(&path);
    path
}
