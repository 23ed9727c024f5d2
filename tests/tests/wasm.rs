//! The playground in a real browser: its pages, and the four demos with good and bad input.
//!
//! The playground runs in this process and builds the demos as `cargo run` does, into the same
//! folder. Only with `REQUIRE_PEERS=1` may that download anything; else, where the demos cannot be
//! built from what is here, their test says so and is not counted as run.

#![cfg(test)]

use std::net::TcpListener;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use tests::browser::{Browser, END, ENTER, HOME, LEFT, RIGHT, TAB};
use wasm::builder::{Builder, Places};
use wasm::demos::{DATABASE, DEMOS, Demos};
use wasm::progress::Stage;
use wasm::{pages, systems};
use web::{Client, Server};

/// The one playground of this test.
struct Playground {
    /// `http://127.0.0.1:PORT`
    url: String,
    demos: Demos,
    /// Builds as long as it is not dropped, and it never is.
    _builder: Option<Builder>,
}

fn playground() -> &'static Playground {
    static PLAYGROUND: OnceLock<Playground> = OnceLock::new();
    PLAYGROUND.get_or_init(|| {
        let may_download = std::env::var_os("REQUIRE_PEERS").is_some_and(|value| value == "1");
        let places = Places { offline: !may_download, ..Places::of_repository() };
        let demos = Demos::new(places, true);
        let url = serve(&demos);
        let builder = demos.build();
        Playground { url, demos, _builder: builder }
    })
}

/// Serves a playground until the process ends, and gives its address.
fn serve(demos: &Demos) -> String {
    let engine = pages::engine(demos).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // Nobody joins it.
    thread::spawn(move || Server::new(engine).serve(listener));
    url
}

/// The playground with its demos, or `None`, said on one line, if they cannot be built here.
fn with_demos() -> Option<&'static Playground> {
    let playground = playground();
    // A first build on a busy machine of two cores takes minutes.
    assert!(playground.demos.progress().wait_finished(Duration::from_secs(900)), "still building");
    let (_, state) = playground.demos.progress().snapshot();
    let steps = state["steps"].as_array().unwrap();
    let failed = steps.iter().find(|step| step["stage"].as_str() == Some("failed"));
    if let Some(step) = failed {
        tests::missing(&format!("the demos are not built ({}); `cargo run` does", step["detail"]));
        return None;
    }
    Some(playground)
}

const NOT_WHOLE: &str = "Please type a whole number, such as 10.";
const NEGATIVE: &str = "The sequence begins at 0: there is nothing for a negative number.";
const TOO_LARGE: &str = "That number has more than 128 bits; 185 is the largest n here.";
/// What is typed, and the number or the message for it.
const CASES: &[(&str, Result<&str, &str>)] = &[
    ("10", Ok("89")),
    ("0", Ok("1")),
    ("", Err(NOT_WHOLE)),
    ("3.5", Err(NOT_WHOLE)),
    ("1", Ok("1")),
    ("-1", Err(NEGATIVE)),
    ("20", Ok("10946")),
    ("186", Err(TOO_LARGE)),
    ("99999999999999999999", Err(TOO_LARGE)),
    ("185", Ok("332825110087067562321196029789634457848")),
];

const READY: &str = "return !document.getElementById('btn').disabled";
const ANS: &str = "return document.getElementById('ans').textContent";
const MSG: &str = "return document.getElementById('msg').textContent";

/// The same table for both pages that answer at once: a bad number leaves the last answer alone.
fn type_numbers(browser: &Browser) {
    browser.wait_for(READY, "true");
    assert_eq!(browser.text(ANS), "1");
    let mut last = "1";
    for (n, (typed, want)) in CASES.iter().enumerate() {
        browser.clear("#num");
        browser.type_into("#num", typed);
        if n % 2 == 0 {
            browser.click("#btn");
        } else {
            browser.type_into("#num", ENTER);
        }
        last = want.unwrap_or(last);
        browser.wait_for(MSG, want.err().unwrap_or_default());
        browser.wait_for(ANS, last);
    }
}

