//! Secrets as they stand in what is collected. Each is gone, and what stands around it stays as it is.
//!
//! Their secrets are written as `‹what|secret›`. A `¦` is taken out first: without it, those who search repositories for keys
//! would find these.

mod named;
mod places;
mod tokens;

use super::Redactor;

fn told(row: &str) -> (String, String, Vec<String>) {
    let row = row.replace('¦', "");
    let (mut text, mut expected, mut secrets) = (String::new(), String::new(), Vec::new());
    for part in row.split('‹') {
        let Some((inside, behind)) = part.split_once('›') else {
            text.push_str(part);
            expected.push_str(part);
            continue;
        };
        let (what, secret) = inside.split_once('|').expect("what it is, and the secret");
        text.push_str(secret);
        text.push_str(behind);
        expected.push_str(&format!("[redacted: {what}]{behind}"));
        secrets.push(secret.to_owned());
    }
    (text, expected, secrets)
}

#[test]
fn a_secret_is_gone_and_what_stands_around_it_stays() {
    let redactor = Redactor::default();
    let mut wrong = Vec::new();
    let mut count = 0;
    let rows = tokens::TOKENS.iter().chain(places::PLACES);
    for row in rows.chain(named::NAMED) {
        let (text, expected, secrets) = told(row);
        count += secrets.len();
        let redacted = redactor.redact(&text);
        if redacted != expected {
            wrong.push(format!(
                "{text}\n  expected {expected}\n  found    {redacted}"
            ));
        }
        let again = redactor.redact(&redacted);
        if again != redacted {
            wrong.push(format!("{redacted}\n  became, the second time, {again}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count >= 390, "{count}");
}
