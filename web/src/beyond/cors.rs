//! Cross-origin requests: which other sites' scripts may read our answers.
//!
//! A browser sends a script's simple request along with `Origin: https://a.example` and hides the
//! answer unless we say that this origin may see it. Before any other request it asks first, with
//! `OPTIONS` and `Access-Control-Request-Method`: the preflight. Nothing here protects *us* from
//! anybody who is not a browser. Reference: WHATWG Fetch, "CORS protocol".

use std::time::Duration;

use crate::Context;

/// Which origins may do what; a middleware once [`Cors::middleware`] is called.
#[derive(Debug, Clone)]
pub struct Cors {
    origins: Vec<String>,
    any_origin: bool,
    methods: String,
    headers: String,
    exposed: String,
    credentials: bool,
    max_age: Duration,
}

impl Cors {
    /// These origins, each `scheme://host[:port]`, with GET, HEAD and POST.
    #[must_use]
    pub fn origins(origins: &[&str]) -> Self {
        Cors {
            origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
            any_origin: false,
            methods: "GET, HEAD, POST".to_owned(),
            headers: String::new(),
            exposed: String::new(),
            credentials: false,
            max_age: Duration::from_secs(600),
        }
    }

    /// Any origin, without credentials.
    #[must_use]
    pub fn any() -> Self {
        Cors { any_origin: true, ..Cors::origins(&[]) }
    }

    /// The methods a preflight is told.
    #[must_use]
    pub fn methods(mut self, methods: &[&str]) -> Self {
        self.methods = methods.join(", ");
        self
    }

    /// The request header fields a preflight is told.
    #[must_use]
    pub fn headers(mut self, names: &[&str]) -> Self {
        self.headers = names.join(", ");
        self
    }

    /// The response header fields that scripts may read.
    #[must_use]
    pub fn expose(mut self, names: &[&str]) -> Self {
        self.exposed = names.join(", ");
        self
    }

    /// Cookies and passwords may go along. Has no effect with [`Cors::any`]: any site could then
    /// act in the user's name.
    #[must_use]
    pub fn credentials(mut self) -> Self {
        self.credentials = true;
        self
    }

    /// How long a browser may remember a preflight's answer. 10 minutes unless set.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// The middleware. On the engine it also answers preflights for every route.
    pub fn middleware(self) -> impl Fn(&mut Context) + Send + Sync + 'static {
        move |c| {
            let origin = c.header("Origin").unwrap_or_default().to_owned();
            if !self.any_origin {
                // Caches must not give one origin's answer to another.
                c.response.headers.push("Vary", "Origin");
            }
            if origin.is_empty() || !(self.any_origin || self.origins.contains(&origin)) {
                return;
            }
            c.set_header(
                "Access-Control-Allow-Origin",
                if self.any_origin { "*" } else { &origin },
            );
            if self.credentials && !self.any_origin {
                c.set_header("Access-Control-Allow-Credentials", "true");
            }
            let preflight =
                c.method() == "OPTIONS" && c.header("Access-Control-Request-Method").is_some();
            if preflight {
                c.set_header("Access-Control-Allow-Methods", &self.methods);
                if !self.headers.is_empty() {
                    c.set_header("Access-Control-Allow-Headers", &self.headers);
                }
                c.set_header("Access-Control-Max-Age", &self.max_age.as_secs().to_string());
                c.abort();
                c.status(204);
            } else if !self.exposed.is_empty() {
                c.set_header("Access-Control-Expose-Headers", &self.exposed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, Request, Response};

    fn ask(cors: Cors, method: &str, fields: &[(&str, &str)]) -> Response {
        let mut engine = Engine::new();
        engine.middleware(cors.middleware());
        engine.put("/x", |c| c.string(200, "done")).unwrap();
        let request = Request::new(method, "/x");
        engine.handle(fields.iter().fold(request, |r, (name, value)| r.with_header(name, value)))
    }

    #[test]
    fn a_page_may_read_how_a_request_failed() {
        let mut engine = Engine::new();
        engine.middleware(crate::recovery::recovery());
        engine.middleware(Cors::origins(&["https://a.example"]).middleware());
        engine.get("/panic", |c| assert!(c.path().is_empty(), "part of the test")).unwrap();
        engine.get("/json", |c| c.json(200, &f64::NAN)).unwrap();
        for path in ["/panic", "/json", "/nowhere"] {
            let request = Request::new("GET", path).with_header("Origin", "https://a.example");
            let response = engine.handle(request);
            assert!([404, 500].contains(&response.status()), "{path}");
            let names: Vec<_> = response.headers.iter().map(|(name, _)| name).collect();
            assert_eq!(names, ["Vary", "Access-Control-Allow-Origin", "Content-Type"], "{path}");
        }
    }

    #[test]
    fn origins_are_allowed_one_by_one() {
        let cors =
            Cors::origins(&["https://a.example"]).methods(&["PUT"]).headers(&["X-A"]).credentials();
        let origin = ("Origin", "https://a.example");
        let preflight =
            ask(cors.clone(), "OPTIONS", &[origin, ("Access-Control-Request-Method", "PUT")]);
        let field = |response: &Response, name| {
            response.headers.get(&format!("Access-Control-{name}")).map(str::to_owned)
        };
        assert_eq!(preflight.status(), 204);
        assert_eq!(field(&preflight, "Allow-Origin").as_deref(), Some("https://a.example"));
        assert_eq!(field(&preflight, "Allow-Methods").as_deref(), Some("PUT"));
        assert_eq!(field(&preflight, "Allow-Headers").as_deref(), Some("X-A"));
        assert_eq!(field(&preflight, "Allow-Credentials").as_deref(), Some("true"));
        assert_eq!(field(&preflight, "Max-Age").as_deref(), Some("600"));
        let real = ask(cors.clone().expose(&["X-B"]), "PUT", &[origin]);
        assert_eq!((real.status(), real.headers.get("Vary")), (200, Some("Origin")));
        assert_eq!(field(&real, "Expose-Headers").as_deref(), Some("X-B"));
        for other in ["https://b.example", "https://a.example.evil.example", "null"] {
            let response = ask(cors.clone(), "PUT", &[("Origin", other)]);
            assert_eq!((response.status(), field(&response, "Allow-Origin")), (200, None));
        }
        let any = ask(Cors::any().credentials(), "PUT", &[("Origin", "null")]);
        assert_eq!(field(&any, "Allow-Origin").as_deref(), Some("*"));
        assert_eq!((field(&any, "Allow-Credentials"), any.headers.get("Vary")), (None, None));
    }
}
