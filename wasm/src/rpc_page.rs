//! `/rpc`: a registry and three servers on loopback, to be called, stopped and started.
//!
//! | path | what |
//! |---|---|
//! | `GET /rpc` | the page; `method`, `num1`, `num2`: the request shown byte by byte |
//! | `GET /rpc/live` | its parts, again whenever they change ([`live`]) |
//! | `POST /rpc/call` | the fields of [`calls::Wish`]: a round of calls |
//! | `POST /rpc/start`, `/rpc/stop`, `/rpc/crash` | starts the server `server`, ends it in good order, or cuts its power |
//!
//! The registry, the servers, their heartbeats and the client are those of the course, each on a
//! port of its own. All who look see the same servers, and the last round of calls.
//!
//! [`fleet`] has the servers, [`calls`] makes calls, [`picture`] draws.

pub mod calls;
pub mod fleet;
pub mod picture;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rpc::codec::Side;
use rpc::{CodecType, Dialect, Header, Input};
use web::json::Json;
use web::{Context, Engine, Result, json};

use crate::inspect;
use crate::live::{self, Parts, Refusal, Streams, lock};
use calls::{CALLS_MAX, LIMIT_MAX, METHODS, MODES, Round, SELECTS, Wish};
use fleet::{BEAT, FORGOTTEN, Fleet, LIST_AGE};

/// The parts of the page that change: their ids and their templates.
const PARTS: &[(&str, &str)] = &[("flow", "rpc_flow"), ("servers", "rpc_servers")];

/// Registers the page and starts its servers, which stop when the engine is dropped.
///
/// # Errors
/// As for [`Engine::get`] and [`Fleet::start`].
pub fn register(engine: &mut Engine, streams: &Streams) -> Result<()> {
    let source = include_str!("../pages/rpc_parts.html");
    engine.add_template("rpc_parts", source)?;
    engine.add_template("rpc", include_str!("../pages/rpc.html"))?;
    let fleet = Fleet::start().map_err(|error| web::Error::Io {
        doing: "start the servers of /rpc".to_owned(),
        source: io::Error::other(error),
    })?;
    let fleet = Arc::new(fleet);
    let shown = Arc::clone(&fleet);
    engine.get("/rpc", move |c| page(c, &shown))?;
    let (shown, streams) = (Arc::clone(&fleet), streams.clone());
    let parts = Arc::new(Parts::new(source, PARTS)?);
    engine.get("/rpc/live", move |c| {
        let (bell, fleet) = (Arc::clone(&shown.bell), Arc::clone(&shown));
        live::watch(c, &streams, bell, Arc::clone(&parts), move || as_json(&fleet));
    })?;
    let mut action = |name, act: fn(&Fleet, &mut Context) -> std::result::Result<(), Refusal>| {
        let fleet = Arc::clone(&fleet);
        engine.post(&format!("/rpc/{name}"), move |c| match act(&fleet, c) {
            Ok(()) => c.redirect(303, "/rpc#flow"),
            Err((status, text)) => c.string(status, format!("{text}\n")),
        })
    };
    action("call", |fleet, c| calls::make(fleet, Wish::read(|name| c.post_form(name))?))?;
    action("start", |fleet, c| fleet.start_server(number(c)))?;
    action("stop", |fleet, c| fleet.stop_server(number(c), false))?;
    action("crash", |fleet, c| fleet.stop_server(number(c), true))
}

/// The form's `server`; 0, which no server has, for what is no number.
fn number(c: &mut Context) -> usize {
    c.post_form("server").parse().unwrap_or(0)
}

/// The page, with the request that the query asks for.
fn page(c: &mut Context, fleet: &Fleet) {
    let wish = match Wish::read(|name| c.query(name)) {
        Ok(wish) => wish,
        Err((status, text)) => return c.string(status, format!("{text}\n")),
    };
    let mut data = as_json(fleet);
    if let Json::Object(fields) = &mut data {
        fields.insert("message".to_owned(), message_json(&wish));
    }
    c.render(200, "rpc", &data);
}

