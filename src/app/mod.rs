//! The only place that wires everything: from a plan to a round to a report to the reporters.

pub mod daemon;
mod facts;
mod trial;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::{Instrument, Span};

use crate::analysis::analyst::{self, About, Analyst, NotExplained};
use crate::clients::Clients;
use crate::clock::{SystemClock, milliseconds};
use crate::config::{Plan, PlannedReporter, Watched};
use crate::delivery::{self, Reporters, send_in_time};
use crate::descriptors;
use crate::guard::{self, Watched as Guarded};
use crate::incidents::Facts;
use crate::model::{Explanation, Report, ReportTarget, RoundSummary, Status, TargetId};
use crate::pipeline::{self, Earlier, Judged, Past};
use crate::render::Told;
use crate::render::blocks::{Block, line};
use crate::render::explanation::{WORDS_TITLE, words_of_the_last_report};
use crate::reporters::{self, Means, Message, Retry, file};
use crate::round::{self, Fleet, RoundOptions};
use crate::store::{FileLedger, Remembered};
use crate::traces;

pub use trial::send_one;

/// Over how long rates are measured when somebody waits at a prompt.
const CPU_WINDOW_AT_A_PROMPT: Duration = Duration::from_millis(200);

/// A plan, ready to be carried out.
pub struct App {
    fleet: Fleet,
    clients: Clients,
    options: RoundOptions,
    guarded: Guarded,
    facts: Vec<Facts>,
    /// The trace of the round that was made: what is asked about it belongs there.
    trace: Mutex<Option<Span>>,
}

/// A report that was not sent, for the person at the prompt.
#[derive(Debug)]
pub struct Undelivered {
    /// The reporter's name.
    pub reporter: String,
    /// Why.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Whether it may work later.
    pub is_worth_another_try: bool,
}

/// What is known of earlier rounds.
#[derive(Debug, Default)]
pub struct Before {
    /// The last known state of each target.
    pub states: Vec<ReportTarget>,
    /// What people were told last.
    pub told: Option<Told>,
    /// What was usual, and what was out of the ordinary.
    pub past: Past,
}

impl Before {
    /// What the daemon's memory holds.
    #[must_use]
    pub fn of(remembered: Remembered) -> Self {
        Self {
            told: pipeline::told(&remembered).map(|(_, told)| told),
            past: Past::of(&remembered),
            states: remembered.states,
        }
    }
}

impl From<Report> for Before {
    fn from(report: Report) -> Self {
        Self {
            told: Some(Told::by(&report)),
            past: Past::default(),
            states: report.targets,
        }
    }
}

fn judged(watched: &Watched) -> Judged {
    Judged {
        target: Arc::clone(&watched.target),
        spec: &watched.kind.spec,
        costs_money: (watched.kind.costs_money)(&watched.target.settings),
        rules: Arc::clone(&watched.rules),
    }
}

/// What the guard of our own network must know of a plan.
fn guarded(plan: &Plan, watched: &[Watched]) -> Guarded {
    let hosts = watched.iter().filter_map(|one| {
        let host = (one.kind.host)(&one.target.settings)?;
        Some((one.target.id.clone(), host))
    });
    let endpoints = (plan.reporters.iter())
        .filter_map(|planned| (planned.kind.endpoint)(&planned.settings))
        .collect();
    Guarded::new(hosts, endpoints, plan.monitoring.own_network)
}

/// The clients of a plan, whose purse is in the store's folder. Does no I/O.
#[must_use]
pub fn clients(plan: &Plan) -> Clients {
    let clients = Clients::within(&plan.surroundings);
    let ledger = Arc::new(FileLedger::new(plan.store.folder.clone()));
    let llm = clients.llm.paid_from(ledger);
    llm.use_terms(plan.purse.clone());
    Clients { llm, ..clients }
}

impl App {
    /// Makes the clients and the collectors that these targets of the plan need. Does no I/O but to raise the limit of open files.
    #[must_use]
    pub fn new(watched: &[Watched], plan: &Plan) -> Self {
        let clients = clients(plan);
        Self {
            fleet: Fleet::new(watched.iter().map(|one| one.kind), &clients),
            clients,
            guarded: guarded(plan, watched),
            facts: facts::facts(plan),
            trace: Mutex::default(),
            options: RoundOptions {
                permits: descriptors::permits(descriptors::raise_limit()),
                spread: Duration::ZERO,
                cpu_window: CPU_WINDOW_AT_A_PROMPT,
                redactor: Arc::new(plan.redactor()),
                clock: Arc::new(SystemClock),
            },
        }
    }

