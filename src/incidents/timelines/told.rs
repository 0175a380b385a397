use chrono::TimeDelta;

use super::story::in_rack;
use super::{Silence, Story, at, condition, target};
use crate::incidents::{Facts, Level, Policy, Quiet};
use crate::model::{Severity, Status};

#[test]
fn two_looks_agree_before_a_problem_opens_and_it_ends_with_its_first_good_look() {
    let told = Story::of(vec![target("db", &[])]).tell(
        "10:00 db red
         10:00:30 db red
         10:06 db green",
    );
    insta::assert_snapshot!(told, @r"
    10:00:31 #1 critical: db opened RED
    10:06:01 #1 over: db resolved
    ");
}

#[test]
fn a_single_bad_look_is_not_spoken_of() {
    let told = Story::of(vec![target("db", &[])]).tell(
        "10:00 db red
         10:00:30 db green
         10:06 db yellow
         10:06:30 db green",
    );
    insta::assert_snapshot!(told, @"");
}

#[test]
fn what_is_instant_is_spoken_of_at_the_first_look() {
    let instant = Facts {
        instant: true,
        ..target("db", &[])
    };
    let told = Story::of(vec![instant]).tell("10:00 db red");
    insta::assert_snapshot!(told, @"10:00:00 #1 critical: db opened RED");
}

#[test]
fn it_opens_at_the_least_bad_of_the_looks_that_agree_and_becomes_worse_and_better() {
    let told = Story::of(vec![target("db", &[])]).tell(
        "10:00 db yellow
         10:00:30 db red
         10:01 db red
         10:06 db yellow
         10:12 db red
         10:12:30 db red
         10:18 db green",
    );
    insta::assert_snapshot!(told, @r"
    10:00:31 #1 warning: db opened YELLOW
    10:01:01 #1 critical: db worsened RED
    10:06:01 #1 critical: db improved YELLOW
    10:12:31 #1 critical: db worsened RED
    10:18:01 #1 over: db resolved
    ");
}

#[test]
fn what_could_not_be_measured_neither_opens_nor_worsens_nor_resolves_a_problem() {
    let told = Story::of(vec![target("db", &[])]).tell(
        "10:00 db red
         10:00:30 db unknown
         10:01 db red
         10:06 db unknown
         10:06:30 db unknown
         10:12 db red
         10:18 db green",
    );
    insta::assert_snapshot!(told, @r"
    10:01:01 #1 critical: db opened RED
    10:06:35 #2 warning: db opened UNKNOWN
    10:12:01 #2 over: db resolved
    10:18:01 #1 over: db resolved
    ");
}

#[test]
fn what_cannot_be_measured_for_one_reason_is_one_message() {
    let targets = vec![target("a", &[]), target("b", &[]), target("c", &[])];
    let told = Story::of(targets).tell(
        "10:00 a, b unknown
         10:00:30 a, b unknown
         10:00:33 c unknown
         10:01:03 c unknown
         10:06 a, b, c green",
    );
    insta::assert_snapshot!(told, @r"
    10:00:35 #1 warning: a opened UNKNOWN, b opened UNKNOWN
    10:01:05 #1 warning: c opened UNKNOWN
    10:06:01 #1 over: a resolved, b resolved, c resolved
    ");
}

#[test]
fn reminders_grow_and_end_with_an_acknowledgement_which_worsening_voids() {
    let told = Story::of(vec![target("db", &[])]).tell(
        "10:00 db yellow
         10:00:30 db yellow
         14:00 ack db anna
         23:00 db yellow
         +1 01:00 db red
         +1 01:00:30 db red
         +1 02:30
         +1 03:00 db green",
    );
    insta::assert_snapshot!(told, @r"
    10:00:31 #1 warning: db opened YELLOW
    11:00:31 #1 warning: reminder 1
    13:00:31 #1 warning: reminder 2
    14:00:01 #1 warning: acknowledged anna
    01:00:31 #1 critical: db worsened RED
    02:00:30 #1 critical: reminder 1
    03:00:01 #1 over: db resolved
    ");
}

#[test]
fn the_root_speaks_and_what_depends_on_it_is_listed_below() {
    let targets = vec![
        target("host", &[]),
        target("db", &["host"]),
        target("app", &["db"]),
    ];
    let told = Story::of(targets).tell(
        "10:00 app, db, host red
         10:00:30 app, db, host red
         10:10 host green
         10:10:02 db, app green",
    );
    insta::assert_snapshot!(told, @r"
    10:00:00 look at db
    10:00:00 look at host
    10:00:31 #1 critical: (app opened RED), (db opened RED), host opened RED
    10:10:00 look at db
    10:10:02 look at app
    10:10:03 #1 over: host resolved, (db resolved), app resolved
    ");
}

#[test]
fn a_child_waits_for_its_suspected_parent_and_speaks_when_that_is_well() {
    let targets = vec![target("host", &[]), target("db", &["host"])];
    let told = Story::of(targets).tell(
        "10:00 db red
         10:00:01 host red
         10:00:30 db red
         10:00:31 host green",
    );
    insta::assert_snapshot!(told, @r"
    10:00:00 look at host
    10:00:32 #1 critical: db opened RED
    ");
}

#[test]
fn a_child_that_spoke_first_comes_below_its_parent() {
    let targets = vec![
        target("host", &[]),
        target("db", &["host"]),
        target("app", &["host"]),
    ];
    let told = Story::of(targets).tell(
        "10:00 db red
         10:00:30 db red
         10:01 app red
         10:01:30 app red
         10:02 host red
         10:02:30 host red
         10:09 host, db, app green",
    );
    insta::assert_snapshot!(told, @r"
    10:00:00 look at host
    10:00:31 #1 critical: db opened RED
    10:01:00 look at host
    10:01:31 #2 critical: app opened RED
    10:02:31 #1 critical: host opened RED
    10:02:31 #2 over: (merged part of #1)
    10:09:00 look at db
    10:09:00 look at app
    10:09:01 #1 over: host resolved, (db resolved), app resolved
    ");
}

#[test]
fn the_end_is_heard_also_where_the_last_to_be_well_did_not_speak_for_itself() {
    let targets = vec![target("host", &[]), target("db", &["host"])];
    let told = Story::of(targets).tell(
        "10:00 db red
         10:00:30 db red
         10:01 host red
         10:01:30 host red
         10:02 host green
         10:02:10 db green",
    );
    insta::assert_snapshot!(told, @r"
    10:00:00 look at host
    10:00:31 #1 critical: db opened RED
    10:01:31 #1 critical: host opened RED
    10:02:00 look at db
    10:02:05 #1 critical: host resolved
    10:02:11 #1 over: db resolved
    ");
}

#[test]
fn a_child_that_is_still_bad_when_its_parent_recovers_speaks_then() {
    let targets = vec![
        target("host", &[]),
        target("db", &["host"]),
        target("app", &["host"]),
    ];
    let told = Story::of(targets).tell(
        "10:00 host, db, app red
         10:00:30 host, db, app red
         10:10 host green
         10:10:01 app green
         10:10:02 db red
         10:20 db green",
    );
    insta::assert_snapshot!(told, @r"
    10:00:00 look at host
    10:00:31 #1 critical: host opened RED, (db opened RED), (app opened RED)
    10:10:00 look at db
    10:10:00 look at app
    10:10:03 #1 critical: host resolved, (app resolved), db remained RED
    10:20:01 #1 over: db resolved
    ");
}

#[test]
fn what_waits_on_purpose_is_told_at_once_with_what_it_waited_for() {
    let targets = vec![
        target("host", &[]),
        target("db", &["host"]),
        target("app", &["host"]),
    ];
    let told = Story::of(targets).tell(
        "10:00 host, db, app red
         10:00:30 host, db, app red
         10:10 app green
         10:10:00.5 host green
         10:10:04 db red
         10:20 db green",
    );
    insta::assert_snapshot!(told, @r"
    10:00:00 look at host
    10:00:31 #1 critical: host opened RED, (db opened RED), (app opened RED)
    10:10:00.500 look at db
    10:10:05 #1 critical: (app resolved), host resolved, db remained RED
    10:20:01 #1 over: db resolved
    ");
}

#[test]
fn the_end_rings_also_when_the_last_one_never_spoke() {
    let targets = vec![target("host", &[]), target("db", &["host"])];
    let mut story = Story::of(targets);
    story.lines(
        "10:00 host, db red
         10:00:30 host, db red
         10:10 host green
         10:10:20 db green
         10:11",
    );
    insta::assert_snapshot!(story.told, @r"
    10:00:00 look at host
    10:00:31 #1 critical: host opened RED, (db opened RED)
    10:10:00 look at db
    10:10:05 #1 critical: host resolved
    10:10:21 #1 over: db resolved
    ");
    let db = story.kept("db");
    assert_eq!(db.under, None);
    assert_eq!(db.explained_by.as_deref(), Some("t/host"));
}

#[test]
fn what_becomes_worse_than_what_explains_it_speaks() {
    let targets = vec![
        target("host", &[]),
        target("db", &["host"]),
        target("app", &["host"]),
    ];
    let told = Story::of(targets).tell(
        "10:00 host, db, app yellow
         10:00:30 host, db, app yellow
         10:05 db red
         10:05:30 db red
         10:07 host, app red
         10:07:30 host, app red
         10:20 host, db, app green",
    );
    insta::assert_snapshot!(told, @r"
    10:00:00 look at host
    10:00:31 #1 warning: host opened YELLOW, (db opened YELLOW), (app opened YELLOW)
    10:05:31 #1 critical: db worsened RED
    10:07:31 #1 critical: host worsened RED, (app worsened RED)
    10:20:00 look at db
    10:20:00 look at app
    10:20:01 #1 over: host resolved, (db resolved), app resolved
    ");
}

#[test]
fn a_released_child_speaks_also_when_no_look_comes() {
    let targets = vec![target("host", &[]), target("db", &["host"])];
    let told = Story::of(targets).tell(
        "10:00 host, db red
         10:00:30 host, db red
         10:10 host green
         10:15",
    );
    insta::assert_snapshot!(told, @r"
    10:00:00 look at host
    10:00:31 #1 critical: host opened RED, (db opened RED)
    10:10:00 look at db
    10:10:05 #1 critical: host resolved
    10:11:11 #1 critical: db remained RED
    ");
}

#[test]
fn a_warning_of_the_parent_hides_no_failure_of_the_child() {
    let targets = vec![target("host", &[]), target("db", &["host"])];
    let told = Story::of(targets).tell(
        "08:00 host yellow
         08:00:30 host yellow
         08:30 db red
         08:30:30 db red",
    );
    insta::assert_snapshot!(told, @r"
    08:00:31 #1 warning: host opened YELLOW
    08:30:31 #2 critical: db opened RED
    ");
}

#[test]
fn what_shares_a_group_is_one_message_and_those_that_follow_come_together() {
    let targets = vec![in_rack("a"), in_rack("b"), in_rack("c"), in_rack("d")];
    let told = Story::of(targets).tell(
        "10:00 a red
         10:00:30 a red
         10:00:40 b, c red
         10:01:10 b, c red
         10:30 d red
         10:30:30 d red
         10:40 a, b, c green",
    );
    insta::assert_snapshot!(told, @r"
    10:00:31 #1 critical: a opened RED
    10:01:11 #1 critical: b opened RED, c opened RED
    10:30:31 #2 critical: d opened RED
    10:40:01 #1 over: a resolved, b resolved, c resolved
    ");
}

fn at_night() -> Vec<Box<dyn Quiet>> {
    vec![Box::new(Silence {
        name: "backups",
        targets: Vec::new(),
        from: at("02:00"),
        until: at("04:00"),
    })]
}

#[test]
fn what_happens_inside_a_window_comes_as_one_summary_at_its_end() {
    let targets = vec![target("db", &[]), target("app", &[]), target("web", &[])];
    let told = Story::with(targets, Policy::default(), at_night).tell(
        "01:00 web red
         01:00:30 web red
         02:10 db, app red
         02:10:30 db, app red
         02:20 db, web green
         05:00:30 app red
         05:30 app green",
    );
    insta::assert_snapshot!(told, @r"
    01:00:31 #1 critical: web opened RED
    04:00:00 #1 over: (web resolved)
    04:00:00 after backups: #1 over: web resolved; #2 over: db opened RED, db resolved; #3 still there: app opened RED
    05:00:00 #3 critical: reminder 1
    05:30:01 #3 over: app resolved
    ");
}

#[test]
fn what_begins_in_the_last_second_of_a_window_belongs_to_its_summary() {
    let told = Story::with(vec![target("db", &[])], Policy::default(), at_night).tell(
        "03:59 db red
         03:59:59 db red
         04:10 db green",
    );
    insta::assert_snapshot!(told, @r"
    04:00:00 after backups: #1 still there: db opened RED
    04:10:01 #1 over: db resolved
    ");
}

#[test]
fn what_comes_twice_inside_a_window_is_told_twice_at_its_end() {
    let targets = vec![in_rack("a"), in_rack("b")];
    let told = Story::with(targets, Policy::default(), at_night).tell(
        "01:58 a red
         01:58:30 a red
         02:01 b red
         02:01:30 b red
         02:02 b green
         02:04 b red
         02:04:30 b red
         04:00:01",
    );
    insta::assert_snapshot!(told, @r"
    01:58:31 #1 critical: a opened RED
    04:00:00 #1 critical: (b opened RED), (b resolved), (b opened RED)
    04:00:00 after backups: #1 still there: b opened RED, b resolved, b opened RED
    ");
}

#[test]
fn what_moves_to_another_incident_inside_a_window_is_told_once_at_its_end() {
    let targets = vec![
        target("host", &[]),
        target("db", &["host"]),
        target("app", &["host"]),
    ];
    let told = Story::with(targets, Policy::default(), at_night).tell(
        "02:01 db red
         02:01:30 db red
         02:02 app red
         02:02:30 app red
         02:03 host red
         02:03:30 host red
         04:00:01",
    );
    insta::assert_snapshot!(told, @r"
    02:01:00 look at host
    02:02:00 look at host
    04:00:00 after backups: #1 still there: db opened RED, app opened RED, host opened RED
    ");
}

#[test]
fn a_silence_that_begins_before_the_message_leaves_holds_it_back() {
    let told = Story::with(vec![target("db", &[])], Policy::default(), at_night).tell(
        "01:59:29 db red
         01:59:59 db red
         04:00:01",
    );
    insta::assert_snapshot!(told, @"04:00:00 after backups: #1 still there: db opened RED");
}

#[test]
fn a_silence_holds_back_escalation_and_reminders() {
    let policy = Policy {
        escalation: vec![Level {
            after: TimeDelta::minutes(15),
            reporters: Vec::new(),
            severities: Some(vec![Severity::Critical]),
        }],
        ..Policy::default()
    };
    let told = Story::with(vec![target("db", &[])], policy, at_night).tell(
        "01:50 db red
         01:50:30 db red
         04:30",
    );
    insta::assert_snapshot!(told, @r"
    01:50:31 #1 critical: db opened RED
    04:00:00 #1 [level 1] critical: escalated level 1
    ");
}

#[test]
fn nobody_takes_note_so_others_are_told() {
    let level = |minutes| Level {
        after: TimeDelta::minutes(minutes),
        reporters: Vec::new(),
        severities: Some(vec![Severity::Critical]),
    };
    let policy = Policy {
        escalation: vec![level(15), level(45)],
        ..Policy::default()
    };
    let told = Story::with(vec![target("db", &[])], policy, Vec::new).tell(
        "10:00 db yellow
         10:00:30 db yellow
         10:20 db red
         10:20:30 db red
         10:40 ack db anna
         12:00 db green",
    );
    insta::assert_snapshot!(told, @r"
    10:00:31 #1 warning: db opened YELLOW
    10:20:31 #1 critical: db worsened RED
    10:35:30 #1 [level 1] critical: escalated level 1
    10:40:01 #1 critical: acknowledged anna
    12:00:01 #1 over: db resolved
    ");
}

#[test]
fn flapping_is_one_message_at_its_start_and_one_at_its_end() {
    let mut script = String::new();
    for minute in 0..30 {
        let status = if minute % 2 == 0 { "red" } else { "green" };
        script.push_str(&format!("10:{minute:02} db {status}\n"));
    }
    for minute in 30..59 {
        script.push_str(&format!("10:{minute:02} db green\n"));
    }
    let told = Story::of(vec![target("db", &[])]).tell(&script);
    insta::assert_snapshot!(told, @r"
    10:05:01 #1 warning: db opened YELLOW, db flaps YELLOW
    10:44:01 #1 over: db flaps no more, db resolved
    ");
}

#[test]
fn many_within_seconds_are_told_in_a_few_steps() {
    let instant = |name| Facts {
        instant: true,
        ..target(name, &[])
    };
    let targets = vec![
        target("a", &[]),
        target("b", &[]),
        target("c", &[]),
        instant("d"),
    ];
    let told = Story::of(targets).tell(
        "10:00 a, b, c red
         10:00:30.001 a red
         10:00:30.1 b red
         10:00:30.25 c red
         10:00:30.3 d red",
    );
    insta::assert_snapshot!(told, @r"
    10:00:30.300 #4 critical: d opened RED
    10:00:31.250 #1 critical: a opened RED
    10:00:31.250 #2 critical: b opened RED
    10:00:31.250 #3 critical: c opened RED
    ");
}

#[test]
fn a_child_that_flaps_under_a_failed_parent_does_not_speak() {
    let targets = vec![target("host", &[]), target("db", &["host"])];
    let mut script = String::from("09:59 host red\n09:59:30 host red\n");
    for minute in 0..20 {
        let status = if minute % 2 == 0 { "red" } else { "green" };
        script.push_str(&format!("10:{minute:02} db {status}\n"));
    }
    script.push_str("10:20 host green\n");
    for minute in 21..50 {
        script.push_str(&format!("10:{minute:02} db green\n"));
    }
    let told = Story::of(targets).tell(&script);
    insta::assert_snapshot!(told, @r"
    09:59:31 #1 critical: host opened RED
    10:05:01 #1 critical: (db opened YELLOW), (db flaps YELLOW)
    10:20:00 look at db
    10:20:05 #1 critical: host resolved
    10:35:01 #1 over: db flaps no more, db resolved
    ");
}

#[test]
fn after_a_restart_an_unchanged_problem_is_quiet_and_a_change_is_told_once() {
    let targets = vec![target("db", &[]), target("app", &[])];
    let told = Story::of(targets).tell(
        "10:00 db, app red
         10:00:30 db, app red
         10:02 restart
         10:20 db red
         10:20 app green
         10:21 restart
         10:30 app green",
    );
    insta::assert_snapshot!(told, @r"
    10:00:31 #1 critical: db opened RED
    10:00:31 #2 critical: app opened RED
             (restart)
    10:20:01 #2 over: app resolved
             (restart)
    ");
}

#[test]
fn a_restart_loses_no_message_that_waits_and_repeats_no_reminder() {
    let told = Story::of(vec![target("db", &[])]).tell(
        "10:00 db red
         10:00:30 db red
         10:00:30 restart
         10:00:40
         12:00 down
         23:00 up
         23:00:01 db red
         +1 04:00",
    );
    insta::assert_snapshot!(told, @r"
             (restart)
    10:00:31 #1 critical: db opened RED
    11:00:31 #1 critical: reminder 1
             (restart)
    23:00:00 #1 critical: reminder 2
    03:00:00 #1 critical: reminder 3
    ");
}

#[test]
fn a_target_that_is_no_longer_watched_closes_quietly() {
    let targets = vec![target("db", &[]), target("app", &["db"])];
    let told = Story::of(targets).tell(
        "10:00 db, app red
         10:00:30 db, app red
         10:05 gone db
         10:05:05 app red
         10:06 gone app
         12:00",
    );
    insta::assert_snapshot!(told, @r"
    10:00:00 look at db
    10:00:31 #1 critical: db opened RED, (app opened RED)
    10:05:00 look at app
    10:05:01 #1 critical: (db removed)
    10:05:06 #1 critical: app remained RED
    10:06:01 #1 over: (app removed)
    ");
}

#[test]
fn a_clock_that_is_set_back_delays_nothing() {
    let mut story = Story::of(vec![target("db", &[])]);
    story.line("10:00 db red");
    story.line("10:00:30 db red");
    story.engine.see(
        "t/db",
        condition(Status::Red, at("09:00:30")),
        at("09:00:30"),
    );
    story.until(at("09:00:40"));
    story.line("10:00:45");
    insta::assert_snapshot!(story.told, @r"
    09:00:31 #1 critical: db opened RED
    10:00:31 #1 critical: reminder 1
    ");
}

#[test]
fn what_somebody_took_note_of_tells_its_end() {
    let targets = vec![in_rack("a"), in_rack("b")];
    let told = Story::of(targets).tell(
        "10:00 a red
         10:00:30 a red
         10:01 ack #1 anna
         10:02 b red
         10:02:30 b red
         10:05 ack nobody anna
         10:06 a, b green
         10:07 ack #1 anna",
    );
    insta::assert_snapshot!(told, @r"
    10:00:31 #1 critical: a opened RED
    10:01:01 #1 critical: acknowledged anna
    10:02:31 #1 critical: b opened RED
    10:05:00 there is no open incident `nobody`
    10:06:01 #1 over: a resolved, b resolved
    10:07:00 there is no open incident `#1`
    ");
}
