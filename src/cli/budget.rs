use chrono::Datelike;
use serde_json::{Value, json};

use super::Session;
use super::arguments::ListFormat;
use super::exit::Exit;
use crate::clock::{Clock, SystemClock};
use crate::model::UsDollars;
use crate::purse::{Budget, Purpose};
use crate::store::{self, Spending};

/// Shows what language models did cost today and this month, by purpose and model.
pub(super) fn run(session: &Session, format: ListFormat) -> Exit {
    let plan = match session.plan() {
        Ok(plan) => plan,
        Err(exit) => return exit,
    };
    let budget = plan.purse.budget;
    let now = SystemClock.now();
    let today = budget.day(now);
    let local = now.with_timezone(&budget.zone);
    let month = format!("{}-{:02}", local.year(), local.month());
    let read = |from: &str, to: &str| store::spendings(&plan.store.folder, from, to);
    let spendings = read(&today, &today).and_then(|of_today| {
        Ok((
            of_today,
            read(&format!("{month}-01"), &format!("{month}-31"))?,
        ))
    });
    let (of_today, of_month) = match spendings {
        Ok(spendings) => spendings,
        Err(trouble) => return super::backup::refused(session, &trouble),
    };
    let said = match format {
        ListFormat::Text => as_text(&budget, &today, &month, &of_today, &of_month),
        ListFormat::Json => as_json(&budget, &today, &month, &of_today, &of_month),
    };
    session.terminal.print(&said, Exit::Well)
}

fn total(spendings: &[Spending]) -> UsDollars {
    spendings.iter().map(|one| one.cost).sum()
}

fn of_probes(spendings: &[Spending]) -> UsDollars {
    let probes = spendings
        .iter()
        .filter(|one| one.purpose == Purpose::Probe.word());
    probes.map(|one| one.cost).sum()
}

fn as_text(
    budget: &Budget,
    today: &str,
    month: &str,
    of_today: &[Spending],
    of_month: &[Spending],
) -> String {
    let mut text = format!(
        "today ({today}, {}): {} of {}, probes {} of {}\n",
        budget.zone.name(),
        total(of_today),
        budget.daily,
        of_probes(of_today),
        budget.share(Purpose::Probe),
    );
    list(of_today, &mut text);
    text.push_str(&format!("this month ({month}): {}\n", total(of_month)));
    list(of_month, &mut text);
    text
}

fn list(spendings: &[Spending], text: &mut String) {
    if spendings.is_empty() {
        text.push_str("  nothing was paid for\n");
    }
    for one in spendings {
        let tokens = format!("{} + {} tokens", one.input_tokens, one.output_tokens);
        text.push_str(&format!(
            "  {:<8}  {:<10}  {}/{}: {} {}, {tokens}",
            one.purpose,
            one.cost.to_string(),
            one.provider,
            one.model,
            one.calls,
            if one.calls == 1 { "call" } else { "calls" }
        ));
        if one.estimated > 0 {
            text.push_str(&format!(", {} estimated", one.estimated));
        }
        if one.unsettled > 0 {
            text.push_str(&format!(
                ", {} never settled and counted in full",
                one.unsettled
            ));
        }
        text.push('\n');
    }
}

fn as_json(
    budget: &Budget,
    today: &str,
    month: &str,
    of_today: &[Spending],
    of_month: &[Spending],
) -> String {
    let part = |name: &str, value: &str, spendings: &[Spending]| -> Value {
        let models: Vec<Value> = spendings
            .iter()
            .map(|one| {
                json!({
                    "purpose": one.purpose, "provider": one.provider, "model": one.model, "calls": one.calls,
                    "input_tokens": one.input_tokens, "output_tokens": one.output_tokens,
                    "estimated_calls": one.estimated, "unsettled_calls": one.unsettled, "cost_usd": one.cost.dollars(),
                })
            })
            .collect();
        json!({name: value, "cost_usd": total(spendings).dollars(), "probes_usd": of_probes(spendings).dollars(), "models": models})
    };
    let whole = json!({
        "timezone": budget.zone.name(),
        "daily_budget_usd": budget.daily.dollars(),
        "daily_budget_of_probes_usd": budget.share(Purpose::Probe).dollars(),
        "today": part("day", today, of_today),
        "month": part("month", month, of_month),
    });
    format!("{whole:#}\n")
}
