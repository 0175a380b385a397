//! What an operator would say, rule by rule.

mod blameless;

use chrono::TimeDelta;

use super::{Class, Group, Relation, Sign, Suspect, Symptom, Symptoms, groups};
use crate::model::{Status, Timestamp, Value};

fn at(clock: &str) -> Timestamp {
    format!("2026-11-21T{clock}:00Z").parse().expect("a time")
}

fn target(kind: &str, name: &str) -> Suspect {
    Suspect {
        target: format!("{kind}/{name}"),
        name: name.to_owned(),
        kind: kind.to_owned(),
        home: Some(format!("{name}.example.com")),
        is_machine: kind == "vps_servers",
        groups: Vec::new(),
        parents: Vec::new(),
        symptoms: Symptoms::default(),
    }
}

/// As they are kept, whatever looks showed them.
pub(super) fn symptoms(all: &[Symptom]) -> Symptoms {
    let kept = serde_json::json!({"all": all, "looked_at": null, "measured_at": null});
    serde_json::from_value(kept).expect("symptoms as they are kept")
}

impl Suspect {
    fn needs(mut self, parents: &[&str]) -> Self {
        self.parents = parents.iter().map(|parent| (*parent).to_owned()).collect();
        self
    }

    fn lives_on(mut self, host: &str) -> Self {
        self.home = Some(format!("{host}.example.com"));
        self.needs(&[&format!("vps_servers/{host}")])
    }

    /// It was well a minute before that time, and from then on it was not.
    fn fails(self, class: Class, status: Status, clock: &str) -> Self {
        self.shows(Sign::Failure, class, status, None, clock)
    }

    fn moves(self, metric: &str, class: Class, spreads: f64, clock: &str) -> Self {
        self.shows(
            metric_of(metric),
            class,
            Status::Green,
            Some(spreads),
            clock,
        )
    }

    fn shows(
        mut self,
        sign: Sign,
        class: Class,
        status: Status,
        distance: Option<f64>,
        clock: &str,
    ) -> Self {
        let seen_at = at(clock);
        let mut all = self.symptoms.to_vec();
        all.push(Symptom {
            sign,
            class,
            status,
            well_at: Some(seen_at - TimeDelta::minutes(1)),
            seen_at,
            last_at: seen_at,
            over_at: None,
            before: None,
            now: Value::Number(1.0),
            now_at: seen_at,
            distance,
        });
        self.symptoms = symptoms(&all);
        self
    }
}

fn metric_of(name: &str) -> Sign {
    Sign::Metric {
        name: name.to_owned(),
        subject: None,
    }
}

fn found(suspects: &[Suspect]) -> Vec<Group> {
    groups(suspects, at("10:00"))
}

/// The names of the targets whose symptoms are named as causes, in the order of the groups.
fn causes(suspects: &[Suspect]) -> Vec<&str> {
    let found = found(suspects);
    let causes = found.iter().filter_map(Group::cause);
    causes
        .map(|cause| suspects[cause.suspect].name.as_str())
        .collect()
}

/// How a target's cause is related to that other target.
fn relation(suspects: &[Suspect], effect: &str) -> Option<Relation> {
    let found = found(suspects);
    let cause = found.iter().find_map(Group::cause)?;
    let mut effects = cause.explains.iter();
    let effect = effects.find(|one| suspects[one.suspect].name == effect);
    effect.map(|effect| effect.relation)
}

#[test]
fn a_host_that_is_gone_is_named_for_the_999_that_live_on_it() {
    let mut suspects: Vec<Suspect> = (1..1_000)
        .map(|number| {
            target("api_endpoints", &format!("app-{number:03}"))
                .lives_on("host")
                .fails(Class::Gone, Status::Red, "09:41")
        })
        .collect();
    // The last by its name and its place, and seen last.
    suspects.push(target("vps_servers", "host").fails(Class::Gone, Status::Red, "09:42"));
    let found = found(&suspects);
    assert_eq!(found.len(), 1);
    let cause = found[0].cause().expect("a cause");
    assert_eq!(suspects[cause.suspect].name, "host");
    assert_eq!(cause.explains.len(), 999);
}

#[test]
fn what_one_target_has_alone_is_a_candidate_but_no_common_cause() {
    let suspects = [target("databases", "orders")
        .moves("locks_waiting", Class::Locks, 20.0, "09:40")
        .fails(Class::Gone, Status::Red, "09:42")];
    let found = found(&suspects);
    assert!(found[0].cause().is_none());
    assert_eq!(found[0].candidates.len(), 1, "{found:#?}");
}

