//! YAML to a tree, with positions, anchors and merge keys.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, Span};

use super::shown::{may_hold_a_secret, shown_name};
use super::{Entry, Node, NodeValue, Path};
use crate::problem::{Location, Problem};

/// How large a document may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of the file.
    pub bytes: usize,
    /// Of the tree, each use of an alias counted.
    pub nodes: usize,
    /// Of lists and maps in one another.
    pub depth: usize,
}

/// The limits of the product specification §1.
pub const LIMITS: Limits = Limits {
    bytes: 16 * 1024 * 1024,
    nodes: 2_000_000,
    depth: 32,
};

/// Parses one YAML document. Mistakes are noted in `problems`; `None` if there is no tree to go on with.
pub fn parse(
    file: &Arc<str>,
    text: &str,
    limits: Limits,
    problems: &mut Vec<Problem>,
) -> Option<Node> {
    let start = Location {
        file: Arc::clone(file),
        line: 1,
        column: 1,
    };
    if text.len() > limits.bytes {
        let message = format!(
            "the file has {} bytes, which is more than the {} allowed",
            text.len(),
            limits.bytes
        );
        let hint = "split it into files under `conf.d/`";
        problems.push(Problem::error(message).at(&start, "").hint(hint));
        return None;
    }
    let mut builder = Builder {
        file,
        limits,
        problems,
        events: Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)),
        anchors: HashMap::new(),
        nodes: 0,
    };
    match builder.document() {
        Ok(node) => Some(node.unwrap_or_else(|| Node::new(start, NodeValue::Null))),
        Err(problem) => {
            problems.push(*problem);
            None
        }
    }
}

type Parsed<T> = Result<T, Box<Problem>>;

struct Builder<'a, 'input> {
    file: &'a Arc<str>,
    limits: Limits,
    problems: &'a mut Vec<Problem>,
    events: Parser<'input, granit_parser::StrInput<'input>>,
    /// Each with the number of its nodes.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

impl<'input> Builder<'_, 'input> {
    fn next(&mut self) -> Parsed<(Event<'input>, Span)> {
        match self.events.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let marker = error.marker();
                let location = self.location_of(marker.line(), marker.col());
                let info = error.info();
                let hint = if info.contains("anchor") || info.contains("alias") {
                    "a value that begins with `*` or `&` stands in quotes: `schedule: \"*/5 * * * *\"`"
                } else {
                    "look at the indentation and the quotes on this line and the one above"
                };
                let problem = Problem::error(format!("this is not YAML: {info}"))
                    .at(&location, "")
                    .hint(hint);
                Err(Box::new(problem))
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn location_of(&self, line: usize, column: usize) -> Location {
        Location {
            file: Arc::clone(self.file),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
        }
    }

    fn location(&self, span: &Span) -> Location {
        self.location_of(span.start.line(), span.start.col())
    }

    fn refuse<T>(&self, span: &Span, message: impl Into<String>, hint: &str) -> Parsed<T> {
        let problem = Problem::error(message).at(&self.location(span), "");
        Err(Box::new(problem.hint(hint)))
    }

    /// The first document of the stream; a second one is a mistake.
    fn document(&mut self) -> Parsed<Option<Node>> {
        let mut first = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(first),
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                _ if first.is_some() => {
                    return self.refuse(
                        &span,
                        "a second YAML document begins in this file",
                        "remove the `---` line, or put this part into a file under `conf.d/`",
                    );
                }
                event => first = Some(self.node(event, &span, 0)?),
            }
        }
    }

    fn node(&mut self, event: Event<'input>, span: &Span, depth: usize) -> Parsed<Node> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            let message = format!("more than {} values", self.limits.nodes);
            return self.refuse(span, message, "an alias may be repeating a large part");
        }
        if depth > self.limits.depth {
            let message = format!("nested more than {} deep", self.limits.depth);
            return self.refuse(span, message, "look at the indentation");
        }
        let before = self.nodes;
        let (anchor, node) = match event {
            Event::Alias(id) => {
                let Some((node, size)) = self.anchors.get(&id) else {
                    let hint = "an anchor must be complete before its alias is used";
                    return self.refuse(span, "an alias to something that contains it", hint);
                };
                self.nodes += size - 1;
                return Ok(node.clone());
            }
            Event::Scalar(text, style, anchor, _) => (anchor, self.scalar(&text, style, span)),
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                loop {
                    let (event, span) = self.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        break;
                    }
                    items.push(self.node(event, &span, depth + 1)?);
                }
                let location = self.location(span);
                (anchor, Node::new(location, NodeValue::Sequence(items)))
            }
            Event::MappingStart(_, anchor, _) => {
                let entries = self.mapping(depth)?;
                let location = self.location(span);
                (anchor, Node::new(location, NodeValue::Mapping(entries)))
            }
            _ => return self.refuse(span, "this is not YAML we can read", "look at this line"),
        };
        if anchor != 0 {
            let size = self.nodes - before + 1;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    fn scalar(&self, text: &str, style: ScalarStyle, span: &Span) -> Node {
        let plain = style == ScalarStyle::Plain;
        let value = if plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
            NodeValue::Null
        } else {
            let text = text.to_owned();
            NodeValue::Scalar { text, plain }
        };
        Node::new(self.location(span), value)
    }

    fn mapping(&mut self, depth: usize) -> Parsed<Vec<Entry>> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut own: HashMap<String, usize> = HashMap::new();
        let mut merged = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let key_location = self.location(&span);
            let key_node = self.node(event, &span, depth + 1)?;
            let key = match &key_node.value {
                NodeValue::Scalar { text, .. } => text.clone(),
                NodeValue::Null => "null".to_owned(),
                _ => return self.refuse(&span, "a key must be a text", "look at this line"),
            };
            let is_merge =
                key == "<<" && matches!(key_node.value, NodeValue::Scalar { plain: true, .. });
            let (event, span) = self.next()?;
            let mut value = self.node(event, &span, depth + 1)?;
            if may_hold_a_secret(&key) {
                value.hide();
            }
            if is_merge {
                match value.value {
                    NodeValue::Mapping(_) => merged.push(value),
                    NodeValue::Sequence(items) => merged.extend(items),
                    _ => {
                        let hint = "write `<<: *name` with an anchor `&name` on a map";
                        return self.refuse(&span, "a merge key needs a map", hint);
                    }
                }
            } else if let Some(first) = own.get(&key) {
                let first = &entries[*first].key_location;
                let key_shown = shown_name(&key);
                let message = format!(
                    "{key_shown} is given twice; the first is on line {}",
                    first.line
                );
                let problem = Problem::error(message)
                    .at(&key_location, Path::default().key(&key).to_string());
                self.problems.push(problem.hint("keep one of them"));
            } else {
                own.insert(key.clone(), entries.len());
                entries.push(Entry {
                    key,
                    key_location,
                    value,
                });
            }
        }
        // The map's own keys win over merged ones, earlier merges over later ones.
        for source in merged {
            let NodeValue::Mapping(more) = source.value else {
                let problem = Problem::error("a merge key needs a map").at(&source.location, "<<");
                return Err(Box::new(
                    problem.hint("every item under `<<` must be a map"),
                ));
            };
            for entry in more {
                if !own.contains_key(&entry.key) {
                    own.insert(entry.key.clone(), entries.len());
                    entries.push(entry);
                }
            }
        }
        Ok(entries)
    }
}
