//! Server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>) and lines of JSON, as providers
//! stream their answers, with where in the body each began.

use serde_json::Value;

/// The JSON of each event that has some, with the byte at which its line began. `data: [DONE]` is the end.
pub(super) fn events(body: &str) -> (Vec<(usize, Value)>, bool) {
    let mut found = Vec::new();
    let mut done = false;
    for (at, line) in lines(body) {
        let Some(data) = line.strip_prefix("data:") else {
            continue;
        };
        let data = data.trim();
        if data == "[DONE]" {
            done = true;
        } else if let Ok(value) = serde_json::from_str(data) {
            found.push((at, value));
        }
    }
    (found, done)
}

/// The JSON of each line.
pub(super) fn json_lines(body: &str) -> Vec<(usize, Value)> {
    let values = lines(body).filter_map(|(at, line)| Some((at, serde_json::from_str(line).ok()?)));
    values.collect()
}

/// Whether a body is a stream of events: it may begin with comments.
pub(super) fn is_stream(body: &str) -> bool {
    let first = body.lines().find(|line| !line.trim().is_empty());
    first.is_some_and(|line| {
        ["data:", "event:", "id:", "retry:", ":"]
            .iter()
            .any(|start| line.starts_with(start))
    })
}

fn lines(body: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    body.split_inclusive('\n').map(move |line| {
        let began = at;
        at += line.len();
        (began, line.trim_end_matches(['\n', '\r']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_with_their_places() {
        let body =
            ": comment\n\ndata: {\"a\": 1}\r\n\nevent: x\ndata:{\"b\":2}\n\ndata: [DONE]\n\n";
        assert!(is_stream(body));
        let (events, done) = events(body);
        let places: Vec<usize> = events.iter().map(|(at, _)| *at).collect();
        assert_eq!((places, done), (vec![11, 37], true));
        assert_eq!(json_lines("{\"a\":1}\nnonsense\n{\"b\":2}").len(), 2);
        assert!(!is_stream("{\"a\": 1}"));
    }
}