#[test]
fn a_warning_that_is_there_every_day_explains_nothing() {
    let yellow = |spreads| {
        let host = target("vps_servers", "host").shows(
            metric_of("ram_percent"),
            Class::Memory,
            Status::Yellow,
            Some(spreads),
            "09:40",
        );
        let app = target("api_endpoints", "app").lives_on("host");
        [host, app.fails(Class::Answer, Status::Red, "09:41")]
    };
    assert_eq!(causes(&yellow(9.0)), ["host"]);
    assert_eq!(causes(&yellow(0.5)), [""; 0]);
}

#[test]
fn a_disk_that_dwindled_for_hours_breaks_what_writes_when_it_is_full() {
    let disk = |status| {
        let host = target("vps_servers", "host").shows(
            metric_of("disk_free_percent"),
            Class::Disk,
            status,
            Some(-40.0),
            "05:00",
        );
        let database = target("databases", "orders").lives_on("host");
        [host, database.fails(Class::Gone, Status::Red, "09:40")]
    };
    assert_eq!(causes(&disk(Status::Red)), ["host"]);
    assert_eq!(causes(&disk(Status::Yellow)), [""; 0]);
}

#[test]
fn a_figure_of_cloud_watch_tells_of_ten_minutes_before() {
    let busy = |kind: &str| {
        let machine = target(kind, "machine").shows(
            metric_of("cpu_percent"),
            Class::Cpu,
            Status::Red,
            Some(20.0),
            "09:48",
        );
        let app = target("api_endpoints", "app").needs(&[&format!("{kind}/machine")]);
        [
            machine,
            app.moves("response_time_ms", Class::Slow, 40.0, "09:40"),
        ]
    };
    assert_eq!(causes(&busy("ec2_instances")), ["machine"]);
    assert_eq!(causes(&busy("vps_servers")), [""; 0]);
}

#[test]
fn that_we_may_not_look_breaks_nothing() {
    let refused = |kind: &str| {
        let source = target(kind, "source").fails(Class::Limits, Status::Unknown, "09:40");
        let app = target("api_endpoints", "app").needs(&[&format!("{kind}/source")]);
        [source, app.fails(Class::Answer, Status::Red, "09:41")]
    };
    assert_eq!(causes(&refused("ec2_instances")), [""; 0]);
    // What we look with is what the product lives on.
    assert_eq!(causes(&refused("llm_models")), ["source"]);
}

#[test]
fn who_is_refused_in_many_places_at_once_has_one_login() {
    let refused = |count: usize| -> Vec<Suspect> {
        let targets = (0..count).map(|number| target("s3_buckets", &format!("bucket-{number}")));
        targets
            .map(|one| one.fails(Class::Access, Status::Unknown, "09:40"))
            .collect()
    };
    assert_eq!(found(&refused(2)).len(), 2);
    assert_eq!(found(&refused(3)).len(), 1);
}

#[test]
fn three_of_eight_that_fall_silent_have_a_line_in_common_and_three_of_a_thousand_have_not() {
    let silent = |watched: usize| -> Vec<Suspect> {
        let targets = (0..watched).map(|number| target("vps_servers", &format!("host-{number}")));
        let silent = targets.enumerate().map(|(number, one)| {
            if number < 3 {
                one.fails(Class::Gone, Status::Red, "09:40")
            } else {
                one
            }
        });
        silent.collect()
    };
    assert_eq!(found(&silent(8)).len(), 1);
    assert_eq!(found(&silent(1_000)).len(), 3);
}

#[test]
fn names_of_one_zone_cease_to_be_answered_for_one_after_the_other() {
    let names = |zone: &str| {
        let names = [("a", "09:20"), ("b", "09:34"), ("c", "09:48")].map(|(name, clock)| {
            let mut one = target("api_endpoints", name);
            one.home = Some(format!(
                "{name}.{}",
                if name == "b" { zone } else { "example.com" }
            ));
            one.fails(Class::Name, Status::Red, clock)
        });
        found(&names).len()
    };
    assert_eq!(names("example.com"), 1);
    assert_eq!(names("example.net"), 2);
}

#[test]
fn without_the_cache_the_database_is_asked_each_time() {
    let suspects = |needs: &[&str]| {
        [
            target("vps_servers", "cache").shows(
                metric_of("failed_units"),
                Class::Service,
                Status::Red,
                Some(12.0),
                "09:40",
            ),
            target("databases", "catalogue").moves(
                "connections_used_percent",
                Class::Connections,
                20.0,
                "09:41",
            ),
            target("api_endpoints", "shop")
                .needs(needs)
                .fails(Class::Answer, Status::Red, "09:42"),
        ]
    };
    let both = suspects(&["vps_servers/cache", "databases/catalogue"]);
    assert_eq!(causes(&both), ["cache"]);
    assert_eq!(relation(&both, "catalogue"), Some(Relation::Loads));
    let one = suspects(&["databases/catalogue"]);
    assert_eq!(causes(&one), ["catalogue"]);
}

