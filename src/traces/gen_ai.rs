//! The names of `OpenTelemetry`'s semantic conventions for generative AI, version 1.38.0. They are still moving: what
//! changes, changes here. Beside them stand the names that older receivers know, and two of
//! Langfuse.

/// The operation that a question to a model is.
pub const CHAT: &str = "chat";

/// What is done.
pub const OPERATION_NAME: &str = "gen_ai.operation.name";
/// Who runs the model.
pub const PROVIDER_NAME: &str = "gen_ai.provider.name";
/// The same until version 1.36.
pub const SYSTEM: &str = "gen_ai.system";
/// The model that is asked.
pub const REQUEST_MODEL: &str = "gen_ai.request.model";
/// The longest answer that is paid for.
pub const REQUEST_MAX_TOKENS: &str = "gen_ai.request.max_tokens";
/// The model that answered, as it calls itself.
pub const RESPONSE_MODEL: &str = "gen_ai.response.model";
/// Why the answer ended, a list.
pub const RESPONSE_FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
/// Tokens of the question.
pub const USAGE_INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
/// Tokens of the answer.
pub const USAGE_OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
/// What several calls belong to.
pub const CONVERSATION_ID: &str = "gen_ai.conversation.id";
/// What a score is of.
pub const EVALUATION_NAME: &str = "gen_ai.evaluation.name";
/// A score.
pub const EVALUATION_SCORE: &str = "gen_ai.evaluation.score.value";
/// What the model is to be, as JSON.
pub const SYSTEM_INSTRUCTIONS: &str = "gen_ai.system_instructions";
/// The question, as JSON.
pub const INPUT_MESSAGES: &str = "gen_ai.input.messages";
/// The answer, as JSON.
pub const OUTPUT_MESSAGES: &str = "gen_ai.output.messages";

/// What a call did cost, in US dollars. Not in the conventions; Langfuse and others read it.
pub const USAGE_COST: &str = "gen_ai.usage.cost";
/// What a call did cost for Langfuse, which passes over a cost of 0 by the name above, and then reckons one by itself.
pub const LANGFUSE_COST: &str = "langfuse.observation.cost_details";
/// What several calls belong to, for `OpenTelemetry` at large.
pub const SESSION_ID: &str = "session.id";
/// The same for Langfuse.
pub const LANGFUSE_SESSION_ID: &str = "langfuse.session.id";

/// The server that is asked.
pub const SERVER_ADDRESS: &str = "server.address";
/// Its port.
pub const SERVER_PORT: &str = "server.port";
/// The sort of a failure.
pub const ERROR_TYPE: &str = "error.type";

/// What the call is for. Ours.
pub const PURPOSE: &str = "roundsman.purpose";
/// From the question to the end of the answer. Ours; the span's length is the same, where nothing was lost.
pub const DURATION_MS: &str = "roundsman.duration_ms";
/// From the question to the first part of the text. Ours.
pub const FIRST_TOKEN_MS: &str = "roundsman.first_token_ms";
/// Whether the tokens are our estimate. Ours.
pub const TOKENS_ESTIMATED: &str = "roundsman.tokens_estimated";
/// Whether the price of the model is known; otherwise the dearest that we know was taken. Ours.
pub const PRICE_KNOWN: &str = "roundsman.price_known";

/// The name of a provider in the conventions, and until version 1.36. Whom they do not know keeps his own.
#[must_use]
pub fn provider(name: &str) -> (&str, &str) {
    match name {
        "azure" => ("azure.ai.openai", "az.ai.openai"),
        "bedrock" => ("aws.bedrock", "aws.bedrock"),
        "google" => ("gcp.gemini", "gcp.gemini"),
        "mistral" => ("mistral_ai", "mistral_ai"),
        other => (other, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_have_the_names_of_the_conventions() {
        for (name, of_conventions) in [
            ("azure", "azure.ai.openai"),
            ("bedrock", "aws.bedrock"),
            ("mistral", "mistral_ai"),
            ("openai", "openai"),
            ("in-house", "in-house"),
        ] {
            assert_eq!(provider(name).0, of_conventions);
        }
    }
}
