//! [`json_struct!`](crate::json_struct): a struct declared once, written and read as a JSON object
//! (day 2, second reading).
//!
//! Go reads field names and tags by reflection at run time. Here a macro sees the declaration at
//! compile time and writes what one would write by hand: a [`ToJson`] that prints
//! field after field, and a [`FromJson`] that takes field after field.

use super::{FromJson, Json, JsonError, ToJson};
use std::collections::BTreeMap;

/// Declares a struct and makes it readable from and writable as a JSON object.
///
/// The struct is an ordinary one: attributes, docs and visibility stay. A field may end in
/// `as "wireName"` for its name in JSON, and in `= value` for what it has when it is missing. One
/// without a value must be there, unless it is an `Option`. Fields are written in the order of
/// declaration; unknown ones are ignored when reading. Names must match exactly (Go also takes
/// `NAME` for `name`). Structs with type parameters are not supported.
///
/// ```
/// use web::json;
///
/// web::json_struct! {
///     /// Who sits in the class.
///     #[derive(Debug, PartialEq)]
///     pub struct Student {
///         /// Required.
///         pub name: String,
///         age: u8 as "Age",
///         nick: Option<String>,
///         tags: Vec<String> as "labels" = vec!["new".to_owned()],
///     }
/// }
///
/// let jack: Student = json::from_text(r#"{"name": "Jack", "Age": 22, "x": 0}"#)?;
/// assert_eq!((jack.age, &jack.nick), (22, &None));
/// let text = json::to_string(&jack)?;
/// assert_eq!(text, r#"{"name":"Jack","Age":22,"nick":null,"labels":["new"]}"#);
/// assert_eq!(json::from_text::<Student>(text)?, jack);
///
/// let error = json::from_text::<Vec<Student>>(r#"[{"name": "Tom"}]"#).unwrap_err();
/// assert_eq!(error.to_string(), "[0].Age: expected a value, got nothing");
/// # Ok::<(), json::JsonError>(())
/// ```
#[macro_export]
macro_rules! json_struct {
    (
        $(#[$attribute:meta])*
        $visible:vis struct $name:ident {
            $(
                $(#[$field_attribute:meta])*
                $field_visible:vis $field:ident : $type:ty
                $(as $wire:literal)? $(= $default:expr)?
            ),* $(,)?
        }
    ) => {
        $(#[$attribute])*
        $visible struct $name {
            $($(#[$field_attribute])* $field_visible $field: $type,)*
        }

        impl $crate::json::ToJson for $name {
            fn write_json(
                &self,
                out: &mut ::std::string::String,
            ) -> ::std::result::Result<(), $crate::json::JsonError> {
                #[allow(unused_mut, unused_variables, reason = "a struct may have no fields")]
                let mut fields = $crate::json::FieldWriter::new(out);
                $(
                    let wire = [$($wire,)? stringify!($field)][0];
                    fields.write(wire, &self.$field)?;
                )*
                fields.end();
                ::std::result::Result::Ok(())
            }
        }

        impl $crate::json::FromJson for $name {
            fn from_json(
                json: $crate::json::Json,
            ) -> ::std::result::Result<Self, $crate::json::JsonError> {
                #[allow(unused_mut, unused_variables, reason = "a struct may have no fields")]
                let mut fields = $crate::json::FieldReader::new(json)?;
                ::std::result::Result::Ok(Self {
                    $($field: {
                        let wire = [$($wire,)? stringify!($field)][0];
                        let default: ::std::option::Option<fn() -> $type> =
                            [$(::std::option::Option::Some((|| $default) as fn() -> $type),)?
                             ::std::option::Option::None][0];
                        fields.take(wire, default)?
                    },)*
                })
            }
        }
    };
}

/// Writes an object field by field; what [`json_struct!`](crate::json_struct) calls.
#[derive(Debug)]
pub struct FieldWriter<'a> {
    out: &'a mut String,
    before_next: char,
}

impl<'a> FieldWriter<'a> {
    /// Begins an object.
    pub fn new(out: &'a mut String) -> Self {
        Self { out, before_next: '{' }
    }

    /// Adds a field.
    ///
    /// # Errors
    /// [`JsonError::NotFinite`].
    pub fn write(&mut self, name: &str, value: &impl ToJson) -> Result<(), JsonError> {
        self.out.push(self.before_next);
        self.before_next = ',';
        name.trim_start_matches("r#").write_json(self.out)?;
        self.out.push(':');
        value.write_json(self.out)
    }

    /// Ends the object.
    pub fn end(self) {
        self.out.push_str(if self.before_next == '{' { "{}" } else { "}" });
    }
}

/// Takes an object apart field by field; what [`json_struct!`](crate::json_struct) calls.
#[derive(Debug)]
pub struct FieldReader {
    fields: BTreeMap<String, Json>,
}

impl FieldReader {
    /// Begins with a value that must be an object.
    ///
    /// # Errors
    /// [`JsonError::Shape`] if it is none.
    pub fn new(json: Json) -> Result<Self, JsonError> {
        match json {
            Json::Object(fields) => Ok(Self { fields }),
            other => Err(JsonError::shape("an object", &other)),
        }
    }

    /// Takes a field out: its value, else the default, else what the type has for a missing one.
    ///
    /// # Errors
    /// [`JsonError::Shape`] with the field's name, if it is missing or of another shape.
    pub fn take<T: FromJson>(
        &mut self,
        name: &str,
        default: Option<fn() -> T>,
    ) -> Result<T, JsonError> {
        let name = name.trim_start_matches("r#");
        let missing = || JsonError::Shape {
            path: format!(".{name}"),
            expected: "a value".to_owned(),
            found: "nothing".to_owned(),
        };
        match self.fields.remove(name) {
            Some(json) => T::from_json(json).map_err(|error| error.within(&format!(".{name}"))),
            None => default.map(|value| value()).or_else(T::missing).ok_or_else(missing),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::json;

    json_struct! {
        #[derive(Debug, PartialEq)]
        struct Inner {
            r#type: i32,
            on: bool as "is<on>" = true,
        }
    }

    json_struct! {
        #[derive(Debug, PartialEq)]
        struct Outer { list: Vec<Inner>, next: Option<Box<Outer>> }
    }

    json_struct! { #[derive(Debug, PartialEq)] struct Empty {} }

    #[test]
    fn a_struct_comes_back_as_it_went() {
        let text =
            r#"{"list":[{"type":1,"is\u003con\u003e":false}],"next":{"list":[],"next":null}}"#;
        let outer: Outer = json::from_text(text).unwrap();
        assert_eq!(outer.list, [Inner { r#type: 1, on: false }]);
        assert_eq!(json::to_string(&outer).unwrap(), text);
        assert_eq!(json::Json::of(&outer).unwrap()["next"]["list"], json!([]));
        assert_eq!(json::to_string(&json::from_text::<Empty>("{\"x\":1}").unwrap()).unwrap(), "{}");
    }

    #[test]
    fn mistakes_name_the_field() {
        const CASES: &[(&str, &str)] = &[
            ("[]", "the value: expected an object, got a list"),
            ("{}", ".list: expected a value, got nothing"),
            (
                r#"{"list":[{"type":1},{"type":null}]}"#,
                ".list[1].type: expected an integer, got null",
            ),
            (r#"{"list":[],"next":{}}"#, ".next.list: expected a value, got nothing"),
            (r#"{"list":[],"next":7}"#, ".next: expected an object, got 7"),
            (r#"{"list":null}"#, ".list: expected a list, got null"),
        ];
        for &(text, want) in CASES {
            assert_eq!(json::from_text::<Outer>(text).unwrap_err().to_string(), want);
        }
    }
}
