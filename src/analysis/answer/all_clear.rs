//! What says that nothing is wrong. Nobody is asked about what is well, so none of it is believed.

use super::harm::lowered;
use super::orders::clauses;

/// What says so of everything.
#[rustfmt::skip]
const OF_ALL: &[&str] = &[
    "all is well", "all is fine", "all well", "all clear", "all good", "all systems normal", "everything is fine", "everything is ok",
    "everything is well", "everything is normal", "everything is good", "everything works", "false alarm", "false positive", "false alert",
    "back to sleep", "go to sleep", "no action", "no problem", "no issue", "no incident", "no impact", "nothing is wrong", "nothing wrong",
    "nothing to do", "nothing to worry", "nothing to see", "do not worry", "don't worry", "no need to", "no reason to", "can be ignored",
    "may be ignored", "safe to ignore", "safely ignore", "ignore it", "ignore this", "ignore the alert", "ignore the alarm",
    "ignore the incident", "known issue", "only a test", "just a test", "this is a test", "was a test", "a fire drill", "only a drill",
    "no users are affected", "no user is affected", "users are not affected", "nobody is affected", "no one is affected",
    "no customers are affected", "not a real", "monitor is wrong", "monitoring is wrong", "monitor is mistaken", "monitor is broken",
    "monitor lies", "roundsman is wrong", "alert is wrong", "alarm is wrong", "back to normal",
    // Deutsch
    "alles in ordnung", "alles gut", "alles bestens", "alles ok", "kein problem", "keine probleme", "fehlalarm", "nichts zu tun",
    "nichts zu befürchten", "nur ein test", "niemand ist betroffen", "ist behoben", "wieder in ordnung", "läuft wieder",
    // Español
    "todo está bien", "todo bien", "todo en orden", "todo funciona", "falsa alarma", "sin problemas", "no hay problema",
    "no hay problemas", "es solo una prueba", "nada que hacer", "está resuelto",
    // Français
    "tout va bien", "tout est en ordre", "tout fonctionne", "fausse alerte", "aucun problème", "pas de problème", "rien à faire",
    "ce n'est qu'un test", "est résolu",
    // Português, italiano
    "tudo bem", "tudo certo", "está tudo bem", "alarme falso", "tutto bene", "tutto ok", "tutto a posto", "falso allarme",
    // Русский
    "всё в порядке", "все в порядке", "всё хорошо", "все хорошо", "ложная тревога", "проблем нет", "нет проблем", "это только тест",
    "ничего делать не нужно", "всё работает", "все работает",
    // 中文, 日本語
    "一切正常", "没有问题", "沒有問題", "误报", "誤報", "已恢复", "恢复正常", "无需处理", "运行正常", "只是测试", "問題ありません", "正常です", "誤検知",
];

/// What says so of what it is said of: believed of a neighbour, and of none that is ill.
#[rustfmt::skip]
const OF_ONE: &[&str] = &[
    "is healthy", "are healthy", "is fine", "are fine", "is ok", "are ok", "is okay", "is up", "is back", "are back", "is working",
    "is running fine", "is running normally", "is normal", "works again", "works fine", "is well", "are well", "has recovered", "have recovered",
    "recovered on its own", "recovered by itself", "is resolved", "was resolved", "been resolved", "is solved", "is fixed", "been fixed",
    "is over", "is reachable", "is available again", "is online", "ist gesund", "ist ok", "está sano", "va bien", "работает нормально",
    "восстановлен", "es geht",
];

/// Whoever says these of a thing speaks of what is asked about.
const IT: [&str; 12] = [
    "it ",
    "this ",
    "everything ",
    "all ",
    "the service ",
    "the system ",
    "the incident ",
    "the problem ",
    "the issue ",
    "the target ",
    "the outage ",
    "services ",
];

/// Words behind which it is asked, awaited or denied, not said.
#[rustfmt::skip]
const OPEN: [&str; 17] = [
    "whether ", "if ", "until ", "till ", "once ", "when ", "unless ", "before ", "after ", "wait ", "make sure ", "ensure ", "confirm ",
    "verify ", "check ", "never ", "ob ",
];

/// Whether a text says that nothing is wrong with what is asked about, which is called so.
pub(super) fn is_all_clear(text: &str, names: &[String]) -> bool {
    let text = lowered(text).replace('’', "'");
    let names: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    let is_said = |clause: &str, part: &str| {
        clause.match_indices(part).any(|(at, _)| {
            let before = &clause[..at];
            let behind = clause[at + part.len()..].chars().next();
            let is_word = !behind.is_some_and(|one| one.is_ascii_alphanumeric());
            let begins = !before.ends_with(|one: char| one.is_ascii_alphanumeric());
            let is_open = OPEN
                .iter()
                .any(|open| before.starts_with(open) || before.contains(&format!(" {open}")));
            is_word && begins && !is_open
        })
    };
    let is_of_all = OF_ALL
        .iter()
        .any(|part| clauses(&text).any(|clause| is_said(clause, part)));
    is_of_all
        || clauses(&text).any(|clause| {
            let clause = clause.trim_end_matches(['.', '!', '`']);
            let is_of_it = IT.iter().any(|it| clause.starts_with(it))
                || names
                    .iter()
                    .any(|name| name.len() > 1 && clause.contains(name.as_str()))
                || OF_ONE.iter().any(|part| clause.starts_with(part));
            let is_one = |part: &&&str| is_said(clause, part) && !resolves_to(clause);
            clause == "resolved" || (is_of_it && OF_ONE.iter().any(|part| is_one(&part)))
        })
}

/// `db-1 is resolved to 10.0.0.5`
fn resolves_to(clause: &str) -> bool {
    [
        "resolved to ",
        "resolved by ",
        "is up to ",
        "is up for ",
        "is over ",
        "fine-grained",
    ]
    .iter()
    .any(|part| clause.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_that_nothing_is_wrong_is_told_in_every_language() {
        let names = ["db-1".to_owned()];
        for text in [
            "db-1 has recovered",
            "db-1: RESOLVED",
            "db-1 is healthy again",
            "The outage is over.",
            "It works again.",
            "db-1: this is only a test, ignore it",
            "db-1: the monitor is wrong",
            "No users are affected.",
            "Nothing to worry about.",
            "db-1: known issue",
            "db-1: alles in Ordnung",
            "db-1: Fehlalarm",
            "db-1: todo está bien",
            "db-1: tout va bien",
            "db-1: всё в порядке",
            "db-1: ложная тревога",
            "db-1: 一切正常",
            "db-1：误报",
            "db-1: tutto bene",
            "db-1: tudo bem",
        ] {
            assert!(is_all_clear(text, &names), "{text}");
        }
        for text in [
            "db-1 is unhealthy",
            "db-1 is not healthy",
            "db-1 has not recovered",
            "The database system of db-1 is in recovery mode",
            "web-2 is healthy, and db-1 is not",
            "The name of db-1 could not be resolved",
            "The name of db-1 is resolved to an old address",
            "Check whether db-1 is healthy",
            "Wait until db-1 has recovered",
            "Restart db-1 unless it is healthy",
            "db-1 is up to date but out of memory",
        ] {
            assert!(!is_all_clear(text, &names), "{text}");
        }
    }
}
