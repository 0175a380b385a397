//! The report as the contract has it.

use crate::model::Report;

use super::{Format, RenderError};

/// Indented JSON with a line break at its end.
///
/// # Errors
/// The serializer refused a value, which would be a bug of ours.
pub fn json(report: &Report) -> Result<String, RenderError> {
    let mut json = serde_json::to_string_pretty(report)
        .map_err(|error| RenderError::new(Format::Json, &error))?;
    json.push('\n');
    Ok(json)
}
