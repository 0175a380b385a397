//! What is not the cause, however near it is.

use super::*;

#[test]
fn what_we_cannot_look_at_is_the_cause_of_nothing() {
    let ours = |class, kind: &str| {
        let blind = target(kind, "blind").fails(class, Status::Unknown, "09:40");
        let app = target("api_endpoints", "app").needs(&[&format!("{kind}/blind")]);
        [blind, app.fails(Class::Gone, Status::Red, "09:41")]
    };
    for class in [Class::Monitor, Class::Gone, Class::Name, Class::Certificate] {
        assert_eq!(causes(&ours(class, "databases")), [""; 0], "{class:?}");
    }
    // A machine that we cannot log in to, and three kinds that are not built, at the first looks.
    let host = target("vps_servers", "host").fails(Class::Monitor, Status::Unknown, "09:40");
    let app = target("api_endpoints", "app").lives_on("host");
    let app = app.fails(Class::Gone, Status::Red, "09:41");
    assert_eq!(causes(&[host, app]), [""; 0]);
    let not_built = (0..3).map(|number| {
        let one = target("redis_servers", &format!("cache-{number}"));
        one.fails(Class::Monitor, Status::Unknown, "09:41")
    });
    let app = target("api_endpoints", "app").fails(Class::Gone, Status::Red, "09:41");
    let suspects: Vec<Suspect> = not_built.chain([app]).collect();
    let found = found(&suspects);
    let app = found.iter().find(|group| group.suspects.contains(&3));
    assert_eq!(app.map(|group| group.suspects.len()), Some(1), "{found:#?}");
}

#[test]
fn what_failed_again_is_the_cause_of_what_fails_now_and_what_is_over_is_not() {
    let twice = |mut one: Suspect, clocks: [&str; 3]| {
        let [first, over, again] = clocks;
        one = one.fails(Class::Answer, Status::Red, first);
        let mut all = one.symptoms.to_vec();
        all[0].over_at = Some(at(over));
        one.symptoms = symptoms(&all);
        one.fails(Class::Answer, Status::Red, again)
    };
    let db = twice(target("api_endpoints", "db"), ["09:50", "09:51", "09:55"]);
    let shop = target("api_endpoints", "shop").needs(&["api_endpoints/db"]);
    let shop = twice(shop, ["09:50", "09:51", "09:55"]);
    let suspects = [db, shop];
    let found = found(&suspects);
    let cause = found[0].cause().expect("a cause");
    assert_eq!((cause.suspect, cause.symptom), (0, 1), "{found:#?}");
    let explained: Vec<(usize, usize)> = (cause.explains.iter())
        .map(|effect| (effect.suspect, effect.symptom))
        .collect();
    assert_eq!(explained, [(1, 1)]);
    // What began before it was over may still be of the first time.
    let db = twice(target("api_endpoints", "db"), ["09:20", "09:30", "09:59"]);
    let shop = target("api_endpoints", "shop").needs(&["api_endpoints/db"]);
    let shop = shop.fails(Class::Answer, Status::Red, "09:21");
    let suspects = [db, shop];
    let found = super::found(&suspects);
    let cause = found[0].cause().expect("a cause");
    assert_eq!((cause.suspect, cause.symptom), (0, 0), "{found:#?}");
}

#[test]
fn a_machine_that_is_watched_and_well_is_not_what_two_on_it_have_in_common() {
    let two = |machine: Option<Suspect>| -> Vec<Suspect> {
        let two = ["shop", "payments"].map(|name| {
            let mut one = target("api_endpoints", name);
            one.home = Some("host.example.com".to_owned());
            one.fails(Class::Answer, Status::Red, "09:40")
        });
        two.into_iter().chain(machine).collect()
    };
    assert_eq!(found(&two(None)).len(), 1);
    let machine = || target("vps_servers", "host");
    assert_eq!(found(&two(Some(machine()))).len(), 2);
    // An engine that was restarted takes along what it runs, and leaves its machine as it was.
    let mut engine = target("docker_hosts", "engine").fails(Class::Gone, Status::Red, "09:39");
    engine.home = Some("host.example.com".to_owned());
    let with_engine: Vec<Suspect> = two(Some(machine())).into_iter().chain([engine]).collect();
    assert_eq!(causes(&with_engine), ["engine"]);
    let busy = machine().moves("cpu_percent", Class::Cpu, 20.0, "09:39");
    assert_eq!(causes(&two(Some(busy))), ["host"]);
}

#[test]
fn what_was_over_before_another_began_has_nothing_in_common_with_it() {
    let two = |over: &str| {
        let two = [("payments", "09:40"), ("shop", "09:43")].map(|(name, clock)| {
            let mut one = target("api_endpoints", name);
            one.home = Some("host.example.com".to_owned());
            one.fails(Class::Answer, Status::Red, clock)
        });
        let mut two = two.to_vec();
        let mut all = two[0].symptoms.to_vec();
        all[0].over_at = Some(at(over));
        two[0].symptoms = symptoms(&all);
        found(&two).len()
    };
    assert_eq!(two("09:44"), 1);
    assert_eq!(two("09:41"), 2);
}
