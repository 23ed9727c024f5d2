//! The build of the demos, beside serving: four steps, each of which may fail without harm to
//! anything but the demos.
//!
//! ```text
//! 1 looking for the target   rustc --print target-libdir    else: rustup target add wasm32-...
//! 2 compiling the demos      cargo build in wasm/demos      -> NAME.wasm, with notes for step 4
//! 3 making the glue maker    cargo build in wasm/glue       unless a fitting wasm-bindgen is there
//! 4 making the glue          glue NAME.wasm                 -> pkg/NAME.js, pkg/NAME_bg.wasm
//! ```
//! The result of a step is a file, and a step whose result is newer than what it is made from has
//! nothing to do. Cargo knows that for 2 and 3; for 4 (and so for 3) the times of the files are
//! compared. So the second start costs two programs that find everything done.
//!
//! Everything lies in `target/demos`, beside what cargo builds for the workspace, and `cargo
//! clean` removes it. A failure is one sentence and the command to run by hand ([`Step`]).
//!
//! [`Step`]: crate::progress::Step

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Instant, SystemTime};

use crate::command::Running;
use crate::demos::{DATABASE, DEMOS};
use crate::progress::{Progress, Stage};

/// The version of wasm-bindgen on both sides; a test holds the manifests to it.
pub const WASM_BINDGEN: &str = "0.2.129";

const TARGET: &str = "wasm32-unknown-unknown";

/// The steps, by their places in [`Progress`].
pub const STEPS: [&str; 4] =
    ["looking for the target", "compiling the demos", "making the glue maker", "making the glue"];

/// Where things are.
#[derive(Debug, Clone)]
pub struct Places {
    /// The folder `wasm` of the repository.
    pub sources: PathBuf,
    /// Where everything is built.
    pub out: PathBuf,
    /// Download nothing: what is not on this machine already is a failure.
    pub offline: bool,
}

impl Places {
    /// Those of the repository that this program was compiled in.
    #[must_use]
    pub fn of_repository() -> Self {
        let sources = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let root = sources.parent().unwrap_or(&sources);
        let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let target = target.unwrap_or_else(|| root.join("target"));
        let target = std::path::absolute(&target).unwrap_or(target);
        Places { out: target.join("demos"), sources, offline: false }
    }

    /// Where the finished pairs of JavaScript and WebAssembly are.
    #[must_use]
    pub fn pkg(&self) -> PathBuf {
        self.out.join("pkg")
    }

    /// What rustc makes of a demo.
    fn compiled(&self, name: &str) -> PathBuf {
        let dir = self.out.join("build").join(TARGET).join("release/examples");
        dir.join(format!("{name}.wasm"))
    }

    fn glue(&self) -> PathBuf {
        self.out.join("glue/debug").join(format!("glue{}", env::consts::EXE_SUFFIX))
    }
}

/// The thread that builds. Dropping it ends the running program and waits for the thread.
#[derive(Debug)]
pub struct Builder {
    running: Arc<Running>,
    thread: Option<JoinHandle<()>>,
}