    /// Spreads the beginnings of the looks of a round.
    #[must_use]
    pub fn spread_over(mut self, spread: Duration) -> Self {
        self.options.spread = spread;
        self
    }

    /// Visits these targets once and says how they are. `complete`: they are all targets of the configuration.
    pub async fn round(
        &self,
        watched: &[Watched],
        before: &Before,
        complete: bool,
        done: &dyn Fn(&TargetId),
    ) -> Report {
        let started_at = self.options.clock.now();
        let began = Instant::now();
        let targets: Vec<_> = watched.iter().map(|one| Arc::clone(&one.target)).collect();
        let id = started_at.format("%Y%m%dT%H%M%S%3fZ").to_string();
        let looking = round::run(
            &targets,
            &self.fleet,
            &self.options,
            Some(id.as_str().into()),
            done,
        );
        let trace = traces::round(&id, targets.len());
        let mut observations = looking.instrument(trace.clone()).await;
        *self.trace() = Some(trace);
        let network = &self.clients.network;
        let outage = guard::turn_round(&self.guarded, network, &mut observations).await;
        let summary = RoundSummary {
            id,
            started_at,
            duration_ms: milliseconds(began.elapsed()),
            next_at: None,
            skipped_looks: 0,
            missed_rounds: 0,
        };
        let judged: Vec<Judged> = watched.iter().map(judged).collect();
        let earlier = Earlier {
            states: &before.states,
            told: before.told.as_ref(),
            past: &before.past,
        };
        let mut report = pipeline::conclude(
            summary,
            &judged,
            &observations,
            &earlier,
            complete,
            &self.facts,
        );
        let told = outage.and_then(|outage| pipeline::network_alert(&outage, started_at));
        report.self_alerts.extend(told);
        report
    }

    /// Visits one target.
    pub async fn look(&self, watched: &Watched) -> crate::model::Observation {
        let targets = [Arc::clone(&watched.target)];
        let looking = round::run(&targets, &self.fleet, &self.options, None, &|_| ());
        looking.await.swap_remove(0)
    }

    /// A model's words for a report; `None`: none are wanted.
    pub async fn words(
        &self,
        report: &Report,
        settings: Option<&analyst::Settings>,
    ) -> Option<Result<Explanation, NotExplained>> {
        let settings = settings.filter(|settings| pipeline::is_wanted(settings.when, report))?;
        let analyst = Analyst {
            llm: self.clients.llm.clone(),
            clock: Arc::clone(&self.options.clock),
            store: None,
        };
        let session = About::Round(report.round.id.clone()).session(None);
        let prompt = pipeline::about_report(report)?;
        let trace = traces::analysis(self.trace().as_ref(), &session);
        let explaining = analyst.explain(settings, &prompt, &session);
        Some(explaining.instrument(trace).await)
    }

    fn trace(&self) -> MutexGuard<'_, Option<Span>> {
        self.trace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a model's words behind a report that was sent already.
    pub async fn follow(
        &self,
        words: &Explanation,
        channels: &Channels,
        screen: reporters::terminal::Screen,
    ) {
        let means = Means {
            clients: self.clients.clone(),
            screen,
            clock: Arc::clone(&self.options.clock),
        };
        channels.follow(words, &means).await;
    }

    /// Sends the report through all reporters at once, and gives those that did not take it.
    pub async fn send(
        &self,
        report: Arc<Report>,
        channels: &Channels,
        screen: reporters::terminal::Screen,
    ) -> Vec<Undelivered> {
        let means = Means {
            clients: self.clients.clone(),
            screen,
            clock: Arc::clone(&self.options.clock),
        };
        channels.send(report, &means).await
    }
}

/// The reporters that a round at a prompt sends through.
#[derive(Default)]
pub struct Channels {
    all: Vec<PlannedReporter>,
}

impl Channels {
    /// Sends the report through all at once, and gives those that did not take it.
    pub async fn send(&self, report: Arc<Report>, means: &Means) -> Vec<Undelivered> {
        self.send_message(&Message::digest(report), means).await
    }

