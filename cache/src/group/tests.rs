//! What only a [`SideCache`] of the test's own can stage.

use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use super::*;

/// Knows an old value until it is told to remove the key. The second look gets that value and is
/// held up before it can say so.
#[derive(Debug)]
struct Slow {
    looks: AtomicU64,
    /// Signalled in the midst of a removal; then the removal waits for the second look.
    removing: Sender<()>,
    looked: (Sender<()>, Mutex<Receiver<()>>),
    go_on: Mutex<Receiver<()>>,
}

impl SideCache for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn lookup(&self, _: &[u8]) -> Option<Result<ByteView>> {
        // The first look is that of the get which will lead the flight, the second the leader's.
        if self.looks.fetch_add(1, Relaxed) != 1 {
            return None;
        }
        self.looked.0.send(()).unwrap();
        self.go_on.lock().unwrap().recv().unwrap();
        Some(Ok("old".into()))
    }

    fn learn(&self, _: &[u8], _: &Result<ByteView>, _: bool) {}

    fn remove(&self, _: &[u8]) {
        self.removing.send(()).unwrap();
        self.looked.1.lock().unwrap().recv().unwrap();
    }

    fn stats(&self) -> CacheStats {
        CacheStats::default()
    }
}

#[test]
fn a_flight_that_begins_during_a_removal_hands_its_old_value_to_no_later_get() {
    let (removing, is_removing) = mpsc::channel();
    let (looked, has_looked) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let slow = Slow {
        looks: AtomicU64::new(0),
        removing,
        looked: (looked, has_looked.into()),
        go_on: may_go_on.into(),
    };
    let mut group = Group::new("g", 0, |_: &[u8]| Ok("new"));
    group.sides.push(Box::new(slow));
    let group = &Arc::new(group);
    thread::scope(|scope| {
        let removal = scope.spawn(|| group.remove("k"));
        is_removing.recv().unwrap();
        let during = scope.spawn(|| group.get("k").unwrap());
        removal.join().unwrap();
        let (sender, later) = mpsc::channel();
        scope.spawn(move || sender.send(group.get("k").unwrap().to_string()));
        // If it has joined the flight of the other, it waits for that one: in vain so far.
        let later = later.recv_timeout(Duration::from_secs(5));
        go_on.send(()).unwrap();
        assert_eq!(during.join().unwrap().to_string(), "old", "it had begun before");
        assert_eq!(later.as_deref(), Ok("new"));
    });
}
