//! Amazon Bedrock's Converse
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html>), streamed.

use std::time::{Duration, Instant};

use aws_sdk_bedrockruntime::types::{
    ContentBlock, ContentBlockDelta, ConversationRole, ConverseStreamOutput,
    InferenceConfiguration, Message, StopReason, SystemContentBlock,
};
use aws_smithy_types::Document;

use super::send::SendFailed;
use super::{Endpoint, Family, Finish, FirstToken, Parsed, Question};
use crate::clients::aws::{AwsClients, Call, Class, call_failed};
use crate::model::{Failure, FailureKind, Timestamp};

type Asked = (Parsed, Duration, Option<Duration>);

pub(super) async fn ask(
    aws: &AwsClients,
    endpoint: &Endpoint,
    question: &Question,
    timeout: Duration,
    now: Timestamp,
) -> Result<Asked, SendFailed> {
    let region = aws
        .region(&endpoint.account, endpoint.region.as_deref())
        .await
        .map_err(SendFailed::free)?;
    let whom = format!("Bedrock in {region}");
    let began = Instant::now();
    let asked = converse(aws, endpoint, question, &region, &whom, began, now);
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

async fn converse(
    aws: &AwsClients,
    endpoint: &Endpoint,
    question: &Question,
    region: &str,
    whom: &str,
    began: Instant,
    now: Timestamp,
) -> Result<Asked, SendFailed> {
    let client = aws.bedrock(&endpoint.account, region).await;
    let bug = |error: &dyn std::fmt::Display| {
        SendFailed::free(
            Failure::ours(format!("cannot ask {whom}: {error}"))
                .hint("this is a bug of ours: please report it"),
        )
    };
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(question.text.clone()))
        .build()
        .map_err(|error| bug(&error))?;
    let limit = i32::try_from(question.max_tokens).unwrap_or(i32::MAX);
    let mut request = client
        .converse_stream()
        .model_id(&endpoint.model)
        .messages(message)
        .inference_config(InferenceConfiguration::builder().max_tokens(limit).build());
    if let Some(system) = &question.system {
        request = request.system(SystemContentBlock::Text(system.clone()));
    }
    if Family::of(&endpoint.model).can_stop_thinking {
        let word = |text: &str| Document::String(text.to_owned());
        let thinking = Document::Object([("type".to_owned(), word("disabled"))].into());
        request = request.additional_model_request_fields(Document::Object(
            [("thinking".to_owned(), thinking)].into(),
        ));
    }
    let call = Call {
        permission: "bedrock:InvokeModelWithResponseStream",
        whom,
        now,
    };
    let answer = request.send().await.map_err(|error| {
        let failed = call_failed(&error, &call);
        let is_free = failed.answered.is_some() || failed.class == Class::Credentials;
        let failure = about_model(
            failed.failure,
            failed.answered.as_ref().map(|(status, _)| *status),
            endpoint,
            whom,
        );
        SendFailed { failure, is_free }
    })?;
    let mut parsed = Parsed::default();
    let mut stream = answer.stream;
    loop {
        match stream.recv().await {
            Ok(Some(event)) => take(event, began, &mut parsed),
            Ok(None) => break,
            Err(error) => {
                let text = crate::clients::net::blame::chain(&error);
                parsed.error = Some(text);
                break;
            }
        }
    }
    let took = began.elapsed();
    super::send::finished(&parsed, whom)?;
    let first_token = match parsed.first_token {
        FirstToken::After(time) => Some(time),
        _ => None,
    };
    Ok((parsed, took, first_token))
}

fn take(event: ConverseStreamOutput, began: Instant, parsed: &mut Parsed) {
    match event {
        ConverseStreamOutput::ContentBlockDelta(delta) => {
            if let Some(ContentBlockDelta::Text(text)) = delta.delta {
                if parsed.text.is_empty() && !text.is_empty() {
                    parsed.first_token = FirstToken::After(began.elapsed());
                }
                parsed.text.push_str(&text);
            }
        }
        ConverseStreamOutput::MessageStop(stop) => {
            parsed.complete = true;
            parsed.finish = Some(match stop.stop_reason {
                StopReason::EndTurn | StopReason::StopSequence => Finish::Stop,
                StopReason::MaxTokens => Finish::Length,
                StopReason::ContentFiltered | StopReason::GuardrailIntervened => Finish::Refusal,
                other if other.as_str() == "refusal" => Finish::Refusal,
                other => Finish::Other(other.as_str().to_owned()),
            });
        }
        ConverseStreamOutput::Metadata(metadata) => {
            if let Some(usage) = metadata.usage {
                let count = |tokens: i32| u64::try_from(tokens).unwrap_or(0);
                let cached = usage.cache_read_input_tokens.unwrap_or(0)
                    + usage.cache_write_input_tokens.unwrap_or(0);
                parsed.input_tokens = Some(count(usage.input_tokens) + count(cached));
                parsed.output_tokens = Some(count(usage.output_tokens));
            }
        }
        _ => {}
    }
}

/// Bedrock says in several ways that it has no such model.
fn about_model(failure: Failure, status: Option<u16>, endpoint: &Endpoint, whom: &str) -> Failure {
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
