//! A net/rpc-like framework (chapter)

pub mod beyond;
pub mod client;
pub mod codec;
mod connection;
mod deadline;
pub mod discovery;
pub mod error;
pub mod gob;
pub mod handshake;
pub mod http;
mod outgoing;
pub mod registry;
pub mod server;
pub mod service;
pub mod stream;
pub mod xclient;

pub mod input;
pub mod json;
pub mod macros;

pub use client::{Client, Handle, Options};
pub use codec::{Body, CodecType, Dialect, Header};
pub use discovery::{Discovery, Select};
pub use error::{Error, Result};
pub use input::{Input, Source};
pub use registry::{Heartbeat, Registry, RegistryDiscovery};
pub use server::{Limits, Server, Serving};
pub use service::{CallInfo, Interceptor, Outcome, Reply, Service};
pub use stream::{Address, Stream};
pub use xclient::XClient;
