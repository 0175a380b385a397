//! The program's own way to a language model, as a configuration sets it up.

use std::sync::Arc;

use roundsman::analysis::analyst::{Analyst, NotExplained, Settings};
use roundsman::analysis::prompt::Prompt;
use roundsman::clients::Clients;
use roundsman::clock::SystemClock;
use roundsman::config::{Environment, Found, load};
use roundsman::model::Explanation;
use roundsman::store::{FileLedger, Spending, spendings};

use crate::support::program::Workplace;

/// A configuration watches something.
pub(super) const WATCHED: &str = "targets: {local_hosts: [{}]}\n";

/// Who is asked, with a purse of its own.
pub(super) struct Asking {
    place: Workplace,
    analyst: Analyst,
    pub(super) settings: Settings,
}

impl Asking {
    /// The one of a section `llm`, without variables.
    pub(super) fn of(section: &str) -> Self {
        let place = Workplace::with_configuration(section);
        let environment =
            Environment::from_parts(place.variables().clone(), place.path(), &mut Vec::new());
        Self::within(place, &environment)
    }

    /// The same with the variables of this process, for keys that are nobody's business.
    pub(super) fn with_our_variables(section: &str) -> Self {
        let place = Workplace::with_configuration(section);
        let environment = Environment::read(place.path(), &mut Vec::new());
        Self::within(place, &environment)
    }

    fn within(place: Workplace, environment: &Environment) -> Self {
        let file = place.path().join("config/config.yaml");
        let Found::File(loaded) = load(Some(&file), environment, place.path()) else {
            panic!("the file is there");
        };
        let problems: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
        let plan = loaded
            .plan
            .unwrap_or_else(|| panic!("{}", problems.join("\n")));
        let llm = Clients::within(&plan.surroundings).llm;
        llm.use_terms(plan.purse);
        let ledger = Arc::new(FileLedger::new(place.path().to_owned()));
        Self {
            analyst: Analyst {
                llm: llm.paid_from(ledger),
                clock: Arc::new(SystemClock),
                store: None,
            },
            settings: plan.analyst.expect("a model is configured"),
            place,
        }
    }

    pub(super) async fn ask(&self, prompt: &Prompt) -> Result<Explanation, NotExplained> {
        self.analyst
            .explain(&self.settings, prompt, "evaluation")
            .await
    }

    /// Today, as we write it down.
    pub(super) fn today(&self) -> String {
        self.analyst.clock.now().format("%Y-%m-%d").to_string()
    }

    /// What all calls did cost.
    pub(super) fn spent(&self) -> Vec<Spending> {
        spendings(self.place.path(), "2000-01-01", "9999-12-31").expect("a ledger")
    }
}
