//! A headless Chromium, driven through chromedriver with our own client and our own JSON.
//!
//! WebDriver is JSON over HTTP, and most of it is "POST what is wanted, get `{"value": ..}`":
//! ```text
//! POST /session                          {"capabilities": ..}      -> {"value":{"sessionId":"7c.."}}
//! POST /session/7c../url                 {"url":"http://.."}
//! POST /session/7c../execute/sync        {"script":"return 1","args":[]}  -> {"value":1}
//! POST /session/7c../element             {"using":"css selector","value":"#ans"}
//! DELETE /session/7c..
//! ```
//! When a test panics while it holds a [`Browser`], what was to be seen is saved as
//! `target/screenshots/NAME.png`; with `SCREENSHOTS=1` so is what [`Browser::picture`] is asked for.
//! References: W3C WebDriver; the `DevTools` protocol of Chrome, "Emulation".

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use web::json::{Json, parse};
use web::{Client, Outgoing, json};

use crate::peer;

/// A browser with one window; dropping it closes it.
#[derive(Debug)]
pub struct Browser {
    name: String,
    driver: Child,
    client: Client,
    /// `http://127.0.0.1:PORT/session/ID`
    session: String,
    profile: PathBuf,
}

/// What a key is in the text that [`Browser::type_into`] takes.
pub const TAB: &str = "\u{e004}";
/// See [`TAB`].
pub const ENTER: &str = "\u{e007}";
/// See [`TAB`].
pub const LEFT: &str = "\u{e012}";
/// See [`TAB`].
pub const RIGHT: &str = "\u{e014}";
/// See [`TAB`].
pub const HOME: &str = "\u{e011}";
/// See [`TAB`].
pub const END: &str = "\u{e010}";

impl Browser {
    /// Opens a browser for the test `name`; `None`, said on one line, if none is installed.
    ///
    /// # Panics
    /// If there is one and it does not start, or `REQUIRE_PEERS=1` and there is none.
    #[must_use]
    pub fn open(name: &str) -> Option<Browser> {
        let (chromedriver, _) = (peer("chromedriver")?, peer("chromium")?);
        // It finds a free port and binds it after that; between the two another may be quicker.
        let started = (0..5).find_map(|_| start_driver(&chromedriver));
        let (driver, port) = started.expect("chromedriver starts and tells its port");
        let profile = env::temp_dir().join(format!("browser-{}-{name}", std::process::id()));
        let mut browser = Browser {
            name: name.to_owned(),
            driver,
            client: Client::new(),
            session: String::new(),
            profile,
        };
        browser.client.total_timeout = Duration::from_secs(60);
        let base = format!("http://127.0.0.1:{port}/session");
        let wanted = browser.capabilities();
        let answer = browser.call("POST", &base, &wanted);
        let id = answer["sessionId"].as_str().expect("a session").to_owned();
        browser.session = format!("{base}/{id}");
        Some(browser)
    }

