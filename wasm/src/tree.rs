//! The route tree as a picture, and the way that a path takes through it.
//!
//! The picture is made of the patterns alone: each segment is a node, and patterns share nodes as
//! far as they are equal.
//! ```text
//! column 0     1          2
//! GET ──┬── ""                      row 0     a node stands in the row of its first leaf,
//!       ├── "hello" ─┬─ "b"         row 1     so that children never cross
//!       │            └─ ":name"     row 2
//!       └── "web"                   row 3
//! ```
//! Which pattern wins is not decided here: a [`Trie`] is asked, the same type that routes this
//! server's requests, and the nodes of the pattern that it answers are lit.

use web::json;
use web::json::Json;
use web::trie::{Segment, Trie, parse};

/// A node of the picture.
#[derive(Debug)]
struct Node {
    /// The segment as the pattern writes it: `hello`, `:name`, `*file`.
    text: String,
    /// Where its parent stands in the list.
    parent: usize,
    column: usize,
    row: usize,
    /// The pattern that ends here.
    pattern: Option<String>,
}

impl Node {
    /// The text with the slash before it; the root has none.
    fn label(&self) -> String {
        if self.column == 0 { self.text.clone() } else { format!("/{}", self.text) }
    }
}

/// The picture of all `patterns` of one method, with the way of `path` lit if it is not empty.
#[must_use]
pub fn as_json(method: &str, patterns: &[&str], path: &str) -> Json {
    let (nodes, rows) = lay_out(method, patterns);
    let mut trie = Trie::default();
    for pattern in patterns {
        // The router has taken this pattern already, so that the trie cannot refuse it.
        let _ = trie.insert(pattern, *pattern);
    }
    let mut places = Vec::new();
    let found = trie.find(path, &mut places).copied();
    let params: Vec<Json> = found
        .and_then(|pattern| parse(pattern).ok())
        .unwrap_or_default()
        .into_iter()
        .filter_map(|segment| match segment {
            Segment::Param(name) | Segment::Rest(name) => Some(name),
            Segment::Text(_) => None,
        })
        .zip(places)
        .map(|(name, range)| json!({"name": name, "value": (&path[range])}))
        .collect();
    let lit = found.map(|pattern| way_to(&nodes, pattern)).unwrap_or_default();
    draw(&nodes, rows, &lit, &json!({"path": path, "found": found, "params": params}))
}

/// Places the nodes: the list, parents before children, and the number of rows.
fn lay_out(method: &str, patterns: &[&str]) -> (Vec<Node>, usize) {
    let root = Node { text: method.to_owned(), parent: 0, column: 0, row: 0, pattern: None };
    let mut nodes = vec![root];
    for pattern in patterns {
        let mut at = 0;
        for (depth, text) in pattern.split('/').skip(1).enumerate() {
            let known =
                (1..nodes.len()).find(|&n| nodes[n].parent == at && same(&nodes[n].text, text));
            at = known.unwrap_or_else(|| {
                let text = text.to_owned();
                nodes.push(Node { text, parent: at, column: depth + 1, row: 0, pattern: None });
                nodes.len() - 1
            });
        }
        nodes[at].pattern = Some((*pattern).to_owned());
    }
    let mut rows = 0;
    place(&mut nodes, 0, &mut rows);
    (nodes, rows)
}

/// Whether two segments are one node: equal texts, or both `:name`, whatever the name.
fn same(a: &str, b: &str) -> bool {
    a == b || (a.starts_with(':') && b.starts_with(':'))
}

/// Gives each leaf under `at` the next row, and `at` the row of its first. The recursion is as
/// deep as the longest pattern, which this program wrote.
fn place(nodes: &mut [Node], at: usize, rows: &mut usize) {
    nodes[at].row = *rows;
    let mut children: Vec<usize> = (1..nodes.len()).filter(|&n| nodes[n].parent == at).collect();
    // The order in which the router tries them: text, then :param, then *rest.
    let rank = |text: &str| (text.starts_with('*'), text.starts_with(':'), text.to_owned());
    children.sort_by_key(|&n| rank(&nodes[n].text));
    if children.is_empty() {
        *rows += 1;
    }
    for child in children {
        place(nodes, child, rows);
    }
}

/// The nodes from the root to where `pattern` ends.
fn way_to(nodes: &[Node], pattern: &str) -> Vec<usize> {
    let end = nodes.iter().position(|node| node.pattern.as_deref() == Some(pattern));
    let mut way: Vec<usize> = end.into_iter().collect();
    while let Some(&at) = way.last().filter(|&&at| at != 0) {
        way.push(nodes[at].parent);
    }
    way.reverse();
    way
}

const ROW_HEIGHT: usize = 36;
const BOX_HEIGHT: usize = 26;
/// Between the boxes of two columns, for the lines.
const GAP: usize = 28;
/// A monospaced character of 14 pixels is a little narrower than this.
const CHAR_WIDTH: usize = 9;

