//! Day 3: a bound on how many may be inside; a counting semaphore, which std lacks.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Lets so many in at a time.
#[derive(Debug)]
pub(crate) struct Gate {
    max: usize,
    state: Mutex<State>,
    /// Signalled when one has gone out.
    left: Condvar,
}

/// Guarded by [`Gate::state`].
#[derive(Debug, Default)]
struct State {
    inside: usize,
    waiting: usize,
}

impl Gate {
    pub(crate) fn new(max: usize) -> Gate {
        Gate { max: max.max(1), state: Mutex::default(), left: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes in, waiting until there is room.
    pub(crate) fn enter(&self) {
        let mut state = self.lock();
        while state.inside >= self.max {
            state.waiting += 1;
            state = self.left.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        state.inside += 1;
    }

    /// Goes in if there is room.
    pub(crate) fn try_enter(&self) -> bool {
        let mut state = self.lock();
        let room = state.inside < self.max;
        state.inside += usize::from(room);
        room
    }

    /// Goes out.
    pub(crate) fn leave(&self) {
        let mut state = self.lock();
        state.inside -= 1;
        if state.waiting > 0 {
            self.left.notify_one();
        }
    }

    /// How many are inside.
    pub(crate) fn inside(&self) -> usize {
        self.lock().inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leaves_makes_room() {
        let gate = Gate::new(1);
        assert!(gate.try_enter() && !gate.try_enter());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| gate.enter());
            gate.leave();
            waiting.join().unwrap();
        });
        assert_eq!(gate.inside(), 1);
    }
}
