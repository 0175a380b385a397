use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::Value;

/// How a value is compared with a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

impl Comparison {
    const ALL: [(&'static str, Self); 6] = [
        (">=", Self::AtLeast),
        ("<=", Self::AtMost),
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        (">", Self::Above),
        ("<", Self::Below),
    ];

    fn sign(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, comparison)| *comparison == self)
            .map_or("", |(sign, _)| sign)
    }

    /// Whether larger values are worse.
    #[must_use]
    pub fn higher_is_worse(self) -> bool {
        matches!(self, Self::Above | Self::AtLeast)
    }

    /// Whether smaller values are worse.
    #[must_use]
    pub fn lower_is_worse(self) -> bool {
        matches!(self, Self::Below | Self::AtMost)
    }
}

/// What a value is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// A number, in the metric's unit.
    Number(f64),
    /// A word: a state, or `yes` and `no` for a flag. Or several words or numbers with `|` between them, of which any
    /// counts.
    Text(Cow<'static, str>),
}

/// A comparison that a value can cross: `> 90`, `< 10`, `!= running`, `== paused | dead`. `>` and `<` are strict.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// How to compare.
    pub comparison: Comparison,
    /// With what.
    pub bound: Bound,
}

impl Limit {
    /// Turns when the value is larger.
    #[must_use]
    pub const fn above(number: f64) -> Self {
        Self {
            comparison: Comparison::Above,
            bound: Bound::Number(number),
        }
    }

    /// Turns when the value is smaller.
    #[must_use]
    pub const fn below(number: f64) -> Self {
        Self {
            comparison: Comparison::Below,
            bound: Bound::Number(number),
        }
    }

    /// Turns when the value is that word, or one of several with ` | ` between them.
    #[must_use]
    pub const fn equal(words: &'static str) -> Self {
        Self {
            comparison: Comparison::Equal,
            bound: Bound::Text(Cow::Borrowed(words)),
        }
    }

    /// Turns when the value is any other number.
    #[must_use]
    pub const fn other_than(number: f64) -> Self {
        Self {
            comparison: Comparison::NotEqual,
            bound: Bound::Number(number),
        }
    }

    /// Whether the value lies on the bad side. A word compared with a number, and the other way round, never does.
    #[must_use]
    pub fn is_crossed_by(&self, value: &Value) -> bool {
        match (&self.bound, value) {
            (Bound::Number(bound), Value::Number(number)) => match self.comparison {
                Comparison::Above => number > bound,
                Comparison::AtLeast => number >= bound,
                Comparison::Below => number < bound,
                Comparison::AtMost => number <= bound,
                #[expect(clippy::float_cmp, reason = "the rule says exactly equal")]
                Comparison::Equal => number == bound,
                #[expect(clippy::float_cmp, reason = "the rule says exactly equal")]
                Comparison::NotEqual => number != bound,
            },
            (Bound::Text(_), Value::State(_) | Value::Flag(_)) => {
                let value = value.to_string();
                self.is_crossed_by_same(self.words().any(|word| word.eq_ignore_ascii_case(&value)))
            }
            (Bound::Text(_), Value::Number(number)) if self.is_of_numbers() => {
                let mut numbers = self.words().filter_map(|word| word.parse::<f64>().ok());
                #[expect(clippy::float_cmp, reason = "the rule says exactly equal")]
                self.is_crossed_by_same(numbers.any(|bound| bound == *number))
            }
            _ => false,
        }
    }

    fn is_crossed_by_same(&self, same: bool) -> bool {
        match self.comparison {
            Comparison::Equal => same,
            Comparison::NotEqual => !same,
            _ => false,
        }
    }

    /// The words of a text bound; none of a number.
    fn words(&self) -> impl Iterator<Item = &str> {
        let text = match &self.bound {
            Bound::Number(_) => None,
            Bound::Text(text) => Some(text.as_ref()),
        };
        text.into_iter()
            .flat_map(|text| text.split('|').map(str::trim))
    }

    /// Whether it can be compared with numbers: it is one, or several.
    #[must_use]
    pub fn is_of_numbers(&self) -> bool {
        self.words().all(|word| word.parse::<f64>().is_ok())
    }

    /// Whether it can be compared with yes and no.
    #[must_use]
    pub fn is_of_flags(&self) -> bool {
        let is_flag = |word: &str| {
            ["yes", "no"]
                .iter()
                .any(|one| one.eq_ignore_ascii_case(word))
        };
        self.number().is_none() && self.words().all(is_flag)
    }

    /// The bound, where it is a number.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self.bound {
            Bound::Number(number) => Some(number),
            Bound::Text(_) => None,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.comparison.sign())?;
        match &self.bound {
            Bound::Number(number) => write!(f, " {number}"),
            Bound::Text(text) => write!(f, " {text}"),
        }
    }
}

/// Why a text is no limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a comparison such as `> 90`, `<= 5`, `== 0` or `!= running`")]
pub struct LimitError;

impl FromStr for Limit {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        let trimmed = text.trim();
        let (sign, comparison) = Comparison::ALL
            .iter()
            .find(|(sign, _)| trimmed.starts_with(sign))
            .ok_or(LimitError)?;
        let rest = trimmed[sign.len()..].trim();
        let rest = rest.strip_suffix('%').map_or(rest, str::trim_end);
        let bound = match rest.parse::<f64>() {
            Ok(number) if number.is_finite() => Bound::Number(number),
            Ok(_) => return Err(LimitError),
            Err(_) if rest.contains(['<', '>', '=']) => return Err(LimitError),
            Err(_) if rest.split('|').any(|word| word.trim().is_empty()) => return Err(LimitError),
            Err(_) => Bound::Text(Cow::Owned(rest.to_owned())),
        };
        let orders = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        if orders && matches!(bound, Bound::Text(_)) {
            return Err(LimitError);
        }
        Ok(Self {
            comparison: *comparison,
            bound,
        })
    }
}

