//! Typed values that travel with a request: what a middleware learned, for those after it.
//!
//! gin keys them by strings and gives back an `any` to be cast. Here the type is the key, so the
//! compiler knows what comes out:
//!
//! ```
//! use web::{Engine, Request};
//!
//! struct User(&'static str);
//!
//! let mut engine = Engine::new();
//! engine.middleware(|c| c.set(User("gee")));
//! engine.get("/me", |c| {
//!     let name = c.get::<User>().map_or("nobody", |user| user.0);
//!     c.string(200, name);
//! })?;
//! assert_eq!(engine.handle(Request::new("GET", "/me")).into_bytes().unwrap(), b"gee");
//! # Ok::<(), web::Error>(())
//! ```

use std::any::Any;

use crate::Context;

impl Context {
    /// Keeps a value for those who come later in the chain; replaces one of the same type.
    pub fn set<T: Any + Send>(&mut self, value: T) {
        match self.values.iter_mut().find(|kept| kept.is::<T>()) {
            Some(kept) => *kept = Box::new(value),
            None => self.values.push(Box::new(value)),
        }
    }

    /// The value of that type, if one was set.
    #[must_use]
    pub fn get<T: Any + Send>(&self) -> Option<&T> {
        self.values.iter().find_map(|kept| kept.downcast_ref())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Engine, Request};

    #[test]
    fn a_value_is_found_by_its_type() {
        let mut engine = Engine::new();
        engine.middleware(|c| {
            c.set(1u8);
            c.set("text");
            c.set(2u8);
        });
        engine
            .get("/", |c| {
                let all = format!("{:?} {:?} {:?}", c.get::<u8>(), c.get::<&str>(), c.get::<u16>());
                c.string(200, all);
            })
            .unwrap();
        let body = engine.handle(Request::new("GET", "/")).into_bytes().unwrap();
        assert_eq!(body, b"Some(2) Some(\"text\") None");
    }
}
