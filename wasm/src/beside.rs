//! A server beside the playground's, on a port of its own: what a page looks at is real, and so is
//! what goes over the wire to it.

use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use web::{Error, Handler, Result, Server, Stopper};

/// A server that runs. Dropping it ends it.
#[derive(Debug)]
pub struct Beside {
    stopper: Stopper,
    /// Ends when the stopper is told, and is joined on drop.
    serving: Option<JoinHandle<()>>,
}

/// A listener on a free port of the loopback interface, and its address, for the server `name`.
///
/// # Errors
/// [`Error::Io`] when there is no port.
pub fn listener(name: &str) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| failed(name, error))?;
    let addr = listener.local_addr().map_err(|error| failed(name, error))?;
    Ok((listener, addr))
}

impl Beside {
    /// Starts the server `name`; `connections_max` are served at once, and as many wait.
    ///
    /// # Errors
    /// [`Error::Io`] when there is no thread.
    pub fn start(
        name: &str,
        listener: TcpListener,
        connections_max: usize,
        handler: impl Handler,
    ) -> Result<Beside> {
        let mut server = Server::new(handler);
        (server.pool.threads_max, server.pool.queue_max) = (connections_max, connections_max);
        let (stopper, who) = (server.stopper(), name.to_owned());
        let serve = move || {
            if let Err(error) = server.serve(listener) {
                web::log::line(format_args!("{who}: {error}"));
            }
        };
        let serving = thread::Builder::new().name(name.to_owned()).spawn(serve);
        let serving = serving.map_err(|error| failed(name, error))?;
        Ok(Beside { stopper, serving: Some(serving) })
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.stopper.shutdown(Duration::from_secs(1));
        if let Some(serving) = self.serving.take() {
            // A panic in there was printed by the panic hook.
            let _ = serving.join();
        }
    }
}

fn failed(name: &str, source: std::io::Error) -> Error {
    Error::Io { doing: format!("start the {name}"), source }
}
