//! The whole program, with a mail server from the environment.

use crate::support::certificates::authority;
use crate::support::program::Workplace;
use crate::support::smtp::{Manner, PASSWORD, USER, smtp};

#[tokio::test]
async fn the_environment_names_the_server_and_its_login_stays_hidden() {
    let server = smtp(&Manner::default()).await;
    let yaml = "targets: {local_hosts: [{name: here}]}\n\
                reporters: [{kind: email, from: me@example.com, to: ops@example.com, ca_file: authority.pem}]\n";
    let place = |password: &str| {
        Workplace::with_configuration(yaml)
            .file("authority.pem", authority().pem())
            .variable("SMTP_HOST", "localhost")
            .variable("SMTP_PORT", &server.port.to_string())
            .variable("SMTP_USER", USER)
            .variable("SMTP_PASSWORD", password)
    };
    let ended = place(PASSWORD).run(&["--run-once"]).await;
    assert!(ended.code.is_some_and(|code| code <= 3), "{ended}");
    assert!(!ended.stderr.contains("not sent"), "{ended}");
    let [mail] = server.mails().try_into().expect("one mail");
    assert!(mail.text.contains("here"), "{mail:#?}");
    assert_eq!(mail.login.as_deref(), Some(USER));

    let ended = place("canary-wrong").run(&["--run-once"]).await;
    assert!(ended.stderr.contains("refused the login: 535"), "{ended}");
    assert!(ended.stderr.contains("hint: check `username`"), "{ended}");
    assert!(!format!("{ended}").contains("canary"), "{ended}");
}

#[test]
fn slack_has_its_webhook_from_the_environment() {
    let yaml = "targets: {local_hosts: [{}]}\nreporters: [{kind: slack}]\n";
    let given = "https://hooks.slack.com/services/T000/B000/canary";
    let place = Workplace::with_configuration(yaml).variable("SLACK_WEBHOOK_URL", given);
    let plan = place.load().expect("a file").plan.expect("a plan");
    let mut said = format!("it is {given}");
    plan.secrets.redact(&mut said);
    assert_eq!(said, "it is [hidden]");

    let place = Workplace::with_configuration(yaml).variable("SLACK_WEBHOOK_URL", "canary/there");
    let said = place.problems();
    let expected = "reporters[0]: the variable `SLACK_WEBHOOK_URL` is not the address of a webhook";
    assert!(
        said.contains(expected) && !said.contains("canary"),
        "{said}"
    );
    let place = Workplace::with_configuration(yaml).variable("SLACK_WEBHOOK_URL", "");
    assert!(place.problems().contains("`webhook_url` is missing"));
}
