//! The terms on which language models are asked: the budget, what models cost, and what of it is traced.

use chrono_tz::Tz;

use super::sections::Llm;
use crate::clients::llm::Terms;
use crate::document::{Node, Path};
use crate::model::UsDollars;
use crate::problem::Problem;
use crate::purse::{Budget, Price, PriceTable, USUAL_DAILY_USD};

/// A larger budget is a mistake in the decimal point.
const MOST_DAILY_USD: f64 = 100_000.0;

pub(super) fn terms(llm: &Llm, zone: Tz, root: &Node, problems: &mut Vec<Problem>) -> Terms {
    let path = Path::default().key("llm");
    let section = root.get("llm");
    let mut error = |path: Path, node: Option<&Node>, message: &str, hint: &str| {
        let problem = Problem::error(message);
        let location = node
            .or(section)
            .map_or(&root.location, |node| &node.location);
        problems.push(problem.at(location, path.to_string()).hint(hint));
    };
    let written = llm.daily_budget_usd.unwrap_or(USUAL_DAILY_USD);
    let in_reason = (0.0..=MOST_DAILY_USD).contains(&written);
    let daily = UsDollars::from_dollars(written).filter(|_| in_reason);
    if daily.is_none() {
        error(
            path.key("daily_budget_usd"),
            section.and_then(|section| section.get("daily_budget_usd")),
            "expected an amount of US dollars from 0 to 100000",
            "0 means that nothing is paid for; what is free is still done",
        );
    }
    let mut prices = PriceTable::default();
    let list = section.and_then(|section| section.get("prices"));
    for (index, entry) in llm.prices.iter().enumerate() {
        let path = path.key("prices").index(index);
        let is_price = |number: f64| (0.0..=1_000.0).contains(&number);
        if !(is_price(entry.input_per_1k) && is_price(entry.output_per_1k)) {
            let message = "expected prices from 0 to 1000 US dollars for 1,000 tokens";
            error(
                path,
                list,
                message,
                "write what 1,000 tokens cost, not a million",
            );
            continue;
        }
        let since = entry.from.as_ref().map(|text| text.parse());
        let Ok(since) = since.transpose() else {
            error(
                path.key("from"),
                list,
                "expected a day such as `2026-12-01`",
                "leave it out: then the price always counts",
            );
            continue;
        };
        let price = Price {
            input_per_1k: entry.input_per_1k,
            output_per_1k: entry.output_per_1k,
        };
        if prices.add(&entry.model, price, since).is_err() {
            error(
                path.key("model"),
                list,
                "this is no name and no pattern",
                "`*` stands for any text",
            );
        }
    }
    let zone = llm
        .budget_timezone
        .as_ref()
        .map_or(zone, |written| written.0.0);
    Terms {
        budget: Budget {
            daily: daily.unwrap_or_default(),
            zone,
        },
        prices,
        trace_prompts: llm.trace_prompts,
    }
}
