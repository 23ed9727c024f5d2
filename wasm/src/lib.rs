//! The playground: all systems alive in a browser, started by `cargo run`.

pub mod assets;
pub mod flags;
pub mod inspect;
pub mod pages;
pub mod systems;
pub mod tree;
