//! What a good answer is. A check never tells what was in the body, only what was not.

use std::fmt;

use http::StatusCode;
use regex::bytes::Regex;
use schemars::JsonSchema;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json_path::JsonPath;

/// How much of an expected text or value a message shows.
const SHOWN_CHARACTERS: usize = 60;

/// What the answer must be like. All that is given must hold.
#[derive(Debug, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The statuses that are well: a code, a class such as `2xx`, a range such as `200-299`, or a list of them.
    /// A redirect that is listed is not followed.
    #[serde(default)]
    pub status: Statuses,
    /// A text that the body must contain, or a list of texts.
    #[serde(default)]
    pub contains: Texts,
    /// A regular expression that must match somewhere in the body.
    #[serde(default)]
    pub regex: Option<Pattern>,
    /// JSON paths (RFC 9535) into the body, each with the value that at least one selected node must equal.
    #[serde(default)]
    pub json: JsonChecks,
}

impl Expect {
    /// Whether the body is looked at at all.
    pub fn wants_body(&self) -> bool {
        !self.contains.0.is_empty() || self.regex.is_some() || !self.json.0.is_empty()
    }

    /// What is not as expected, as the end of a sentence that begins with the address.
    pub fn missing_in(&self, body: &[u8]) -> Option<String> {
        let missing = |text: &&String| place_of(body, text.as_bytes()).is_none();
        if let Some(text) = self.contains.0.iter().find(missing) {
            return Some(format!("without `{}` in the body", shortened(text)));
        }
        if let Some(Pattern(regex)) = self.regex.as_ref().filter(|one| !one.0.is_match(body)) {
            let shown = shortened(regex.as_str());
            return Some(format!("with a body that `{shown}` does not match"));
        }
        if self.json.0.is_empty() {
            return None;
        }
        // A reader may pass over a byte order mark (RFC 8259 §8.1), and real services send one.
        let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let Ok(document) = serde_json::from_slice::<Value>(text) else {
            return Some("with a body that is not JSON".to_owned());
        };
        self.json
            .0
            .iter()
            .find_map(|check| check.missing_in(&document))
    }
}

/// The first place of a text in a body.
fn place_of(body: &[u8], text: &[u8]) -> Option<usize> {
    // A body is text nearly always: the string search of the standard library is linear, windows are not.
    match (std::str::from_utf8(body), std::str::from_utf8(text)) {
        (Ok(body), Ok(text)) => body.find(text),
        _ => body
            .windows(text.len().max(1))
            .position(|part| part == text),
    }
}

fn shortened(text: &str) -> String {
    let short: String = text.chars().take(SHOWN_CHARACTERS).collect();
    let cut = if short.len() < text.len() { "…" } else { "" };
    format!("{short}{cut}")
}

/// A set of HTTP statuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses(Vec<(u16, u16)>);

impl Default for Statuses {
    fn default() -> Self {
        Self(vec![(200, 299)])
    }
}

impl Statuses {
    /// Whether a status is one of them.
    pub fn contain(&self, status: StatusCode) -> bool {
        let code = status.as_u16();
        self.0
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&code))
    }

    fn read_one(text: &str) -> Option<(u16, u16)> {
        let code = |text: &str| {
            let code = text.trim().parse::<u16>().ok()?;
            (100..=599).contains(&code).then_some(code)
        };
        let text = text.trim().to_ascii_lowercase();
        if let Some(class) = text.strip_suffix("xx") {
            let class = class.parse::<u16>().ok()?;
            return (1..=5)
                .contains(&class)
                .then_some((class * 100, class * 100 + 99));
        }
        match text.split_once('-') {
            Some((first, last)) => {
                let range = (code(first)?, code(last)?);
                (range.0 <= range.1).then_some(range)
            }
            None => code(&text).map(|code| (code, code)),
        }
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            if first == last {
                write!(f, "{comma}{first}")?;
            } else {
                write!(f, "{comma}{first}-{last}")?;
            }
        }
        Ok(())
    }
}

/// Texts that must all be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts(Vec<String>);

/// A regular expression on bytes, so that a body in any encoding can be searched.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

/// JSON paths with the values expected there.
#[derive(Debug, Clone, Default)]
pub struct JsonChecks(Vec<JsonCheck>);

#[derive(Debug, Clone)]
struct JsonCheck {
    path: JsonPath,
    expected: Value,
}

impl JsonCheck {
    fn missing_in(&self, document: &Value) -> Option<String> {
        let found = self.path.query(document);
        let path = shortened(&self.path.to_string());
        if found.is_empty() {
            return Some(format!("with JSON that has nothing at `{path}`"));
        }
        if found.iter().any(|node| is_same(node, &self.expected)) {
            return None;
        }
        let expected = shortened(&self.expected.to_string());
        Some(format!("with JSON whose `{path}` is not `{expected}`"))
    }
}

/// Whether two values are the same; numbers by what they are worth, however they were written.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other
                || !(one.is_i64() && other.is_i64() || one.is_u64() && other.is_u64())
                    && one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, one)| other.get(key).is_some_and(|other| is_same(one, other)))
        }
        (one, other) => one == other,
    }
}

struct StatusesVisitor;

