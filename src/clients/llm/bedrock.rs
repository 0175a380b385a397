//! Amazon Bedrock's Converse
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html>), streamed where that can
//! be read.

use std::time::{Duration, Instant};

use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::types::error::ConverseStreamOutputError;
use aws_sdk_bedrockruntime::types::{
    ContentBlock, ContentBlockDelta, ContentBlockStart, ConversationRole, ConverseOutput,
    ConverseStreamOutput, InferenceConfiguration, Message, SpecificToolChoice, StopReason,
    SystemContentBlock, TokenUsage, Tool, ToolChoice, ToolConfiguration, ToolInputSchema,
    ToolSpecification,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::Document;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::error::operation::BuildError;

use super::document::{document_of, json_of};
use super::send::{Again, Otherwise, SendFailed};
use super::{Endpoint, Family, Finish, FirstToken, Form, Manner, Parsed, Question, Trouble, form};
use crate::clients::aws::{AwsClients, Call, Class, call_failed};
use crate::clients::net::blame::chain;
use crate::clients::words::shortened;
use crate::model::{Failure, FailureKind, Timestamp};

type Asked = (Parsed, Duration, Option<Duration>);

/// Asks, for an answer in parts or in one piece, within that time.
pub(super) async fn ask(
    aws: &AwsClients,
    endpoint: &Endpoint,
    question: &Question,
    manner: Manner,
    timeout: Duration,
    now: Timestamp,
) -> Result<Asked, SendFailed> {
    let region = aws
        .region(&endpoint.account, endpoint.region.as_deref())
        .await
        .map_err(SendFailed::free)?;
    let whom = format!("Bedrock in {region}");
    let began = Instant::now();
    let asked = async {
        let client = aws.bedrock(&endpoint.account, &region).await;
        let asking = Asking {
            endpoint,
            question,
            form: question.form.as_ref(),
            manner,
            whom: &whom,
            began,
            now,
        };
        let parsed = match asking.ask(&client).await {
            // Which models can be made to use a tool, their names do not tell: a profile can stand for any.
            Err(failed) if failed.otherwise == Otherwise::WithoutForm => {
                let asking = Asking {
                    form: None,
                    ..asking
                };
                asking.ask(&client).await?
            }
            asked => asked?,
        };
        super::send::finished(&parsed, &whom)?;
        let first_token = match parsed.first_token {
            FirstToken::After(time) => Some(time),
            _ => None,
        };
        Ok((parsed, began.elapsed(), first_token))
    };
    let outcome = tokio::time::timeout(timeout, asked).await;
    outcome.unwrap_or_else(|_| {
        let message = format!("{whom} did not answer within {} ms", timeout.as_millis());
        let failure = aws.mute_since(began).unwrap_or_else(|| {
            Failure::new(FailureKind::TimedOut, message)
                .hint("look at https://health.aws.amazon.com, or raise `timeout_ms`")
        });
        Err(SendFailed::paid(failure))
    })
}

#[derive(Clone, Copy)]
struct Asking<'a> {
    endpoint: &'a Endpoint,
    question: &'a Question,
    /// Asked for as a tool that must be used.
    form: Option<&'a Form>,
    manner: Manner,
    whom: &'a str,
    began: Instant,
    now: Timestamp,
}

