//! The ring and a node's LRU list as pictures: the coordinates, for the templates to write out.
//!
//! ```text
//!              0                 a hash is an angle, clockwise from the top
//!          .-------.
//!        /    key    \           the arc that ends at a point belongs to the point's node;
//!       |   o------>  |          the key goes on clockwise to the first point, which owns it
//!        \           /
//!          '-------'
//! ```

use std::f64::consts::TAU;

use cache::Ring;
use web::json;
use web::json::Json;

/// The circle's centre and radius.
const CENTRE: f64 = 180.0;
const RADIUS: f64 = 150.0;
/// Hashes are of 32 bits.
const CIRCLE: u64 = 1 << 32;

/// The ring: arcs and points in their nodes' colours, and the way of a key to its owner.
///
/// `number` gives the number of a node by its URL.
#[must_use]
pub fn ring(ring: &Ring, number: impl Fn(&str) -> usize, key_hash: Option<u64>) -> Json {
    let points: Vec<(u64, usize)> = ring.points().map(|(hash, url)| (hash, number(url))).collect();
    let dot = |&(hash, node): &(u64, usize)| {
        let (x, y) = place(hash, RADIUS);
        json!({"x": x, "y": y, "node": node})
    };
    let dots: Vec<Json> = points.iter().map(dot).collect();
    let key = key_hash.map(|hash| way(&points, hash));
    json!({"arcs": (arcs(&points)), "dots": dots, "key": key, "size": (2.0 * CENTRE)})
}

/// One arc for each run of neighbouring points of one node.
fn arcs(points: &[(u64, usize)]) -> Vec<Json> {
    let Some(&(mut from, _)) = points.last() else { return Vec::new() };
    let mut arcs = Vec::new();
    for (at, &(hash, node)) in points.iter().enumerate() {
        if points.get(at + 1).is_some_and(|&(_, next)| next == node) {
            continue;
        }
        // Halves, since an arc from a point to itself would be none.
        let half = clockwise(from, hash) / 2;
        let middle = (from + half) % CIRCLE;
        arcs.push(json!({"node": node, "d": (arc(from, middle, RADIUS))}));
        arcs.push(json!({"node": node, "d": (arc(middle, hash, RADIUS))}));
        from = hash;
    }
    arcs
}

/// From the key's place to the first point clockwise.
fn way(points: &[(u64, usize)], hash: u64) -> Json {
    let next = points.iter().find(|&&(point, _)| point >= hash).or_else(|| points.first());
    let (point, node) = next.copied().unwrap_or((hash, 0));
    let ((x1, y1), (x2, y2)) = (place(hash, RADIUS - 34.0), place(hash, RADIUS + 14.0));
    let (x, y) = place(point, RADIUS);
    let d = arc(hash, point, RADIUS - 20.0);
    json!({"x1": x1, "y1": y1, "x2": x2, "y2": y2, "d": d, "x": x, "y": y, "node": node})
}

/// How far it is from one hash on to another; a whole turn if they are the same.
fn clockwise(from: u64, to: u64) -> u64 {
    if from == to { CIRCLE } else { (CIRCLE + to - from) % CIRCLE }
}

fn arc(from: u64, to: u64, radius: f64) -> String {
    let ((x1, y1), (x2, y2)) = (place(from, radius), place(to, radius));
    let large = u8::from(from != to && clockwise(from, to) > CIRCLE / 2);
    format!("M{x1} {y1}A{radius} {radius} 0 {large} 1 {x2} {y2}")
}

/// Where a hash is at this radius, in tenths of a pixel.
fn place(hash: u64, radius: f64) -> (f64, f64) {
    let angle = hash as f64 / CIRCLE as f64 * TAU;
    let tenths = |x: f64| (x * 10.0).round() / 10.0;
    (tenths(CENTRE + radius * angle.sin()), tenths(CENTRE - radius * angle.cos()))
}

const BOX_WIDTH: usize = 200;
const BOX_HEIGHT: usize = 26;
const STEP: usize = 38;
/// A longer key is cut: this many characters fit into a box.
const CHARS_MAX: usize = 20;

/// An LRU list: a box for each key, the most recently used on top.
#[must_use]
pub fn list(keys: &[String]) -> Json {
    let entry = |(at, key): (usize, &String)| {
        let y = 1 + at * STEP;
        let mut text: String = key.chars().take(CHARS_MAX).collect();
        if text.len() < key.len() {
            text.push('…');
        }
        let line =
            (at > 0).then(|| format!("M{x} {}V{y}", y + BOX_HEIGHT - STEP, x = BOX_WIDTH / 2));
        json!({"y": y, "text_y": (y + 18), "text": text, "line": line})
    };
    let boxes: Vec<Json> = keys.iter().enumerate().map(entry).collect();
    let height = (keys.len() * STEP).saturating_sub(STEP - BOX_HEIGHT) + 2;
    json!({"boxes": boxes, "height": height, "width": (BOX_WIDTH + 2), "box_width": BOX_WIDTH, "box_height": BOX_HEIGHT})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_angles_clockwise_from_the_top() {
        let at = |eighth: u64| place(eighth * (CIRCLE / 8), 100.0);
        assert_eq!(at(0), (180.0, 80.0));
        assert_eq!(at(2), (280.0, 180.0));
        assert_eq!(at(4), (180.0, 280.0));
        assert_eq!(at(6), (80.0, 180.0));
        assert_eq!((clockwise(1, 3), clockwise(3, 1), clockwise(7, 7)), (2, CIRCLE - 2, CIRCLE));
    }

    #[test]
    fn a_key_goes_on_to_the_next_point_and_neighbours_share_an_arc() {
        let quarter = CIRCLE / 4;
        let points = [(quarter, 1), (quarter + 9, 1), (2 * quarter, 2), (3 * quarter, 1)];
        // Two arcs of node 1 (one of them over two points) and one of node 2, each in two halves.
        let nodes: Vec<_> = arcs(&points).iter().map(|arc| arc["node"].as_u64().unwrap()).collect();
        assert_eq!(nodes, [1, 1, 2, 2, 1, 1]);
        let owner = |hash| way(&points, hash)["node"].as_u64().unwrap();
        assert_eq!([0, quarter, quarter + 10, 2 * quarter + 1].map(owner), [1, 1, 2, 1]);
        assert_eq!(
            way(&points, 3 * quarter + 1)["x"].as_f64(),
            Some(CENTRE + RADIUS),
            "past the top"
        );
        assert_eq!(arcs(&[(5, 1)]).len(), 2, "one point owns the whole circle");
        assert!(arcs(&[]).is_empty());
    }

    #[test]
    fn the_list_is_drawn_from_the_top_and_long_keys_are_cut() {
        let keys = ["a".to_owned(), "ü".repeat(21)];
        let list = list(&keys);
        assert_eq!(list["boxes"][1]["text"].as_str(), Some(&*format!("{}…", "ü".repeat(20))));
        assert_eq!(list["boxes"][1]["line"].as_str(), Some("M100 27V39"));
        assert!(list["boxes"][0]["line"].is_null());
        assert_eq!(list["height"].as_u64(), Some(66));
    }
}
