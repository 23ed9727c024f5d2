//! How far the build of the demos has come: one writer, and any number of pages that watch.
//!
//! ```text
//! builder thread                        a page's stream (a thread of the server's pool)
//!   change(..): lock, write,              loop: send the state as an event
//!   count the version up,                       wait until the version is another one,
//!   notify_all ------------------------------>  one second at most: seconds are shown, too
//! ```
//! The version makes sure that nobody sleeps through a change that comes between sending and
//! waiting. A watcher that is slow misses versions in between and never the last one.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use web::json;
use web::json::Json;

/// What a step is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Not begun.
    Waiting,
    /// Since then.
    Running(Instant),
    /// Took so long.
    Done(Duration),
    /// There was nothing to do.
    Skipped,
    /// Ended without success; what comes after is not begun.
    Failed,
}

/// One step of the build.
#[derive(Debug, Clone)]
pub struct Step {
    /// What it does: `compiling the demos`.
    pub name: &'static str,
    /// What it is at.
    pub stage: Stage,
    /// The last thing it said, or why it failed.
    pub detail: String,
    /// The command to run by hand, once it has failed.
    pub by_hand: String,
}

/// The steps, shared by the builder and those who watch.
#[derive(Debug, Default)]
pub struct Progress {
    state: Mutex<State>,
    /// Signalled on every change.
    changed: Condvar,
}

/// Protected by [`Progress::state`].
#[derive(Debug, Default)]
struct State {
    steps: Vec<Step>,
    finished: bool,
    version: u64,
}

impl Progress {
    /// Steps that all wait. Without any there is nothing to build, and the build is finished.
    #[must_use]
    pub fn new(names: &[&'static str]) -> Self {
        let step = |&name: &&'static str| Step {
            name,
            stage: Stage::Waiting,
            detail: String::new(),
            by_hand: String::new(),
        };
        let steps: Vec<Step> = names.iter().map(step).collect();
        let state = State { finished: steps.is_empty(), steps, version: 0 };
        Progress { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Changes the step at a place, and tells all who watch.
    pub fn change(&self, at: usize, change: impl FnOnce(&mut Step)) {
        let mut state = self.lock();
        if let Some(step) = state.steps.get_mut(at) {
            change(step);
        }
        state.version += 1;
        drop(state);
        self.changed.notify_all();
    }

    /// Says that no step will change any more.
    pub fn finish(&self) {
        let mut state = self.lock();
        state.finished = true;
        state.version += 1;
        drop(state);
        self.changed.notify_all();
    }

    /// Whether no step will change any more.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.lock().finished
    }

    /// Waits until the build is finished; `false` if that takes longer than `within`.
    #[must_use]
    pub fn wait_finished(&self, within: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), within, |state| !state.finished);
        waited.unwrap_or_else(PoisonError::into_inner).0.finished
    }

    /// Waits until the version is another one than `seen`, or until `within` has passed.
    pub fn wait_change(&self, seen: u64, within: Duration) {
        let same = |state: &mut State| state.version == seen && !state.finished;
        drop(self.changed.wait_timeout_while(self.lock(), within, same));
    }

    /// The state and its version, for a page.
    #[must_use]
    pub fn snapshot(&self) -> (u64, Json) {
        let state = self.lock();
        let steps: Vec<Json> = state.steps.iter().map(step_json).collect();
        let failed = state.steps.iter().any(|step| step.stage == Stage::Failed);
        let value = json!({"steps": steps, "finished": (state.finished), "failed": failed});
        (state.version, value)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn step_json(step: &Step) -> Json {
    let (stage, time) = match step.stage {
        Stage::Waiting => ("waiting", None),
        Stage::Running(since) => ("running", Some(since.elapsed())),
        Stage::Done(took) => ("done", Some(took)),
        Stage::Skipped => ("skipped", None),
        Stage::Failed => ("failed", None),
    };
    let seconds = time.map(|time| format!("{:.1} s", time.as_secs_f64()));
    let (detail, by_hand) = (step.detail.as_str(), step.by_hand.as_str());
    json!({"name": (step.name), "stage": stage, "seconds": seconds, "detail": detail, "by_hand": by_hand})
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;

    #[test]
    fn a_watcher_sees_the_last_change_however_slow_it_is() {
        let progress = Arc::new(Progress::new(&["one", "two"]));
        let watched = Arc::clone(&progress);
        // Ends when the build is finished; joined below.
        let watcher = thread::spawn(move || {
            let mut seen = 0;
            loop {
                watched.wait_change(seen, Duration::from_secs(10));
                let (version, state) = watched.snapshot();
                assert!(version > seen || state["finished"].as_bool() == Some(true));
                seen = version;
                if state["finished"].as_bool() == Some(true) {
                    return state;
                }
            }
        });
        for n in 0..100 {
            progress.change(0, |step| step.detail = n.to_string());
        }
        progress.change(1, |step| step.stage = Stage::Failed);
        progress.change(7, |_| panic!("there is no such step"));
        progress.finish();
        let state = watcher.join().unwrap();
        assert_eq!(state["steps"][0]["detail"].as_str(), Some("99"));
        assert_eq!(state["steps"][1]["stage"].as_str(), Some("failed"));
        assert_eq!(state["failed"].as_bool(), Some(true));
    }

    #[test]
    fn waiting_ends_with_the_time_and_nothing_to_do_is_finished() {
        let progress = Progress::new(&["one"]);
        progress.wait_change(0, Duration::from_millis(1));
        assert!(!progress.wait_finished(Duration::from_millis(1)));
        let nothing = Progress::new(&[]);
        assert!(nothing.is_finished() && nothing.wait_finished(Duration::ZERO));
    }
}
