//! The files that pages refer to, inside the executable: the playground runs from any directory.
//!
//! `include_bytes!` reads a file when the program is compiled. So there is nothing to find at run
//! time, no path to leave, and nothing that a request could name but what stands in the table.
//! [`web::files`] is for directories; this is its counterpart for a program in one piece.

use web::Context;
use web::files::content_type;

/// Name and contents of each file below `/static/`.
const FILES: &[(&str, &[u8])] = &[
    ("style.css", include_bytes!("../static/style.css")),
    ("inspect.js", include_bytes!("../static/inspect.js")),
    ("memory.js", include_bytes!("../static/memory.js")),
    ("orm.js", include_bytes!("../static/orm.js")),
    ("live.js", include_bytes!("../static/live.js")),
    ("progress.js", include_bytes!("../static/progress.js")),
    ("icon.svg", include_bytes!("../static/icon.svg")),
];

/// Answers `/static/*file`.
pub fn answer(c: &mut Context) {
    let found = FILES.iter().find(|(name, _)| *name == c.param("file"));
    let Some((name, bytes)) = found else {
        return c.string(404, "no such file\n");
    };
    c.set_header("Content-Type", content_type(name));
    // After a new build the next visit must not see yesterday's style.
    c.set_header("Cache-Control", "no-cache");
    c.data(200, bytes);
}
