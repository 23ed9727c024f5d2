//! The route tree (day 3): which pattern does a path match?
//!
//! # What you will have at the end
//! `/hello/:name` and `/assets/*filepath`, found in well under a microsecond among hundreds of
//! routes, whatever the order in which they were registered. About twenty-five minutes.
//!
//! # Why
//! A map from path to handler (day 1) cannot say "any name here". Trying patterns one after
//! another can, in time that grows with their number. A tree over path segments shares what the
//! patterns have in common and takes at most as many steps as it has nodes. gin cuts inside segments
//! (a radix tree), which saves a little time and costs much clarity; we cut at slashes only.
//!
//! # The picture, first step: text and `:param`
//! ```text
//! GET                              "/"            -> [""]
//!  ├─ ""            /              "/hello/:name" -> ["hello", ":name"]
//!  ├─ "hello"                      "/hello/b/c"   -> ["hello", "b", "c"]
//!  │   ├─ "b"
//!  │   │   └─ "c"   /hello/b/c     A segment is looked up among the children with a fixed
//!  │   └─ :param    /hello/:name   text first; only if that leads nowhere is the wildcard
//!  └─ "hi" ...                     child tried. The two are never mixed up in one list.
//! ```
//! # Second step: `*rest` and going back
//! `*rest` takes everything to the end, at least one octet, and is tried last of all. With
//! `/hello/:name` and `/hello/b/c`, the path `/hello/b` first walks into `b`, finds no pattern
//! there, comes **back**, and matches `:name`. A node is visited once per request at most, because
//! its depth says which segment it sees, so hostile paths cannot make this slow.
//!
//! | path | with `/hello/:name` `/hello/b/c` `/hello/c` `/a/*rest` `/a/g` |
//! |---|---|
//! | `/hello/c` | `/hello/c`: text wins, also if registered last |
//! | `/hello/x`, `/hello/b` | `/hello/:name` |
//! | `/hello/zzz/c` | nothing: `:name` is one segment (Go's tutorial finds `/hello/b/c` here) |
//! | `/a/g`, `/a/g/h` | `/a/g`; `/a/*rest` with `g/h` |
//! | `/a`, `/a/` | nothing: `*rest` is not empty |
//!
//! # The idea alone
//! ```
//! #[derive(Default)]
//! struct Node {
//!     route: Option<&'static str>,
//!     children: Vec<(&'static str, Node)>,
//!     param: Option<Box<Node>>,
//! }
//!
//! impl Node {
//!     fn insert(&mut self, pattern: &'static str) {
//!         let mut node = self;
//!         for segment in pattern.split('/').skip(1) {
//!             node = if segment.starts_with(':') {
//!                 node.param.get_or_insert_default()
//!             } else {
//!                 let at = node.children.iter().position(|(text, _)| *text == segment);
//!                 let at = at.unwrap_or_else(|| {
//!                     node.children.push((segment, Node::default()));
//!                     node.children.len() - 1
//!                 });
//!                 &mut node.children[at].1
//!             };
//!         }
//!         node.route = Some(pattern);
//!     }
//!
//!     fn find(&self, path: &[&str]) -> Option<&'static str> {
//!         let Some((segment, rest)) = path.split_first() else { return self.route };
//!         let child = self.children.iter().find(|(text, _)| text == segment);
//!         child.and_then(|(_, node)| node.find(rest))             // text first ...
//!             .or_else(|| self.param.as_ref()?.find(rest))        // ... then the wildcard
//!     }
//! }
//!
//! let mut root = Node::default();
//! ["/hello/:name", "/hello/b/c"].map(|pattern| root.insert(pattern));
//! let find = |path: &str| root.find(&path.split('/').skip(1).collect::<Vec<_>>());
//! assert_eq!(find("/hello/gee"), Some("/hello/:name"));
//! assert_eq!(find("/hello/b/c"), Some("/hello/b/c"));
//! assert_eq!(find("/hello/b"), Some("/hello/:name"));
//! assert_eq!(find("/hello/zzz/c"), None);
//! ```
//!
//! # The walk
//! [`parse`] takes a pattern apart into [`Segment`]s and refuses bad ones. [`Trie::insert`] walks
//! down, making nodes as it needs them, and puts the pattern where it ends, unless one stands
//! there. [`Trie::find`] goes down a path: text first, then the `:param` child, then the `*rest`,
//! and takes back what it noted when a way leads nowhere. [`Trie::routes`] lists them all.
//!
//! # What the borrow checker says
//! Go's node has a list of pointers, and helpers return a pointer into it. In Rust a node *owns*
//! its children: `Vec<Node>` and `Option<Box<Node>>`, no parent pointers. `insert` walks down with
//! one `&mut` that is replaced at each step. The natural `match list.iter_mut().find(..) { Some(n)
//! => return n, None => { list.push(..); .. } }` is refused ("cannot borrow `*list` as mutable
//! more than once"): the loan of the first arm lasts as long as what it returns. Finding an index
//! first ends the loan, and that is what the code does.
//!
//! # Where this differs from the Go tutorial
//! Text before `:param` before `*rest`, in any order of registration (WEB-1, WEB-2, WEB-3). What
//! stands in a request path is never read as a pattern (WEB-7). Slashes count: `/a` and `/a/` are
//! two routes, `//a` is neither (WEB-8). Empty and repeated names and patterns without a leading
//! slash are errors, as are two patterns for the same paths (WEB-19).
//!
//! # Try it
//! `cargo run -p web --example day3_router`, then
//! `curl http://127.0.0.1:9999/hello/geektutu` prints `hello geektutu, you're at /hello/geektutu`.
//! Exercises (`cargo test -p web trie::tests::exercise -- --ignored`): `exercise_count_routes` and
//! `exercise_optional_last_segment` at the end of this file.

