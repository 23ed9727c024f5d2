//! The playground's live pages in a real browser, and what they withstand.

#![cfg(test)]

mod rpc;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use cache::Ring;
use tests::browser::{Browser, ENTER, RIGHT, TAB};
use wasm::builder::Places;
use wasm::demos::Demos;
use wasm::live::STREAMS_MAX;
use wasm::pages;
use web::{Answer, Client, Outgoing, Server};

/// Serves a playground until the process ends, and gives its address: `http://127.0.0.1:PORT`.
fn playground() -> String {
    let engine = pages::engine(&Demos::new(Places::of_repository(), false)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // Nobody joins it.
    thread::spawn(move || Server::new(engine).serve(listener));
    url
}

fn post(url: &str, form: &str) -> Answer {
    let request = Outgoing::new("POST", url)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(form.to_owned());
    Client::new().send(request).unwrap()
}

fn page(url: &str) -> String {
    let answer = Client::new().get(url).unwrap();
    assert_eq!(answer.status, 200, "{url}");
    String::from_utf8(answer.body).unwrap()
}

/// The texts of all elements that a selector finds, joined by `|`.
fn texts(selector: &str) -> String {
    format!(
        "return [...document.querySelectorAll('{selector}')]\
         .map(e => e.textContent.replace(/\\s+/g, ' ').trim()).join('|')"
    )
}

const LIVE: &str = "return document.querySelector('[data-live]').dataset.state";

/// That the last form has been answered for: until then its button does nothing.
const SENT: &str = "return !document.querySelector('[aria-disabled=true]')";

/// The ring of the page's nodes, made by the test from the URLs that the page shows.
fn ring_of(browser: &Browser) -> (Ring, Vec<String>) {
    let urls = browser.text(&texts(".node p:nth-of-type(1) code"));
    let urls: Vec<String> = urls.split('|').map(str::to_owned).collect();
    let mut ring = Ring::new(50);
    ring.add(urls.clone());
    (ring, urls)
}

/// The number of a key's owner, as the test finds it.
fn owner((ring, urls): &(Ring, Vec<String>), key: &str) -> usize {
    urls.iter().position(|url| ring.get(key.as_bytes()) == Some(url)).unwrap() + 1
}

/// Has the page ask `node` for `key`.
fn ask(browser: &Browser, key: &str, node: usize) {
    browser.act(&format!("document.getElementById('node').value = '{node}'"));
    browser.clear("#key");
    browser.type_into("#key", &format!("{key}{ENTER}"));
    browser.wait_for(&texts("#ring .facts:first-of-type dd:nth-of-type(1)"), key);
    browser.wait_for(SENT, "true");
}

#[test]
fn a_key_is_shown_with_its_owner_its_way_and_the_bytes_between_the_nodes() {
    let Some(browser) = Browser::open("cache_key") else { return };
    let url = playground();
    browser.look(1000, false);
    browser.go(&format!("{url}/cache"));
    browser.wait_for(LIVE, "open");
    let ring = ring_of(&browser);
    let tom = owner(&ring, "Tom");
    let other = tom % 3 + 1;

    ask(&browser, "Tom", other);
    let way = texts("p.way");
    let missed = format!("Miss: node {other} asked its owner, node {tom}, which asked the source.");
    browser.wait_for(&way, &missed);
    let facts = browser.text(&texts("#ring .facts:first-of-type dd"));
    assert!(
        facts.starts_with(&format!("Tom|459235f3, the mark across the ring|node {tom}, whose")),
        "{facts}"
    );
    assert!(facts.contains(&format!("|node {other}|630, after ")), "{facts}");
    // In the picture the owner's point has the owner's colour.
    let colour = "return document.querySelector('.ring .owner').classList[1]";
    assert_eq!(browser.text(colour), format!("n{tom}"));
    assert_eq!(browser.text("return document.querySelectorAll('.ring circle').length"), "151");
    browser.act("document.getElementById('wire').scrollIntoView()");
    browser.picture("cache-wire");

    // The bytes between the two nodes, all of them named.
    let headings = browser.text(&texts("#wire h3"));
    assert_eq!(
        headings,
        format!("The request that node {tom} received|Its answer, 200|The question as a message")
    );
    let lines = browser.text(&texts("#wire .head"));
    assert!(lines.starts_with(r"GET /_geecache/scores/Tom HTTP/1.1\r\n"), "{lines}");
    assert!(
        lines.ends_with("|value: 3 bytes 630|group: 6 bytes scores key: 3 bytes Tom"),
        "{lines}"
    );
    let hex = browser.text(&texts("#wire .inspector:nth-of-type(2) .hex td:first-of-type"));
    assert_eq!(hex, "0a 03 36 33 30");
    // By keyboard: into the message, and on with the arrow.
    browser.act("document.querySelectorAll('#wire .inspector')[1].querySelector('.part').focus()");
    let said = "return document.querySelectorAll('#wire .said b')[1].textContent";
    for name in ["tag: field 1, value", "length", "value"] {
        browser.wait_for(said, name);
        browser.type_into(":focus", RIGHT);
    }

    ask(&browser, "Tom", tom);
    browser.wait_for(&way, &format!("Hit: node {tom} has it."));
    ask(&browser, "Tom", other);
    browser
        .wait_for(&way, &format!("Miss: node {other} asked its owner, node {tom}, which has it."));
    // The nodes' own numbers: gets, hits, loads, flights, of these by a peer, by the source; gets of peers.
    let stats = |node| browser.text(&texts(&format!(".node.n{node} .facts dd")));
    assert_eq!((&*stats(other), &*stats(tom)), ("2|0|2|2|2|0|0", "3|2|1|1|0|1|2"));
    ask(&browser, "kkk", owner(&ring, "kkk"));
    browser.wait_for(&texts("#ring .bad"), "kkk not exist");
    ask(&browser, "<b>&", 1);
    let value = texts("#ring .facts:first-of-type dd:nth-of-type(5) code");
    browser.wait_for(&value, "value of <b>&");

    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn fifty_callers_are_one_load_and_a_full_list_evicts_from_its_end() {
    let Some(browser) = Browser::open("cache_list") else { return };
    let url = playground();
    browser.look(1000, true);
    browser.go(&format!("{url}/cache"));
    browser.wait_for(LIVE, "open");
    browser.click("button[formaction]");
    let burst = texts("#ring h3 + .facts dd");
    browser.wait_for(&texts("#ring h3"), "50 callers at once for Tom");
    let told = browser.text(&burst);
    assert!(told.starts_with("1: so often was the source asked|2: one for each"), "{told}");
    assert!(told.contains("|50 callers in "), "{told}");

    // Keys of one node: 6 + 15 bytes each, so that five fit into 120, and the sixth pushes one out.
    let ring = ring_of(&browser);
    let node = owner(&ring, "Tom") % 3 + 1;
    let of_node = |key: &String| owner(&ring, key) == node;
    let keys: Vec<String> = (10..100).map(|n| format!("abcd{n}")).filter(of_node).take(6).collect();
    for key in &keys[..5] {
        ask(&browser, key, node);
    }
    let list = texts(&format!(".node.n{node} .tree text"));
    let newest_first =
        |order: &[usize]| order.iter().map(|&at| &*keys[at]).collect::<Vec<_>>().join("|");
    browser.wait_for(&list, &newest_first(&[4, 3, 2, 1, 0]));
    ask(&browser, &keys[0], node);
    browser.wait_for(&list, &newest_first(&[0, 4, 3, 2, 1]));
    ask(&browser, &keys[5], node);
    browser.wait_for(&list, &newest_first(&[5, 0, 4, 3, 2]));
    let below = browser.text(&texts(&format!(".node.n{node} p:nth-of-type(2)")));
    assert!(below.starts_with("105 of 120 bytes"), "{below}");
    assert!(below.ends_with(&format!("evicted: 1, last {}", keys[1])), "{below}");
    browser.picture("cache-full-list");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn nodes_come_and_go_by_keyboard_and_the_page_follows_by_itself() {
    let Some(browser) = Browser::open("cache_nodes") else { return };
    let url = playground();
    browser.look(360, false);
    browser.go(&format!("{url}/cache"));
    browser.wait_for(LIVE, "open");
    let before = ring_of(&browser);
    let names = texts(".node h3");
    assert_eq!(browser.text(&names), "node 1|node 2|node 3");

    // Somebody else adds a node: this page is not touched.
    assert_eq!(post(&format!("{url}/cache/add"), "").status, 303);
    browser.wait_for(&names, "node 1|node 2|node 3|node 4");
    let after = ring_of(&browser);
    let key = |n: usize| format!("user:{n}");
    let moved = |n: &usize| owner(&before, &key(*n)) != owner(&after, &key(*n));
    let count = (0..1000).filter(moved).count();
    assert!((100..450).contains(&count), "{count} keys moved to one of four nodes");
    let told = browser.text(&texts("#nodes > p:first-of-type"));
    assert!(
        told.starts_with(&format!("When node 4 came, {count} of 1000 keys got another owner: ")),
        "{told}"
    );
    let chips = browser.text(&texts(".chip.moved"));
    let want: Vec<String> = (0..40)
        .filter(moved)
        .map(|n| format!("{}: {}→4", key(n), owner(&before, &key(n))))
        .collect();
    assert_eq!(chips, want.join("|"));
    browser.picture("cache-moved-360");

    // By keyboard: the button before the nodes, then one of the buttons among them.
    browser.act("document.getElementById('add').focus()");
    browser.type_into(":focus", ENTER);
    browser.wait_for(&names, "node 1|node 2|node 3|node 4|node 5");
    assert_eq!(browser.text("return document.activeElement.id"), "add");
    browser.type_into(":focus", TAB);
    assert_eq!(browser.text("return document.activeElement.id"), "remove-1");
    browser.type_into(":focus", ENTER);
    browser.wait_for(&names, "node 2|node 3|node 4|node 5");
    // A part is made anew around the focus, which stays where it was.
    browser.act("document.getElementById('remove-3').focus()");
    post(&format!("{url}/cache/ask"), "key=Tom&node=2");
    browser.wait_for("return document.querySelector('p.way') != null", "true");
    browser.wait_for("return document.activeElement.id", "remove-3");

    // What cannot be is said on the page.
    for _ in 0..4 {
        post(&format!("{url}/cache/add"), "");
    }
    browser.click("#add");
    browser.wait_for(&texts(".told"), "8 nodes are the most that are drawn here");
    let wide = "return document.documentElement.scrollWidth <= innerWidth";
    assert_eq!(browser.text(wide), "true");
    let complaints = browser.complaints();
    assert!(complaints.iter().all(|line| line.contains("409")), "{complaints:?}");
}

#[test]
fn without_scripts_a_form_comes_back_to_the_page() {
    let url = playground();
    let answer = post(&format!("{url}/cache/ask"), "key=Sam&node=2");
    assert_eq!((answer.status, answer.headers.get("Location")), (303, Some("/cache#answer")));
    let shown = page(&format!("{url}/cache"));
    assert!(
        shown.contains("<dd><code>567</code>, after ") && shown.contains("value=\"Sam\""),
        "{shown}"
    );
    for (form, status, text) in [
        ("key=&node=1", 400, "a key has a letter at least\n"),
        ("key=Tom", 404, "there is no node 0\n"),
        ("key=Tom&node=9", 404, "there is no node 9\n"),
    ] {
        let answer = post(&format!("{url}/cache/ask"), form);
        assert_eq!((answer.status, &*String::from_utf8_lossy(&answer.body)), (status, text));
    }
    assert_eq!(post(&format!("{url}/cache/remove"), "node=9").status, 404);
}

/// The status of a stream and, if it is open, its connection.
fn stream(url: &str, path: &str) -> (String, BufReader<TcpStream>) {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
    let (mut line, mut stream) = (String::new(), BufReader::new(stream));
    stream.read_line(&mut line).unwrap();
    (line, stream)
}

#[test]
fn fifty_streams_are_bounded_and_the_rest_is_told_so() {
    let url = playground();
    let paths = ["/cache/live", "/orm/changes", "/rpc/live"];
    let mut open: Vec<_> = (0..50).map(|at| stream(&url, paths[at % 3])).collect();
    let served = open.iter().filter(|(line, _)| line.contains(" 200 ")).count();
    let refused = open.iter().filter(|(line, _)| line.contains(" 503 ")).count();
    assert_eq!((served, refused), (STREAMS_MAX, 50 - STREAMS_MAX));
    let (_, told) = &mut open[49];
    let mut lines = told.lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "32 pages are being kept up to date already; close one"));
    // Pages are served all the same.
    for path in ["/", "/web", "/cache", "/rpc"] {
        page(&format!("{url}{path}"));
    }
    // When they have gone there is room again, as soon as the server has noticed.
    drop(open);
    let deadline = Instant::now() + Duration::from_secs(30);
    while !stream(&url, "/cache/live").0.contains(" 200 ") {
        assert!(Instant::now() < deadline, "the seats are not given back");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn huge_input_and_floods_leave_the_playground_as_it_was() {
    let url = playground();
    let large = "x".repeat(1 << 20);
    let answer = post(&format!("{url}/cache/ask"), &format!("node=1&key={large}"));
    assert_eq!(answer.status, 413);
    assert_eq!(answer.body, b"the key is 1048576 bytes, the limit is 64\n");
    assert_eq!(post(&format!("{url}/cache/burst"), &format!("key={large}")).status, 413);
    let larger = "x".repeat(3 << 20);
    for path in ["/cache/ask", "/cache/add"] {
        assert_eq!(post(&format!("{url}{path}"), &larger).status, 413, "{path}");
    }
    assert_eq!(
        Client::new().get(&format!("{url}/cache?{}", "x".repeat(9000))).unwrap().status,
        414
    );

    // Six threads that add, remove, ask and burst as fast as they can.
    let rounds = if tests::full() { 40 } else { 10 };
    thread::scope(|scope| {
        for worker in 0..6 {
            let url = &url;
            scope.spawn(move || {
                for round in 0..rounds {
                    let node = (worker + round) % 9;
                    let (path, form) = match (worker + round) % 4 {
                        0 | 1 => ("add", String::new()),
                        2 => ("remove", format!("node={node}")),
                        _ => ("ask", format!("node={node}&key=k{round}")),
                    };
                    let answer = post(&format!("{url}/cache/{path}"), &form);
                    assert!(matches!(answer.status, 303 | 404 | 409), "{path}: {}", answer.status);
                }
            });
        }
    });
    let shown = page(&format!("{url}/cache"));
    let nodes = shown.matches("<section class=\"card node").count();
    assert!((1..=8).contains(&nodes), "{nodes} nodes");
    assert_eq!(post(&format!("{url}/cache/burst"), "key=Tom").status, 303);
    assert!(page(&format!("{url}/cache")).contains("<dd><b>1</b>: so often"));
}

#[test]
fn the_home_page_comes_in_less_than_fifty_milliseconds() {
    let url = playground();
    let client = Client::new();
    let ask = || {
        let start = Instant::now();
        assert_eq!(client.get(&url).unwrap().status, 200);
        start.elapsed()
    };
    // The best of several: what else the machine does is not the page's business.
    let best = (0..10).map(|_| ask()).min().unwrap();
    assert!(best < Duration::from_millis(50), "{best:?}");
}

#[test]
fn the_nodes_end_with_the_playground() {
    let engine = pages::engine(&Demos::new(Places::of_repository(), false)).unwrap();
    let shown = ["/cache", "/rpc"].map(|path| {
        let answer = engine.handle(web::Request::new("GET", path));
        String::from_utf8(answer.into_bytes().unwrap()).unwrap()
    });
    let shown = shown.concat().replace("<code>tcp@", "<code>http://");
    let addrs: Vec<&str> = shown
        .split("<code>http://")
        .skip(1)
        .map(|rest| rest.split(['<', '/']).next().unwrap())
        .collect();
    assert_eq!(addrs.len(), 3 + 3 + 1, "{addrs:?}");
    for addr in &addrs {
        drop(TcpStream::connect(addr).unwrap());
    }
    drop(engine);
    for addr in &addrs {
        assert!(TcpStream::connect(addr).is_err(), "{addr} still listens");
    }
}

#[test]
fn an_answer_is_shown_byte_by_byte_beside_the_request() {
    let Some(browser) = Browser::open("web_answer") else { return };
    let url = playground();
    browser.look(1000, false);
    browser.go(&format!("{url}/web"));
    browser.clear("#ask");
    browser.type_into("#ask", &format!("/chunks{ENTER}"));
    browser.wait_for(
        "return location.search == '?ask=%2Fchunks' && document.readyState == 'complete'",
        "true",
    );
    let answer = "[aria-labelledby=answer]";
    let head =
        browser.text(&format!("return document.querySelector('{answer} .head').textContent"));
    assert!(head.starts_with("HTTP/1.1 200 OK\\r\\n\n"), "{head}");
    assert!(head.contains("\n4\\r\\n\none\\n\n\\r\\n\n4\\r\\n\ntwo\\n\n"), "{head}");
    let parts = browser.text(&format!(
        "return [...document.querySelectorAll('{answer} .part')].map(part => part.dataset.name).slice(0, 7).join()"
    ));
    assert_eq!(parts, "version,space,status,space,reason,line end,field name");
    // By keyboard: its own line says what is chosen.
    browser.act(&format!("document.querySelector('{answer} .part').focus()"));
    browser.type_into(":focus", RIGHT);
    browser.type_into(":focus", RIGHT);
    browser.wait_for(&texts(&format!("{answer} .said b")), "status");
    browser.picture("web-answer");
    browser.go(&format!("{url}/web?ask=/{}", "x".repeat(300)));
    browser.wait_for(&texts(".bad"), "the path is 301 bytes, the limit is 256");
    assert_eq!(browser.complaints(), [""; 0]);
}