#[test]
fn the_demos_answer_good_and_bad_input() {
    let Some(browser) = Browser::open("demos") else { return };
    let Some(Playground { url, .. }) = with_demos() else { return };

    browser.go(&format!("{url}/wasm/hello_world"));
    assert_eq!(browser.alert(), "Hello World!");
    browser.wait_for(MSG, "");

    browser.go(&format!("{url}/wasm/register_functions"));
    type_numbers(&browser);
    for (call, want) in [
        ("fibFunc(20)", "10946"),
        ("fibFunc('5')", "8"),
        ("fibFunc(3.5)", NOT_WHOLE),
        ("fibFunc(NaN)", NOT_WHOLE),
        ("fibFunc()", NOT_WHOLE),
        ("fibFunc(null)", NOT_WHOLE),
        ("fibFunc({})", NOT_WHOLE),
        ("fibFunc(-1)", NEGATIVE),
        ("fibFunc(1e21)", NOT_WHOLE),
        ("fibFunc(4294967296)", TOO_LARGE),
        ("fibFunc('1'.repeat(1e6))", TOO_LARGE),
    ] {
        let script = format!("try {{ return {call} }} catch (error) {{ return error.message }}");
        assert_eq!(browser.text(&script), want, "{call}");
    }
    let kind = "try { fibFunc('abc') } catch (error) { return error instanceof RangeError }";
    assert_eq!(browser.text(kind), "true");
    browser.picture("register_functions");

    browser.go(&format!("{url}/wasm/manipulate_dom"));
    type_numbers(&browser);
    assert_eq!(browser.text("return typeof fibFunc"), "undefined");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_callback_comes_after_three_seconds() {
    let Some(browser) = Browser::open("callback") else { return };
    let Some(Playground { url, .. }) = with_demos() else { return };
    browser.go(&format!("{url}/wasm/callback"));
    browser.wait_for(READY, "true");
    assert_eq!(browser.text(ANS), "");
    browser.clear("#num");
    browser.type_into("#num", "20");
    let since = Instant::now();
    browser.click("#btn");
    browser.wait_for(ANS, "Waiting 3s...");
    browser.wait_for(ANS, "10946");
    let took = since.elapsed().as_secs_f64();
    assert!((2.9..8.0).contains(&took), "{took} s");
    // A bad number is told at once, and the last answer stays.
    browser.clear("#num");
    browser.type_into("#num", "-3");
    browser.click("#btn");
    browser.wait_for(MSG, NEGATIVE);
    assert_eq!(browser.text(ANS), "10946");
    // A callback's own exception is the page's business, and the next call works.
    browser.act("fibFunc(1, () => { document.title = 'called' })");
    browser.wait_for("return document.title", "called");
    assert_eq!(browser.complaints(), [""; 0]);
    browser.picture("callback");
}

#[test]
fn the_demos_are_small() {
    let Some(Playground { url, .. }) = with_demos() else { return };
    let client = Client::new();
    let size = |file: String| {
        let answer = client.get(&format!("{url}/wasm/pkg/{file}")).unwrap();
        assert_eq!(answer.status, 200, "{file}");
        answer.body.len()
    };
    for demo in DEMOS {
        let wasm = size(format!("{}_bg.wasm", demo.name));
        let js = size(format!("{}.js", demo.name));
        let most = if demo.name == "hello_world" { 3_000 } else { 16_000 };
        assert!(wasm < most && js < 10_000, "{}: {wasm} + {js} bytes", demo.name);
    }
    let page = client.get(&format!("{url}/wasm")).unwrap().body;
    assert!(!String::from_utf8(page).unwrap().contains("not built"));
}

#[test]
fn the_state_of_the_build_comes_by_itself() {
    let Some(browser) = Browser::open("build") else { return };
    let sources = std::env::temp_dir().join("no such folder");
    let demos = Demos::new(Places { out: sources.clone(), sources, offline: true }, true);
    browser.go(&format!("{}/wasm", serve(&demos)));
    let stages =
        "return [...document.querySelectorAll('.steps li')].map(li => li.className).join()";
    assert_eq!(browser.text(stages), "waiting,waiting,waiting,waiting");
    // Nobody touches the page from here on.
    demos.progress().change(0, |step| step.stage = Stage::Running(Instant::now()));
    browser.wait_for(stages, "running,waiting,waiting,waiting");
    let _builder = demos.build();
    browser.wait_for(stages, "failed,waiting,waiting,waiting");
    browser.wait_for("return document.scripts.length", "0");
    let said = browser.text("return document.querySelector('.failed').textContent");
    assert!(said.contains("the sources are no longer in ") && said.contains("By hand: "), "{said}");
    assert_eq!(browser.complaints(), [""; 0]);
}

/// What every page has to be, whatever is on it, in four looks.
fn check_page(browser: &Browser, url: &str, path: &str) {
    for (width, dark) in [(1000, false), (1000, true), (360, false), (360, true)] {
        browser.look(width, dark);
        browser.go(&format!("{url}{path}"));
        let fits = "return document.documentElement.scrollWidth <= innerWidth";
        assert_eq!(browser.text(fits), "true", "{path} at {width} is too wide");
        // Nor does the name of a chosen piece make it wide.
        let name_too_wide = "return [...document.querySelectorAll('.part')].find(part => {
            part.focus();
            return document.documentElement.scrollWidth > innerWidth;
        })?.dataset.name ?? ''";
        assert_eq!(browser.text(name_too_wide), "", "{path} at {width}");
        let paper = browser.text("return getComputedStyle(document.body).backgroundColor");
        let want = if dark { "rgb(25, 24, 22)" } else { "rgb(251, 250, 248)" };
        assert_eq!(paper, want, "{path}");
        let name = path.trim_matches('/').replace(['/', '?', '='], "-");
        browser.picture(&format!("page-{name}-{width}-{}", if dark { "dark" } else { "light" }));
    }
    let foreign = "return performance.getEntriesByType('resource').map(entry => entry.name)\
                   .filter(name => !name.startsWith(location.origin))";
    assert_eq!(browser.text(foreign), "[]", "{path} loads from elsewhere");
    let named = "return document.title.length > 5 && document.documentElement.lang == 'en' &&\
                 document.compatMode == 'CSS1Compat' && document.querySelectorAll('h1').length == 1";
    assert_eq!(browser.text(named), "true", "{path} lacks a title, a language or a heading");
    let labelled = "return [...document.querySelectorAll('input:not([type=hidden]), textarea')]\
         .every(input => input.labels.length == 1)";
    assert_eq!(browser.text(labelled), "true", "{path} has an input without a label");
    let links = browser.run("return [...document.links].map(link => link.href.split('#')[0])");
    for link in links.as_array().unwrap() {
        let link = link.as_str().unwrap();
        assert!(link.starts_with(url), "{path} links to {link}");
        let status = Client::new().get(link).unwrap().status;
        assert!(matches!(status, 200 | 302), "{path} links to {link}: {status}");
    }
    assert_eq!(browser.complaints(), [""; 0], "{path}");
}