use std::ops::Range;

use crate::{Error, Result};

/// A tree of patterns, each with what it leads to.
#[derive(Debug, Clone)]
pub struct Trie<T> {
    root: Node<T>,
}

/// What stands under one prefix of segments.
#[derive(Debug, Clone)]
struct Node<T> {
    /// What the pattern that ends here leads to, and the pattern itself.
    route: Option<(String, T)>,
    /// Children with a fixed text, sorted by their [`key`], and the keys once more side by side: a
    /// search looks at a few neighbouring words and one text.
    keys: Vec<u64>,
    children: Vec<(Box<[u8]>, Node<T>)>,
    /// The child of every `:name` segment. Names belong to the pattern, not to the tree.
    param: Option<Box<Node<T>>>,
    /// What a `*name` here leads to.
    rest: Option<(String, T)>,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Node { route: None, keys: Vec::new(), children: Vec::new(), param: None, rest: None }
    }
}

impl<T> Default for Trie<T> {
    fn default() -> Self {
        Trie { root: Node::default() }
    }
}

/// One segment of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment<'a> {
    /// Matches itself.
    Text(&'a str),
    /// `:name`, matches one segment that is not empty.
    Param(&'a str),
    /// `*name`, matches all that is left and is not empty.
    Rest(&'a str),
}

/// Takes a pattern apart.
///
/// # Errors
/// [`Error::Pattern`] if it does not begin with `/`, a wildcard has no name or a name that came
/// before, or something follows a `*name`.
pub fn parse(pattern: &str) -> Result<Vec<Segment<'_>>> {
    let refuse = |reason| Err(Error::Pattern { pattern: pattern.to_owned(), reason });
    let Some(path) = pattern.strip_prefix('/') else {
        return refuse("it must begin with a slash");
    };
    let mut segments = Vec::new();
    for part in path.split('/') {
        let (segment, name) = match part.as_bytes().first() {
            Some(b':') => (Segment::Param(&part[1..]), &part[1..]),
            Some(b'*') => (Segment::Rest(&part[1..]), &part[1..]),
            _ => (Segment::Text(part), part),
        };
        if let Some(Segment::Rest(_)) = segments.last() {
            return refuse("a *name takes the whole rest, so nothing can follow it");
        }
        if !matches!(segment, Segment::Text(_)) {
            if name.is_empty() {
                return refuse("a wildcard needs a name: `:id` or `*path`");
            }
            if segments
                .iter()
                .any(|s| matches!(s, Segment::Param(n) | Segment::Rest(n) if *n == name))
            {
                return refuse("two wildcards have the same name");
            }
        }
        segments.push(segment);
    }
    Ok(segments)
}

impl<T> Trie<T> {
    /// Adds a pattern.
    ///
    /// # Errors
    /// [`Error::Pattern`] as for [`parse`]; [`Error::RouteConflict`] if a pattern for the same
    /// paths is there already (its `method` is left empty for the router to fill in).
    pub fn insert(&mut self, pattern: &str, value: T) -> Result<()> {
        let mut node = &mut self.root;
        let mut end = None;
        for segment in parse(pattern)? {
            node = match segment {
                Segment::Text(text) => node.child(text.as_bytes()),
                Segment::Param(_) => node.param.get_or_insert_default(),
                Segment::Rest(_) => {
                    end = Some(&mut node.rest);
                    break;
                }
            };
        }
        let place = end.unwrap_or(&mut node.route);
        if let Some((existing, _)) = place {
            return Err(Error::RouteConflict {
                method: String::new(),
                pattern: pattern.to_owned(),
                existing: existing.clone(),
            });
        }
        *place = Some((pattern.to_owned(), value));
        Ok(())
    }

    /// What the best pattern for `path` leads to. `params` gets the places of its wildcards in
    /// `path`, in the order of the pattern; without a match it is left empty.
    #[must_use]
    pub fn find(&self, path: &str, params: &mut Vec<Range<usize>>) -> Option<&T> {
        params.clear();
        // A path that does not begin with a slash is `*`, or a CONNECT's authority.
        let found = path.starts_with('/').then(|| self.root.find(path.as_bytes(), 1, params))?;
        found.map(|(_, value)| value)
    }

    /// Every pattern with its value, depth first: text, then `:param`, then `*rest`.
    #[must_use]
    pub fn routes(&self) -> Vec<(&str, &T)> {
        let mut all = Vec::new();
        self.root.collect(&mut all);
        all
    }
}

impl<T> Node<T> {
    fn child(&mut self, text: &[u8]) -> &mut Node<T> {
        let at = self.position(text).unwrap_or_else(|| {
            let key = key(text);
            let at = self.keys.partition_point(|k| *k < key);
            self.keys.insert(at, key);
            self.children.insert(at, (text.into(), Node::default()));
            at
        });
        &mut self.children[at].1
    }

    /// The place of the child with that text.
    fn position(&self, text: &[u8]) -> Option<usize> {
        let key = key(text);
        let first = self.keys.partition_point(|k| *k < key);
        let same = self.keys[first..].iter().take_while(|k| **k == key).count();
        (first..first + same).find(|at| *self.children[*at].0 == *text)
    }

    /// Matches `path` from `at`, where a segment begins.
    fn find(&self, path: &[u8], at: usize, params: &mut Vec<Range<usize>>) -> Option<&(String, T)> {
        let end = at + segment_length(&path[at..]);
        let segment = &path[at..end];
        if let Some(child) = self.position(segment) {
            let found = self.children[child].1.end_or_find(path, end, params);
            if found.is_some() {
                return found;
            }
        }
        if let (Some(node), false) = (&self.param, segment.is_empty()) {
            params.push(at..end);
            let found = node.end_or_find(path, end, params);
            if found.is_some() {
                return found;
            }
            params.pop();
        }
        if self.rest.is_some() && at < path.len() {
            params.push(at..path.len());
            return self.rest.as_ref();
        }
        None
    }

    /// Matches what follows a segment that ended at `end`.
    fn end_or_find(
        &self,
        path: &[u8],
        end: usize,
        params: &mut Vec<Range<usize>>,
    ) -> Option<&(String, T)> {
        // The recursion goes no deeper than the tree, and the program made that.
        if end == path.len() { self.route.as_ref() } else { self.find(path, end + 1, params) }
    }

    fn collect<'a>(&'a self, all: &mut Vec<(&'a str, &'a T)>) {
        all.extend(self.route.iter().map(|(pattern, value)| (&**pattern, value)));
        self.children.iter().for_each(|(_, child)| child.collect(all));
        self.param.iter().for_each(|child| child.collect(all));
        all.extend(self.rest.iter().map(|(pattern, value)| (&**pattern, value)));
    }
}

