//! A thread pool (day 1): bounded, elastic, and not to be killed by a panicking job.
//!
//! ```text
//! execute(job) ──► an idle thread?      ──► give it the job
//!                  fewer than max?      ──► start a thread with it
//!                  room in the queue?   ──► it waits its turn
//!                  none of these        ──► Refused: the caller says 503, nobody blocks
//! ```
//!
//! std has no epoll, so a connection needs a thread while it waits. A thread that only waits costs
//! a kernel stack and about 9 KiB of its own; a thousand of them are cheap, a million are not, and
//! that is where `mio` and `tokio` begin.
//!
//! The idea alone, without bounds, panics and retirement:
//!
//! ```
//! use std::sync::{Arc, Mutex, mpsc};
//! use std::thread;
//!
//! let (jobs, queue) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
//! let queue = Arc::new(Mutex::new(queue));
//! let workers: Vec<_> = (0..4)
//!     .map(|_| {
//!         let queue = Arc::clone(&queue);
//!         thread::spawn(move || {
//!             loop {
//!                 let job = queue.lock().unwrap().recv(); // the lock is free again after this line
//!                 let Ok(job) = job else { return };      // all senders gone: the pool has closed
//!                 job();
//!             }
//!         })
//!     })
//!     .collect();
//! let (answer, answers) = mpsc::channel();
//! for n in 1..=10 {
//!     let answer = answer.clone();
//!     jobs.send(Box::new(move || answer.send(n * n).unwrap())).unwrap();
//! }
//! drop((jobs, answer));
//! assert_eq!(answers.iter().sum::<i32>(), 385);
//! workers.into_iter().for_each(|worker| worker.join().unwrap());
//! ```

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{fmt, io};

/// A unit of work.
pub type Job = Box<dyn FnOnce() + Send + 'static>;

/// How large a pool may grow.
#[derive(Debug, Clone, Copy)]
pub struct PoolLimits {
    /// Threads at most.
    pub threads_max: usize,
    /// Jobs that may wait while all threads are busy.
    pub queue_max: usize,
    /// Bytes of stack for each thread; using more ends the process, not the thread.
    pub stack_bytes: usize,
    /// How long a thread without work stays.
    pub idle_timeout: Duration,
}

impl Default for PoolLimits {
    /// 1,024 threads with 256 KiB of stack that stay for ten seconds, 1,024 waiting jobs.
    fn default() -> Self {
        PoolLimits {
            threads_max: 1024,
            queue_max: 1024,
            stack_bytes: 256 * 1024,
            idle_timeout: Duration::from_secs(10),
        }
    }
}

/// Where [`Pool::execute`] put a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// A thread has it.
    Running,
    /// All threads are busy; it waits in the queue.
    Queued,
}

/// A job that was not accepted, given back.
pub struct Refused(pub Job);

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refused(job)")
    }
}

/// Threads that run jobs. When it is dropped its threads end with the queue; [`Pool::close`] also
/// waits for them.
#[derive(Debug)]
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    limits: PoolLimits,
    state: Mutex<State>,
    /// Signalled when a job is queued for an idle thread, and on closing.
    work: Condvar,
    /// Signalled when a thread ends.
    ended: Condvar,
    /// Jobs in the queue that no idle thread is about to take; written under the lock, read by
    /// anyone.
    backlog: Arc<AtomicUsize>,
}

/// Protected by [`Shared::state`].
#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    /// Threads that wait for work.
    idle: usize,
    /// Threads that have not ended.
    threads: usize,
    /// Their handles; one that retires removes its own.
    handles: HashMap<usize, JoinHandle<()>>,
    /// The next thread's key in `handles`.
    next: usize,
    closing: bool,
    /// The last thread that was wanted could not be started.
    spawn_fails: bool,
    /// The stack of the next thread. Here and not read from the limits, so that a test can ask for
    /// one that no system has, half-way through.
    stack_bytes: usize,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        write!(f, "{} threads, {} idle, {} jobs", state.threads, state.idle, state.queue.len())
    }
}

impl Shared {
    /// No code panics while it holds this lock; should it ever, the counters are still sound.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Woken threads have not taken their jobs yet: those jobs are not counted.
    fn note_backlog(&self, state: &State) {
        self.backlog.store(state.queue.len().saturating_sub(state.idle), Ordering::SeqCst);
    }
}

