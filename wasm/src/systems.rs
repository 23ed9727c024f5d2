//! The five systems and their days: the one table that the home page is made from.
//!
//! A test holds that the module and the example of each row are there, so the page cannot promise
//! what the repository does not have.

use web::json;
use web::json::Json;

/// One of the five systems.
#[derive(Debug)]
pub struct System {
    /// The package, which is also its folder.
    pub name: &'static str,
    /// What it is like, in the words of the people who use such things.
    pub title: &'static str,
    /// What it does, in a sentence or two.
    pub about: &'static str,
    /// Its page here.
    pub page: &'static str,
    /// Its days, in order.
    pub days: &'static [Day],
}

/// One day of a system, or one demo.
#[derive(Debug)]
pub struct Day {
    /// `1` to `7`; of a demo its number.
    pub day: &'static str,
    /// What appears on it.
    pub appears: &'static str,
    /// The file with its chapter, from the repository's root.
    pub module: &'static str,
    /// Its example, from the repository's root: a file without `.rs`, or a folder.
    pub example: &'static str,
    /// How to see it: a command, or a path on this server.
    pub see: &'static str,
}

/// One row per line: day, what appears, the module's file, the example's name, its argument.
macro_rules! days {
    ($package:literal: $($day:literal $appears:literal $module:literal $example:literal $($arg:literal)?;)*) => {
        &[$(Day {
            day: $day,
            appears: $appears,
            module: concat!($package, "/src/", $module),
            example: concat!($package, "/examples/", $example),
            see: concat!("cargo run -p ", $package, " --example ", $example $(, " -- ", $arg)?),
        },)*]
    };
}

/// All five, in the order in which the course goes through them.
pub const SYSTEMS: &[System] = &[
    System {
        name: "web",
        title: "A web framework like gin",
        about: "HTTP/1.1 read and written by hand on a bounded pool of threads; above it a route \
                tree, groups, middleware, JSON and templates. It serves the page you are reading.",
        page: "/web",
        days: days! { "web":
            "1" "An HTTP server from a socket" "server.rs" "day1_http_base";
            "2" "Context: one object per request" "context.rs" "day2_context";
            "3" "A route tree with :param and *rest" "trie.rs" "day3_router";
            "4" "Groups of routes" "router.rs" "day4_group";
            "5" "Middleware" "middleware.rs" "day5_middleware";
            "6" "Templates that escape, static files" "template.rs" "day6_template";
            "7" "Panics become a 500" "recovery.rs" "day7_panic_recover";
        },
    },
    System {
        name: "cache",
        title: "A distributed cache like groupcache",
        about: "An LRU list, a ring of nodes that agree who owns a key, one load for a thousand \
                callers who ask at once, and protobuf between the nodes.",
        page: "/cache",
        days: days! { "cache":
            "1" "Least recently used, within a budget of bytes" "lru.rs" "day1_lru";
            "2" "A cache that loads, for many threads" "group.rs" "day2_single_node";
            "3" "A node that answers over HTTP" "http.rs" "day3_http_server";
            "4" "Who owns a key: the ring" "ring.rs" "day4_consistent_hash";
            "5" "Ask the owner, get along without it" "peers.rs" "day5_multi_nodes";
            "6" "Load once, whoever asks" "flight.rs" "day6_single_flight";
            "7" "Protobuf by hand" "proto.rs" "day7_protobuf";
        },
    },
    System {
        name: "orm",
        title: "An object mapper like gorm, and the database under it",
        about: "Structs become tables and rows. The SQL engine is ours too, and its files are \
                SQLite's: sqlite3 opens what it writes.",
        page: "/orm",
        days: days! { "orm":
            "0" "A SQL engine whose files are SQLite's" "sql.rs" "shell" "gee.db";
            "1" "A driver, a logger, raw SQL" "driver.rs" "day1_database_sql";
            "2" "A table from a struct" "schema.rs" "day2_schema";
            "3" "Structs into rows, and back" "record.rs" "day3_save_query";
            "4" "Conditions, order, update, delete" "query.rs" "day4_chain";
            "5" "Hooks" "hooks.rs" "day5_hooks";
            "6" "Transactions" "transaction.rs" "day6_transaction";
            "7" "Migration" "migrate.rs" "day7_migrate";
        },
    },
    System {
        name: "rpc",
        title: "Remote calls like Go's net/rpc",
        about: "Many calls at once on one connection, gob and JSON on the wire, timeouts, load \
                balancing and a registry.",
        page: "/rpc",
        days: days! { "rpc":
            "1" "Gob and JSON on the wire" "codec/mod.rs" "day1_codec";
            "2" "A client that many callers share" "client.rs" "day2_client";
            "3" "Typed services, a server" "service.rs" "day3_service";
            "4" "Time limits" "deadline.rs" "day4_timeout";
            "5" "HTTP and a debug page" "http.rs" "day5_http_debug";
            "6" "Many servers" "xclient.rs" "day6_load_balance";
            "7" "A registry" "registry.rs" "day7_registry";
        },
    },
    System {
        name: "wasm",
        title: "Rust in the page",
        about: "Four small programs for the browser: what WebAssembly can do by itself, and what \
                the glue around it adds.",
        page: "/wasm",
        days: crate::demos::DAYS,
    },
];

/// The table as a template reads it.
#[must_use]
pub fn as_json() -> Json {
    let day = |d: &Day| {
        let is_page = d.see.starts_with('/');
        json!({"day": d.day, "appears": d.appears, "module": d.module, "see": d.see, "is_page": is_page})
    };
    let system = |s: &System| {
        let days: Vec<Json> = s.days.iter().map(day).collect();
        json!({"name": s.name, "title": s.title, "about": s.about, "page": s.page, "days": days})
    };
    Json::from(SYSTEMS.iter().map(system).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_row_names_files_that_exist() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let rows = SYSTEMS.iter().flat_map(|system| system.days);
        let files: Vec<_> = rows.flat_map(|day| [day.module, day.example]).collect();
        assert!(files.len() >= 66, "the table has lost its rows");
        let exists = |file: &str| {
            let path = root.join(file);
            path.is_file() || path.with_extension("rs").is_file() || path.join("main.rs").is_file()
        };
        let missing: Vec<_> = files.iter().filter(|file| !exists(file)).collect();
        assert!(missing.is_empty(), "no such files: {missing:?}");
    }
}
