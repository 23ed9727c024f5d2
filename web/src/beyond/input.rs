//! More ways to read a request: defaults, repeated values, JSON into structs.

use crate::json::{self, FromJson};
use crate::{Context, url};

impl Context {
    /// The first query value of that name, or `default` if there is none (an empty one is one).
    #[must_use]
    pub fn default_query(&self, name: &str, default: &str) -> String {
        self.query_array(name).into_iter().next().unwrap_or_else(|| default.to_owned())
    }

    /// Every query value of that name: `?id=1&id=2`.
    #[must_use]
    pub fn query_array(&self, name: &str) -> Vec<String> {
        let pairs = url::pairs(self.request.query().as_bytes());
        pairs.filter(|(key, _)| key == name).map(|(_, value)| value).collect()
    }

    /// The first form value of that name - the body's only, not the query's - or `default`.
    #[must_use]
    pub fn default_post_form(&mut self, name: &str, default: &str) -> String {
        self.post_form_array(name).into_iter().next().unwrap_or_else(|| default.to_owned())
    }

    /// Every value of that name in the body's form.
    #[must_use]
    pub fn post_form_array(&mut self, name: &str) -> Vec<String> {
        let Ok(form) = self.form() else { return Vec::new() };
        form.values.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    /// The body as a value of type `T`; see [`crate::json_struct!`] for structs. `None` after
    /// answering 400 with the reason, such as `.age: expected an integer, got "x"`.
    pub fn bind_json<T: FromJson>(&mut self) -> Option<T> {
        let body = self.body().ok()?; // a body that cannot be read is the server's to answer
        let value = json::parse(body).and_then(T::from_json);
        value.map_err(|error| self.fail(400, error.to_string())).ok()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Engine, Request, Response};

    fn text(response: Response) -> (u16, String) {
        (response.status(), String::from_utf8(response.into_bytes().unwrap()).unwrap())
    }

    #[test]
    fn values_have_defaults_and_repeat() {
        let mut engine = Engine::new();
        engine
            .post("/", |c| {
                let all = format!(
                    "{:?} {} {} {:?} {}",
                    c.query_array("id"),
                    c.default_query("page", "1"),
                    c.default_query("empty", "x"),
                    c.post_form_array("tag"),
                    c.default_post_form("id", "none"),
                );
                c.string(200, all);
            })
            .unwrap();
        let request = Request::new("POST", "/?id=1&id=2&empty=")
            .with_header("Content-Type", "application/x-www-form-urlencoded")
            .with_body("tag=a&tag=b");
        let want = r#"["1", "2"] 1  ["a", "b"] none"#;
        assert_eq!(text(engine.handle(request)), (200, want.to_owned()));
    }

    crate::json_struct! {
        #[derive(Debug)]
        struct Person {
            name: String,
            age: u8,
        }
    }

    #[test]
    fn a_body_becomes_a_struct_or_a_reason() {
        let mut engine = Engine::new();
        engine
            .post("/", |c| {
                let Some(person) = c.bind_json::<Person>() else { return };
                c.string(200, format!("{} {}", person.name, person.age));
            })
            .unwrap();
        let ask = |body: &str| text(engine.handle(Request::new("POST", "/").with_body(body)));
        assert_eq!(ask(r#"{"name":"gee","age":7,"more":1}"#), (200, "gee 7".to_owned()));
        for bad in [
            r#"{"name":"gee"}"#,
            r#"{"name":"gee","age":"x"}"#,
            r#"{"age":300,"name":""}"#,
            "{",
            "",
        ] {
            let (status, body) = ask(bad);
            assert!(status == 400 && body.starts_with("{\"message\":\""), "{bad}: {status} {body}");
        }
    }
}
