//! The page of rpc: calls, servers that come and go, and a request byte by byte.

use std::thread;
use std::time::{Duration, Instant};

use tests::browser::{Browser, ENTER, RIGHT};
use web::Client;

use crate::{LIVE, SENT, page, playground, post, texts};

/// Fills the form of /rpc and has the calls made.
fn call(browser: &Browser, fields: &[(&str, &str)]) {
    for (id, value) in fields {
        browser.act(&format!("document.getElementById('{id}').value = '{value}'"));
    }
    browser.type_into("#go", ENTER);
    browser.wait_for(SENT, "true");
}

const FACTS: &str = "#flow .facts";

/// How many replies each server gave in the last round, by its number.
fn replies(browser: &Browser) -> [usize; 3] {
    [1, 2, 3].map(|number| {
        let count = browser.text(&format!(
            "return [...document.querySelectorAll('{FACTS} dt')]\
             .find(dt => dt.textContent == 'server {number}')?.nextElementSibling.textContent ?? '0 replies'"
        ));
        count.split_once(" repl").unwrap().0.parse().unwrap()
    })
}

/// The page of rpc, once it is live.
fn open_rpc(test: &str) -> Option<Browser> {
    let browser = Browser::open(test)?;
    browser.look(1000, false);
    browser.go(&format!("{}/rpc", playground()));
    browser.wait_for(LIVE, "open");
    Some(browser)
}

/// Waits until the page says that these calls were made.
fn made(browser: &Browser, text: &str) {
    let said = format!("return document.querySelector('p.way')?.textContent.startsWith('{text}')");
    browser.wait_for(&said, "true");
}

#[test]
fn every_policy_shows_its_counts() {
    let Some(browser) = open_rpc("rpc_policies") else { return };
    let way = |text| made(&browser, text);
    call(&browser, &[]);
    way("12 times Foo.Sum(3, 4), round robin, fail: ");
    assert_eq!(replies(&browser), [4, 4, 4]);
    let facts = browser.text(&texts(&format!("{FACTS} dd")));
    assert!(facts.contains("|7, of server "), "{facts}");
    // The picture says the same.
    assert_eq!(browser.text(&texts(".flow .count")), "4|4|4");
    browser.picture("rpc-round-robin");

    call(&browser, &[("select", "hash"), ("key", "Sam"), ("num1", "40")]);
    way("12 times Foo.Sum(40, 4), hash, fail: ");
    let first = replies(&browser);
    assert!(first.contains(&12), "{first:?}");
    call(&browser, &[("count", "13")]);
    way("13 times Foo.Sum(40, 4), hash, fail: ");
    assert_eq!(replies(&browser).map(|count| count == 13), first.map(|count| count == 12));
    // A line is as thick as its share of the replies.
    let thick = "return [...document.querySelectorAll('.flow .call')]\
                 .map(path => getComputedStyle(path).strokeWidth).join()";
    let want = first.map(|count| if count == 12 { "12px" } else { "2px" });
    assert_eq!(browser.text(thick), want.join(","));

    call(&browser, &[("select", "weighted"), ("count", "60")]);
    way("60 times Foo.Sum(40, 4), weighted, fail: ");
    let [heavy, light, other] = replies(&browser);
    assert!(heavy >= 18 && heavy + light + other == 60, "{heavy}, {light}, {other}");

    call(
        &browser,
        &[
            ("select", "least pending"),
            ("method", "Foo.Sleep"),
            ("num1", "30"),
            ("count", "12"),
            ("limit", "3000"),
        ],
    );
    way("12 times Foo.Sleep(30, 4), least pending, fail: ");
    let busy = replies(&browser);
    assert!(busy.iter().sum::<usize>() == 12 && !busy.contains(&0), "{busy:?}");
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "{complaints:?}");
}

