use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

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
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = humantime::parse_duration)]
    pub since: std::time::Duration,
    /// How it is printed: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: HistoryFormat,
}

/// What `uptime` takes.
#[derive(Debug, Args)]
pub(super) struct Uptime {
    /// How far back, such as 90m, 24h or 7d
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = humantime::parse_duration)]
    pub since: std::time::Duration,
    /// How it is printed: text or json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: ListFormat,
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
