//! `shell FILE ["SQL; SQL; ..."]`: a small `sqlite3`-like prompt, for people and for scripts.
//!
//! Without SQL on the command line it reads stdin, `:memory:` is a database that nobody keeps.
//! Values are joined by `|`, as in sqlite3's list mode. An error goes to stderr as `Error: TEXT`,
//! the script goes on, and the exit code is 1 at the end. Beside SQL it knows
//!
//! ```text
//! .tables  .schema [TABLE]  .dump  .headers on|off  .mode list|csv|line  .nullvalue TEXT
//! .page N  .quit
//! ```

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;

use orm::sql::{Connection, Error, Result, Rows, Value, inspect};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (path, sql) = match &args[..] {
        [path] if !path.starts_with('-') => (path, None),
        [path, sql @ ..] if !path.starts_with('-') => (path, Some(sql.join("\n"))),
        _ => {
            eprintln!("usage: shell FILE [\"SQL; SQL; ...\"]");
            return ExitCode::from(2);
        }
    };
    let connection = match Connection::open(path) {
        Ok(connection) => connection,
        Err(error) => {
            eprintln!("Error: {error}");
            return ExitCode::FAILURE;
        }
    };
    if connection.recovered() {
        eprintln!("recovered {path}: a transaction that was cut short has been taken back");
    }
    let mut shell = Shell { connection, settings: Settings::default(), failed: false };
    match sql {
        Some(sql) => {
            shell.feed(&sql, true);
        }
        None => shell.read(),
    }
    if shell.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

struct Shell {
    connection: Connection,
    settings: Settings,
    failed: bool,
}

/// How rows are printed.
#[derive(Default)]
struct Settings {
    headers: bool,
    mode: Mode,
    null: String,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Mode {
    #[default]
    List,
    Csv,
    Line,
}

impl Shell {
    /// Reads stdin to its end; a statement runs as soon as it is complete.
    fn read(&mut self) {
        let prompts = io::stdin().is_terminal();
        let mut pending = String::new();
        let mut line = Vec::new();
        let mut input = io::stdin().lock();
        loop {
            if prompts {
                print!("{}", if pending.is_empty() { "sql> " } else { "...> " });
                let _ = io::stdout().flush();
            }
            line.clear();
            if input.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
                break;
            }
            pending.push_str(&String::from_utf8_lossy(&line));
            // A statement ends in `;`; looking any earlier would parse a long one again and again.
            let complete = pending.trim_end().ends_with(';') || pending.starts_with('.');
            if complete || pending.trim().is_empty() {
                match self.feed(&pending, false) {
                    Some(rest) => pending.drain(..rest),
                    None => return,
                };
            }
        }
        self.feed(&pending, true);
    }

    /// Runs the statements and commands of a text; without `end` an incomplete one is left for
    /// later. Returns where that begins, or `None` after `.quit`.
    fn feed(&mut self, text: &str, end: bool) -> Option<usize> {
        let mut at = 0;
        loop {
            let rest = &text[at..];
            let blank = rest.len() - rest.trim_start().len();
            let rest = &rest[blank..];
            if rest.is_empty() {
                return Some(text.len());
            }
            if rest.starts_with('.') {
                let line = rest.lines().next().unwrap_or_default();
                at += blank + (line.len() + 1).min(rest.len());
                if line.trim() == ".quit" || line.trim() == ".exit" {
                    return None;
                }
                let result = self.command(line.trim());
                self.report(result);
                continue;
            }
            match self.statement(text, at) {
                Ok(Some(tail)) => at = tail,
                Ok(None) => return Some(text.len()),
                Err(Error::IncompleteInput) if !end => return Some(at),
                Err(error) => {
                    let Some(after) = after_statement(text, at) else {
                        // A trigger whose END is still to be read; what is inside must not run.
                        if end {
                            self.report(Err(error));
                        }
                        return Some(if end { text.len() } else { at });
                    };
                    self.report(Err(error));
                    at = after;
                }
            }
        }
    }

    /// Runs the statement at `at`; returns where it ends, or `None` where there is none.
    fn statement(&mut self, text: &str, at: usize) -> Result<Option<usize>> {
        let Some((mut statement, tail)) = self.connection.prepare_at(text, at)? else {
            return Ok(None);
        };
        let result = statement.query().and_then(|mut rows| {
            let mut out = io::BufWriter::new(io::stdout().lock());
            let columns = rows.columns().to_vec();
            if columns.last().is_some_and(|name| name == "detail") {
                return query_plan(&mut rows);
            }
            let mut first = true;
            // A reader that went away is no error of ours.
            while let Some(row) = rows.next()? {
                let _ = self.settings.row(&mut out, &columns, row.values(), first);
                first = false;
            }
            let _ = out.flush();
            Ok(())
        });
        drop(statement);
        self.report(result);
        Ok(Some(tail))
    }

    fn report(&mut self, result: Result<()>) {
        if let Err(error) = result {
            let _ = io::stdout().flush();
            eprintln!("Error: {error}");
            self.failed = true;
        }
    }

    fn command(&mut self, line: &str) -> Result<()> {
        let mut words = line.split_ascii_whitespace();
        let (name, arg) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match (name, arg) {
            (".headers", on) => self.settings.headers = on == "on",
            (".nullvalue", text) => self.settings.null = text.trim_matches(['"', '\'']).to_owned(),
            (".mode", "list") => self.settings.mode = Mode::List,
            (".mode", "csv") => self.settings.mode = Mode::Csv,
            (".mode", "line") => self.settings.mode = Mode::Line,
            (".tables", _) => {
                let tables = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') \
                              AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
                for name in self.texts(tables, &[])? {
                    println!("{name}");
                }
            }
            (".schema", "") => {
                let all = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid";
                self.texts(all, &[])?.iter().for_each(|sql| println!("{sql};"));
            }
            (".schema", table) => {
                let own = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL \
                           AND tbl_name = ? COLLATE NOCASE ORDER BY rowid";
                self.texts(own, &[table.into()])?.iter().for_each(|sql| println!("{sql};"));
            }
            (".dump", _) => self.dump()?,
            (".page", number) => self.page(number)?,
            _ => return Err(Error::Sql(format!("unknown command or argument: \"{line}\""))),
        }
        Ok(())
    }

