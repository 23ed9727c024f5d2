//! How much of the thread's stack a statement may use (day 0, query it).
//!
//! A tree is read, compiled and run by functions that call themselves: the deeper the tree, the more
//! stack. Whoever writes the SQL decides how deep, and a thread that uses up its stack does not get an
//! error, it takes the whole program down. Counting levels is not enough: a level costs from a
//! hundred bytes (`a OR b`) to some thousands (a query in a query), and more in a build without
//! optimisations. So the distance itself is measured:
//!
//! ```text
//! higher addresses   main, the web server, ...
//!                    Connection::prepare          Stack::begin    remembers this address
//!                      select > core > query
//!                        compile > binary > compile
//!                          subquery > select > ...               Stack::check    how far is it?
//! lower addresses    the end of the stack
//! ```
//!
//! An address is only a number here: nothing is read through it, so no `unsafe` is needed.
//! [`STACK_MAX`] leaves room on the smallest stack a thread of ours has, 256 KiB. What runs without a
//! check - freeing a tree, evaluating it - takes less per level than what made it.
//!
//! SQLite counts: its parser holds 100 levels, an expression at most 1000. Both limits are kept, in
//! the [parser](super::parser); this one is reached before them by deep trees of the costly kind.

use std::hint::black_box;

use super::{Error, Result};

/// So much of the stack may lie between the begin of a statement and a check, in bytes.
const STACK_MAX: usize = 144 * 1024;

/// Where the stack ended when a statement began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stack {
    begin: usize,
}

impl Stack {
    pub(crate) fn begin() -> Stack {
        Stack { begin: here() }
    }

    /// Measures how far the stack has grown since then.
    ///
    /// # Errors
    /// `parser stack overflow`, as SQLite has it, once [`STACK_MAX`] is used.
    pub(crate) fn check(self) -> Result<()> {
        if self.begin.abs_diff(here()) > STACK_MAX {
            return Err(Error::Sql("parser stack overflow".into()));
        }
        Ok(())
    }
}

/// An address on the stack near its end.
#[inline(never)]
fn here() -> usize {
    let mark = 0_u8;
    std::ptr::from_ref(black_box(&mark)).addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recursion_without_end_is_stopped() {
        fn deeper(stack: Stack, depth: usize) -> (usize, String) {
            let padding = black_box([0_u8; 100]);
            match stack.check() {
                Ok(()) => {
                    let (depth, text) = deeper(stack, depth + 1);
                    (depth + usize::from(padding[7]), text)
                }
                Err(error) => (depth, error.to_string()),
            }
        }
        let small = std::thread::Builder::new().stack_size(256 * 1024);
        let (depth, text) = small.spawn(|| deeper(Stack::begin(), 0)).unwrap().join().unwrap();
        assert!((100..=1500).contains(&depth), "{depth}");
        assert_eq!(text, "parser stack overflow");
    }
}