#[test]
fn every_fail_mode_shows_its_counts() {
    let Some(browser) = open_rpc("rpc_failures") else { return };
    let way = |text| made(&browser, text);
    // A call that is too slow, and a method that fails.
    call(
        &browser,
        &[
            ("select", "random"),
            ("method", "Foo.Sleep"),
            ("num1", "1000"),
            ("limit", "50"),
            ("count", "3"),
        ],
    );
    way("3 times Foo.Sleep(1000, 4), random, fail: ");
    let errors = texts(&format!("{FACTS} .bad"));
    assert_eq!(browser.text(&errors), "rpc client: call failed: context deadline exceeded");
    assert_eq!(browser.text(&texts(&format!("{FACTS} dt"))), "3 errors");
    call(
        &browser,
        &[("method", "Foo.Fail"), ("limit", "500"), ("mode", "broadcast"), ("count", "1")],
    );
    way("Once Foo.Fail(1000, 4), random, broadcast: ");
    let failed = browser.text(&errors);
    assert!(failed.starts_with("boom on server "), "{failed}");
    assert_eq!(browser.text(&texts(&format!("{FACTS} dt"))), "1 error");

    call(&browser, &[("method", "Foo.Sum"), ("mode", "broadcast all"), ("count", "2")]);
    way("2 times Foo.Sum(1000, 4), random, broadcast all: ");
    assert_eq!(replies(&browser), [2, 2, 2]);
    // What cannot be read is said on the page.
    call(&browser, &[("num1", "x")]);
    browser.wait_for(&texts(".told"), "num1: please give a whole number");
    let complaints = browser.complaints();
    assert!(complaints.iter().all(|line| line.contains("400")), "{complaints:?}");
}

