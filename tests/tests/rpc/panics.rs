//! Panics, in every place where code of others runs: a call may fail, its connection may end, but
//! nobody is left waiting.

use std::time::Duration;

use rpc::gob::{Compiler, Definitions, Gob, Id, Named, PlanId, Plans, Wire};
use rpc::json::{Json, JsonForm};
use rpc::{CallInfo, Client, Interceptor, Outcome, Result, Service};

use crate::{args, quiet, start, watched};

/// A number that panics when it is told to.
#[derive(Debug)]
struct Bomb(i64);

const ENCODING: i64 = 1;
const DECODING: i64 = 2;

impl Gob for Bomb {
    fn zero() -> Bomb {
        Bomb(0)
    }
    fn go_type() -> String {
        i64::go_type()
    }
    fn define(definitions: &mut Definitions, named: Named) -> Id {
        i64::define(definitions, named)
    }
    fn is_zero(&self) -> bool {
        self.0 == 0
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        assert_ne!(self.0, ENCODING, "on purpose");
    }
    fn compile(compiler: &mut Compiler<'_>, id: Id) -> Result<PlanId> {
        i64::compile(compiler, id)
    }
    fn decode(&mut self, plans: &Plans, plan: PlanId, wire: &mut Wire) -> Result<()> {
        self.0.decode(plans, plan, wire)?;
        assert_ne!(self.0, DECODING, "on purpose");
        Ok(())
    }
}

impl JsonForm for Bomb {
    fn write_json(&self, out: &mut String) -> Result<()> {
        self.0.write_json(out)
    }
    fn read_json(&mut self, json: Json) -> Result<()> {
        self.0.read_json(json)
    }
}

#[test]
fn a_value_that_panics_in_the_server_ends_its_connection_alone() {
    watched(|| {
        let service = Service::new("Bomb")
            .method("Give", |n: i64| Ok(Bomb(n)))
            .method("Take", |bomb: Bomb| Ok(bomb.0));
        let (serving, address) = start(quiet().register(service).unwrap());
        let other = Client::dial(&address).unwrap();
        for (method, number) in [("Bomb.Give", ENCODING), ("Bomb.Take", DECODING)] {
            let client = Client::dial(&address).unwrap();
            assert_eq!(client.call::<i64>(method, &7i64).unwrap(), 7);
            let error = client.call::<i64>(method, &number).unwrap_err();
            assert!(error.is_connection_lost(), "{method}: {error}");
            assert_eq!(other.call::<i64>("Foo.Sum", &args(3, 4)).unwrap(), 7);
        }
        drop(other);
        serving.shutdown(Duration::from_secs(5)).unwrap();
        assert_eq!((serving.calls_running(), serving.connections_open()), (0, 0));
    });
}

#[test]
fn a_value_that_panics_in_the_client_leaves_no_caller_waiting() {
    watched(|| {
        let (_serving, address) = start(quiet());
        let client = Client::dial(&address).unwrap();
        // Waits while another's arguments panic.
        let waits = client.go::<i64>("Foo.Slow", &args(3, 4)).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| waits.wait());
            let panics = || client.call::<i64>("Foo.Sum", &Bomb(ENCODING));
            assert!(scope.spawn(panics).join().is_err(), "panics");
            assert!(client.call::<i64>("Foo.Sum", &args(3, 4)).is_err(), "it is over");
            assert!(waiting.join().unwrap().is_err());
        });
    });
}

/// Panics once a call has ended.
struct Panics;

impl Interceptor for Panics {
    fn after(&self, call: &CallInfo<'_>, _took: Duration, _outcome: Outcome<'_>) {
        assert_ne!(call.method(), "Foo.Div", "on purpose");
    }
}

#[test]
fn an_interceptor_that_panics_ends_its_connection_alone() {
    watched(|| {
        let (_serving, address) = start(quiet().intercept(Panics));
        let (client, other) = (Client::dial(&address).unwrap(), Client::dial(&address).unwrap());
        // Its own reply may have left, or not; the connection is over.
        let _ = client.call::<crate::Quotient>("Foo.Div", &args(7, 2));
        let error = client.call::<i64>("Foo.Sum", &args(3, 4)).unwrap_err();
        assert!(error.is_connection_lost(), "{error}");
        assert_eq!(other.call::<i64>("Foo.Sum", &args(3, 4)).unwrap(), 7);
    });
}
