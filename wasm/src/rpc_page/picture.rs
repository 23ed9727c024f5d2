//! A call's way as a picture: the caller, the client that chooses, the servers, the registry.
//!
//! ```text
//!                    registry <- - - - - - - - .     heartbeats, dashed
//!                       |  asks                 \
//!  caller --- XClient --+------ 4 ------ server 1    as thick as its share of the replies
//!                        \----- 4 ------ server 2
//! ```

use web::json;
use web::json::Json;

use super::calls::Round;

const WIDTH: usize = 750;
const ROW: usize = 76;
/// Where the first server's box begins: below the registry.
const TOP: usize = 70;
const BOX_HEIGHT: usize = 46;
const CLIENT_RIGHT: usize = 280;
const SERVER_LEFT: usize = 470;
const SERVER_WIDTH: usize = 225;

/// The picture of a round; `servers` as the page has them.
#[must_use]
pub fn flow(servers: &[Json], round: Option<&Round>) -> Json {
    let total: usize = round.map_or(0, |round| round.replies.values().sum());
    let height = TOP + servers.len() * ROW;
    let middle = TOP + (servers.len() * ROW - (ROW - BOX_HEIGHT)) / 2;
    let lane = |(at, server): (usize, &Json)| {
        let y = TOP + at * ROW;
        let replies = usize::try_from(server["replies"].as_u64().unwrap_or(0)).unwrap_or(0);
        let (centre, right) = (y + BOX_HEIGHT / 2, SERVER_LEFT + SERVER_WIDTH);
        let bend = (CLIENT_RIGHT + SERVER_LEFT) / 2;
        // A line of 2 to 12 pixels.
        let thick = 2 + (10 * replies).checked_div(total).unwrap_or(0);
        json!({
            "number": (server["number"].clone()), "name": (server["name"].clone()), "y": y,
            "text_y": (y + 20), "detail_y": (y + 38), "runs": (server["runs"].clone()),
            "beats": (server["heard"].as_str().is_some()), "replies": replies,
            "state": (state(server)), "thick": thick, "count_y": (centre - 8),
            "call": (format!("M{CLIENT_RIGHT} {middle}C{bend} {middle} {bend} {centre} {SERVER_LEFT} {centre}")),
            "beat": (format!("M{right} {centre}H{}V26H340", right + 15 + 14 * at)),
        })
    };
    let lanes: Vec<Json> = servers.iter().enumerate().map(lane).collect();
    json!({
        "width": WIDTH, "height": height, "lanes": lanes, "y": (middle - BOX_HEIGHT / 2),
        "text_y": (middle - 3), "detail_y": (middle + 15), "middle": middle,
        "ask": (format!("M230 {}V48", middle - BOX_HEIGHT / 2)),
    })
}

fn state(server: &Json) -> String {
    let how = server["how"].as_str().unwrap_or("has not run");
    match server["heard"].as_str() {
        Some(ago) if server["runs"].as_bool() == Some(true) => format!("heard {ago} ago"),
        Some(ago) => format!("{how}; heard {ago} ago"),
        None => how.to_owned(),
    }
}