impl Asking<'_> {
    async fn ask(&self, client: &Client) -> Result<Parsed, SendFailed> {
        if self.manner.in_parts {
            self.in_parts(client).await
        } else {
            self.in_one_piece(client).await
        }
    }

    async fn in_parts(&self, client: &Client) -> Result<Parsed, SendFailed> {
        let request = client
            .converse_stream()
            .model_id(&self.endpoint.model)
            .messages(self.message()?)
            .inference_config(self.limits())
            .set_system(self.system())
            .set_tool_config(self.tool()?)
            .set_additional_model_request_fields(self.without_thinking());
        let sent = request.send().await;
        let answer =
            sent.map_err(|error| self.failed(&error, "bedrock:InvokeModelWithResponseStream"))?;
        let mut parsed = Parsed::default();
        let mut stream = answer.stream;
        loop {
            match stream.recv().await {
                Ok(Some(event)) => take(event, self.began, &mut parsed),
                Ok(None) => return Ok(parsed),
                Err(error) => {
                    let text = chain(&error);
                    // Servers that play Bedrock send parts that Bedrock does not.
                    if text.contains("unmarshall") {
                        return Err(self.unreadable(&text));
                    }
                    let service = error.as_service_error();
                    let throttled =
                        service.is_some_and(ConverseStreamOutputError::is_throttling_exception);
                    parsed.error = Some(Trouble {
                        said: text,
                        status: throttled.then_some(429),
                    });
                    return Ok(parsed);
                }
            }
        }
    }

    async fn in_one_piece(&self, client: &Client) -> Result<Parsed, SendFailed> {
        let request = client
            .converse()
            .model_id(&self.endpoint.model)
            .messages(self.message()?)
            .inference_config(self.limits())
            .set_system(self.system())
            .set_tool_config(self.tool()?)
            .set_additional_model_request_fields(self.without_thinking());
        let sent = request.send().await;
        let answer = sent.map_err(|error| self.failed(&error, "bedrock:InvokeModel"))?;
        let mut parsed = Parsed {
            complete: true,
            finish: Some(finish(&answer.stop_reason)),
            ..Parsed::default()
        };
        if let Some(ConverseOutput::Message(message)) = answer.output {
            for (at, block) in (0..).zip(message.content) {
                match block {
                    ContentBlock::Text(text) => parsed.add_text(&text, FirstToken::Unknown),
                    ContentBlock::ToolUse(tool) => {
                        let input = json_of(tool.input()).to_string();
                        parsed.add_input(at, &input, FirstToken::Unknown);
                    }
                    _ => {}
                }
            }
        }
        count(answer.usage.as_ref(), &mut parsed);
        Ok(parsed)
    }

    fn message(&self) -> Result<Message, SendFailed> {
        let message = Message::builder()
            .role(ConversationRole::User)
            .content(ContentBlock::Text(self.question.text.clone()));
        message.build().map_err(|error| self.no_request(&error))
    }

    fn no_request(&self, error: &BuildError) -> SendFailed {
        let message = format!("cannot ask {}: {error}", self.whom);
        SendFailed::free(Failure::ours(message).hint("this is a bug of ours: please report it"))
    }

    fn tool(&self) -> Result<Option<ToolConfiguration>, SendFailed> {
        let Some(form) = self.form else {
            return Ok(None);
        };
        let tool = ToolSpecification::builder()
            .name(form.name)
            .description(form::TOOL)
            .input_schema(ToolInputSchema::Json(document_of(&form.schema)));
        let choice = SpecificToolChoice::builder().name(form.name);
        let built = tool.build().and_then(|tool| {
            ToolConfiguration::builder()
                .tools(Tool::ToolSpec(tool))
                .tool_choice(ToolChoice::Tool(choice.build()?))
                .build()
        });
        built.map(Some).map_err(|error| self.no_request(&error))
    }

    fn limits(&self) -> InferenceConfiguration {
        let limit = i32::try_from(self.question.max_tokens).unwrap_or(i32::MAX);
        InferenceConfiguration::builder().max_tokens(limit).build()
    }

    fn system(&self) -> Option<Vec<SystemContentBlock>> {
        let system = self.question.system.as_ref()?;
        Some(vec![SystemContentBlock::Text(system.clone())])
    }

    fn without_thinking(&self) -> Option<Document> {
        if self.manner.may_think || !Family::of(&self.endpoint.model).can_stop_thinking {
            return None;
        }
        let disabled = Document::String("disabled".to_owned());
        let thinking = Document::Object([("type".to_owned(), disabled)].into());
        Some(Document::Object([("thinking".to_owned(), thinking)].into()))
    }

    fn failed<E>(&self, error: &SdkError<E, HttpResponse>, permission: &'static str) -> SendFailed
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let call = Call {
            permission,
            whom: self.whom,
            now: self.now,
        };
        let failed = call_failed(error, &call);
        let status = failed.answered.as_ref().map(|(status, _)| *status);
        let is_free = status.is_some() || failed.class == Class::Credentials;
        let words = error.message().unwrap_or_default().to_lowercase();
        let failure = about_model(failed.failure, status, &words, self.endpoint, self.whom);
        let broke = matches!(
            failure.kind,
            FailureKind::Unreachable | FailureKind::Unexpected
        );
        let again = match status {
            Some(429 | 500..) => Again::Soon,
            None if broke => Again::Soon,
            _ => Again::No,
        };
        let is_invalid = error.code() == Some("ValidationException");
        let otherwise =
            if is_invalid && words.contains("thinking") && self.without_thinking().is_some() {
                Otherwise::Thinking
            } else if is_invalid && words.contains("tool") && self.form.is_some() {
                Otherwise::WithoutForm
            } else {
                Otherwise::Not
            };
        SendFailed {
            is_free,
            otherwise,
            ..SendFailed::paid(failure).again(again)
        }
    }

    fn unreadable(&self, text: &str) -> SendFailed {
        let message = format!(
            "{} answers in parts that cannot be read: {}",
            self.whom,
            shortened(text)
        );
        let failure = Failure::new(FailureKind::Unexpected, message)
            .hint("look at what stands between: a proxy, or another service at that address");
        SendFailed {
            otherwise: Otherwise::InOnePiece,
            ..SendFailed::paid(failure)
        }
    }
}