#[test]
fn a_server_that_goes_is_noticed_by_the_registry_and_survived_by_the_client() {
    let Some(browser) = Browser::open("rpc_servers") else { return };
    let url = playground();
    browser.look(360, true);
    browser.go(&format!("{url}/rpc"));
    browser.wait_for(LIVE, "open");
    let server = |number: usize| texts(&format!(".node.n{number} .facts dd"));
    call(&browser, &[]);
    browser.wait_for("return !!document.querySelector('p.way')", "true");

    // In good order: the registry is told at once, the client goes by its list.
    browser.click("#stop-3");
    browser.wait_for(&server(3), "stopped|does not know it|has it in its list");
    // Without a word: the registry keeps it until it has been silent for six seconds.
    browser.act("document.getElementById('crash-2').focus()");
    browser.type_into(":focus", ENTER);
    browser.wait_for(&texts(".node.n2 .facts dd:nth-of-type(1)"), "lost its power");
    let heard = browser.text(&texts(".node.n2 .facts dd:nth-of-type(2)"));
    assert!(heard.starts_with("heard "), "{heard}");

    // One server of three is left: some calls fail, none when another server is tried.
    call(&browser, &[]);
    browser.wait_for(&format!("return !!document.querySelector('{FACTS} .bad')"), "true");
    let error = browser.text(&texts(&format!("{FACTS} .bad")));
    assert!(error.contains("connect to tcp@127.0.0.1:"), "{error}");
    call(&browser, &[("mode", "failover")]);
    browser.wait_for(&format!("return !!document.querySelector('{FACTS} .bad')"), "false");
    assert_eq!(replies(&browser), [12, 0, 0]);
    browser.picture("rpc-failover-360");
    browser.wait_for(&server(2), "lost its power|does not know it|has it in its list");

    // A new one in its place, on another port, is there for the registry at once.
    browser.click("#start-2");
    browser.wait_for(&texts(".node.n2 .facts dd:nth-of-type(1)"), "runs, 0 calls");
    let heard = browser.text(&texts(".node.n2 .facts dd:nth-of-type(2)"));
    assert!(heard.starts_with("heard ") && heard.ends_with(" s ago"), "{heard}");
    let wide = "return document.documentElement.scrollWidth <= innerWidth";
    assert_eq!(browser.text(wide), "true");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_request_is_shown_byte_by_byte_as_gob_and_as_json() {
    let Some(browser) = Browser::open("rpc_bytes") else { return };
    let url = playground();
    browser.look(1000, false);
    browser.go(&format!("{url}/rpc?method=Foo.Sum&num1=-3&num2=0"));
    let hex = |nth: usize| {
        browser.text(&format!(
            "return [...document.querySelectorAll('.inspector')[{nth}].querySelectorAll('.hex td:nth-child(2)')]\
             .map(row => row.textContent.trim().replace(/\\s+/g, ' ')).join(' ')"
        ))
    };
    // The header that Go sends, as rpc/src/gob/mod.rs has it, with Foo.Sum and number 1.
    let gob = hex(0);
    assert!(
        gob.starts_with("38 ff 81 03 01 01 06 48 65 61 64 65 72 01 ff 82 00 01 03 01 0d"),
        "{gob}"
    );
    // Num1 = -3 is 05, Num2 = 0 is not sent; twice.
    assert!(gob.ends_with("05 ff 84 01 05 00"), "{gob}");
    let lines = browser.text("return document.querySelectorAll('.inspector .head')[0].textContent");
    for line in [
        "56 bytes: type 65 is \n  +3 StructT \n",
        "5 bytes: Args \n  +1 Num1 -3\nend\n14 bytes: Header \n",
    ] {
        assert!(lines.contains(line), "no {line:?} in {lines}");
    }
    let json = browser.text("return document.querySelectorAll('.inspector .head')[1].textContent");
    let want = r#"{"ServiceMethod":"Foo.Sum","Seq":1,"Error":""}\n"#;
    assert!(json.starts_with(want) && json.contains(r#"{"Num1":-3,"Num2":0}\n"#), "{json}");

    // Another one, by the form, and by keyboard through its names.
    browser.clear("#a");
    browser.type_into("#a", &format!("1000{ENTER}"));
    browser.wait_for(
        "return location.search.includes('num1=1000') && document.readyState == 'complete'",
        "true",
    );
    assert!(hex(0).ends_with("07 ff 84 01 fe 07 d0 00"), "{}", hex(0));
    let said = "return document.querySelector('.said b').textContent";
    browser.act("document.querySelector('.inspector .part').focus()");
    for name in ["message length", "a definition", "field delta"] {
        browser.wait_for(said, name);
        browser.type_into(":focus", RIGHT);
    }
    browser.picture("rpc-bytes");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn calls_are_bounded_whatever_is_asked_for() {
    let url = playground();
    let form = "method=Foo.Sleep&num1=99999999&num2=1&count=99999999&limit=99999999&select=random";
    let start = Instant::now();
    // Six calls that would sleep for a day, and another round at the same time.
    let six = form.replace("count=99999999", "count=6");
    thread::scope(|scope| {
        // Whoever comes first makes its calls; the round tries again until it is the first.
        let (url, form) = (&url, &six);
        let round = scope.spawn(move || {
            loop {
                let status = post(&format!("{url}/rpc/call"), form).status;
                if status != 409 {
                    return status;
                }
            }
        });
        let deadline = Instant::now() + Duration::from_secs(20);
        while post(&format!("{url}/rpc/call"), "count=1").status != 409 {
            assert!(Instant::now() < deadline, "two rounds at the same time");
        }
        assert_eq!(round.join().unwrap(), 303);
    });
    assert!(start.elapsed() < Duration::from_secs(60));
    let shown = page(&format!("{url}/rpc"));
    assert!(shown.contains("6 times Foo.Sleep(99999999, 1), random, fail"), "{shown}");
    let large = "x".repeat(1 << 20);
    for (form, status, text) in [
        (&*format!("key={large}"), 413, "the key is 1048576 bytes, the limit is 64\n"),
        (&*format!("num1={large}"), 400, "num1: please give a whole number\n"),
        (&*format!("num1={}", "9".repeat(1 << 20)), 400, "num1: please give a whole number\n"),
        ("select=best", 400, "select: there is no such one\n"),
        ("mode=%00", 400, "mode: there is no such one\n"),
        ("method=Foo.None", 400, "method: there is no such one\n"),
    ] {
        let answer = post(&format!("{url}/rpc/call"), form);
        assert_eq!((answer.status, &*String::from_utf8_lossy(&answer.body)), (status, text));
    }
    assert_eq!(Client::new().get(&format!("{url}/rpc?num1=x")).unwrap().status, 400);
}

#[test]
fn servers_that_are_stopped_and_started_in_a_flood_are_three_in_the_end() {
    let url = playground();
    for (path, form, status) in [
        ("start", "server=1", 409),
        ("start", "server=4", 404),
        ("stop", "server=0", 404),
        ("crash", "", 404),
    ] {
        assert_eq!(post(&format!("{url}/rpc/{path}"), form).status, status, "{path} {form}");
    }
    // Four threads that stop and start as fast as they can.
    let rounds = if tests::full() { 40 } else { 10 };
    thread::scope(|scope| {
        for worker in 0..4 {
            let url = &url;
            scope.spawn(move || {
                for round in 0..rounds {
                    let path = ["stop", "start", "crash", "start"][(worker + round) % 4];
                    let form = format!("server={}", round % 3 + 1);
                    let status = post(&format!("{url}/rpc/{path}"), &form).status;
                    assert!(matches!(status, 303 | 409), "{path}: {status}");
                }
            });
        }
    });
    for server in 1..=3 {
        post(&format!("{url}/rpc/start"), &format!("server={server}"));
    }
    assert_eq!(page(&format!("{url}/rpc")).matches("runs, ").count(), 3);
    assert_eq!(post(&format!("{url}/rpc/call"), "mode=failover").status, 303);
}
