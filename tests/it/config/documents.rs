//! YAML as such: anchors, merge keys, folders of files, sizes.

use proptest::prelude::*;
use roundsman::document::{LIMITS, parse};

use crate::support::program::Workplace;

#[test]
fn anchors_and_merge_keys_work() {
    let folder = Workplace::with_configuration(
        r"
x-slow: &slow
  timeout_ms: 9000
  labels: {team: web}
targets:
  api_endpoints:
    - <<: *slow
      url: https://one.example.com
    - <<: [*slow, {critical: no}]
      timeout_ms: 1000
      url: https://two.example.com
",
    );
    let plan = folder
        .load()
        .and_then(|loaded| loaded.plan)
        .unwrap_or_else(|| panic!("{}", folder.problems()));
    let common = |index: usize| &plan.watched[index].target.common;
    assert_eq!(common(0).timeout.as_millis(), 9000);
    assert_eq!(common(1).timeout.as_millis(), 1000);
    assert!(common(0).critical && !common(1).critical);
    assert_eq!(common(1).labels["team"], "web");
}

#[test]
fn an_anchor_may_be_used_as_often_as_one_likes() {
    let mut yaml = String::from("x-a: &a {critical: false}\ntargets:\n  api_endpoints:\n");
    for number in 0..500 {
        yaml.push_str(&format!(
            "    - {{<<: *a, url: \"https://{number}.example.com\"}}\n"
        ));
    }
    let folder = Workplace::with_configuration(&yaml);
    let plan = folder
        .load()
        .and_then(|loaded| loaded.plan)
        .unwrap_or_else(|| panic!("{}", folder.problems()));
    assert_eq!(plan.watched.len(), 500);
}

#[test]
fn files_beside_are_merged_in_the_order_of_their_names() {
    let folder = Workplace::with_configuration(
        "targets: {local_hosts: [{name: a}]}\nthresholds: {cpu_red: 95}\n",
    )
    .file(
        "config/conf.d/20.yaml",
        "targets: {local_hosts: [{name: c}]}\n",
    )
    .file(
        "config/conf.d/10.yaml",
        "targets: {local_hosts: [{name: b}], api_endpoints: [{url: \"http://x\"}]}\n",
    )
    .file("config/conf.d/30.yml", "nonsense: [")
    .file("config/conf.d/.hidden.yaml", "nonsense: [");
    let plan = folder
        .load()
        .and_then(|loaded| loaded.plan)
        .unwrap_or_else(|| panic!("{}", folder.problems()));
    let names: Vec<&str> = plan
        .watched
        .iter()
        .map(|one| &*one.target.id.name)
        .collect();
    assert_eq!(names, ["a", "b", "c", "http://x"]);
    assert!(
        folder
            .problems()
            .contains("the file `config/conf.d/30.yml` is not read")
    );
}

#[test]
fn a_scalar_given_twice_names_both_places() {
    let folder =
        Workplace::with_configuration("targets: {local_hosts: [{}]}\nthresholds: {cpu_red: 95}\n")
            .file("config/conf.d/10.yaml", "thresholds: {cpu_red: 96}\n");
    assert_eq!(
        folder.problems(),
        "config/conf.d/10.yaml:1:23 thresholds.cpu_red: given twice; the first is at config/config.yaml:2:23\n  \
         hint: keep one of them; only lists add up"
    );
}

#[test]
fn sizes_are_bounded() {
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for level in 1..9 {
        let below = format!("*a{}", level - 1);
        bomb.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            [below.as_str(); 10].join(",")
        ));
    }
    for (text, said) in [
        (bomb.as_str(), "more than 2000000 values"),
        (
            &("[".repeat(40) + &"]".repeat(40)),
            "nested more than 32 deep",
        ),
        (
            &format!("a: {}", "x".repeat(17 << 20)),
            "which is more than the 16777216 allowed",
        ),
        ("a: *b", "this is not YAML"),
        ("a: &a [*a]", "an alias to something that contains it"),
        ("a: 1\n---\nb: 2\n", "a second YAML document"),
        ("a: 1\na: 2\n", "`a` is given twice; the first is on line 1"),
        ("<<: 5\n", "a merge key needs a map"),
        ("[1]: 2\n", "a key must be a text"),
    ] {
        let mut problems = Vec::new();
        parse(&"f".into(), text, LIMITS, &mut problems);
        let found: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(
            found.iter().any(|problem| problem.contains(said)),
            "{said}: {found:?}"
        );
    }
}

#[test]
fn ten_thousand_targets_load() {
    let mut yaml = String::from("targets:\n  api_endpoints:\n");
    for number in 0..10_000 {
        yaml.push_str(&format!(
            "    - url: https://{number}.example.com/health\n      name: api-{number}\n"
        ));
    }
    let folder = Workplace::with_configuration(&yaml);
    let plan = folder
        .load()
        .and_then(|loaded| loaded.plan)
        .expect("a plan");
    assert_eq!(plan.watched.len(), 10_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_is_written_never_brings_us_down(text in "(?s)[-a-z0-9:\\[\\]{}&*<!|>'\"#%@`, \n\t$\\\\]{0,120}") {
        let folder = Workplace::with_configuration(&text);
        let loaded = folder.load().expect("a file");
        // Such a text never makes a configuration that can be used: each has at least one problem.
        prop_assert!(loaded.plan.is_none());
        prop_assert!(!loaded.problems.is_empty());
    }
}
