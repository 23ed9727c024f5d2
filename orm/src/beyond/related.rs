//! Relations: the records of another table that belong to these, in one query (beyond).
//!
//! Has-many, has-one and belongs-to are one thing seen from different sides: values here that equal
//! a column there. So there is one function, [`Session::related`], and no registry of
//! relations: the types and the column are named where they are used, and nothing is loaded that was not asked for.
//!
//! ```
//! use orm::Model;
//!
//! #[derive(Model, Debug)]
//! struct Author { #[model(primary_key)] id: i64, name: String }
//! #[derive(Model, Debug)]
//! struct Book { #[model(primary_key)] id: i64, #[model(index)] author_id: i64, title: String }
//!
//! # fn main() -> orm::Result<()> {
//! # let mut engine = orm::Engine::quiet("sqlite3", ":memory:")?;
//! # let mut session = engine.session();
//! # session.create_table::<Author>()?;
//! # session.create_table::<Book>()?;
//! # session.insert_all(&mut [Author { id: 1, name: "Ann".into() }, Author { id: 2, name: "Bob".into() }])?;
//! # let book = |author_id, title: &str| Book { id: 0, author_id, title: title.into() };
//! session.insert_all(&mut [book(1, "A"), book(1, "B")])?;
//!
//! let authors = session.find(&Author::query())?;
//! let books = session.related::<_, _, Book>(&authors, |author| author.id, "AuthorID")?; // has many
//! assert_eq!((books.of(0).count(), books.of(1).count()), (2, 0));
//!
//! let writers = session.related::<_, _, Author>(&books.found, |book| book.author_id, "ID")?; // belongs to
//! assert_eq!(writers.of(1).next().map(|author| author.name.as_str()), Some("Ann"));
//! assert_eq!(writers.found.len(), 1); // both books share her
//! # Ok(())
//! # }
//! ```

use std::collections::HashMap;

use crate::{Model, Result, Session, ToValue, Value, col};

/// Records that belong to others.
#[derive(Clone, Debug)]
pub struct Related<C> {
    /// All of them, each once.
    pub found: Vec<C>,
    /// For each of the others, places in `found`.
    places: Vec<Vec<usize>>,
}

impl<C> Related<C> {
    /// Those that belong to the record `at` of the list that was asked for.
    pub fn of(&self, at: usize) -> impl Iterator<Item = &C> {
        self.places.get(at).into_iter().flatten().map(|place| &self.found[*place])
    }
}

impl Session<'_> {
    /// For each of `records` the records of type `C` whose `column` equals its `key`; a key that is NULL has none.
    /// One query, or one per [`Dialect::bind_limit`](crate::Dialect::bind_limit) keys.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`](crate::Error::NoSuchColumn); those of [`Session::find`].
    pub fn related<P, K: ToValue, C: Model>(
        &mut self,
        records: &[P],
        key: impl Fn(&P) -> K,
        column: &str,
    ) -> Result<Related<C>> {
        let place = C::SCHEMA.fields.iter().position(|field| field.name == column);
        C::SCHEMA.field(column)?;
        let mut keys = Vec::new();
        let mut wanted: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (at, record) in records.iter().enumerate() {
            let value = key(record).to_value()?;
            let owners = wanted.entry(hashable(&value)).or_default();
            if owners.is_empty() && value != Value::Null {
                keys.push(value);
            }
            owners.push(at);
        }
        let mut related = Related { found: Vec::new(), places: vec![Vec::new(); records.len()] };
        for keys in keys.chunks(self.dialect().bind_limit()) {
            related.found.extend(self.find(&C::query().filter(col(column).is_in(keys)))?);
        }
        for (place_found, record) in related.found.iter().enumerate() {
            let mut row = Vec::new();
            record.to_row(&mut row)?;
            let value = place.map_or(Value::Null, |place| row.swap_remove(place));
            for owner in wanted.get(&hashable(&value)).into_iter().flatten() {
                related.places[*owner].push(place_found);
            }
        }
        Ok(related)
    }
}

/// The value as bytes that are equal when the values are.
fn hashable(value: &Value) -> Vec<u8> {
    let (tag, bytes) = match value {
        Value::Null => (0, Vec::new()),
        Value::Integer(n) => (1, n.to_be_bytes().to_vec()),
        Value::Real(r) => (2, r.to_bits().to_be_bytes().to_vec()),
        Value::Text(text) => (3, text.as_bytes().to_vec()),
        Value::Blob(bytes) => (4, bytes.clone()),
    };
    [&[tag], &bytes[..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::tests::Memory;
    use crate::{Engine, Error, SqliteDriver};

    #[derive(Model, Debug)]
    struct Node {
        #[model(primary_key)]
        id: i64,
        parent: Option<i64>,
    }

    #[test]
    fn parents_children_and_those_without() {
        let mut engine = Engine::quiet("sqlite3", ":memory:").unwrap();
        let mut s = engine.session();
        s.create_table::<Node>().unwrap();
        let node = |parent| Node { id: 0, parent };
        s.insert_all(&mut [node(None), node(Some(1)), node(Some(1)), node(Some(2))]).unwrap();
        let nodes = s.find(&Node::query()).unwrap();
        let children = s.related::<_, _, Node>(&nodes, |node| node.id, "Parent").unwrap();
        let ids = |at| children.of(at).map(|node| node.id).collect::<Vec<_>>();
        assert_eq!([ids(0), ids(1), ids(2), ids(9)], [vec![2, 3], vec![4], vec![], vec![]]);
        let parents = s.related::<_, _, Node>(&nodes, |node| node.parent, "ID").unwrap();
        assert_eq!(parents.found.len(), 2);
        assert!(parents.of(0).next().is_none());
        assert_eq!(parents.of(3).next().unwrap().id, 2);
        // One query, however many records there are.
        let memory = Memory::default();
        let mut engine = Engine::open_with(&SqliteDriver, ":memory:", memory.logger()).unwrap();
        let mut logged = engine.session();
        logged.create_table::<Node>().unwrap();
        let before = memory.text().matches("SELECT").count();
        logged.related::<_, _, Node>(&nodes, |node| node.id, "Parent").unwrap();
        assert_eq!(memory.text().matches("SELECT").count() - before, 1);
        let wrong = s.related::<_, _, Node>(&nodes, |node| node.id, "Nope");
        assert!(matches!(wrong, Err(Error::NoSuchColumn { .. })));
    }
}
