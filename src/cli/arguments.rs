use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::document::length_of_time;
use crate::render::Format;

/// Makes its rounds: looks at everything a small team runs, judges it, and reports.
#[derive(Debug, Parser)]
#[command(name = "roundsman", version)]
#[command(
    after_help = "Without --run-once and without a command it is a daemon: it makes its rounds until SIGTERM or SIGINT, and loads its \
                        configuration anew on SIGHUP.\n\nExit codes of --run-once: 0 GREEN, 1 YELLOW, 2 RED, 3 UNKNOWN (the worst wins: RED, then \
                        YELLOW, then UNKNOWN); 64 wrong usage; 70 something of ours failed; 78 wrong configuration."
)]
pub(super) struct Arguments {
    #[arg(
        help = "The configuration file [default: $ROUNDSMAN_CONFIG, config/config.yaml, /etc/roundsman/config.yaml]"
    )]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Make one round now, print the report, and exit by the worst status
    #[arg(long)]
    pub run_once: bool,
    #[command(flatten)]
    pub once: Once,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What goes with `--run-once`.
#[derive(Debug, Args)]
pub(super) struct Once {
    /// How the report is printed: text, json, junit or markdown
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        requires = "run_once"
    )]
    pub format: Format,
    /// Only targets whose name, or kind/name, matches one of these patterns
    #[arg(long, value_name = "GLOB", num_args = 1.., requires = "run_once")]
    pub only: Vec<String>,
    /// Only targets of these kinds
    #[arg(long, value_name = "KIND", num_args = 1.., requires = "run_once")]
    pub kind: Vec<String>,
    /// Print the report, but send it nowhere
    #[arg(long, requires = "run_once")]
    pub no_notify: bool,
    /// Also write the report into this folder, dated, and as `latest_report.json`
    #[arg(long, value_name = "DIR", requires = "run_once")]
    pub report_dir: Option<PathBuf>,
}

/// Everything else that can be asked.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check the configuration: all problems at once, and where each value came from
    CheckConfig,
    /// Print the JSON Schema of the configuration, for editors
    Schema,
    /// List what can be watched, with metrics and units
    Kinds {
        /// How the list is printed: text, markdown or json
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: KindsFormat,
    },
    /// Look at one target and show everything: values, limits and where they came from, and why it got its status
    Probe {
        /// Its name, or kind/name
        target: String,
    },
    /// Write a commented configuration to start from; an existing file is never touched
    Init {
        /// Where to [default: config/config.yaml]
        file: Option<PathBuf>,
    },
    /// Confirm the host keys of servers: fetch them, show their fingerprints, and record what you accept
    Trust(Trust),
    /// Print the pipeline with targets and reporters as a Mermaid diagram
    Graph,
    /// Show what was seen of a target: its states, changes, and what was measured
    History(History),
    /// Show how much of the time each target was up, the worst first
    Uptime(Uptime),
    /// Show the maintenance windows: which targets each is for, whether it is open, and when it opens next
    Windows {
        /// How they are printed: text or json
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: ListFormat,
    },
    /// Show the incidents that are open, and those that ended; or one of them in full
    Incidents(Incidents),
    /// Show what may have caused an incident, and why each candidate got its score
    Explain(Explain),
    /// Take note of an incident: no reminders and no escalation until it becomes worse
    Ack(Ack),
    /// Do not speak of some targets for a while; the daemon looks at them as ever
    #[command(
        after_help = "All parts that are given must fit, and of each part one is enough. Write patterns in quotes: roundsman silence 'web-*' --for 2h"
    )]
    Silence(Silence),
    /// Show what is not spoken of: silences of the file and of people, and the windows that are open
    Silences {
        /// How they are printed: text or json
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: ListFormat,
    },
    /// Show the messages that no channel has taken yet, and those that were given up
    Outbox(Outbox),
    /// Send a message that says that it is a test through one reporter, and show what the channel says
    TestReport {
        /// The reporter's name [default: list them]
        reporter: Option<String>,
    },
    /// Copy the memory into a file, while the daemon runs
    Backup {
        /// A file that is not there yet
        file: PathBuf,
    },
    /// Read all of the memory and check that it is sound
    Verify,
    /// Show what language models did cost today and this month, by purpose and model
    Budget {
        /// How it is printed: text or json
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: ListFormat,
    },
    /// Ask, for free, which providers of language models can be used, and list them in order of preference
    Providers {
        /// Print JSON, for scripts
        #[arg(long)]
        json: bool,
    },
}