/// Turns rows and columns into coordinates.
fn draw(nodes: &[Node], rows: usize, lit: &[usize], answer: &Json) -> Json {
    let columns = nodes.iter().map(|node| node.column).max().unwrap_or(0) + 1;
    let width_of = |node: &Node| node.label().chars().count() * CHAR_WIDTH + 18;
    let widths: Vec<usize> = (0..columns)
        .map(|c| nodes.iter().filter(|n| n.column == c).map(width_of).max().unwrap_or(0))
        .collect();
    let left = |column: usize| 1 + widths[..column].iter().map(|w| w + GAP).sum::<usize>();
    let middle = |row: usize| 1 + row * ROW_HEIGHT + BOX_HEIGHT / 2;
    let is_lit = |at: usize| if lit.contains(&at) { "lit" } else { "" };
    let boxes: Vec<Json> = nodes
        .iter()
        .enumerate()
        .map(|(at, node)| {
            let (x, y) = (left(node.column), middle(node.row) - BOX_HEIGHT / 2);
            let kind = match node.text.as_bytes().first() {
                _ if at == 0 => "root",
                Some(b':' | b'*') => "wildcard",
                _ => "text",
            };
            json!({
                "x": x, "y": y, "width": (width_of(node)), "text_x": (x + 9), "text_y": (y + 18),
                "text": (node.label()), "kind": kind, "lit": (is_lit(at)), "pattern": (node.pattern.clone()),
            })
        })
        .collect();
    // What is drawn later lies on top: the lit lines.
    let mut order: Vec<usize> = (1..nodes.len()).collect();
    order.sort_by_key(|at| lit.contains(at));
    let lines: Vec<Json> = order
        .into_iter()
        .map(|at| {
            let (node, parent) = (&nodes[at], &nodes[nodes[at].parent]);
            let from = left(parent.column) + width_of(parent);
            // Down along the right edge of the parent's column, so that lines meet there.
            let bend = left(parent.column) + widths[parent.column] + GAP / 2;
            let (y1, y2) = (middle(parent.row), middle(node.row));
            let path = format!("M{from} {y1}H{bend}V{y2}H{}", left(node.column));
            json!({"d": path, "lit": (is_lit(at))})
        })
        .collect();
    let steps: Vec<Json> = lit.iter().map(|&at| Json::from(nodes[at].label())).collect();
    json!({
        "width": (left(columns) - GAP + 1), "height": (rows * ROW_HEIGHT), "box_height": BOX_HEIGHT,
        "boxes": boxes, "lines": lines, "steps": steps, "answer": (answer.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATTERNS: &[&str] = &["/", "/web", "/hello/:name", "/hello/b/c", "/static/*file"];

    fn texts<'a>(picture: &'a Json, key: &str) -> Vec<&'a str> {
        picture[key].as_array().unwrap().iter().map(|step| step.as_str().unwrap()).collect()
    }

    #[test]
    fn the_way_of_a_path_is_lit_and_its_wildcards_are_named() {
        let picture = as_json("GET", PATTERNS, "/hello/gee");
        assert_eq!(texts(&picture, "steps"), ["GET", "/hello", "/:name"]);
        assert_eq!(picture["answer"]["params"].to_string(), r#"[{"name":"name","value":"gee"}]"#);
        // `b` leads nowhere with this path; the router comes back, and so does the picture.
        assert_eq!(
            texts(&as_json("GET", PATTERNS, "/hello/b"), "steps"),
            ["GET", "/hello", "/:name"]
        );
        let picture = as_json("GET", PATTERNS, "/hello/b/c");
        assert_eq!(texts(&picture, "steps"), ["GET", "/hello", "/b", "/c"]);
        assert_eq!(texts(&as_json("GET", PATTERNS, "/"), "steps"), ["GET", "/"]);
    }

    #[test]
    fn a_path_without_a_pattern_lights_nothing() {
        for path in ["", "/none", "/hello", "/hello/b/c/d", "/static/", "no slash"] {
            let picture = as_json("GET", PATTERNS, path);
            assert!(texts(&picture, "steps").is_empty(), "{path}");
            assert!(picture["answer"]["found"].is_null(), "{path}");
        }
    }

    #[test]
    fn nodes_are_shared_and_never_lie_on_each_other() {
        let (nodes, rows) = lay_out("GET", PATTERNS);
        let all: Vec<_> = nodes.iter().map(|n| (&*n.text, n.column, n.row)).collect();
        assert_eq!(
            all,
            [
                ("GET", 0, 0),
                ("", 1, 0),
                ("web", 1, 4),
                ("hello", 1, 1),
                (":name", 2, 2),
                ("b", 2, 1),
                ("c", 3, 1),
                ("static", 1, 3),
                ("*file", 2, 3),
            ]
        );
        assert_eq!(rows, 5);
    }
}