impl Pool {
    /// A pool without threads; they start when there is work.
    #[must_use]
    pub fn new(limits: PoolLimits) -> Self {
        let (work, ended, backlog) = Default::default();
        let state = State { stack_bytes: limits.stack_bytes, ..State::default() };
        let state = Mutex::new(state);
        Pool { shared: Arc::new(Shared { limits, state, work, ended, backlog }) }
    }

    /// Runs `job` on some thread, soon; never blocks.
    ///
    /// # Errors
    /// [`Refused`], with the job, when all threads are busy and the queue is full, or when no
    /// thread could be started and none is there.
    pub fn execute(&self, job: Job) -> Result<Placed, Refused> {
        let mut state = self.shared.lock();
        // A thread that has been woken counts as idle until it runs, and the job that it was woken
        // for is in the queue until then: so compare the two.
        //
        //   idle  queue  threads (max 2)
        //      0      0        0         a job comes: a thread is started, idle until it runs
        //      1      1        1         a job comes: idle <= queue, so another is started
        //      2      2        2         a job comes: idle <= queue, no more threads: it waits
        //      1      2        2         the first thread runs and has taken the first job
        if state.idle <= state.queue.len() && state.threads < self.shared.limits.threads_max {
            let started = self.start(&mut state);
            // Should the system be out of threads, those that exist will get to the job. Said when
            // it begins, not for every job.
            let before = std::mem::replace(&mut state.spawn_fails, started.is_err());
            if let (Err(error), false) = (started, before) {
                crate::log::line(format_args!("no new thread: {error}; going on with fewer"));
            }
        }
        let busy = state.idle <= state.queue.len();
        let full = state.queue.len() >= state.idle + self.shared.limits.queue_max;
        if (busy && full) || state.threads == 0 {
            return Err(Refused(job));
        }
        state.queue.push_back(job);
        self.shared.note_backlog(&state);
        drop(state);
        self.shared.work.notify_one();
        Ok(if busy { Placed::Queued } else { Placed::Running })
    }

    fn start(&self, state: &mut State) -> io::Result<()> {
        let (key, shared) = (state.next, Arc::clone(&self.shared));
        let handle = thread::Builder::new()
            .name(format!("pool-{key}"))
            .stack_size(state.stack_bytes)
            .spawn(move || work(&shared, key))?;
        state.handles.insert(key, handle);
        state.next += 1;
        state.threads += 1;
        state.idle += 1; // until it runs, like one that has been woken
        Ok(())
    }

    /// A counter of the jobs that wait because every thread is busy.
    #[must_use]
    pub fn backlog(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.shared.backlog)
    }

    /// Threads that have not ended.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.shared.lock().threads
    }

    /// Lets the queue run dry and waits, until `deadline` at most, for every thread to end; says
    /// how many did not. (A thread cannot be stopped from outside.)
    pub fn close(&self, deadline: Instant) -> usize {
        let mut state = self.shared.lock();
        state.closing = true;
        self.shared.work.notify_all();
        while state.threads > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return state.threads;
            }
            state = self
                .shared
                .ended
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let handles = std::mem::take(&mut state.handles);
        drop(state);
        for handle in handles.into_values() {
            // The thread has counted itself out; this waits for its last instructions.
            let _ = handle.join();
        }
        0
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close(Instant::now());
    }
}

/// One thread's life. Joined by [`Pool::close`], or detached when it retires.
fn work(shared: &Shared, key: usize) {
    let mut state = shared.lock();
    state.idle -= 1;
    loop {
        if let Some(job) = state.queue.pop_front() {
            shared.note_backlog(&state);
            drop(state);
            // A panic has been reported by the panic hook; this thread has other work to do.
            let _ = catch_unwind(AssertUnwindSafe(job));
            state = shared.lock();
            continue;
        }
        if state.closing {
            break;
        }
        state.idle += 1;
        let wait = shared.work.wait_timeout_while(state, shared.limits.idle_timeout, |state| {
            state.queue.is_empty() && !state.closing
        });
        let (after, waited) = wait.unwrap_or_else(PoisonError::into_inner);
        state = after;
        state.idle -= 1;
        if waited.timed_out() {
            state.handles.remove(&key);
            break;
        }
    }
    state.threads -= 1;
    shared.ended.notify_all();
}

#[cfg(test)]
mod tests;
