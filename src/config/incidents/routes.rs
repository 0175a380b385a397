//! Which messages a reporter gets.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::targets;
use super::{lists, matching};
use crate::document::{Node, OneOrMany, Path};
use crate::incidents::{Matcher, Pattern, Route};
use crate::model::Severity;
use crate::problem::Problem;

/// Which messages a reporter gets. All that is given must fit.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in super::super) struct RouteKeys {
    /// Incidents of these severities. Default: all.
    severities: Option<Vec<Severity>>,
    /// Incidents of targets with these names: `web-*`, or with the kind: `vps_servers/web-*`.
    names: OneOrMany<Pattern>,
    /// Incidents of targets of these kinds: `databases`, `*_servers`.
    kinds: OneOrMany<Pattern>,
    /// Incidents of targets with these labels: for each key one pattern or several. An empty text means that the label is
    /// missing.
    labels: BTreeMap<String, OneOrMany<Pattern>>,
    /// Whether it gets round reports. They are about all targets. Default true.
    digest: bool,
    /// Whether it gets incidents. Default true.
    incidents: bool,
}

impl Default for RouteKeys {
    fn default() -> Self {
        let Route {
            digest, incidents, ..
        } = Route::default();
        Self {
            severities: None,
            names: OneOrMany::default(),
            kinds: OneOrMany::default(),
            labels: BTreeMap::new(),
            digest,
            incidents,
        }
    }
}

impl RouteKeys {
    /// The route, checked. `node` is where it stands.
    pub(in super::super) fn route(
        self,
        node: &Node,
        path: &Path,
        targets: &targets::Read,
        problems: &mut Vec<Problem>,
    ) -> Route {
        lists::check_severities(self.severities.as_ref(), node, path, problems);
        let labels = self.labels.into_iter();
        let labels: BTreeMap<_, _> = labels.map(|(key, patterns)| (key, patterns.0)).collect();
        let (names, kinds) = (self.names.0, self.kinds.0);
        let mut matcher = None;
        if !(names.is_empty() && kinds.is_empty() && labels.is_empty()) {
            match Matcher::new(names, kinds, labels) {
                Ok(one) => {
                    matching::check(&one, "this route", node, path, targets, problems);
                    matcher = Some(one);
                }
                Err(error) => {
                    let problem = Problem::error(error.to_string());
                    let problem = problem.at(&node.location, path.to_string());
                    problems.push(problem.hint("leave out what shall not narrow it"));
                }
            }
        }
        if !(self.digest || self.incidents) {
            let message = "neither round reports nor incidents go this way";
            let problem = Problem::warning(message).at(&node.location, path.to_string());
            problems.push(problem.hint("it is told only where `escalation` names it"));
        }
        Route {
            severities: self.severities,
            matcher,
            digest: self.digest,
            incidents: self.incidents,
        }
    }
}
