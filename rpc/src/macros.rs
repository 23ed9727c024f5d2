//! Day 1: a struct that travels, declared once.
//!
//! Go finds the fields of a struct by reflection. Rust has none; the list of fields must be known
//! where the code is compiled. [`message!`](crate::message) reads the declaration, repeats it
//! unchanged, and writes beside it what gob and JSON need: a list of wire names, and methods with a
//! line for each field ([`Gob`](crate::gob::Gob), [`JsonForm`](crate::json::JsonForm)). The struct
//! stays an ordinary struct.
//!
//! ```
//! rpc::message! {
//!     /// What `Foo.Sum` takes.
//!     #[derive(Debug, Clone, PartialEq)]
//!     pub struct Args {
//!         /// The first summand; `Num1` on the wire.
//!         pub num1: i64,
//!         /// The second, under a name of its own.
//!         pub second: i64 as "Num2",
//!     }
//! }
//!
//! let mut stream = Vec::new();
//! rpc::gob::Encoder::new().encode(&Args { num1: 3, second: 4 }, &mut stream);
//! assert_eq!(&stream[stream.len() - 8..], [7, 0xff, 0x82, 1, 6, 1, 8, 0]);
//! ```
//!
//! A wire name is Go's exported form of the field's: `num1` becomes `Num1`, `user_name` becomes
//! `UserName`; `as "Name"` after the type sets another. The struct's own name can be set the same
//! way (`pub struct Args as "Arith" { .. }`); to a gob reader it means nothing.

use std::borrow::Cow;

/// Go's exported form of a field name: `user_name` becomes `UserName`.
#[must_use]
pub fn exported(name: &str) -> String {
    let mut result = String::with_capacity(name.len());
    for word in name.trim_start_matches("r#").split('_') {
        let mut letters = word.chars();
        result.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        result.push_str(letters.as_str());
    }
    result
}

/// The wire name of a field: the one given, or the exported form of its own.
#[doc(hidden)]
#[must_use]
pub fn wire_name(given: Option<&'static str>, own: &'static str) -> Cow<'static, str> {
    given.map_or_else(|| Cow::Owned(exported(own)), Cow::Borrowed)
}

