//! The playground: all systems alive in a browser, started by `cargo run`.

pub mod flags;

pub mod pages;
pub mod systems;
pub mod assets;

pub mod inspect;
pub mod tree;

pub mod demos;
pub mod progress;
pub mod builder;
pub mod command;