#[test]
fn every_page_is_good_in_light_and_dark_and_when_narrow() {
    let Some(browser) = Browser::open("pages") else { return };
    let Playground { url, .. } = playground();
    for path in ["/", "/web?path=/hello/gee", "/cache", "/orm", "/orm?page=4", "/rpc", "/wasm"] {
        check_page(&browser, url, path);
    }
    if with_demos().is_some() {
        for demo in DEMOS.iter().skip(1) {
            check_page(&browser, url, &format!("/wasm/{}", demo.name));
        }
    }
    browser.go(url);
    let names = "return [...document.querySelectorAll('.card h2')].map(h => h.textContent).join()";
    assert_eq!(browser.text(names), "web,cache,orm,rpc,wasm");
    let days: usize = systems::SYSTEMS.iter().map(|system| system.days.len()).sum();
    let rows = "return document.querySelectorAll('.days tbody tr').length";
    assert_eq!(browser.text(rows), days.to_string());
}

#[test]
fn the_web_page_names_every_byte_and_lights_the_way_of_a_path() {
    let Some(browser) = Browser::open("web_page") else { return };
    let Playground { url, .. } = playground();
    browser.look(1000, false);
    browser.go(&format!("{url}/web?x=1"));
    // What is shown is the whole request, in both pictures.
    let text = "return document.querySelector('.head').textContent.split('\\n')[0]";
    assert_eq!(browser.text(text), r"GET /web?x=1 HTTP/1.1\r\n");
    let hex = "return [...document.querySelectorAll('[aria-labelledby=request] .hex td:nth-child(2)')]\
               .map(row => row.textContent.trim().replace(/\\s+/g, ' ')).join(' ')";
    let hex = browser.text(hex);
    assert!(
        hex.starts_with("47 45 54 20 2f 77 65 62 3f 78 3d 31 20 48 54 54 50 2f 31 2e 31 0d 0a")
    );
    assert!(hex.ends_with("0d 0a 0d 0a"), "{hex}");

    // By keyboard: one tab to the first part, and on with the arrows.
    let chosen = "return document.querySelector('.said b').textContent";
    let tip = "return getComputedStyle(document.activeElement, '::after').content";
    browser.act("document.querySelector('nav a:last-child').focus()");
    browser.type_into("nav a:last-child", TAB);
    browser.wait_for(chosen, "method");
    assert_eq!(browser.text(tip), "\"method\"");
    assert_eq!(browser.text("return document.querySelectorAll('.on').length"), "3");
    for (key, name) in
        [(RIGHT, "space"), (RIGHT, "target"), (LEFT, "space"), (END, "end of the head")]
    {
        browser.type_into(":focus", key);
        browser.wait_for(chosen, name);
    }
    browser.type_into(":focus", HOME);
    browser.wait_for(chosen, "method");
    // By mouse, in the picture of the bytes.
    browser.act(
        "document.querySelector('.hex .k-value').dispatchEvent(new MouseEvent('mouseover', {bubbles: true}))",
    );
    browser.wait_for(chosen, "field value");
    browser.picture("web-chosen");

    // A body is shown as it was sent.
    browser.clear("#text");
    browser.type_into("#text", "50% <b>");
    browser.click("form[method=post] button");
    browser.wait_for("return document.querySelector('.head .k-kind')?.textContent", "POST");
    let body = "return document.querySelector('.head .k-body').textContent";
    assert_eq!(browser.text(body), "text=50%25+%3Cb%3E");

    // The way of a path.
    let lit = "return [...document.querySelectorAll('.tree g.lit text')].map(t => t.textContent).join(' ')";
    assert_eq!(browser.text(lit), "");
    for (path, way, answer) in [
        ("/hello/gee", "GET /hello /:name", "answered by /hello/:name, with name = gee"),
        ("/hello/b", "GET /hello /:name", "answered by /hello/:name, with name = b"),
        ("/hello/b/c", "GET /hello /b /c", "answered by /hello/b/c. Its way"),
        ("/static/a/b", "GET /static /*file", "with file = a/b"),
        ("/none<i>", "", "No pattern matches /none<i>: 404."),
    ] {
        // What is typed is there before the answer is: the old page is marked.
        browser.act("document.body.dataset.old = 1");
        browser.clear("#path");
        browser.type_into("#path", &format!("{path}{ENTER}"));
        browser.wait_for(
            "return document.body.dataset.old === undefined && document.readyState",
            "complete",
        );
        let sorted = |text: &str| {
            let mut words: Vec<_> = text.split(' ').map(str::to_owned).collect();
            words.sort();
            words
        };
        assert_eq!(sorted(&browser.text(lit)), sorted(way), "{path}");
        let found = browser.text(
            "return document.querySelector('.found').textContent.replace(/\\s+/g, ' ').trim()",
        );
        assert!(found.contains(answer), "{path}: {found}");
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_database_in_the_page_needs_no_server() {
    let Some(browser) = Browser::open("memory") else { return };
    let Some(Playground { url, .. }) = with_demos() else { return };
    browser.go(&format!("{url}/orm"));
    let printed =
        "return document.querySelector('.printed').textContent.replace(/\\([\\d.]+ ms\\)/, '')";
    let run = |sql: &str, want: &str| {
        browser.clear("#memory-sql");
        browser.type_into("#memory-sql", sql);
        browser.click("[data-memory] button");
        browser.wait_for(printed, want);
    };
    run(
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b); INSERT INTO t(b) VALUES ('Tom'), (NULL); SELECT * FROM t;",
        "a  b\n-  ----\n1  Tom\n2  NULL\n",
    );
    run("SELECT 1/0 AS none", "none\n----\nNULL\n");
    run("INSERT INTO t VALUES (1, 2)", "Error: UNIQUE constraint failed: t.a");
    let endless: Vec<String> = (0..16).map(|n| format!("u x{n}")).collect();
    let endless = format!(
        "CREATE TABLE u AS SELECT 1 AS a UNION SELECT 2 UNION SELECT 3 UNION SELECT 4;\
         SELECT count(*) FROM {}",
        endless.join(", "),
    );
    run(&endless, "Error: interrupted");
    run("SELECT count(*) FROM t", "count(*)\n--------\n2\n");
    browser.picture("memory");
    // What it holds is a file that the real program reads.
    browser.act("ask({save: true}).then(({bytes}) => { window.saved = [...bytes].join() })");
    browser.wait_for("return typeof saved", "string");
    let saved = browser.text("return saved");
    let bytes: Vec<u8> = saved.split(',').map(|byte| byte.parse().unwrap()).collect();
    let Some(sqlite3) = tests::peer("sqlite3") else { return };
    let file = std::env::temp_dir().join(format!("memory-{}.db", std::process::id()));
    std::fs::write(&file, bytes).unwrap();
    let asked = ["PRAGMA integrity_check; SELECT group_concat(b) FROM t;"];
    let output = std::process::Command::new(sqlite3).arg(&file).args(asked).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ok\nTom\n");
    assert_eq!(browser.complaints(), [""; 0]);
}

/// The chapter of the demos explains each function of the glue, and nothing that is not in it.
#[test]
fn the_chapter_explains_each_generated_piece() {
    let Some(Playground { url, .. }) = with_demos() else { return };
    let chapter = std::fs::read_to_string(tests::root().join("wasm/demos/src/lib.rs")).unwrap();
    let (_, walk) = chapter.split_once("in the `.js`").unwrap();
    let table = walk.lines().skip(2).take_while(|line| line.starts_with("//! |"));
    let cells = table.map(|line| line.split('|').nth(1).unwrap());
    let named: Vec<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    let mut glue = String::new();
    for module in DEMOS.iter().map(|demo| demo.name).chain([DATABASE]) {
        let script = Client::new().get(&format!("{url}/wasm/pkg/{module}.js")).unwrap().body;
        glue += &String::from_utf8(script).unwrap();
    }
    for name in &named {
        assert!(glue.contains(name.trim_end_matches("...")), "the glue has no `{name}` any more");
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    for line in glue.lines() {
        let line = line.trim_start_matches("export ").trim_start_matches("async ");
        let found = line.strip_prefix("function ").or_else(|| line.strip_prefix("class "));
        let Some(name) = found.and_then(|rest| rest.split(|c| !is_name(c)).next()) else {
            continue;
        };
        let known = |known: &&str| match known.strip_suffix("...") {
            Some(start) => name.starts_with(start),
            None => *known == name,
        };
        // `start` is our own, exported.
        assert!(name == "start" || named.iter().any(known), "`{name}` is not explained");
    }
}