/// All that the page shows, but for the message.
fn as_json(fleet: &Fleet) -> Json {
    let (slots, last) = (fleet.slots(), lock(&fleet.last).clone());
    let table = fleet.registry.snapshot();
    let (known, age) = fleet.known().map_or((None, None), |(list, age)| (Some(list), Some(age)));
    let servers: Vec<Json> = slots
        .iter()
        .zip(1..)
        .map(|(slot, number)| {
            let ended = slot.ended.as_ref();
            let address = slot.running.as_ref().map(|server| &server.address);
            let address = address.or(ended.map(|(address, _)| address)).cloned().unwrap_or_default();
            let heard = table.iter().find(|(known, _)| *known == address).map(|(_, ago)| *ago);
            let listed = known.as_ref().map(|list| list.contains(&address));
            let name = format!("server {number}");
            let replies = last.as_ref().and_then(|round| round.replies.get(&name)).copied();
            json!({
                "number": number, "name": name, "address": address, "runs": (slot.running.is_some()),
                "how": (ended.map(|(_, how)| *how)), "heard": (heard.map(seconds)),
                "listed": listed, "replies": (replies.unwrap_or(0)),
                "calls": (slot.running.as_ref().map_or(0, |server| server.calls())),
            })
        })
        .collect();
    let wish = last.as_ref().map_or_else(Wish::default, |round| round.wish.clone());
    json!({
        "picture": (picture::flow(&servers, last.as_ref())), "servers": servers,
        "round": (last.as_ref().map(round_json)), "wish": (wish_json(&wish)),
        "registry_url": (&*fleet.registry_url), "registered": (table.len()),
        "list_age": (age.map(seconds)), "list_good": (LIST_AGE.as_secs()),
        "beat": (BEAT.as_secs()), "forgotten": (FORGOTTEN.as_secs()),
        "calls_max": CALLS_MAX, "limit_max": (LIMIT_MAX.as_secs() * 1000),
    })
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs())
}

fn wish_json(wish: &Wish) -> Json {
    let options = |list: &[(&str, &str)], chosen: &str| {
        let option = |(name, about): &(&str, &str)| json!({"name": (*name), "about": (*about), "chosen": (*name == chosen)});
        list.iter().map(option).collect::<Vec<_>>()
    };
    json!({
        "methods": (options(METHODS, wish.method)), "selects": (options(SELECTS, wish.select)),
        "modes": (options(MODES, wish.mode)), "num1": (wish.args.num1), "num2": (wish.args.num2),
        "key": (&*wish.key), "count": (wish.count), "limit": (wish.limit.as_secs() * 1000 + u64::from(wish.limit.subsec_millis())),
        "method": (wish.method), "select": (wish.select), "mode": (wish.mode),
    })
}

fn round_json(round: &Round) -> Json {
    let count = |(name, count): (&String, &usize)| json!({"name": (&**name), "count": (*count)});
    let replies: Vec<Json> = round.replies.iter().map(count).collect();
    let errors: Vec<Json> = round.errors.iter().map(count).collect();
    let first = round.first.as_ref();
    json!({
        "wish": (wish_json(&round.wish)), "replies": replies, "errors": errors,
        "sum": (first.map(|answer| answer.sum)), "server": (first.map(|answer| &*answer.server)),
        "took": (format!("{:.1} ms", round.took.as_secs_f64() * 1000.0)),
    })
}

/// The same request twice on one connection, as each codec writes it.
fn message_json(wish: &Wish) -> Json {
    let written = |codec| {
        let dialect = Dialect::Gee(codec);
        let (_, mut writer) = dialect.open(Side::Client, Input::new(io::empty(), Vec::new()), 0);
        let request = |seq| {
            let method = wish.method.to_owned();
            let mut bytes = Vec::new();
            // Numbers and texts can be carried by every codec.
            let _ = writer.message(
                &Header { method, seq, error: String::new() },
                &wish.args,
                &mut bytes,
            );
            bytes
        };
        [1, 2].map(request)
    };
    let [first, second] = written(CodecType::Gob);
    // The second message can be understood only after the first: the types are defined there.
    let both = [&first[..], &second].concat();
    let gob = inspect::as_json(&both, &inspect::gob::pieces(&both));
    let [json, _] = written(CodecType::Json);
    json!({
        "wish": (wish_json(wish)), "gob": gob, "first": (first.len()), "second": (second.len()),
        "json": (inspect::as_json(&json, &inspect::json_text::pieces(&json))), "json_bytes": (json.len()),
    })
}
