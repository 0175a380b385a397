//! Prints every figure of `docs/benchmarks.md`: `make bench`, or one part with `cargo bench --bench figures -- http`.
//!
//! The program under test is the release binary, run as a user runs it. Its processor time and its peak of memory
//! come from the operating system; the servers it looks at run in a process of their own, which is this binary
//! again. Each value is the median of five runs.

#![expect(clippy::print_stdout, reason = "printing figures is what this is for")]

mod aws;
mod bare;
mod baselines;
mod blackbox;
mod correlate;
mod daemon;
mod docker;
mod figures;
mod machine;
mod measure;
mod postgres;
mod purse;
mod rounds;
mod server;
mod spread;
mod ssh;
mod store;
mod storm;
mod whole_path;
mod words;

use std::process::ExitCode;

use anyhow::Result;

use crate::figures::{Bench, PARTS};

fn main() -> ExitCode {
    // Cargo itself adds `--bench`.
    let arguments = std::env::args().skip(1).filter(|word| word != "--bench");
    let arguments: Vec<String> = arguments.collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["serve", rest @ ..] => server::serve(rest),
        ["ask", rest @ ..] => bare::ask(rest),
        ["spread", config] => spread::look(config),
        ["storm", folder] => storm::inside(folder),
        ["baselines"] => baselines::inside(),
        ["reserve", folder] => purse::reserve(folder),
        ["ssh-rounds", config] => ssh::rounds(config),
        ["ssh-sessions", config] => ssh::sessions(config),
        _ => print_figures(
            &arguments
                .iter()
                .filter(|word| !word.starts_with("--"))
                .collect::<Vec<_>>(),
        ),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            println!("could not go on: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn print_figures(wanted: &[&String]) -> Result<ExitCode> {
    measure::raise_descriptor_limit()?;
    print!("{}", machine::description());
    let bench = Bench::new()?;
    let mut code = ExitCode::SUCCESS;
    for (name, part) in PARTS {
        if !wanted.is_empty() && !wanted.iter().any(|word| name.contains(word.as_str())) {
            continue;
        }
        println!("\n{name}");
        // One part that fails must not hide the figures of the others.
        match part(&bench) {
            Ok(lines) => lines.iter().for_each(|line| println!("  {line}")),
            Err(error) => {
                println!("  could not be measured: {error:#}");
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}
