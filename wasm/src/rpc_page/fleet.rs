//! The registry and the servers that the page looks at, and the calls made for it.
//!
//! Locks: `slots` is held for moments only, never over the network. Who starts or stops a server
//! holds `changing`, who makes calls holds `calling`; a second one at the same time is told to
//! wait, and no thread does.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rpc::registry::REGISTRY_PATH;
use rpc::{
    CallInfo, Discovery, Heartbeat, Limits, Registry, RegistryDiscovery, Reply, Server, Service,
    Serving,
};
use web::Engine;

use super::calls::Round;
use crate::beside::{self, Beside};
use crate::live::{Bell, Refusal, busy, lock};

/// How many servers there can be.
pub const SERVERS: usize = 3;

/// How often a server says that it is there.
pub const BEAT: Duration = Duration::from_secs(2);

/// After how long a silent server is forgotten.
pub const FORGOTTEN: Duration = Duration::from_secs(6);

/// How long the client's list is good.
pub const LIST_AGE: Duration = Duration::from_secs(10);

/// Longer than this `Foo.Sleep` does not sleep, whatever it is asked for.
pub const SLEEP_MAX: Duration = Duration::from_secs(2);

rpc::message! {
    /// What the methods take.
    #[derive(Debug, Clone, Default)]
    pub struct Args {
        /// The first number.
        pub num1: i64,
        /// The second.
        pub num2: i64,
    }

    /// What they answer.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Answer {
        /// The sum.
        pub sum: i64,
        /// The name of the server.
        pub server: String,
    }
}

/// A server that runs. Dropping it stops the heart first, so that no call is sent its way.
#[derive(Debug)]
pub struct Running {
    /// `tcp@127.0.0.1:PORT`
    pub address: String,
    /// Taken by whoever ends the server.
    heart: Mutex<Option<Heartbeat>>,
    serving: Serving,
}

impl Running {
    /// How often its methods have been called.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.serving.services().flat_map(Service::methods).map(|method| method.calls()).sum()
    }
}

/// A place for a server.
#[derive(Debug, Clone)]
pub struct Slot {
    /// The server, if it runs.
    pub running: Option<Arc<Running>>,
    /// Where the last one was, and how it ended.
    pub ended: Option<(String, &'static str)>,
}

/// The list that the client got last, and when.
type Known = Option<(Vec<String>, Instant)>;

/// The registry, the servers, and the client's side.
#[derive(Debug)]
pub struct Fleet {
    /// The table of servers.
    pub registry: Arc<Registry>,
    /// Where the registry is.
    pub registry_url: String,
    slots: Mutex<Vec<Slot>>,
    /// Held by whoever starts or stops a server.
    changing: Mutex<()>,
    /// Held by whoever makes calls.
    pub calling: Mutex<()>,
    /// What the last round of calls did.
    pub last: Mutex<Option<Round>>,
    discovery: Arc<RegistryDiscovery>,
    known: Arc<Mutex<Known>>,
    /// Rung on every change.
    pub bell: Arc<Bell>,
    /// Serves the registry.
    _serving: Beside,
}

impl Fleet {
    /// Starts a registry and three servers, all on free ports of the loopback interface.
    ///
    /// # Errors
    /// [`rpc::Error`] when there is no port, or no thread.
    pub fn start() -> rpc::Result<Fleet> {
        let registry = Arc::new(Registry::new(FORGOTTEN));
        // Not the default engine: a line of log for each beat would hide all others.
        let mut engine = Engine::new();
        registry.mount(&mut engine)?;
        let (listener, addr) = beside::listener("registry")?;
        let registry_url = format!("http://{addr}{REGISTRY_PATH}");
        let serving = Beside::start("registry", listener, 64, engine)?;
        let discovery = Arc::new(RegistryDiscovery::with_max_age(&registry_url, LIST_AGE));
        let fleet = Fleet {
            registry,
            registry_url,
            slots: Mutex::new(vec![Slot { running: None, ended: None }; SERVERS]),
            changing: Mutex::default(),
            calling: Mutex::default(),
            last: Mutex::default(),
            discovery,
            known: Arc::default(),
            bell: Arc::default(),
            _serving: serving,
        };
        for number in 1..=SERVERS {
            let running = fleet.launch(number)?;
            lock(&fleet.slots)[number - 1].running = Some(Arc::new(running));
        }
        Ok(fleet)
    }

