//! Scripts (day 6): whether a value may stand where the script has come to.
//!
//! Only strings and comments are followed. A `/` may divide or begin a regular expression, which
//! the text alone does not tell without parsing JavaScript; so from there on values are refused.

/// Where in a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    Code,
    Quoted(char),
    LineComment,
    BlockComment,
    /// After what may be a regular expression or a nested template literal.
    Unclear,
}

/// Where the script is after `code`.
pub(super) fn in_script(code: &str, mut script: Script) -> Result<Script, &'static str> {
    if code.contains("<!--") {
        return Err("<!-- in a script changes where it ends; remove it");
    }
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        script = match (script, c) {
            (Script::Code, '"' | '\'' | '`') => Script::Quoted(c),
            (Script::Code, '/') => match chars.next() {
                Some('/') => Script::LineComment,
                Some('*') => Script::BlockComment,
                _ => Script::Unclear,
            },
            (Script::Quoted(_), '\\') => match chars.next() {
                Some(_) => script,
                None => Script::Unclear,
            },
            (Script::Quoted('`'), '$') if chars.peek() == Some(&'{') => Script::Unclear,
            (Script::Quoted(quote), _) if c == quote => Script::Code,
            (Script::Quoted('"' | '\''), '\n' | '\r') => Script::Unclear,
            (Script::LineComment, '\n' | '\r' | '\u{2028}' | '\u{2029}') => Script::Code,
            (Script::BlockComment, '*') if chars.peek() == Some(&'/') => {
                chars.next();
                Script::Code
            }
            _ => script,
        };
    }
    Ok(script)
}