impl Builder {
    /// Begins to build; `progress` has the steps of [`STEPS`].
    #[must_use]
    pub fn start(places: Places, progress: Arc<Progress>) -> Builder {
        let running = Arc::new(Running::default());
        let build = Build { places, progress, running: Arc::clone(&running) };
        // Ends after the last step or the first that fails; joined when the Builder is dropped,
        // which also ends the program that it may be waiting for.
        let thread = thread::spawn(move || build.run());
        Builder { running, thread: Some(thread) }
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        self.running.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Why a step failed, and what to do.
struct Failure {
    reason: String,
    by_hand: String,
}

/// What a step that succeeded says; `None`: there was nothing to do.
type Outcome = Result<Option<String>, Failure>;

struct Build {
    places: Places,
    progress: Arc<Progress>,
    running: Arc<Running>,
}

impl Build {
    fn run(&self) {
        let steps: [fn(&Build) -> Outcome; 4] =
            [Build::find_target, Build::compile, Build::make_glue_maker, Build::make_glue];
        for (at, step) in steps.into_iter().enumerate() {
            let since = Instant::now();
            self.progress.change(at, |step| step.stage = Stage::Running(since));
            eprintln!("demos: {} ...", STEPS[at]);
            let outcome = step(self);
            let (took, failed) = (since.elapsed(), outcome.is_err());
            // The page first: who reads the line in the terminal finds it there, too.
            match outcome {
                Ok(said) => {
                    let stage = if said.is_none() { Stage::Skipped } else { Stage::Done(took) };
                    let said = said.unwrap_or_else(|| "nothing to do".to_owned());
                    let line = format!("{said} ({:.1} s)", took.as_secs_f64());
                    self.progress.change(at, |step| (step.stage, step.detail) = (stage, said));
                    eprintln!("demos: {}: {line}", STEPS[at]);
                }
                Err(Failure { reason, by_hand }) => {
                    let line = format!("{reason}; by hand: {by_hand}");
                    self.progress.change(at, |step| {
                        step.stage = Stage::Failed;
                        (step.detail, step.by_hand) = (reason, by_hand);
                    });
                    eprintln!("demos: {} failed: {line}", STEPS[at]);
                }
            }
            if failed {
                break;
            }
        }
        self.progress.finish();
    }

    /// Runs a program for the step at a place, showing the line that it wrote last.
    fn command(
        &self,
        at: usize,
        dir: &str,
        program: &str,
        args: &[&str],
    ) -> Result<String, String> {
        let dir = self.places.sources.join(dir);
        self.running.run(&dir, program, args, |line| {
            self.progress.change(at, |step| line.clone_into(&mut step.detail));
        })
    }

    fn find_target(&self) -> Outcome {
        let by_hand = format!("rustup target add {TARGET}");
        let fail = |reason| Failure { reason, by_hand: by_hand.clone() };
        let sources = self.places.sources.join("demos");
        if !sources.is_dir() {
            return Err(Failure {
                reason: format!("the sources are no longer in {}", sources.display()),
                by_hand: "cargo run, in the repository".to_owned(),
            });
        }
        self.make_folder()?;
        let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
        let asked = ["--print", "target-libdir", "--target", TARGET];
        let found = self.command(0, "demos", &rustc, &asked).map_err(|reason| Failure {
            reason,
            by_hand: format!("install Rust as https://rustup.rs tells, then {by_hand}"),
        })?;
        if Path::new(found.trim()).is_dir() {
            return Ok(Some(format!("{TARGET} is installed")));
        }
        if self.places.offline {
            return Err(fail(format!("the target {TARGET} is not installed")));
        }
        // With a Rust that does not come from rustup the target is another package of the system.
        self.command(0, "demos", "rustup", &["target", "add", TARGET]).map_err(|reason| {
            fail(format!("the target {TARGET} is not installed, and cannot be added: {reason}"))
        })?;
        Ok(Some(format!("{TARGET} has been added")))
    }

    /// Makes the folder for the results, and sees that it can be written to.
    fn make_folder(&self) -> Result<(), Failure> {
        let pkg = self.places.pkg();
        let fail = |what: &str, error: std::io::Error| Failure {
            reason: format!("{} cannot be {what}: {error}", pkg.display()),
            by_hand: "CARGO_TARGET_DIR=/a/folder/to/write/in cargo run".to_owned(),
        };
        fs::create_dir_all(&pkg).map_err(|error| fail("made", error))?;
        let probe = pkg.join(format!("probe-{}", std::process::id()));
        let written = fs::write(&probe, "").and_then(|()| fs::remove_file(&probe));
        written.map_err(|error| fail("written to", error))
    }

    fn compile(&self) -> Outcome {
        let out = self.places.out.join("build");
        let args = ["build", "--release", "--locked", "--examples", "--target", TARGET];
        self.cargo(1, "demos", &args, &out)?;
        Ok(Some(format!("{} modules", modules().count())))
    }

    fn make_glue_maker(&self) -> Outcome {
        if self.glue_is_fresh() {
            return Ok(None);
        }
        if self.finds_wasm_bindgen() {
            return Ok(Some(format!("wasm-bindgen {WASM_BINDGEN} is on PATH")));
        }
        self.cargo(2, "glue", &["build", "--locked"], &self.places.out.join("glue"))?;
        Ok(Some(format!("wasm-bindgen-cli-support {WASM_BINDGEN}")))
    }

    fn make_glue(&self) -> Outcome {
        let sizes = || Ok(Some(sizes(&self.places.pkg())));
        if self.glue_is_fresh() {
            return sizes();
        }
        // A playground that builds at the same time has a folder of its own.
        let made = self.places.out.join(format!("new-{}", std::process::id()));
        let out = made.display().to_string();
        let inputs: Vec<String> =
            modules().map(|name| self.places.compiled(name).display().to_string()).collect();
        let glue = self.places.glue().display().to_string();
        let mut runs: Vec<Vec<&str>> = Vec::new();
        if self.finds_wasm_bindgen() {
            let flags = ["wasm-bindgen", "--target", "web", "--no-typescript", "--out-dir", &out];
            let more =
                ["--remove-name-section", "--remove-producers-section", "--encode-into", "always"];
            runs.extend(inputs.iter().map(|input| [&flags[..], &more, &[input]].concat()));
        } else {
            runs.push(
                [&[&*glue, &*out][..], &inputs.iter().map(|i| &**i).collect::<Vec<_>>()].concat(),
            );
        }
        for run in &runs {
            self.command(3, "glue", run[0], &run[1..])
                .map_err(|reason| Failure { reason, by_hand: run.join(" ") })?;
        }
        // Renamed one by one when all is there: a page never loads half a file.
        move_files(&made, &self.places.pkg())
            .map_err(|error| Failure { reason: error.to_string(), by_hand: runs[0].join(" ") })?;
        sizes()
    }

    /// Runs cargo for the step at a place; `--target-dir` keeps what it builds in one folder.
    fn cargo(&self, at: usize, dir: &str, args: &[&str], out: &Path) -> Result<String, Failure> {
        let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let out = out.display().to_string();
        let offline: &[&str] = if self.places.offline { &["--offline"] } else { &[] };
        let args = [args, offline, &["--target-dir", &out]].concat();
        self.command(at, dir, &cargo, &args).map_err(|reason| Failure {
            reason,
            by_hand: format!("cd wasm/{dir} && cargo {}", args.join(" ")),
        })
    }

    fn finds_wasm_bindgen(&self) -> bool {
        let asked = self.running.run(&self.places.sources, "wasm-bindgen", &["--version"], |_| {});
        asked.is_ok_and(|said| said.trim() == format!("wasm-bindgen {WASM_BINDGEN}"))
    }

    /// Whether every pair is newer than its module.
    fn glue_is_fresh(&self) -> bool {
        modules().all(|name| {
            let input = modified(&self.places.compiled(name));
            let pair = [format!("{name}.js"), format!("{name}_bg.wasm")];
            let fresh = |name: &String| modified(&self.places.pkg().join(name)) >= input;
            input.is_some() && pair.iter().all(fresh)
        })
    }
}

/// The demos, and the database of the page `/orm`.
fn modules() -> impl Iterator<Item = &'static str> {
    DEMOS.iter().map(|demo| demo.name).chain([DATABASE])
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|meta| meta.modified()).ok()
}

fn move_files(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::rename(entry.path(), to.join(entry.file_name()))?;
    }
    fs::remove_dir(from)
}

/// `hello_world 2773 + 4982 bytes, ...`: WebAssembly and JavaScript.
fn sizes(pkg: &Path) -> String {
    let size = |name: String| fs::metadata(pkg.join(name)).map_or(0, |meta| meta.len());
    let of = |name: &str| {
        let (wasm, js) = (size(format!("{name}_bg.wasm")), size(format!("{name}.js")));
        format!("{name} {wasm} + {js} bytes")
    };
    modules().map(of).collect::<Vec<_>>().join(", ")
}
