//! How much later a report leaves because a language model that is to explain it is dead.

use std::net::TcpListener;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::figures::several;
use crate::measure::{Line, median, milliseconds};
use crate::rounds::roundsman;

/// A round at a target that refuses, as JSON, which is the form that waits for words.
fn round(folder: &Path, llm: &str) -> Result<f64> {
    let port = vacant()?;
    let yaml = format!(
        "targets:\n  api_endpoints: [{{name: shop, url: \"http://127.0.0.1:{port}/\"}}]\nllm: {llm}\nstore: {{path: store}}\n"
    );
    let config = folder.join("config.yaml");
    std::fs::write(&config, yaml)?;
    let times = several(|| {
        let mut command = roundsman(folder);
        command
            .args(["--format", "json", "--no-notify", "--config"])
            .arg(&config);
        let began = Instant::now();
        let output = command.output()?;
        let took = milliseconds(began.elapsed());
        anyhow::ensure!(output.status.code() == Some(2), "{output:?}");
        Ok(took)
    })?;
    Ok(median(times))
}

/// A port on which nobody listens.
fn vacant() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("a port")?;
    Ok(listener.local_addr()?.port())
}

/// With a model whose address refuses, and without one.
pub(crate) fn figures(folder: &Path) -> Result<Vec<Line>> {
    let folder = folder.join("words");
    std::fs::create_dir_all(&folder)?;
    let dead = format!(
        "{{provider: dead, model: m, base_url: \"http://127.0.0.1:{}/v1\", price: {{input_per_1k: 0.001, output_per_1k: 0.005}}}}",
        vacant()?
    );
    let without = round(&folder, "{when: never}")?;
    let with = round(&folder, &dead)?;
    Ok(vec![
        Line::note("a report without a model", format!("{without:.0} ms")),
        Line::at_most(
            "later with a model that is dead",
            (with - without).max(0.0),
            "ms",
            100.0,
        ),
    ])
}
