//! What the pool promises.

use super::*;
use std::sync::mpsc;

const SOON: Duration = Duration::from_secs(20);

fn pool(threads_max: usize, queue_max: usize) -> Pool {
    Pool::new(PoolLimits { threads_max, queue_max, ..PoolLimits::default() })
}

#[test]
fn jobs_run_wait_and_are_refused_in_this_order() {
    let pool = pool(2, 1);
    let (release, gate) = mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let (done, results) = mpsc::channel();
    let job = |name: &'static str| {
        let (gate, done) = (Arc::clone(&gate), done.clone());
        let job: Job = Box::new(move || {
            gate.lock().unwrap().recv().unwrap();
            done.send(name).unwrap();
        });
        pool.execute(job)
    };
    assert_eq!(job("a").unwrap(), Placed::Running);
    assert_eq!(job("b").unwrap(), Placed::Running);
    assert_eq!(job("c").unwrap(), Placed::Queued);
    assert!(job("d").is_err());
    assert_eq!(pool.threads(), 2);
    (0..3).for_each(|_| release.send(()).unwrap());
    let mut names: Vec<_> = (0..3).map(|_| results.recv_timeout(SOON).unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn a_panicking_job_costs_neither_thread_nor_pool() {
    let pool = pool(1, 100);
    let (done, results) = mpsc::channel();
    for n in 0..20 {
        let done = done.clone();
        let job: Job = Box::new(move || {
            assert!(n % 2 == 1, "this panic is part of the test");
            done.send((n, thread::current().id())).unwrap();
        });
        pool.execute(job).unwrap();
    }
    let all: Vec<_> = (0..10).map(|_| results.recv_timeout(SOON).unwrap()).collect();
    assert!(all.iter().all(|(_, id)| *id == all[0].1), "one thread ran them all");
    assert_eq!(pool.close(Instant::now() + SOON), 0);
    assert_eq!(pool.threads(), 0);
}

#[test]
fn idle_threads_retire_and_new_ones_start() {
    let idle_timeout = Duration::from_millis(1);
    let pool = Pool::new(PoolLimits { idle_timeout, ..PoolLimits::default() });
    for _ in 0..3 {
        let (done, result) = mpsc::channel();
        pool.execute(Box::new(move || done.send(()).unwrap())).unwrap();
        result.recv_timeout(SOON).unwrap();
        let mut state = pool.shared.lock();
        while state.threads > 0 {
            let (after, waited) = pool.shared.ended.wait_timeout(state, SOON).unwrap();
            assert!(!waited.timed_out(), "the thread did not retire");
            state = after;
        }
        assert!(state.handles.is_empty());
    }
}

#[test]
fn closing_finishes_what_was_accepted_and_counts_what_hangs() {
    let pool = pool(1, 10);
    let (release, gate) = mpsc::channel::<()>();
    let (done, results) = mpsc::channel();
    let last = done.clone();
    pool.execute(Box::new(move || {
        gate.recv().unwrap();
        done.send(1).unwrap();
    }))
    .unwrap();
    pool.execute(Box::new(move || last.send(2).unwrap())).unwrap();
    assert_eq!(pool.close(Instant::now()), 1, "one thread still runs");
    release.send(()).unwrap();
    assert_eq!(pool.close(Instant::now() + SOON), 0);
    assert_eq!(results.iter().collect::<Vec<_>>(), [1, 2]);
}

/// The system has no more threads: those that exist do all the work, and if there are none the job
/// is given back. Once it has some again, they are used.
#[test]
fn refused_spawns_are_survived() {
    const NO_SYSTEM_HAS: usize = 1 << 46;
    let pool = pool(4, 10);
    let usual = std::mem::replace(&mut pool.shared.lock().stack_bytes, NO_SYSTEM_HAS);
    assert!(pool.execute(Box::new(|| ())).is_err(), "no thread and none to be had");
    pool.shared.lock().stack_bytes = usual;
    let (release, gate) = mpsc::channel::<()>();
    let (done, results) = mpsc::channel();
    let first = done.clone();
    let job = move || {
        gate.recv().unwrap();
        first.send(thread::current().id()).unwrap();
    };
    assert_eq!(pool.execute(Box::new(job)).unwrap(), Placed::Running);
    pool.shared.lock().stack_bytes = NO_SYSTEM_HAS;
    let next = |done: mpsc::Sender<_>| Box::new(move || done.send(thread::current().id()).unwrap());
    assert_eq!(pool.execute(next(done.clone())).unwrap(), Placed::Queued);
    assert_eq!(pool.threads(), 1);
    release.send(()).unwrap();
    let ids: Vec<_> = (0..2).map(|_| results.recv_timeout(SOON).unwrap()).collect();
    assert_eq!(ids[0], ids[1], "the one thread did both");
    assert_eq!(pool.close(Instant::now() + SOON), 0);
}