    /// Sends a model's words. Whoever did not take them has the report.
    async fn follow(&self, words: &Explanation, means: &Means) {
        let lines = words_of_the_last_report(words).into_iter();
        let blocks = lines.map(|text| Block::Paragraph(line(text)));
        let (id, title) = ("analysis".to_owned(), WORDS_TITLE.to_owned());
        let message = Message::note(id, title, Status::Unknown, blocks.collect()).quietly();
        let _undelivered = self.send_message(&message, means).await;
    }

    async fn send_message(&self, message: &Message, means: &Means) -> Vec<Undelivered> {
        let sends = self.all.iter().map(|planned| async {
            let reporter = planned.kind.make(&planned.settings, means);
            let failed = match reporter {
                Some(reporter) => send_in_time(&planned.name, reporter.as_ref(), message)
                    .await
                    .err(),
                None => Some(reporters::SendError::permanent(
                    "its settings are of another channel",
                )),
            };
            failed.map(|error| Undelivered {
                reporter: planned.name.clone(),
                message: error.message,
                hint: error.hint,
                is_worth_another_try: error.retry != Retry::Never,
            })
        });
        let failed = futures_util::future::join_all(sends).await;
        failed.into_iter().flatten().collect()
    }

    /// Those of a daemon: all of the plan, and the terminal where somebody sits at it.
    #[must_use]
    pub fn of_daemon(plan: &Plan, at_a_terminal: bool) -> Self {
        let built = |planned: &&PlannedReporter| planned.kind.spec.built;
        let mut all: Vec<PlannedReporter> = plan.reporters.iter().filter(built).cloned().collect();
        let printed = all
            .iter()
            .any(|planned| planned.kind.spec.key == "terminal");
        if let (true, false, Some(kind)) = (at_a_terminal, printed, reporters::kind("terminal")) {
            all.push(PlannedReporter {
                kind,
                name: "terminal".to_owned(),
                settings: Arc::new(reporters::terminal::Settings::default()),
                route: None,
                location: None,
            });
        }
        Self { all }
    }

    /// What the outbox must know of them.
    #[must_use]
    pub fn addressees(&self) -> Vec<delivery::Channel> {
        let all = self.all.iter().map(|planned| delivery::Channel {
            name: planned.name.clone(),
            route: planned.route.clone(),
            takes_updates: planned.kind.spec.edits,
        });
        all.collect()
    }

    /// Makes all of them. Does no I/O.
    #[must_use]
    pub fn reporters(&self, means: &Means) -> Reporters {
        let made = self.all.iter().filter_map(|planned| {
            let reporter = planned.kind.make(&planned.settings, means)?;
            Some((planned.name.clone(), Arc::from(reporter)))
        });
        made.collect()
    }

    /// Those of the plan, unless nobody is to be notified, and a file reporter for `report_dir`. What is not built
    /// is left out: `check-config` says so, and so does every start.
    #[must_use]
    pub fn of(plan: &Plan, notify: bool, report_dir: Option<&Path>) -> Self {
        let mut all: Vec<PlannedReporter> = Vec::new();
        if notify {
            // The terminal has had its report already.
            let sends = |planned: &&PlannedReporter| {
                planned.kind.spec.built && planned.kind.spec.key != "terminal"
            };
            all.extend(plan.reporters.iter().filter(sends).cloned());
        }
        if let (Some(directory), Some(kind)) = (report_dir, reporters::kind("file")) {
            all.push(PlannedReporter {
                kind,
                name: "--report-dir".to_owned(),
                settings: Arc::new(file::Settings::new(directory.to_owned())),
                route: None,
                location: None,
            });
        }
        Self { all }
    }

    /// The folder that holds the last report: that of `--report-dir`, else of the first file reporter in the plan,
    /// also where nobody is to be notified.
    #[must_use]
    pub fn report_folder(plan: &Plan, report_dir: Option<&Path>) -> Option<PathBuf> {
        let configured = || {
            plan.reporters
                .iter()
                .find_map(|planned| planned.settings.downcast_ref::<file::Settings>())
                .map(|settings| settings.directory.clone())
        };
        report_dir.map(Path::to_owned).or_else(configured)
    }
}
