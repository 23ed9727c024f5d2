//! The repository keeps its own promises: no outside package, no `unsafe`, files that can be read
//! in one sitting, and a README whose table is true.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use tests::root;

/// Every file below `dir` whose name ends so, build output apart.
fn files(dir: &Path, suffix: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            files(&path, suffix, found);
        } else if path.is_file() && name.ends_with(suffix) {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    files(&root(), ".rs", &mut found);
    assert!(found.len() > 20, "the sources are not where they were");
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn the_lock_file_names_no_package_from_outside() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    assert!(lock.contains("name = \"web\""));
    assert!(!lock.contains("source = "), "a package from outside: see Cargo.lock");
}

#[test]
fn no_code_is_unsafe() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"forbid\""));
    let mut manifests = Vec::new();
    files(&root(), "Cargo.toml", &mut manifests);
    let text = |path: &PathBuf| fs::read_to_string(path).unwrap();
    // The excluded packages have lints of their own: wasm-bindgen writes `unsafe` into its users.
    let inside = |path: &&PathBuf| !text(path).contains("[workspace]\n");
    for path in manifests.iter().filter(inside) {
        assert!(
            text(path).contains("[lints]\nworkspace = true"),
            "{} has no lints",
            path.display()
        );
    }
}

/// A file of the engine or a framework fits a sitting; tests and tables may be longer.
#[test]
fn no_source_file_is_longer_than_500_lines() {
    let long: Vec<String> = sources()
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(path, lines)| {
            *lines > 500 && path.components().any(|part| part.as_os_str() == "src")
        })
        .map(|(path, lines)| format!("{} has {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

/// The course of a crate never imports what is beyond it; its lib.rs may name it again.
#[test]
fn the_course_does_not_need_what_is_beyond_it() {
    for (path, text) in sources() {
        let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_owned()).collect();
        let inside = |name: &str| parts.iter().any(|part| part == name);
        let lib = path.file_name().is_some_and(|name| name == "lib.rs" || name == "beyond.rs");
        if inside("src") && !inside("beyond") && !lib && !inside("wasm") {
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let uses: Vec<_> = code.filter(|line| line.contains("beyond::")).collect();
            assert!(uses.is_empty(), "{} uses {uses:?}", path.display());
        }
    }
}

/// Who may know whom: nothing points upwards, and cache and rpc do not know each other.
#[test]
fn crates_depend_on_those_below_only() {
    const BELOW: &[(&str, &[&str])] = &[
        ("web", &[]),
        ("cache", &["web"]),
        ("orm", &["orm-derive"]),
        ("orm/derive", &[]),
        ("rpc", &["web"]),
        ("wasm", &["web", "cache", "orm", "rpc"]),
    ];
    for (krate, below) in BELOW {
        let manifest = fs::read_to_string(root().join(krate).join("Cargo.toml")).unwrap();
        let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
        for line in lines.take_while(|line| !line.starts_with('[')) {
            let name = line.split([' ', '=', '.']).next().unwrap();
            assert!(name.is_empty() || below.contains(&name), "{krate} depends on {name}");
        }
    }
}

/// The lines of code, neither comments nor tests, of the sources in `src` of the crates that others
/// use. The SQL engine is not among them: its words are SQLite's.
fn lines_of_the_crates() -> Vec<(PathBuf, String)> {
    let mut lines = Vec::new();
    for (path, text) in sources() {
        let inside = path.strip_prefix(root()).unwrap().to_owned();
        let names: Vec<_> = inside.iter().map(|part| part.to_str().unwrap()).collect();
        let crates = ["web", "cache", "orm", "rpc"].contains(&names[0]) && names[1] == "src";
        if crates && names[2] != "sql" && !names.iter().any(|name| name.starts_with("tests")) {
            let code = text.split("#[cfg(test)]").next().unwrap().lines();
            let code = code.filter(|line| !line.trim_start().starts_with("//"));
            lines.extend(code.map(|line| (inside.clone(), line.trim().to_owned())));
        }
    }
    assert!(lines.len() > 10_000, "the crates are not where they were: {}", lines.len());
    lines
}

/// Whoever knows the settings of one crate can guess those of another: a time is a `Duration` named
/// `..._timeout`, a limit ends in `_max`, and a method that sets something is named for it (`with_...`
/// makes something anew).
#[test]
fn settings_are_named_alike() {
    let mut times = 0;
    for (path, line) in lines_of_the_crates() {
        let field = line.strip_prefix("pub ").and_then(|rest| rest.strip_suffix(','));
        if let Some((name, kind)) = field.and_then(|field| field.split_once(": ")) {
            let time = kind == "Duration" && !name.starts_with("rest_");
            times += u32::from(time);
            let size = ["usize", "u32", "u64"].contains(&kind);
            let odd = name.starts_with("max_") || name.ends_with("_limit");
            assert!(!time || name.ends_with("_timeout"), "{}: {line}", path.display());
            assert!(!size || !odd, "{}: {line}", path.display());
        }
        let setter = line.starts_with("pub fn with_") && line.contains("(mut self");
        assert!(!setter, "{}: {line}", path.display());
    }
    assert!(times >= 14, "{times} times");
}

/// What an error says may stand inside another sentence: it begins small, except with a name or a
/// word of a protocol, and has no full stop.
#[test]
fn error_texts_begin_small_and_end_without_a_stop() {
    const NAMES: &[&str] = &["Host", "Content-Length", "Transfer-Encoding", "Set-Cookie", "NaN"];
    let mut texts = 0;
    for (path, line) in lines_of_the_crates() {
        if !["Error::", "refuse(", "reason:"].iter().any(|sign| line.contains(sign)) {
            continue;
        }
        for text in line.split('"').skip(1).step_by(2) {
            let word = text.split(' ').next().unwrap_or_default();
            let named = NAMES.contains(&word) || !word.contains(char::is_lowercase);
            let small = named || !word.starts_with(char::is_uppercase);
            assert!(small && !text.ends_with('.'), "{}: {text:?}", path.display());
            texts += 1;
        }
    }
    assert!(texts > 150, "{texts} texts");
}

/// The book's page of deviations has every number that the chapters use.
#[test]
fn every_deviation_is_in_the_book() {
    let page = fs::read_to_string(root().join("wasm/src/book/deviations.rs")).unwrap();
    for (system, last) in [("WEB", 23), ("CACHE", 19), ("ORM", 22), ("RPC", 23), ("WASM", 3)] {
        let row = format!("| {system}-");
        let cells = page.lines().filter_map(|line| line.strip_prefix("//! ")?.strip_prefix(&row));
        let cells: Vec<_> = cells.map(|line| line.split(" |").next().unwrap()).collect();
        let numbers: Vec<u32> =
            cells.iter().flat_map(|cell| cell.split(", ").map(|n| n.parse().unwrap())).collect();
        assert_eq!(numbers, (1..=last).collect::<Vec<_>>(), "{system}");
    }
}

/// A chapter has all its parts. (Day 0 of orm is a book of its own, in many modules.)
#[test]
fn every_chapter_is_whole() {
    const PARTS: &[(&str, &[&str])] = &[
        ("what one will have", &["t the end", "ou will have"]),
        ("how long it takes", &["minutes", "hour"]),
        ("why", &["//! # Why"]),
        ("a picture, or the bytes", &["//! ```text"]),
        ("the idea alone", &["//! # The idea alone"]),
        ("the walk", &["//! # The walk"]),
        ("what the borrow checker says", &["//! # What the borrow checker says"]),
        ("what is otherwise in Go", &["//! # Where this differs", "//! # Differences"]),
        ("a command to try", &["//! # Try it\n//! `cargo run"]),
        ("exercises", &["xercise"]),
    ];
    let days = wasm::systems::SYSTEMS.iter().flat_map(|system| system.days);
    let mut chapters = 0;
    for day in days.filter(|day| day.day != "0") {
        let text = fs::read_to_string(root().join(day.module)).unwrap();
        let is_doc = |line: &&str| line.starts_with("//!") || line.starts_with("#![doc");
        let docs: Vec<&str> = text.lines().take_while(is_doc).collect();
        let docs = docs.join("\n");
        for (part, words) in PARTS {
            let there = words.iter().any(|word| docs.contains(word));
            assert!(there, "the chapter in {} lacks {part}", day.module);
        }
        chapters += 1;
    }
    assert!(chapters >= 32, "only {chapters} chapters");
}

/// Every row of the README's table: its module and its example are there.
#[test]
fn every_day_of_the_readme_is_there() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let mut rows = 0;
    for line in readme.lines().filter(|l| l.starts_with('|') && l.contains("--example day")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let (module, command, tests) =
            (cells[3].trim_matches('`'), cells[4].trim_matches('`'), cells[5]);
        let words: Vec<&str> = command.split(' ').collect();
        let [.., "-p", package, "--example", example] = words[..] else { panic!("{command}") };
        let examples = root().join(package).join("examples");
        let there =
            [examples.join(format!("{example}.rs")), examples.join(example).join("main.rs")];
        assert!(there.iter().any(|file| file.is_file()), "no example {example}");
        let (krate, path) = module.split_once("::").unwrap();
        let file = root().join(krate).join("src").join(path.replace("::", "/"));
        let there = [file.with_extension("rs"), file.join("mod.rs")];
        assert!(there.iter().any(|file| file.is_file()), "no module {module}");
        for test in tests.split(", ").map(|name| name.trim_matches('`')) {
            let file = root().join("tests/tests").join(format!("{test}.rs"));
            assert!(file.is_file(), "no test {test}");
        }
        rows += 1;
    }
    assert!(rows >= 7, "the table has {rows} rows");
    for command in ["cargo run ", "cargo test "] {
        assert!(readme.contains(&format!("    {command}")), "the README does not show {command}");
    }
}
