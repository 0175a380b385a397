//! Incidents put into words by language models: with a server that others wrote, and with recorders for what goes wrong.

mod again;
mod budget;
mod hostile;
mod settings;
mod trouble;
mod truth;
mod words;

use crate::incidents::Endpoints;

/// A shop that needs a partner, and the section of a model.
pub(crate) fn configuration(endpoints: &Endpoints, llm: &str, reporter: &str) -> String {
    let port = endpoints.server.port;
    format!(
        "monitoring: {{every: 1s, confirm_after: 1s, adaptive: false}}\ntargets:\n  api_endpoints:\n    \
         - {{name: partner, url: \"http://127.0.0.1:{port}/partner\"}}\n    \
         - {{name: shop, url: \"http://127.0.0.1:{port}/shop\", depends_on: [partner]}}\n    \
         - {{name: checkout, url: \"http://127.0.0.1:{port}/checkout\", depends_on: [shop]}}\n\
         report: {{when: always, schedule: \"0 0 1 1 *\"}}\nllm: {llm}\nreporters:\n  - {reporter}\n",
    )
}
