//! The report as the contract has it.

use serde::Serialize;

use crate::model::{IncidentReport, Report};

use super::escape::escaped_in_json;
use super::{Format, RenderError};

/// Indented JSON with a line break at its end. Read back it is the same to the letter; printed it is harmless.
///
/// # Errors
/// The serializer refused a value, which would be a bug of ours.
pub fn json(report: &Report) -> Result<String, RenderError> {
    written(report)
}

/// The same of an incident.
///
/// # Errors
/// As [`json`].
pub fn incident_json(report: &IncidentReport) -> Result<String, RenderError> {
    written(report)
}

fn written(report: &impl Serialize) -> Result<String, RenderError> {
    let json = serde_json::to_string_pretty(report)
        .map_err(|error| RenderError::new(Format::Json, &error))?;
    let mut json = escaped_in_json(json);
    json.push('\n');
    Ok(json)
}
