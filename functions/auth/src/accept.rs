use axum::http::{HeaderMap, header};

/// Whether the caller would rather have JSON than plain text (RFC 9110, section 12.5.1). Between equals the one that is
/// named first wins; whoever names neither gets plain text, like the callers of the older system.
pub(crate) fn prefers_json(headers: &HeaderMap) -> bool {
    let accept: Vec<&str> = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let Some((json_place, json)) = quality(&accept, ["application/json", "application/*"]) else {
        return false;
    };
    match quality(&accept, ["text/plain", "text/*"]) {
        Some((plain_place, plain)) => json > plain || (json == plain && json_place < plain_place),
        // `*/*` allows text, but asks for nothing.
        None => json > 0.0,
    }
}

/// Place and weight of the most specific of `names` that the header has.
fn quality(accept: &[&str], names: [&str; 2]) -> Option<(usize, f32)> {
    names.iter().find_map(|name| {
        accept.iter().enumerate().find_map(|(place, range)| {
            let mut parts = range.split(';').map(str::trim);
            let named = parts.next()?.eq_ignore_ascii_case(name);
            let weight = parts
                .find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")))
                .map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
            named.then_some((place, weight))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(accept: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().expect("a header"));
        prefers_json(&headers)
    }

    #[test]
    fn whoever_asks_for_json_gets_it() {
        assert!(json("application/json"));
        assert!(json("Application/JSON; charset=utf-8"));
        assert!(json("application/json, text/plain, */*"));
        assert!(json("text/plain;q=0.5, application/json;q=0.9"));
        assert!(json("application/*"));
    }

    #[test]
    fn everyone_else_gets_plain_text() {
        assert!(!prefers_json(&HeaderMap::new()));
        assert!(!json("*/*"));
        assert!(!json("text/plain"));
        assert!(!json("text/html, */*;q=0.8"));
        assert!(!json("text/plain, application/json;q=0.9"));
        assert!(!json("text/plain, application/json"));
        assert!(!json("application/json;q=0"));
        assert!(!json("application/json;q=rubbish"));
    }
}