// What follows makes a look-up about twice as fast among 150 routes (`cargo bench -p web`) and may
// be skipped at a first reading.

/// A text's length and first seven octets in one word: nearly always enough to tell two apart.
fn key(text: &[u8]) -> u64 {
    let mut word = [0; 8];
    let head = &text[..text.len().min(7)];
    word[..head.len()].copy_from_slice(head);
    word[7] = u8::try_from(text.len()).unwrap_or(u8::MAX);
    u64::from_le_bytes(word)
}

/// Octets up to the next slash, eight at a time.
///
/// ```text
/// word, lowest octet first     g  e  e  /  x          each octet xor '/' : only a slash becomes 00
/// after xor                   48 4a 4a 00 57
/// minus 01 in each octet      47 49 49 ff 55          00 - 01 is ff, whose top bit is set
/// top bits that were not set           80             the lowest one stands at the first slash
/// ```
fn segment_length(path: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let (words, tail) = path.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let slashes_are_zero = u64::from_le_bytes(*word) ^ u64::from_le_bytes([b'/'; 8]);
        let borrowed = slashes_are_zero.wrapping_sub(ONES) & !slashes_are_zero & HIGH;
        if borrowed != 0 {
            return at * 8 + borrowed.trailing_zeros() as usize / 8;
        }
    }
    let before = path.len() - tail.len();
    before + tail.iter().position(|&b| b == b'/').unwrap_or(tail.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trie(patterns: &[&'static str]) -> Trie<&'static str> {
        let mut trie = Trie::default();
        patterns.iter().for_each(|p| trie.insert(p, *p).unwrap());
        trie
    }

    /// The pattern and the wildcards' texts.
    fn find<'a>(trie: &Trie<&'static str>, path: &'a str) -> Option<(&'static str, Vec<&'a str>)> {
        let mut params = Vec::new();
        let found = trie.find(path, &mut params).copied();
        assert!(found.is_some() || params.is_empty());
        found.map(|pattern| (pattern, params.into_iter().map(|range| &path[range]).collect()))
    }

    #[test]
    fn patterns_are_taken_apart() {
        use Segment::{Param, Rest, Text};
        assert_eq!(parse("/p/:name").unwrap(), [Text("p"), Param("name")]);
        assert_eq!(parse("/p/*name").unwrap(), [Text("p"), Rest("name")]);
        assert_eq!(parse("/a/").unwrap(), [Text("a"), Text("")]);
        const BAD: &[(&str, &str)] = &[
            ("", r#"route "": it must begin with a slash"#),
            ("a", r#"route "a": it must begin with a slash"#),
            ("/p/*", r#"route "/p/*": a wildcard needs a name: `:id` or `*path`"#),
            ("/:", r#"route "/:": a wildcard needs a name: `:id` or `*path`"#),
            ("/:a/:a", r#"route "/:a/:a": two wildcards have the same name"#),
            (
                "/p/*name/*",
                r#"route "/p/*name/*": a *name takes the whole rest, so nothing can follow it"#,
            ),
        ];
        for &(pattern, want) in BAD {
            assert_eq!(parse(pattern).unwrap_err().to_string(), want);
        }
    }

    /// The tutorial's `TestGetRoute` and `TestGetRoute2`.
    #[test]
    fn wildcards_match_one_segment_or_the_rest() {
        let trie = trie(&["/", "/hello/:name", "/hello/b/c", "/hi/:name", "/assets/*filepath"]);
        assert_eq!(find(&trie, "/"), Some(("/", vec![])));
        assert_eq!(find(&trie, "/hello/geektutu"), Some(("/hello/:name", vec!["geektutu"])));
        assert_eq!(
            find(&trie, "/assets/file1.txt"),
            Some(("/assets/*filepath", vec!["file1.txt"]))
        );
        assert_eq!(
            find(&trie, "/assets/css/t.css"),
            Some(("/assets/*filepath", vec!["css/t.css"]))
        );
        // What looks like a pattern in a path is text (WEB-7).
        assert_eq!(find(&trie, "/assets/*x/b"), Some(("/assets/*filepath", vec!["*x/b"])));
        assert_eq!(find(&trie, "/hello/:name"), Some(("/hello/:name", vec![":name"])));
        for nothing in ["", "*", "hello/x", "/hello", "/hello/", "//hello/x", "/assets", "/assets/"]
        {
            assert_eq!(find(&trie, nothing), None, "{nothing}");
        }
    }

    /// WEB-1, WEB-2, WEB-3: whatever the order of registration.
    #[test]
    fn text_wins_over_param_over_rest_in_every_order() {
        const ROUTES: [&str; 6] =
            ["/hello/:name", "/hello/b/c", "/hello/c", "/a/*rest", "/a/g", "/a/:id/x"];
        type Found = Option<(&'static str, &'static [&'static str])>;
        const WANT: &[(&str, Found)] = &[
            ("/hello/c", Some(("/hello/c", &[]))),
            ("/hello/x", Some(("/hello/:name", &["x"]))),
            ("/hello/b", Some(("/hello/:name", &["b"]))),
            ("/hello/b/c", Some(("/hello/b/c", &[]))),
            ("/hello/zzz/c", None),
            ("/a/g", Some(("/a/g", &[]))),
            ("/a/g/h", Some(("/a/*rest", &["g/h"]))),
            ("/a/g/x", Some(("/a/:id/x", &["g"]))),
            ("/a/g/x/", Some(("/a/*rest", &["g/x/"]))),
            ("/a", None),
        ];
        let mut routes = ROUTES;
        for turn in 0..ROUTES.len() * 2 {
            routes.rotate_left(1);
            if turn == ROUTES.len() {
                routes.reverse();
            }
            let trie = trie(&routes);
            for (path, want) in WANT {
                let want = want.map(|(pattern, params)| (pattern, params.to_vec()));
                assert_eq!(find(&trie, path), want, "{path} with {routes:?}");
            }
        }
    }

    #[test]
    fn segments_end_at_the_first_slash() {
        for length in 0..40 {
            let segment = "s".repeat(length);
            assert_eq!(segment_length(segment.as_bytes()), length);
            assert_eq!(segment_length(format!("{segment}/x/{segment}/").as_bytes()), length);
        }
    }

    #[test]
    fn the_same_paths_twice_are_a_conflict_that_names_both() {
        let mut trie = trie(&["/a/:id", "/s/*all"]);
        for (second, first) in [("/a/:name", "/a/:id"), ("/s/*x", "/s/*all")] {
            match trie.insert(second, "").unwrap_err() {
                Error::RouteConflict { pattern, existing, .. } => {
                    assert_eq!((&*pattern, &*existing), (second, first));
                }
                other => panic!("{other}"),
            }
        }
        trie.insert("/a/:name/y", "other names below are fine").unwrap();
    }

    /// The tutorial's `TestGetRoutes`.
    #[test]
    fn routes_are_listed_depth_first() {
        let trie = trie(&["/", "/hi/:name", "/hello/:name", "/assets/*filepath", "/hello/b/c"]);
        let all: Vec<_> = trie.routes().into_iter().map(|(pattern, _)| pattern).collect();
        assert_eq!(all, ["/", "/hi/:name", "/hello/b/c", "/hello/:name", "/assets/*filepath"]);
    }

    /// Write `Trie::len`, the number of patterns, without building the list.
    #[test]
    #[ignore = "an exercise: write Trie::len"]
    fn exercise_count_routes() {
        let trie = trie(&["/", "/a/:b", "/a/*c"]);
        let len: usize = todo_len(&trie);
        assert_eq!(len, 3);
    }

    fn todo_len(_: &Trie<&'static str>) -> usize {
        0 // replace by trie.len()
    }

    /// Let `/page/:n?` match `/page` and `/page/3`: one pattern, two places in the tree. (The value
    /// is needed twice, so let `T: Clone`; and the wildcard's name is `n`, not `n?`.)
    #[test]
    #[ignore = "an exercise: optional last segments"]
    fn exercise_optional_last_segment() {
        let trie = trie(&["/page/:n?"]);
        assert_eq!(find(&trie, "/page"), Some(("/page/:n?", vec![])));
        assert_eq!(find(&trie, "/page/3"), Some(("/page/:n?", vec!["3"])));
    }
}
