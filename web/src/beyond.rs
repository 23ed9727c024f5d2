//! Beyond the course: what users of gin and axum expect on top of the seven days.
//!
//! Each file adds methods to the course's [`Context`](crate::Context), or middleware; the course
//! needs none of it, and a first reading stops before this page.
//!
//! | feature | where | test |
//! |---|---|---|
//! | cookies, read and set, SameSite | [`cookies`] | `cookies_are_read_and_written_by_the_rules` |
//! | typed values from middleware to handler | [`values`] | `a_value_is_found_by_its_type` |
//! | the client's address behind trusted proxies | [`client_ip`] | `only_trusted_proxies_are_believed` |
//! | basic authentication, in constant time | [`auth`] | `the_right_word_opens_and_nothing_else` |
//! | cross-origin requests | [`cors`] | `origins_are_allowed_one_by_one` |
//! | streams and server-sent events | [`stream`] | `events_are_framed_line_by_line` |
//! | redirects, files, downloads | [`reply`] | `names_of_downloads_are_made_safe` |
//! | default and repeated values, JSON into structs | [`input`] | `values_have_defaults_and_repeat` |
//! | limits for some routes only | [`limits`] | `a_group_may_allow_less_than_the_server` |

pub mod auth;
pub mod client_ip;
pub mod cookies;
pub mod cors;
pub mod input;
pub mod limits;
pub mod reply;
pub mod stream;
pub mod values;

#[cfg(test)]
mod hostile;
