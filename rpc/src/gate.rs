//! Day 3: a bound on how many may be inside; a counting semaphore, which std lacks.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Lets so many in at a time.
#[derive(Debug)]
pub(crate) struct Gate {
    max: usize,
    /// How many are inside, and how many wait.
    state: Mutex<(usize, usize)>,
    left: Condvar,
}

impl Gate {
    pub(crate) fn new(max: usize) -> Gate {
        Gate { max: max.max(1), state: Mutex::new((0, 0)), left: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, (usize, usize)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes in, waiting until there is room.
    pub(crate) fn enter(&self) {
        let mut state = self.lock();
        while state.0 >= self.max {
            state.1 += 1;
            state = self.left.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.1 -= 1;
        }
        state.0 += 1;
    }

    /// Goes in if there is room.
    pub(crate) fn try_enter(&self) -> bool {
        let mut state = self.lock();
        let room = state.0 < self.max;
        state.0 += usize::from(room);
        room
    }

    /// Goes out.
    pub(crate) fn leave(&self) {
        let mut state = self.lock();
        state.0 -= 1;
        if state.1 > 0 {
            self.left.notify_one();
        }
    }

    pub(crate) fn inside(&self) -> usize {
        self.lock().0
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