#[test]
fn a_release_explains_whom_the_database_that_it_wears_out_serves() {
    let suspects = [
        target("docker_hosts", "engine").moves("container_age_days", Class::Change, -40.0, "09:30"),
        target("databases", "orders").shows(
            metric_of("longest_transaction_seconds"),
            Class::Locks,
            Status::Red,
            Some(40.0),
            "09:34",
        ),
        target("api_endpoints", "shop")
            .needs(&["docker_hosts/engine", "databases/orders"])
            .fails(Class::Answer, Status::Red, "09:36"),
        target("api_endpoints", "invoices")
            .needs(&["databases/orders"])
            .fails(Class::Answer, Status::Red, "09:37"),
    ];
    let found = found(&suspects);
    let engine = found[0].candidates.iter().find(|one| one.suspect == 0);
    let engine = engine.expect("it is a candidate");
    let invoices = engine.explains.iter().find(|effect| effect.suspect == 3);
    assert_eq!(
        invoices.map(|effect| effect.relation),
        Some(Relation::Through)
    );
    // The database is explained by it, and says so.
    let database = found[0].candidates.iter().find(|one| one.suspect == 1);
    let by = database
        .and_then(|one| one.explained_by)
        .expect("the release");
    assert_eq!((by.suspect, by.factor < 1.0), (0, true));
}

#[test]
fn who_waits_for_a_slow_partner_holds_the_connections_of_the_database() {
    let suspects = [
        target("api_endpoints", "carrier").fails(Class::Gone, Status::Red, "09:40"),
        target("databases", "trade").moves(
            "connections_used_percent",
            Class::Connections,
            20.0,
            "09:41",
        ),
        target("api_endpoints", "shipping")
            .needs(&["api_endpoints/carrier", "databases/trade"])
            .fails(Class::Gone, Status::Red, "09:42"),
    ];
    assert_eq!(causes(&suspects), ["carrier"]);
    assert_eq!(relation(&suspects, "trade"), Some(Relation::Loads));
}

#[test]
fn credits_that_are_used_up_slow_an_instance_hours_after_they_began_to_fall() {
    let credits = |left: f64| {
        let mut instance = target("ec2_instances", "shop-a").moves(
            "cpu_credit_balance",
            Class::Limits,
            -17.0,
            "06:00",
        );
        let mut balance = instance.symptoms.to_vec();
        balance[0].now = Value::Number(left);
        instance.symptoms = symptoms(&balance);
        let shop = target("api_endpoints", "shop").needs(&["ec2_instances/shop-a"]);
        [
            instance,
            shop.moves("response_time_ms", Class::Slow, 40.0, "09:40"),
        ]
    };
    assert_eq!(causes(&credits(0.0)), ["shop-a"]);
    assert_eq!(causes(&credits(120.0)), [""; 0]);
}

#[test]
fn a_disk_that_was_full_for_a_minute_broke_the_database_all_the_same() {
    let mut host = target("vps_servers", "host")
        .moves("cpu_iowait_percent", Class::DiskWait, 12.0, "09:25")
        .shows(
            metric_of("disk_free_percent"),
            Class::Disk,
            Status::Red,
            Some(-40.0),
            "09:30",
        );
    let mut all = host.symptoms.to_vec();
    all[1].over_at = Some(at("09:42"));
    host.symptoms = symptoms(&all);
    let database = target("databases", "members").lives_on("host");
    let suspects = [host, database.fails(Class::Answer, Status::Red, "09:41")];
    let found = found(&suspects);
    let cause = found[0].cause().expect("a cause");
    assert_eq!((cause.suspect, cause.symptom), (0, 1));
    assert!((cause.strength - 1.0).abs() < f64::EPSILON);
}

#[test]
fn where_the_machine_that_looks_swaps_everything_looks_slow() {
    let slow = |kind: &str, count: usize| -> Vec<Suspect> {
        let monitor = target(kind, "monitor").shows(
            metric_of("swap_percent"),
            Class::Memory,
            Status::Red,
            Some(40.0),
            "09:40",
        );
        let sites = (0..count).map(|number| target("api_endpoints", &format!("site-{number}")));
        let sites = sites.map(|one| one.moves("response_time_ms", Class::Slow, 20.0, "09:41"));
        std::iter::once(monitor).chain(sites).collect()
    };
    let three = slow("local_hosts", 3);
    assert_eq!(causes(&three), ["monitor"]);
    assert_eq!(relation(&three, "site-2"), Some(Relation::Watches));
    assert_eq!(causes(&slow("local_hosts", 2)), [""; 0]);
    assert_eq!(causes(&slow("vps_servers", 3)), [""; 0]);
}
