use super::{Limit, Origin, Status, Unit, Value};

/// A limit that was crossed, or a part that could not be measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The metric.
    pub metric: &'static str,
    /// Which part of the target.
    pub subject: Option<String>,
    /// The value seen; `None`: it could not be had.
    pub value: Option<Value>,
    /// The metric's unit.
    pub unit: Unit,
    /// The limit that was crossed, or that must be met before the finding goes away.
    pub limit: Option<Limit>,
    /// Where the limit came from.
    pub origin: Option<Origin>,
    /// YELLOW, RED, or UNKNOWN for a part that could not be measured.
    pub status: Status,
    /// What explains the value, why it is missing, or that the finding stands until `clear` is met.
    pub message: Option<String>,
}

/// What one observation means.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The worst of the failure and the findings.
    pub status: Status,
    /// Worst first, then in the order of the reading.
    pub findings: Vec<Finding>,
}