    /// A server that has told the registry of itself, or is about to.
    fn launch(&self, number: usize) -> rpc::Result<Running> {
        let server = Server::new().log(|_| {}).limits(Limits {
            connections_max: 64,
            calls_max: 64,
            ..Limits::default()
        });
        let serving = server.register(service(number))?.start()?;
        let address = format!("tcp@{}", serving.listen("127.0.0.1:0")?);
        // Entered at once, so that nobody has to wait for the first beat.
        self.registry.put(&address)?;
        let heart = Heartbeat::start(&self.registry_url, &address, BEAT)?;
        Ok(Running { address, heart: Mutex::new(Some(heart)), serving })
    }

    /// All places, in order.
    #[must_use]
    pub fn slots(&self) -> Vec<Slot> {
        lock(&self.slots).clone()
    }

    /// Starts the server of a place.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn start_server(&self, number: usize) -> Result<(), Refusal> {
        let _changing = self.changing.try_lock().map_err(|_| busy())?;
        let slots = self.slots();
        let slot = slots.get(number.wrapping_sub(1)).ok_or_else(|| no_server(number))?;
        if slot.running.is_some() {
            return Err((409, format!("server {number} runs already")));
        }
        let running = self.launch(number).map_err(|error| (503, error.to_string()))?;
        lock(&self.slots)[number - 1] = Slot { running: Some(Arc::new(running)), ended: None };
        self.bell.ring();
        Ok(())
    }

    /// Ends the server of a place: in good order, or, when it is to `crash`, without a word to the
    /// registry.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn stop_server(&self, number: usize, crash: bool) -> Result<(), Refusal> {
        let _changing = self.changing.try_lock().map_err(|_| busy())?;
        let mut slots = lock(&self.slots);
        let slot = slots.get_mut(number.wrapping_sub(1)).ok_or_else(|| no_server(number))?;
        let Some(running) = slot.running.take() else {
            return Err((409, format!("server {number} does not run")));
        };
        let how = if crash { "lost its power" } else { "stopped" };
        slot.ended = Some((running.address.clone(), how));
        drop(slots);
        if let Some(heart) = lock(&running.heart).take() {
            // Else it ends here with a last word: DELETE.
            if crash {
                heart.fall_silent();
            }
        }
        let grace = if crash { Duration::ZERO } else { SLEEP_MAX };
        // What still runs then is cut off, which is what was asked for.
        let _ = running.serving.shutdown(grace);
        self.bell.ring();
        Ok(())
    }

    /// The discovery that all rounds of calls share.
    #[must_use]
    pub fn shared_discovery(&self) -> SharedDiscovery {
        SharedDiscovery { inner: Arc::clone(&self.discovery), known: Arc::clone(&self.known) }
    }

    /// The list that the client goes by, and how old it is.
    #[must_use]
    pub fn known(&self) -> Option<(Vec<String>, Duration)> {
        lock(&self.known).as_ref().map(|(list, since)| (list.clone(), since.elapsed()))
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        // The servers take themselves out before the registry goes.
        lock(&self.slots).clear();
    }
}

/// One [`RegistryDiscovery`] for several clients; notes when its list has become another one.
#[derive(Debug)]
pub struct SharedDiscovery {
    inner: Arc<RegistryDiscovery>,
    known: Arc<Mutex<Known>>,
}

impl Discovery for SharedDiscovery {
    fn refresh(&self) -> rpc::Result<()> {
        self.inner.refresh()
    }

    fn update(&self, servers: Vec<String>) {
        self.inner.update(servers);
    }

    fn get_all(&self) -> rpc::Result<Vec<String>> {
        let list = self.inner.get_all()?;
        let mut known = lock(&self.known);
        let stale = |(_, since): &(Vec<String>, Instant)| since.elapsed() >= LIST_AGE;
        if known.as_ref().is_none_or(|known| known.0 != list || stale(known)) {
            *known = Some((list.clone(), Instant::now()));
        }
        Ok(list)
    }
}

/// What every server offers.
fn service(number: usize) -> Service {
    let answer = move |args: &Args| Answer {
        sum: args.num1.wrapping_add(args.num2),
        server: format!("server {number}"),
    };
    Service::new("Foo")
        .method("Sum", move |args: Args| Ok(answer(&args)))
        .method_with("Sleep", move |args: Args, _: &CallInfo<'_>| {
            let millis = u64::try_from(args.num1).unwrap_or(0);
            thread::sleep(Duration::from_millis(millis).min(SLEEP_MAX));
            Ok(answer(&args))
        })
        .method("Fail", move |_: Args| -> Reply<Answer> {
            Err(format!("boom on server {number}").into())
        })
}

fn no_server(number: usize) -> Refusal {
    (404, format!("there is no server {number}"))
}