fn take(event: ConverseStreamOutput, began: Instant, parsed: &mut Parsed) {
    match event {
        ConverseStreamOutput::ContentBlockStart(block) => {
            if let Some(ContentBlockStart::ToolUse(_)) = block.start {
                parsed.begin_tool(number(block.content_block_index));
            }
        }
        ConverseStreamOutput::ContentBlockDelta(delta) => {
            let (at, first) = (
                number(delta.content_block_index),
                FirstToken::After(began.elapsed()),
            );
            match delta.delta {
                Some(ContentBlockDelta::Text(text)) => parsed.add_text(&text, first),
                Some(ContentBlockDelta::ToolUse(tool)) => parsed.add_input(at, &tool.input, first),
                _ => {}
            }
        }
        ConverseStreamOutput::MessageStop(stop) => {
            parsed.complete = true;
            parsed.finish = Some(finish(&stop.stop_reason));
        }
        ConverseStreamOutput::Metadata(metadata) => count(metadata.usage.as_ref(), parsed),
        _ => {}
    }
}

fn number(index: i32) -> u64 {
    u64::try_from(index).unwrap_or_default()
}

fn finish(reason: &StopReason) -> Finish {
    match reason {
        StopReason::EndTurn | StopReason::StopSequence | StopReason::ToolUse => Finish::Stop,
        StopReason::MaxTokens | StopReason::ModelContextWindowExceeded => Finish::Length,
        StopReason::ContentFiltered | StopReason::GuardrailIntervened => Finish::Refusal,
        other if other.as_str() == "refusal" => Finish::Refusal,
        other => Finish::Other(other.as_str().to_owned()),
    }
}

/// What was read from a cache or written into one is part of the question.
fn count(usage: Option<&TokenUsage>, parsed: &mut Parsed) {
    let Some(usage) = usage else {
        return;
    };
    let tokens = |count: Option<i32>| u64::try_from(count.unwrap_or(0)).unwrap_or(0);
    parsed.input_tokens = Some(
        tokens(Some(usage.input_tokens))
            + tokens(usage.cache_read_input_tokens)
            + tokens(usage.cache_write_input_tokens),
    );
    parsed.output_tokens = Some(tokens(Some(usage.output_tokens)));
}

/// Bedrock says in several ways that it has no such model.
fn about_model(
    failure: Failure,
    status: Option<u16>,
    said: &str,
    endpoint: &Endpoint,
    whom: &str,
) -> Failure {
    // Said with the code of a permission, which it is not.
    if said.contains("access to the model") {
        let message = format!("{whom} does not let us use the model `{}`", endpoint.model);
        return Failure::new(FailureKind::Denied, message)
            .hint("ask for it in the console of Bedrock, under model access, in this region");
    }
    let words = failure.message.to_lowercase();
    let said = [
        "model identifier is invalid",
        "end of its life",
        "resourcenotfound",
        "could not resolve the foundation model",
        "legacy",
    ];
    if status == Some(404) || said.iter().any(|word| words.contains(word)) {
        let message = format!("{whom} does not offer the model `{}`", endpoint.model);
        return Failure::new(FailureKind::Missing, message)
            .hint("check the name, the region and the inference profile (`us.`, `eu.`, `global.` before it)");
    }
    failure
}