/// Declares structs that can be arguments and replies; see the [module](crate::macros).
#[macro_export]
macro_rules! message {
    ($(
        $(#[$meta:meta])*
        $vis:vis struct $name:ident $(as $wire:literal)? {
            $( $(#[$field_meta:meta])* $field_vis:vis $field:ident : $kind:ty $(as $field_wire:literal)? ),*
            $(,)?
        }
    )+) => {$(
        $(#[$meta])*
        $vis struct $name {
            $( $(#[$field_meta])* $field_vis $field: $kind, )*
        }

        impl $name {
            /// The wire names of the fields, in their order.
            fn wire_names() -> ::std::vec::Vec<::std::borrow::Cow<'static, str>> {
                ::std::vec![$( $crate::macros::wire_name(
                    $crate::message!(@given $($field_wire)?), stringify!($field),
                ), )*]
            }
        }

        impl $crate::gob::Gob for $name {
            fn zero() -> Self {
                $name { $( $field: <$kind as $crate::gob::Gob>::zero(), )* }
            }
            fn go_type() -> ::std::string::String {
                ::std::format!("main.{}", $crate::message!(@name $name $($wire)?))
            }
            fn define(
                definitions: &mut $crate::gob::Definitions,
                named: $crate::gob::Named,
            ) -> $crate::gob::Id {
                definitions.structure::<Self>(
                    $crate::message!(@name $name $($wire)?),
                    named,
                    |definitions| {
                        let ids: ::std::vec::Vec<$crate::gob::Id> = ::std::vec![
                            $( <$kind as $crate::gob::Gob>::define(
                                definitions, $crate::gob::Named::Field,
                            ), )*
                        ];
                        let _ = definitions;
                        Self::wire_names()
                            .into_iter()
                            .zip(ids)
                            .map(|(name, id)| $crate::gob::Field { name: name.into_owned(), id })
                            .collect()
                    },
                )
            }
            fn is_zero(&self) -> bool {
                false
            }
            #[inline]
            #[allow(
                unused_assignments,
                unused_mut,
                unused_variables,
                reason = "a struct may have no fields"
            )]
            fn encode(&self, out: &mut ::std::vec::Vec<u8>) {
                let (mut last, mut number) = (0u64, 0u64);
                $(
                    number += 1;
                    if !$crate::gob::Gob::is_zero(&self.$field) {
                        $crate::gob::varint::put_uint(out, number - last);
                        last = number;
                        $crate::gob::Gob::encode(&self.$field, out);
                    }
                )*
                out.push(0);
            }
            fn compile(
                compiler: &mut $crate::gob::Compiler<'_>,
                id: $crate::gob::Id,
            ) -> $crate::Result<$crate::gob::PlanId> {
                let members: &[fn(
                    &mut $crate::gob::Compiler<'_>,
                    $crate::gob::Id,
                ) -> $crate::Result<$crate::gob::PlanId>] =
                    &[$( <$kind as $crate::gob::Gob>::compile, )*];
                compiler.structure::<Self>(id, &Self::wire_names(), |compiler, number, id| {
                    members[number](compiler, id)
                })
            }
            #[inline]
            #[allow(
                unused_assignments,
                unused_mut,
                unused_variables,
                reason = "a struct may have no fields"
            )]
            fn decode(
                &mut self,
                plans: &$crate::gob::Plans,
                plan: $crate::gob::PlanId,
                wire: &mut $crate::gob::Wire,
            ) -> $crate::Result<()> {
                plans.fields(plan, wire, |wire, slot, plan| {
                    let mut number = 0usize;
                    $(
                        if slot == number {
                            return $crate::gob::Gob::decode(&mut self.$field, plans, plan, wire)
                                .map_err(|error| $crate::macros::name_field(
                                    error, || Self::wire_names().swap_remove(slot),
                                ));
                        }
                        number += 1;
                    )*
                    Ok(())
                })
            }
        }

        impl $crate::json::JsonForm for $name {
            #[allow(
                unused_assignments,
                unused_mut,
                unused_variables,
                reason = "a struct may have no fields"
            )]
            fn write_json(&self, out: &mut ::std::string::String) -> $crate::Result<()> {
                let names = Self::wire_names();
                let mut names = names.iter();
                let mut fields = $crate::json::FieldWriter::new(out);
                $( if let ::std::option::Option::Some(name) = names.next() {
                    fields.write(name, &self.$field)?;
                } )*
                fields.end();
                Ok(())
            }
            #[allow(
                unused_assignments,
                unused_mut,
                unused_variables,
                reason = "a struct may have no fields"
            )]
            fn read_json(&mut self, json: $crate::json::Json) -> $crate::Result<()> {
                $crate::json::read_object::<Self>(json, &Self::wire_names(), |slot, json| {
                    let mut number = 0usize;
                    $(
                        if slot == number {
                            return $crate::json::JsonForm::read_json(&mut self.$field, json);
                        }
                        number += 1;
                    )*
                    Ok(())
                })
            }
        }
    )+};
    (@given) => { ::std::option::Option::None };
    (@given $given:literal) => { ::std::option::Option::Some($given) };
    (@name $name:ident) => { stringify!($name) };
    (@name $name:ident $wire:literal) => { $wire };
}

/// Says which field a number was too big for.
#[doc(hidden)]
#[must_use]
pub fn name_field(error: crate::Error, name: impl FnOnce() -> Cow<'static, str>) -> crate::Error {
    match error {
        crate::Error::OutOfRange(field) if field.is_empty() => {
            crate::Error::OutOfRange(name().into_owned())
        }
        other => other,
    }
}
