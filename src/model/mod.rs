//! The words of this project as types. Nothing here imports anything of ours, and nothing here does anything
//! but hold values: what turns them into one another lives in the pure modules above.

mod analysis;
mod explanation;
mod failure;
mod home;
mod incident;
mod incident_report;
mod kind;
mod money;
mod outage;
mod parcel;
mod reading;
mod report;
mod round;
mod rule;
mod severity;
mod status;
mod target;
mod uptime;
mod verdict;

pub use analysis::{Analysis, AnalysisCandidate, AnalysisGroup, Evidence, Explained, ExplainedBy};
pub use explanation::{CitedFact, Claim, Confidence, Explanation};
pub use failure::{Blame, Failure, FailureKind};
pub use home::{Home, THIS_MACHINE};
pub use incident::{
    Acknowledgement, Condition, Event, EventKind, Incident, IncidentId, Member, Notice, Soon, Sort,
};
pub use incident_report::{
    IncidentAcknowledgement, IncidentEvent, IncidentReport, IncidentRole, IncidentState,
    IncidentTarget,
};
pub use kind::{KindSpec, MetricSpec, MonthlyPrice};
pub use money::UsDollars;
pub use outage::Outage;
pub use parcel::{Parcel, ParcelContent};
pub use reading::{
    Fact, Found, Gap, LookTrace, Measurement, Note, Observation, Reading, Unit, Value,
};
pub use report::{
    Change, Counts, DeliverySummary, Overall, Report, ReportFailure, ReportFinding,
    ReportMeasurement, ReportTarget, RoundSummary, SelfAlert,
};
pub use round::{RoundEnd, RoundEvent, Wish};
pub use rule::{Bound, Comparison, Limit, LimitError, Origin, Rule, SubjectPattern, Threshold};
pub use severity::Severity;
pub use status::Status;
pub use target::{Common, Target, TargetId, Urgency};
pub use uptime::Uptime;
pub use verdict::{Finding, Verdict};

/// A point in time, in UTC. Read it from [`crate::clock`], never from the system.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
