//! A round of calls: with each policy and each fail mode, by the [`XClient`] of the course.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use rpc::beyond::select::{ConsistentHash, LeastPending, Weighted};
use rpc::discovery::{Random, RoundRobin};
use rpc::{Options, XClient};

use super::fleet::{Answer, Args, Fleet};
use crate::live::{Refusal, busy, lock};

/// Calls of a round.
pub const CALLS_MAX: usize = 60;

/// Calls at the same time.
const AT_ONCE: usize = 6;

/// The longest time limit of a call.
pub const LIMIT_MAX: Duration = Duration::from_secs(3);

/// Longer keys are refused.
const KEY_BYTES_MAX: usize = 64;

/// How much more often than the others server 1 is taken by weight.
const WEIGHT: u32 = 3;

/// The policies: their names in the form, and what they do.
pub const SELECTS: &[(&str, &str)] = &[
    ("round robin", "each in turn"),
    ("random", "any"),
    ("weighted", "server 1 three times as often"),
    ("hash", "the same server for the same key"),
    ("least pending", "the one that the fewest calls wait for"),
];

/// The fail modes: their names in the form, and what they do.
pub const MODES: &[(&str, &str)] = &[
    ("fail", "one server; its error is the caller's"),
    ("failover", "another server when one cannot be reached"),
    ("broadcast", "all servers; the first error counts"),
    ("broadcast all", "all servers; every result is kept"),
];

/// What can be called.
pub const METHODS: &[(&str, &str)] = &[
    ("Foo.Sum", "adds the numbers"),
    ("Foo.Sleep", "sleeps so many milliseconds as the first number says, then adds"),
    ("Foo.Fail", "always fails"),
];

/// What the visitor wants.
#[derive(Debug, Clone)]
pub struct Wish {
    /// One of [`METHODS`].
    pub method: &'static str,
    /// The arguments.
    pub args: Args,
    /// One of [`SELECTS`].
    pub select: &'static str,
    /// One of [`MODES`].
    pub mode: &'static str,
    /// For the policy `hash`.
    pub key: String,
    /// How many calls.
    pub count: usize,
    /// How long one of them may take.
    pub limit: Duration,
}

impl Default for Wish {
    fn default() -> Wish {
        Wish {
            method: METHODS[0].0,
            args: Args { num1: 3, num2: 4 },
            select: SELECTS[0].0,
            mode: MODES[0].0,
            key: "Tom".to_owned(),
            count: 12,
            limit: Duration::from_millis(500),
        }
    }
}

impl Wish {
    /// Reads a form's fields, each with the default's value if it is not there.
    ///
    /// # Errors
    /// A [`Refusal`] that names the field.
    pub fn read(mut field: impl FnMut(&str) -> String) -> Result<Wish, Refusal> {
        let default = Wish::default();
        let key = field("key");
        let bytes = key.len();
        if bytes > KEY_BYTES_MAX {
            return Err((413, format!("the key is {bytes} bytes, the limit is {KEY_BYTES_MAX}")));
        }
        let count = number(&field("count"), "count", default.count)?;
        let limit = number(&field("limit"), "limit", 500)?;
        Ok(Wish {
            method: one_of(METHODS, &field("method"), "method")?,
            args: Args {
                num1: number(&field("num1"), "num1", default.args.num1)?,
                num2: number(&field("num2"), "num2", default.args.num2)?,
            },
            select: one_of(SELECTS, &field("select"), "select")?,
            mode: one_of(MODES, &field("mode"), "mode")?,
            key,
            count: count.clamp(1, CALLS_MAX),
            limit: Duration::from_millis(limit).clamp(Duration::from_millis(1), LIMIT_MAX),
        })
    }
}

/// The name in the list that a field has; the first, if it is empty.
fn one_of(list: &[(&'static str, &str)], field: &str, name: &str) -> Result<&'static str, Refusal> {
    let found = list.iter().find(|(known, _)| field.is_empty() || *known == field);
    found.map(|(known, _)| *known).ok_or_else(|| (400, format!("{name}: there is no such one")))
}

fn number<T: std::str::FromStr>(field: &str, name: &str, default: T) -> Result<T, Refusal> {
    if field.is_empty() {
        return Ok(default);
    }
    field.trim().parse().map_err(|_| (400, format!("{name}: please give a whole number")))
}

/// What a round of calls did.
#[derive(Debug, Clone)]
pub struct Round {
    /// What was wanted.
    pub wish: Wish,
    /// Replies, by the server's name.
    pub replies: BTreeMap<String, usize>,
    /// The first reply.
    pub first: Option<Answer>,
    /// Texts of errors, and how many calls got them.
    pub errors: BTreeMap<String, usize>,
    /// How long the round took.
    pub took: Duration,
}

/// Makes the calls that are wanted, six at a time, and notes what came of them.
///
/// # Errors
/// A [`Refusal`] when calls are under way already.
pub fn make(fleet: &Fleet, wish: Wish) -> Result<(), Refusal> {
    let _calling = fleet.calling.try_lock().map_err(|_| busy())?;
    let client = client(fleet, &wish);
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(wish.count) {
            let work = || {
                while next.fetch_add(1, Relaxed) < wish.count {
                    let result = call(&client, &wish);
                    lock(&results).extend(result);
                }
            };
            // All are joined at the end of the scope.
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
    });
    let mut round = Round {
        wish,
        replies: BTreeMap::new(),
        first: None,
        errors: BTreeMap::new(),
        took: start.elapsed(),
    };
    for result in results.into_inner().unwrap_or_default() {
        match result {
            Ok(answer) => {
                *round.replies.entry(answer.server.clone()).or_default() += 1;
                round.first.get_or_insert(answer);
            }
            Err(error) => *round.errors.entry(error.to_string()).or_default() += 1,
        }
    }
    *lock(&fleet.last) = Some(round);
    fleet.bell.ring();
    Ok(())
}

/// A client with the policy that is wanted; its connections end with the round.
fn client(fleet: &Fleet, wish: &Wish) -> XClient {
    let discovery = fleet.shared_discovery();
    // A call by key has no limit of its own: there the server is asked to keep it.
    let options = Options { handle_timeout: wish.limit, ..Options::default() };
    match wish.select {
        "random" => XClient::new(discovery, Random::new()),
        "weighted" => {
            let first = fleet.slots().swap_remove(0).running;
            let weights = first.map(|server| (server.address.clone(), WEIGHT));
            XClient::new(discovery, Weighted::new(weights))
        }
        "hash" => XClient::with_options(discovery, ConsistentHash::default(), options),
        "least pending" => XClient::new(discovery, LeastPending::default()),
        _ => XClient::new(discovery, RoundRobin::new()),
    }
}

/// One call, or one broadcast: a result for each reply or error that the caller gets.
fn call(client: &XClient, wish: &Wish) -> Vec<rpc::Result<Answer>> {
    let Wish { method, args, limit, .. } = wish;
    let within = Some(*limit);
    match wish.mode {
        "failover" => vec![client.call_failover(method, args, 3, within)],
        "broadcast" => vec![client.broadcast(method, args, within)],
        "broadcast all" => match client.broadcast_all(method, args, within) {
            Ok(results) => results.into_iter().map(|(_, result)| result).collect(),
            Err(error) => vec![Err(error)],
        },
        _ if wish.select == "hash" => vec![client.call_keyed(&wish.key, method, args)],
        _ => vec![client.call_timeout(method, args, *limit)],
    }
}
