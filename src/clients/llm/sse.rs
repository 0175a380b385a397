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

/// How long the line is at most that ends a stream.
const LONGEST_END: usize = 64 * 1024;

/// Whether one of the lines that came after the first `known` bytes, or that were not whole then, is the last.
pub(super) fn has_ended(body: &[u8], known: usize, is_last: impl Fn(&str) -> bool) -> bool {
    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let earliest = known.saturating_sub(LONGEST_END);
    let began = body[earliest..known].iter().rposition(is_break);
    let from = began.map_or(earliest, |at| earliest + at + 1);
    let lines = body[from..].split(is_break);
    let mut lines = lines.filter_map(|line| std::str::from_utf8(line).ok());
    lines.any(|line| is_last(line.trim()))
}

/// The JSON of each line.
pub(super) fn json_lines(body: &str) -> Vec<(usize, Value)> {
    let values = lines(body).filter_map(|(at, line)| Some((at, serde_json::from_str(line).ok()?)));
    values.collect()
}

/// Whether a body is a stream of events: it may begin with comments.
pub(super) fn is_stream(body: &str) -> bool {
    let first = lines(body).find(|(_, line)| !line.trim().is_empty());
    first.is_some_and(|(_, line)| {
        ["data:", "event:", "id:", "retry:", ":"]
            .iter()
            .any(|start| line.starts_with(start))
    })
}

/// Lines end as they like, and a byte order mark may stand before the first.
fn lines(body: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    body.split_inclusive(['\n', '\r']).map(move |line| {
        let began = at;
        at += line.len();
        let line = line.trim_end_matches(['\n', '\r']);
        let marked = line.strip_prefix('\u{feff}').filter(|_| began == 0);
        (began, marked.unwrap_or(line))
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

    #[test]
    fn lines_end_as_they_like_and_may_begin_with_a_mark() {
        for end in ["\n", "\r\n", "\r"] {
            let body = format!("\u{feff}data: {{\"a\": 1}}{end}{end}data: [DONE]{end}{end}");
            assert!(is_stream(&body), "{body:?}");
            let (events, done) = events(&body);
            assert_eq!((events.len(), done), (1, true), "{body:?}");
        }
        assert!(!is_stream("\u{feff}{\"a\": 1}"));
    }

    #[test]
    fn the_end_is_found_however_a_stream_is_cut_into_parts() {
        let is_last = |line: &str| line == "data: [DONE]";
        let body = "data: {\"content\": \"data: [DONE]\"}\n\ndata: [DONE]\r\n\r\n: later";
        let end = body.find("[DONE]\r").expect("an end") + "[DONE]".len();
        for size in 1..body.len() {
            let mut known = 0;
            let found = body.as_bytes().chunks(size).find_map(|part| {
                let so_far = known + part.len();
                let has_ended = has_ended(&body.as_bytes()[..so_far], known, is_last);
                known = so_far;
                has_ended.then_some(so_far)
            });
            let expected = end.div_ceil(size) * size;
            assert_eq!(found, Some(expected.min(body.len())), "{size}");
        }
        // Nobody looks through an endless line again and again.
        let long = format!("{}\ndata: [DONE]\n", "x".repeat(3 * LONGEST_END));
        assert!(has_ended(long.as_bytes(), long.len() - 3, is_last));
        assert!(!has_ended(long.as_bytes(), 3, |_| false));
    }
}
