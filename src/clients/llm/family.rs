//! What is particular about a family of models, told by their names.

/// A family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// Whether it thinks before it answers, and cannot be kept from it: what it thinks is part of the tokens.
    pub thinks: bool,
    /// Whether `OpenAI`'s format wants `max_completion_tokens` of it.
    pub completion_tokens: bool,
    /// The word for the least effort in `OpenAI`'s format, where it takes one.
    pub least_effort: Option<&'static str>,
    /// Whether it can be told to think not at all, in Anthropic's format.
    pub can_stop_thinking: bool,
}

impl Family {
    /// The family of a model of that name.
    #[must_use]
    pub fn of(model: &str) -> Self {
        let model = model.to_lowercase();
        let own = model.rsplit('/').next().unwrap_or(&model);
        let newer_than_4 = own.starts_with("gpt-5");
        let is_o = ["o1", "o3", "o4"].iter().any(|start| {
            own.strip_prefix(start)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        });
        let words = [
            "-r1",
            "thinking",
            "qwq",
            "reasoner",
            "magistral",
            "gpt-oss",
            "gemini-2.5-pro",
            "gemini-3",
        ];
        let thinks_by_name = words.iter().any(|word| own.contains(word));
        Self {
            thinks: newer_than_4 || is_o || thinks_by_name,
            completion_tokens: newer_than_4 || is_o,
            least_effort: if newer_than_4 {
                Some("minimal")
            } else if is_o && !own.starts_with("o1") {
                Some("low")
            } else {
                None
            },
            can_stop_thinking: own.contains("claude")
                && !own.contains("claude-3-5")
                && !own.contains("claude-3-haiku")
                && !own.contains("claude-3-opus")
                && !own.contains("claude-2"),
        }
    }

    /// How many tokens a short answer may need where the model thinks first.
    pub const TOKENS_WITH_THINKING: u32 = 2_048;

    /// How many tokens a short answer may need.
    #[must_use]
    pub fn tokens_for_a_short_answer(&self) -> u32 {
        if self.thinks {
            Self::TOKENS_WITH_THINKING
        } else {
            64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_family() {
        for (model, thinks, completion_tokens, effort) in [
            ("gpt-4o-mini", false, false, None),
            ("gpt-5-mini", true, true, Some("minimal")),
            ("openai/gpt-5", true, true, Some("minimal")),
            ("o3-mini", true, true, Some("low")),
            ("o1", true, true, None),
            ("olmo-2", false, false, None),
            ("deepseek-ai/DeepSeek-R1", true, false, None),
            ("kimi-k2-thinking", true, false, None),
            ("claude-haiku-4-5", false, false, None),
        ] {
            let family = Family::of(model);
            assert_eq!(
                (family.thinks, family.completion_tokens, family.least_effort),
                (thinks, completion_tokens, effort),
                "{model}"
            );
        }
        assert!(Family::of("us.anthropic.claude-haiku-5-5").can_stop_thinking);
        assert!(!Family::of("us.anthropic.claude-3-5-haiku-20241022-v1:0").can_stop_thinking);
    }
}
