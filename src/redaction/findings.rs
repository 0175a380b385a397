//! What was found in a text, and how it is taken out.

use std::ops::Range;

use super::marks;

/// Places that hold secrets, in the order in which they were found.
pub(super) struct Findings {
    /// Where a mark is already, in order: nothing begins inside of one.
    marks: Vec<Range<usize>>,
    found: Vec<(Range<usize>, &'static str)>,
    /// Up to where names were looked at: each is, once.
    pub(super) named_until: usize,
}

impl Findings {
    /// None yet.
    pub(super) fn new(text: &str) -> Self {
        Self {
            marks: marks::all_in(text),
            found: Vec::new(),
            named_until: 0,
        }
    }

    /// Adds a place, unless it begins with a mark: then it was found before.
    pub(super) fn add(&mut self, place: Range<usize>, what: &'static str) {
        let mark = self
            .marks
            .binary_search_by_key(&place.start, |mark| mark.start);
        if !place.is_empty() && mark.is_err() {
            self.found.push((place, what));
        }
    }

    /// Whether what begins here is inside of something that was found before. What begins exactly with it may know better
    /// what it is.
    pub(super) fn covers(&self, start: usize) -> bool {
        let behind = self.marks.partition_point(|mark| mark.start <= start);
        let in_a_mark = behind > 0 && start < self.marks[behind - 1].end;
        let last = self.found.iter().rev().take(4);
        in_a_mark
            || last
                .into_iter()
                .any(|(place, _)| place.start < start && start < place.end)
    }

    /// These places, in order. What overlaps is one, and named by its longest part, or by the one that was found last.
    pub(super) fn places(mut self) -> Vec<(Range<usize>, &'static str)> {
        self.found.sort_by_key(|(place, _)| place.start);
        let mut merged = Vec::with_capacity(self.found.len());
        let mut places = self.found.into_iter().peekable();
        while let Some((mut place, mut what)) = places.next() {
            let mut longest = place.len();
            while let Some((next, other)) = places.next_if(|(next, _)| next.start < place.end) {
                if next.len() >= longest {
                    (longest, what) = (next.len(), other);
                }
                place.end = place.end.max(next.end);
            }
            merged.push((place, what));
        }
        merged
    }
}

/// Whether the text was cut here: it ends, or goes on with an ellipsis.
pub(super) fn is_cut(text: &str, at: usize) -> bool {
    at == text.len() || has_ellipsis(text, at)
}

/// Whether the text was cut here, and says so.
pub(super) fn has_ellipsis(text: &str, at: usize) -> bool {
    let rest = &text.as_bytes()[at..];
    rest.starts_with("…".as_bytes()) || rest.starts_with(b"...")
}
