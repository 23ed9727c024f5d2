//! Attributes (day 6): which of them hold a URL, which cannot take a value, and how far a URL is.

/// What an attribute's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attribute {
    Plain,
    Url(Url),
    /// Takes no value, for this reason.
    Refused(&'static str),
}

/// How far the URL in an attribute has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Url {
    Start,
    /// After a value or a text that may still turn out to be a scheme.
    Open,
    Path,
    Query,
    /// After branches that end in different parts.
    Unclear,
    /// After `javascript:` or `data:`.
    Refused,
}

/// Tells an attribute by its name; Go's list and Go's guesses for names it lacks.
pub(super) fn attribute(name: &str) -> Attribute {
    const URLS: [&str; 15] = [
        "action",
        "archive",
        "background",
        "cite",
        "classid",
        "codebase",
        "data",
        "formaction",
        "href",
        "icon",
        "longdesc",
        "manifest",
        "poster",
        "profile",
        "usemap",
    ];
    let name = name.to_ascii_lowercase();
    let data = name.strip_prefix("data-");
    let name = match data.unwrap_or(&name).split_once(':') {
        Some(("xmlns", _)) => "href",
        Some((_, local)) => local,
        None => data.unwrap_or(&name),
    };
    match name {
        _ if URLS.contains(&name) => Attribute::Url(Url::Start),
        "style" if data.is_none() => {
            Attribute::Refused("no value is safe in a style attribute; set a class")
        }
        "srcdoc" => Attribute::Refused("srcdoc is a page of its own; serve it under a URL"),
        "srcset" | "imagesrcset" => Attribute::Refused("a list of URLs takes no values; use src"),
        _ if name.starts_with("on") && data.is_none() => Attribute::Refused(
            "no value is safe in an event handler; put it in a data attribute and read that",
        ),
        _ if ["src", "uri", "url"].iter().any(|part| name.contains(part)) => {
            Attribute::Url(Url::Start)
        }
        _ => Attribute::Plain,
    }
}

/// Where the URL is after `text`, which the author wrote.
pub(super) fn in_url(text: &str, part: Url) -> Result<Url, &'static str> {
    let text = if part == Url::Start { text.trim_start() } else { text };
    if text.is_empty() || matches!(part, Url::Query | Url::Unclear | Url::Refused) {
        return Ok(part);
    }
    if part != Url::Path
        && let Some(colon) =
            text.find([':', '/', '?', '#']).filter(|&at| text[at..].starts_with(':'))
    {
        if part == Url::Open {
            return Err(
                "a value must not be a URL's scheme; write the scheme, or the whole URL as one value",
            );
        }
        let scheme = text[..colon].to_ascii_lowercase();
        if ["javascript", "vbscript", "data"].contains(&scheme.as_str()) {
            return Ok(Url::Refused);
        }
        return in_url(&text[colon + 1..], Url::Path);
    }
    Ok(match text.find(['?', '#']) {
        Some(_) => Url::Query,
        None if part == Url::Path || text.contains('/') => Url::Path,
        None => Url::Open,
    })
}