    /// The first column of a query's rows.
    fn texts(&self, sql: &str, params: &[Value]) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare(sql)?;
        statement.bind_all(params)?;
        let mut rows = statement.query()?;
        let mut texts = Vec::new();
        while let Some(row) = rows.next()? {
            texts.push(row.get(0)?);
        }
        Ok(texts)
    }

    /// Prints the SQL that makes the database anew.
    fn dump(&self) -> Result<()> {
        println!("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;");
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql IS NOT NULL \
                      AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid";
        for table in self.texts(tables, &[])? {
            let sql = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?";
            self.texts(sql, &[table.as_str().into()])?.iter().for_each(|sql| println!("{sql};"));
            let name = format!("\"{}\"", table.replace('"', "\"\""));
            let info = format!("SELECT * FROM {name} LIMIT 0");
            let columns = self.connection.prepare(&info)?.columns().to_vec();
            let quoted = |c: &String| format!("quote(\"{}\")", c.replace('"', "\"\""));
            let values = columns.iter().map(quoted).collect::<Vec<_>>().join("||','||");
            for row in self.texts(&format!("SELECT {values} FROM {name}"), &[])? {
                println!("INSERT INTO {name} VALUES({row});");
            }
        }
        let others = "SELECT sql FROM sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL";
        self.texts(others, &[])?.iter().for_each(|sql| println!("{sql};"));
        println!("COMMIT;");
        Ok(())
    }

    /// Prints what each byte of a page is.
    fn page(&self, number: &str) -> Result<()> {
        let number = number.parse().map_err(|_| Error::Sql("usage: .page N".into()))?;
        for line in inspect_page(&self.connection, number)? {
            println!("{line}");
        }
        Ok(())
    }
}

/// Draws the lines of EXPLAIN QUERY PLAN as sqlite3 does.
fn query_plan(rows: &mut Rows<'_>) -> Result<()> {
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        lines.push(row.get_named::<String>("detail")?);
    }
    println!("QUERY PLAN");
    for (at, line) in lines.iter().enumerate() {
        println!("{}--{line}", if at + 1 == lines.len() { '`' } else { '|' });
    }
    Ok(())
}

/// The parts of a page, one a line.
fn inspect_page(connection: &Connection, number: u32) -> Result<Vec<String>> {
    let line = |part: inspect::Part| {
        let range = format!("{}..{}", part.range.start, part.range.end);
        format!("{range:>12}  {:<24} {}", part.name, part.meaning)
    };
    Ok(connection.annotate_page(number)?.into_iter().map(line).collect())
}

/// Where the statement after the broken one at `at` begins: behind the next `;` outside quotes. A
/// trigger has statements inside it, which must not run by themselves: it ends at `; END;`, and is
/// `None` as long as that is missing.
fn after_statement(text: &str, at: usize) -> Option<usize> {
    let mut quote = None;
    let mut words = text[at..].split_ascii_whitespace().map(str::to_ascii_uppercase);
    let trigger = words.next().is_some_and(|word| word == "CREATE")
        && words.take(2).any(|word| word == "TRIGGER");
    // `CASE ... END;` has no `;` before its END.
    let ends = |body: &str| {
        let word = body.len().saturating_sub(3);
        body.get(word..).is_some_and(|word| word.eq_ignore_ascii_case("END"))
            && body.get(..word).is_some_and(|before| before.trim_end().ends_with(';'))
    };
    for (offset, byte) in text.bytes().enumerate().skip(at) {
        match (quote, byte) {
            (None, b';') if !trigger || ends(text[at..offset].trim_end()) => {
                return Some(offset + 1);
            }
            (None, b'\'' | b'"' | b'`') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    (!trigger).then_some(text.len())
}

impl Settings {
    fn row(
        &self,
        out: &mut impl Write,
        columns: &[String],
        values: &[Value],
        first: bool,
    ) -> io::Result<()> {
        let between: &[u8] = if self.mode == Mode::Csv { b"," } else { b"|" };
        if self.mode == Mode::Line {
            let width = columns.iter().map(String::len).max().unwrap_or(0).max(5);
            if !first {
                out.write_all(b"\n")?;
            }
            for (column, value) in columns.iter().zip(values) {
                write!(out, "{column:>width$} = ")?;
                self.value(out, value)?;
                out.write_all(b"\n")?;
            }
            return Ok(());
        }
        if first && self.headers {
            let names = columns.join(if self.mode == Mode::Csv { "," } else { "|" });
            writeln!(out, "{names}")?;
        }
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                out.write_all(between)?;
            }
            self.value(out, value)?;
        }
        out.write_all(b"\n")
    }

    fn value(&self, out: &mut impl Write, value: &Value) -> io::Result<()> {
        match value {
            Value::Null => out.write_all(self.null.as_bytes()),
            Value::Text(text) if self.mode == Mode::Csv && text.contains([',', '"', '\n']) => {
                write!(out, "\"{}\"", text.replace('"', "\"\""))
            }
            Value::Text(text) => out.write_all(text.as_bytes()),
            Value::Blob(bytes) => out.write_all(bytes),
            number => write!(out, "{number}"),
        }
    }
}