impl<'de> Visitor<'de> for StatusesVisitor {
    type Value = Statuses;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status such as `200`, `2xx` or `200-299`, or a list of them")
    }

    fn visit_u64<E: de::Error>(self, code: u64) -> Result<Statuses, E> {
        self.visit_str(&code.to_string())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Statuses, E> {
        let one = Statuses::read_one(text);
        one.map(|one| Statuses(vec![one]))
            .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Statuses, A::Error> {
        let mut all = Vec::new();
        while let Some(Statuses(one)) = items.next_element()? {
            all.extend(one);
        }
        if all.is_empty() {
            return Err(de::Error::custom(
                "expected at least one status, found an empty list",
            ));
        }
        Ok(Statuses(all))
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StatusesVisitor)
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or a list of texts")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Texts, E> {
        if text.is_empty() {
            return Err(E::custom(
                "expected a text, found an empty one, which every body contains",
            ));
        }
        Ok(Texts(vec![text.to_owned()]))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Texts, E> {
        Err(E::custom(
            "expected a text, found a yes or no: put it into quotes",
        ))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Texts, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Texts, A::Error> {
        let mut all = Vec::new();
        while let Some(Texts(one)) = items.next_element()? {
            all.extend(one);
        }
        Ok(Texts(all))
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextsVisitor)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Regex::new(&text).map(Self).map_err(|error| {
            let error = error.to_string();
            let why = error.lines().last().unwrap_or_default().trim();
            let why = why.strip_prefix("error: ").unwrap_or(why);
            de::Error::custom(format!("expected a regular expression: {why}"))
        })
    }
}

struct JsonChecksVisitor;

impl<'de> Visitor<'de> for JsonChecksVisitor {
    type Value = JsonChecks;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from JSON paths to values, such as `$.status: ok`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<JsonChecks, A::Error> {
        let mut checks = Vec::new();
        while let Some(PathText(path)) = entries.next_key()? {
            let expected = entries.next_value()?;
            checks.push(JsonCheck { path, expected });
        }
        Ok(JsonChecks(checks))
    }
}

impl<'de> Deserialize<'de> for JsonChecks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(JsonChecksVisitor)
    }
}

struct PathText(JsonPath);

impl<'de> Deserialize<'de> for PathText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let message = "expected a JSON path that begins with `$`, such as `$.status`";
        JsonPath::parse(&text)
            .map(Self)
            .map_err(|error| de::Error::custom(format!("{message}: {}", error.message())))
    }
}

schema!(Statuses, {
    "anyOf": [
        { "type": ["integer", "string"] },
        { "type": "array", "items": { "type": ["integer", "string"] }, "minItems": 1 }
    ]
});
schema!(Texts, {
    "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }]
});
schema!(Pattern, { "type": "string", "format": "regex" });
schema!(JsonChecks, { "type": "object", "additionalProperties": true });

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn expect(value: Value) -> Result<Expect, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn statuses_are_codes_classes_and_ranges() {
        for (written, read, inside, outside) in [
            (json!({}), "200-299", 204, 301),
            (json!({ "status": 404 }), "404", 404, 200),
            (json!({ "status": "2xx" }), "200-299", 200, 300),
            (json!({ "status": "200-204" }), "200-204", 204, 205),
            (
                json!({ "status": [200, "3XX", "401 - 403"] }),
                "200, 300-399, 401-403",
                302,
                404,
            ),
        ] {
            let expect = expect(written).expect("an expectation");
            assert_eq!(expect.status.to_string(), read);
            assert!(expect.status.contain(StatusCode::from_u16(inside).unwrap()));
            assert!(
                !expect
                    .status
                    .contain(StatusCode::from_u16(outside).unwrap())
            );
        }
        for wrong in [
            json!(99),
            json!(600),
            json!("6xx"),
            json!("ok"),
            json!("299-200"),
            json!([]),
        ] {
            expect(json!({ "status": wrong })).expect_err("a mistake");
        }
    }

    #[test]
    fn bodies_are_checked() {
        let all = json!({
            "contains": ["all", "well"],
            "regex": "(?i)ALL .s",
            "json": { "$.checks[*].state": "up", "$.load": 1, "$.tags": ["a"] },
        });
        let expect = expect(all).expect("an expectation");
        let good = r#"{"note": "all is well", "load": 1.0, "tags": ["a"], "checks": [{"state": "down"}, {"state": "up"}]}"#;
        assert_eq!(expect.missing_in(good.as_bytes()), None);
        for (from, to, missing) in [
            ("well", "canary", "without `well` in the body"),
            (
                "all is",
                "is all",
                "with a body that `(?i)ALL .s` does not match",
            ),
            ("}]}", "}]", "with a body that is not JSON"),
            (
                "\"up\"",
                "\"canary\"",
                "with JSON whose `$.checks[*].state` is not `\"up\"`",
            ),
            ("load", "canary", "with JSON that has nothing at `$.load`"),
            ("1.0", "1.5", "with JSON whose `$.load` is not `1`"),
        ] {
            let body = good.replacen(from, to, 1);
            assert_eq!(
                expect.missing_in(body.as_bytes()).as_deref(),
                Some(missing),
                "{body}"
            );
        }
        assert!(expect.missing_in(&[0xff, 0xfe]).is_some());
    }

    #[test]
    fn mistakes_are_told_in_words() {
        let wrong = |value| expect(value).expect_err("a mistake");
        assert!(
            wrong(json!({ "regex": "(" }))
                .starts_with("expected a regular expression: unclosed group")
        );
        assert!(
            wrong(json!({ "json": { "status": 1 } }))
                .starts_with("expected a JSON path that begins with `$`")
        );
        assert!(wrong(json!({ "contains": true })).contains("put it into quotes"));
    }
}
