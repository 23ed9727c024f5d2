//! Day 2: a group loads each key once; the second get is a hit.

use cache::{Error, Group};

fn main() -> cache::Result<()> {
    web::cli::no_flags();
    let scores = Group::new("scores", 2048, |key: &[u8]| {
        eprintln!("[SlowDB] search key {}", String::from_utf8_lossy(key));
        match key {
            b"Tom" => Ok("630"),
            b"Jack" => Ok("589"),
            b"Sam" => Ok("567"),
            _ => Err(Error::not_found(key)),
        }
    })
    .log(|line| eprintln!("{line}"));
    for key in ["Tom", "Jack", "Sam"] {
        for _ in 0..2 {
            println!("{key}: {}", scores.get(key)?);
        }
    }
    match scores.get("unknown") {
        Ok(value) => println!("unknown: {value}"),
        Err(error) => println!("{error}"),
    }
    println!("{:?}", scores.stats());
    Ok(())
}
