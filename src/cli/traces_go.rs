use super::Session;
use super::run_once::runtime;
use crate::config::Plan;
use crate::telemetry::{self, Answers, Sampling, Wanted};

/// Where traces go, and whether they arrive there: each receiver is sent a batch without spans. With the number of warnings.
pub(super) fn summary(session: &Session, plan: &Plan) -> (String, usize) {
    let Wanted {
        destinations,
        sampling,
        ..
    } = &session.receivers;
    if destinations.is_empty() {
        return ("traces: nowhere\n".to_owned(), 0);
    }
    let what = match sampling {
        Sampling::None => {
            let said = "traces: none are made, as `OTEL_TRACES_SAMPLER` has it\n";
            return (said.to_owned(), 0);
        }
        Sampling::All => String::new(),
        Sampling::Share(share) => format!("{} % of them ", share * 100.0),
    };
    let prompts = if plan.purse.trace_prompts {
        "; with questions to models and their answers, as `llm.trace_prompts` has it"
    } else {
        ""
    };
    let asked = runtime().map(|runtime| runtime.block_on(telemetry::ask(destinations)));
    let answers = asked.unwrap_or_else(|error| {
        let cannot = |_: &_| Answers::No {
            verdict: "whether it takes them is not known",
            message: format!("nobody was asked: {error}"),
            hint: "see what keeps this machine busy".to_owned(),
        };
        destinations.iter().map(cannot).collect()
    });
    let mut text = String::new();
    let mut warnings = 0;
    for (to, answer) in destinations.iter().zip(answers) {
        let name = to.name();
        match answer {
            Answers::Yes => {
                text.push_str(&format!(
                    "traces: {what}to {name}, which takes them{prompts}\n"
                ));
            }
            Answers::No {
                verdict,
                message,
                hint,
            } => {
                warnings += 1;
                text.push_str(&format!(
                    "traces: {what}to {name}{prompts}\n  warning: {verdict}: {message}\n    hint: {hint}\n"
                ));
            }
        }
    }
    (text, warnings)
}