    fn capabilities(&self) -> Json {
        let profile = format!("--user-data-dir={}", self.profile.display());
        json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "unhandledPromptBehavior": "ignore",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                profile,
            ]},
        }}})
    }

    /// Goes to a page, and returns when it has loaded.
    pub fn go(&self, url: &str) {
        self.post("url", &json!({"url": url}));
    }

    /// Runs a function's body in the page and gives what it returns.
    #[must_use]
    pub fn run(&self, script: &str) -> Json {
        self.post("execute/sync", &json!({"script": script, "args": []}))
    }

    /// As [`Browser::run`], for a text; anything else is written as JSON.
    #[must_use]
    pub fn text(&self, script: &str) -> String {
        let value = self.run(script);
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    }

    /// Runs a script that changes something, and answers nothing.
    pub fn act(&self, script: &str) {
        let _ = self.run(script);
    }

    /// Runs a script until it returns `want`. A page has its own pace, and WebDriver can only ask.
    ///
    /// # Panics
    /// After ten seconds, with what it returned last.
    pub fn wait_for(&self, script: &str, want: &str) {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let got = self.text(script);
            if got == want {
                return;
            }
            assert!(Instant::now() < deadline, "`{script}` is {got:?}, not {want:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Clicks an element, as a mouse would.
    pub fn click(&self, selector: &str) {
        self.post(&format!("element/{}/click", self.element(selector)), &json!({}));
    }

    /// Types into an element, key by key.
    pub fn type_into(&self, selector: &str, keys: &str) {
        self.post(&format!("element/{}/value", self.element(selector)), &json!({"text": keys}));
    }

    /// Empties an input.
    pub fn clear(&self, selector: &str) {
        self.post(&format!("element/{}/clear", self.element(selector)), &json!({}));
    }

    /// The text of the open alert, which is then accepted.
    ///
    /// # Panics
    /// If none opens within ten seconds.
    #[must_use]
    pub fn alert(&self) -> String {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let text = self.try_call("GET", &format!("{}/alert/text", self.session), &Json::Null);
            if let Ok(text) = text {
                self.post("alert/accept", &json!({}));
                return text.as_str().unwrap_or_default().to_owned();
            }
            assert!(Instant::now() < deadline, "no alert: {text:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Makes the window so wide, and the desktop light or dark.
    pub fn look(&self, width: u32, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", media);
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size);
    }

    /// What the console has been told since the last call, errors and warnings only.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let log = self.post("se/log", &json!({"type": "browser"}));
        let entries = log.as_array().unwrap_or_default().iter();
        let bad = |e: &&Json| matches!(e["level"].as_str(), Some("SEVERE" | "WARNING"));
        entries.filter(bad).map(|e| e["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Saves what is to be seen under this name, if `SCREENSHOTS=1`.
    pub fn picture(&self, name: &str) {
        if env::var_os("SCREENSHOTS").is_some_and(|value| value == "1") {
            self.save(name);
        }
    }

    /// The whole page, also what is below the window.
    fn save(&self, name: &str) {
        let url = format!("{}/goog/cdp/execute", self.session);
        let ask = |cmd: &str, params: Json| {
            self.try_call("POST", &url, &json!({"cmd": cmd, "params": params}))
        };
        let Ok(metrics) = ask("Page.getLayoutMetrics", json!({})) else { return };
        // The window's width counts its scroll bar, which is not there in a picture of all.
        let script = json!({"script": "return innerWidth", "args": []});
        let inner = self.try_call("POST", &format!("{}/execute/sync", self.session), &script);
        let width = inner.ok().and_then(|width| width.as_f64()).unwrap_or(1000.0);
        let height = metrics["cssContentSize"]["height"].as_f64().unwrap_or(800.0).min(6000.0);
        let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
        let shot = json!({"captureBeyondViewport": true, "clip": clip});
        let Ok(image) = ask("Page.captureScreenshot", shot) else { return };
        let dir = target().join("screenshots");
        let file = dir.join(format!("{name}.png"));
        let bytes = base64(image["data"].as_str().unwrap_or_default());
        match fs::create_dir_all(&dir).and_then(|()| fs::write(&file, bytes)) {
            Ok(()) => eprintln!("saved {}", file.display()),
            Err(error) => eprintln!("{}: {error}", file.display()),
        }
    }

    fn element(&self, selector: &str) -> String {
        let found = self.post("element", &json!({"using": "css selector", "value": selector}));
        let id = found.as_object().and_then(|fields| fields.values().next()?.as_str());
        id.unwrap_or_else(|| panic!("no element {selector}")).to_owned()
    }

    fn devtools(&self, command: &str, params: Json) {
        self.post("goog/cdp/execute", &json!({"cmd": command, "params": params}));
    }

    fn post(&self, path: &str, body: &Json) -> Json {
        self.call("POST", &format!("{}/{path}", self.session), body)
    }

    fn call(&self, method: &str, url: &str, body: &Json) -> Json {
        self.try_call(method, url, body)
            .unwrap_or_else(|error| panic!("{method} {url} {body}: {error}"))
    }

    /// The `value` of an answer, or its error.
    fn try_call(&self, method: &str, url: &str, body: &Json) -> Result<Json, String> {
        let mut request = Outgoing::new(method, url).header("Content-Type", "application/json");
        if method == "POST" {
            request = request.body(body.to_string());
        }
        let answer = self.client.send(request).map_err(|error| error.to_string())?;
        let value = parse(&answer.body).map_err(|error| error.to_string())?;
        match value["value"]["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", value["value"]["message"])),
            None => Ok(value["value"].clone()),
        }
    }
}

/// Starts chromedriver; `None` if it ends, or says nothing for a while, instead of serving.
fn start_driver(chromedriver: &Path) -> Option<(Child, u16)> {
    let mut driver = Command::new(chromedriver)
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver can be run");
    let stdout = driver.stdout.take().expect("invariant: stdout is piped");
    let (sender, ports) = mpsc::channel();
    // Ends with the driver, whose death closes the pipe; nobody needs to join it.
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let port = line
                .split_once("started successfully on port ")
                .map(|(_, rest)| rest.trim_end_matches('.'));
            if let Some(port) = port.and_then(|port| port.parse::<u16>().ok()) {
                let _ = sender.send(port);
            }
        }
    });
    if let Ok(port) = ports.recv_timeout(Duration::from_secs(20)) {
        return Some((driver, port));
    }
    let _ = driver.kill();
    let _ = driver.wait();
    None
}

impl Drop for Browser {
    fn drop(&mut self) {
        if thread::panicking() && !self.session.is_empty() {
            self.save(&self.name);
        }
        if !self.session.is_empty() {
            let _ = self.try_call("DELETE", &self.session, &Json::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}

/// The target directory, from target/PROFILE/deps/this-test.
fn target() -> PathBuf {
    let this = env::current_exe().expect("the running test has a path");
    this.ancestors().nth(3).expect("tests run from target/PROFILE/deps").to_path_buf()
}

/// Decodes RFC 4648 base64; what is not of its alphabet is skipped.
fn base64(text: &str) -> Vec<u8> {
    let digit = |b: u8| match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let (mut bits, mut held, mut bytes) = (0u32, 0, Vec::new());
    for digit in text.bytes().filter_map(digit) {
        bits = bits << 6 | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff).to_le_bytes()[0]);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_decoded() {
        for (text, want) in
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("8J+mgA", "🦀")]
        {
            assert_eq!(base64(text), want.as_bytes());
        }
    }
}
