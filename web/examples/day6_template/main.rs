//! Day 6: pages from templates, and the files they need.
//!
//! ```text
//! curl http://127.0.0.1:9999/                          css.tmpl, linking to the style sheet
//! curl http://127.0.0.1:9999/students                  <p>0: Geektutu is 20 years old</p> ...
//! curl http://127.0.0.1:9999/date                      <p>Date: 2019-08-17</p>
//! curl http://127.0.0.1:9999/assets/css/geektutu.css   the style sheet
//! ```

use std::path::Path;
use std::process::ExitCode;

use web::{Engine, Json, Result, json};

/// `2019-08-17` from `{"year": 2019, "month": 8, "day": 17}`: a date as a template sees it.
fn format_as_date(args: &[Json]) -> std::result::Result<Json, String> {
    let part = |name| args.first().and_then(|date| date.get(name)).and_then(Json::as_i64);
    match (part("year"), part("month"), part("day")) {
        (Some(year), Some(month), Some(day)) => Ok(format!("{year}-{month:02}-{day:02}").into()),
        _ => Err("FormatAsDate wants a date with year, month and day".to_owned()),
    }
}

fn engine() -> Result<Engine> {
    // From any working directory: next to this file.
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/day6_template");
    let mut engine = Engine::new();
    engine.middleware(web::middleware::logger());
    engine.template_func("FormatAsDate", format_as_date);
    engine.load_templates(here.join("templates/*"))?;
    engine.static_dir("/assets", here.join("static"))?;

    let students = json!([
        {"Name": "Geektutu", "Age": 20},
        {"Name": "Jack", "Age": 22},
    ]);
    engine.get("/", |c| c.render(200, "css.tmpl", &Json::Null))?;
    engine.get("/students", move |c| {
        c.render(200, "arr.tmpl", &json!({"title": "gee", "stuArr": (students.clone())}));
    })?;
    engine.get("/date", |c| {
        let now = json!({"year": 2019, "month": 8, "day": 17});
        c.render(200, "custom_func.tmpl", &json!({"title": "gee", "now": now}));
    })?;
    Ok(engine)
}

fn main() -> ExitCode {
    web::cli::serve("127.0.0.1:9999", engine())
}