/// What `trust` takes.
#[derive(Debug, Args)]
pub(super) struct Trust {
    /// Servers: host, host:port, or names of targets [default: all of the configuration that are not confirmed yet]
    #[arg(value_name = "HOST")]
    pub hosts: Vec<String>,
    /// Accept, without asking, the key that has one of these fingerprints
    #[arg(long, value_name = "SHA256:…", num_args = 1)]
    pub fingerprint: Vec<String>,
    /// Accept keys in the place of others that are recorded
    #[arg(long)]
    pub replace: bool,
}

/// What `history` takes.
#[derive(Debug, Args)]
pub(super) struct History {
    /// Its name, or kind/name; also of one that is no longer in the configuration
    pub target: String,
    /// Only this metric
    #[arg(long, value_name = "METRIC")]
    pub metric: Option<String>,
    /// How far back, such as 90m, 24h or 7d
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = length_of_time)]
    pub since: std::time::Duration,
    /// How it is printed: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: HistoryFormat,
}

/// What `uptime` takes.
#[derive(Debug, Args)]
pub(super) struct Uptime {
    /// How far back, such as 90m, 24h or 7d
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = length_of_time)]
    pub since: std::time::Duration,
    /// How it is printed: text or json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: ListFormat,
}

/// What `explain` takes.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// Its number, or the name of one of its targets [default: the worst that is open]
    pub incident: Option<String>,
    /// Print exactly what would leave the house: the question to the language model
    #[arg(long)]
    pub show_prompt: bool,
    /// How it is printed: text or json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: ListFormat,
}

/// What `incidents` takes.
#[derive(Debug, Args)]
pub(super) struct Incidents {
    /// One of them: its number, or the name of a target [default: list them]
    pub incident: Option<String>,
    /// Also those that ended
    #[arg(long)]
    pub all: bool,
    /// Those that ended within this time, such as 90m, 24h or 7d
    #[arg(long, value_name = "TIME", default_value = "7d", requires = "all", value_parser = length_of_time)]
    pub since: std::time::Duration,
    /// How they are printed: text or json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: ListFormat,
}

/// What `ack` takes.
#[derive(Debug, Args)]
pub(super) struct Ack {
    /// Its number, or the name, or kind/name, of one of its targets
    pub incident: String,
    /// Why, or what is being done
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
    /// Who takes note [default: you]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
}

/// What `silence` takes.
#[derive(Debug, Args)]
pub(super) struct Silence {
    /// Targets: names, or kind/name; `*` is any text
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Only targets of this kind; can be given several times
    #[arg(long, value_name = "KIND", num_args = 1)]
    pub kind: Vec<String>,
    /// Only targets with this label, such as team=ops; can be given several times
    #[arg(long, value_name = "KEY=VALUE", num_args = 1)]
    pub label: Vec<String>,
    /// For how long, such as 90m, 2h or 3d
    #[arg(long = "for", value_name = "TIME", conflicts_with = "until", value_parser = length_of_time)]
    pub length: Option<std::time::Duration>,
    /// Until when: 2026-12-02T06:00:00Z, or '2026-12-02 06:00' in monitoring.timezone
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
    /// Who says so [default: you]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// Also where it is for no target that is known
    #[arg(long)]
    pub anyway: bool,
    /// End this silence instead: its id, or the beginning of it
    #[arg(
        long,
        value_name = "ID",
        conflicts_with_all = ["names", "kind", "label", "length", "until", "comment", "by", "anyway"]
    )]
    pub end: Option<String>,
}

/// What `outbox` takes.
#[derive(Debug, Args)]
pub(super) struct Outbox {
    /// How it is printed: text or json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: ListFormat,
    #[command(subcommand)]
    pub command: Option<OutboxCommand>,
}

/// What can be done with messages that no channel has taken.
#[derive(Debug, Subcommand)]
pub(super) enum OutboxCommand {
    /// List them, which is also what happens without a word
    List {
        /// How they are printed: text or json [default: text]
        #[arg(long, value_name = "FORMAT")]
        format: Option<ListFormat>,
    },
    /// Try them now, those that were given up included
    Retry {
        /// Only this one: its id, or the beginning of it
        id: Option<String>,
    },
    /// Forget one: nobody will get it
    Drop {
        /// Its id, or the beginning of it
        id: String,
    },
}

/// How a history is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum HistoryFormat {
    /// For people at a prompt.
    Table,
    /// For programs.
    Json,
}

/// How a list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ListFormat {
    /// For people at a prompt.
    Text,
    /// For programs.
    Json,
}

/// How the list of kinds is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum KindsFormat {
    /// For people at a prompt.
    Text,
    /// The page in `docs/`.
    Markdown,
    /// For programs.
    Json,
}