/// One side of a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Threshold {
    /// Turns at this limit.
    At(Limit),
    /// Never turns, whatever a weaker rule says.
    Never,
}

impl Threshold {
    /// The limit it turns at, if it does.
    #[must_use]
    pub fn limit(&self) -> Option<&Limit> {
        match self {
            Self::At(limit) => Some(limit),
            Self::Never => None,
        }
    }
}

/// Where a rule came from, so that people find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A default of the kind.
    Default,
    /// The place in the configuration: `config/config.yaml:41:13 thresholds.cpu_red`.
    Configured(Arc<str>),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Configured(place) => f.write_str(place),
        }
    }
}

/// Which subjects a rule is for: a glob, in which `*` also matches `/`.
#[derive(Debug, Clone)]
pub struct SubjectPattern(globset::GlobMatcher);

impl SubjectPattern {
    /// Reads a glob.
    ///
    /// # Errors
    /// The glob is malformed.
    pub fn new(glob: &str) -> Result<Self, globset::Error> {
        Ok(Self(globset::Glob::new(glob)?.compile_matcher()))
    }

    /// Whether the subject is meant.
    #[must_use]
    pub fn matches(&self, subject: &str) -> bool {
        self.0.is_match(subject)
    }

    /// The glob as it was written.
    #[must_use]
    pub fn glob(&self) -> &str {
        self.0.glob().glob()
    }
}

impl PartialEq for SubjectPattern {
    fn eq(&self, other: &Self) -> bool {
        self.glob() == other.glob()
    }
}

/// Limits on one metric. A side that is `None` says nothing: a weaker rule on the same metric decides it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The metric it is for.
    pub metric: Cow<'static, str>,
    /// The subjects it is for; `None`: all.
    pub subject: Option<SubjectPattern>,
    /// When it turns YELLOW.
    pub yellow: Option<Threshold>,
    /// When it turns RED.
    pub red: Option<Threshold>,
    /// What must be true before a finding goes away again; `None`: that the limit is no longer crossed.
    pub clear: Option<Limit>,
    /// Where it came from.
    pub origin: Origin,
}

impl Rule {
    /// A default of a kind, on every subject.
    #[must_use]
    pub fn default_of_kind(
        metric: &'static str,
        yellow: Option<Limit>,
        red: Option<Limit>,
    ) -> Self {
        Self {
            metric: Cow::Borrowed(metric),
            subject: None,
            yellow: yellow.map(Threshold::At),
            red: red.map(Threshold::At),
            clear: None,
            origin: Origin::Default,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_read_back_as_written() {
        for text in [
            "> 90",
            ">= 5",
            "< 10",
            "<= 0.5",
            "== 0",
            "!= running",
            "== paused | starting too long",
        ] {
            assert_eq!(text.parse::<Limit>().expect(text).to_string(), text);
        }
        assert_eq!(">90%".parse::<Limit>(), Ok(Limit::above(90.0)));
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for text in [
            "",
            "90",
            ">",
            "> x",
            ">> 9",
            "=> 9",
            "> NaN",
            "> inf",
            "< running",
        ] {
            assert!(text.parse::<Limit>().is_err(), "`{text}` was taken");
        }
    }

    #[test]
    fn limits_are_strict() {
        let at = |number| Value::Number(number);
        assert!(!Limit::above(90.0).is_crossed_by(&at(90.0)));
        assert!(Limit::above(90.0).is_crossed_by(&at(90.000_001)));
        assert!(!Limit::below(10.0).is_crossed_by(&at(10.0)));
        assert!(Limit::below(10.0).is_crossed_by(&at(9.999_999)));
        let not_running: Limit = "!= running".parse().expect("a limit");
        assert!(not_running.is_crossed_by(&Value::State("dead".into())));
        assert!(!not_running.is_crossed_by(&Value::State("running".into())));
        assert!(!not_running.is_crossed_by(&at(1.0)));
        let either: Limit = "== paused | dead".parse().expect("a limit");
        assert!(either.is_crossed_by(&Value::State("dead".into())));
        assert!(!either.is_crossed_by(&Value::State("running".into())));
        let neither: Limit = "!= running|created".parse().expect("a limit");
        assert!(neither.is_crossed_by(&Value::State("dead".into())));
        assert!(!neither.is_crossed_by(&Value::State("created".into())));
        let some_codes: Limit = "!= 0 | 143".parse().expect("a limit");
        assert!(some_codes.is_crossed_by(&at(3.0)));
        assert!(!some_codes.is_crossed_by(&at(143.0)));
        assert!(some_codes.is_of_numbers() && !some_codes.is_of_flags());
        assert!(!neither.is_of_numbers());
        let capital: Limit = "== Paused".parse().expect("a limit");
        assert!(capital.is_crossed_by(&Value::State("paused".into())));
        for text in ["== |", "== paused |", "== "] {
            assert!(text.parse::<Limit>().is_err(), "{text}");
        }
        let flagged: Limit = "== yes".parse().expect("a limit");
        assert!(flagged.is_of_flags());
        assert!(flagged.is_crossed_by(&Value::Flag(true)));
    }
}
