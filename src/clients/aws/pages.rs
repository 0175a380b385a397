//! Lists that come in pages.

use super::problems::CallFailed;
use crate::model::{Failure, FailureKind};

/// A service that never ends its list would hold a look for ever.
const MOST: usize = 500;

/// Where one is in a list. A list that does not come to its end is no list: the call has failed then.
pub(crate) struct Pages<'a> {
    whom: &'a str,
    token: Option<String>,
    turned: usize,
}

impl<'a> Pages<'a> {
    /// Before the first page of whoever is asked.
    pub(crate) fn of(whom: &'a str) -> Self {
        Self {
            whom,
            token: None,
            turned: 0,
        }
    }

    /// What the next page is asked for with.
    pub(crate) fn token(&self) -> Option<String> {
        self.token.clone()
    }

    /// Goes on to the page that the last one named; whether it named one.
    ///
    /// # Errors
    /// It named itself, or there were too many.
    pub(crate) fn turn(&mut self, next: Option<&str>) -> Result<bool, CallFailed> {
        let Some(next) = next.filter(|next| !next.is_empty()) else {
            return Ok(false);
        };
        self.turned += 1;
        if self.token.as_deref() == Some(next) || self.turned >= MOST {
            let message = format!("{} gives pages without an end", self.whom);
            let failure = Failure::new(FailureKind::Unexpected, message);
            return Err(CallFailed::other(failure.hint(
                "look at what stands at that address: it is asked again in the next round",
            )));
        }
        self.token = Some(next.to_owned());
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_or_fails() {
        let mut pages = Pages::of("EC2");
        assert!(pages.turn(Some("a")).expect("a page"));
        assert_eq!(pages.token().as_deref(), Some("a"));
        assert!(pages.turn(Some("a")).is_err(), "the same page again");
        let mut pages = Pages::of("EC2");
        assert!(!pages.turn(Some("")).expect("the end"));
        let mut endless = (0..).map(|page: u32| pages.turn(Some(&page.to_string())));
        assert!(endless.any(|turned| turned.is_err()));
    }
}
