//! Where an answer ends: by its own mark, whatever becomes of the connection.

use std::time::{Duration, Instant};

use roundsman::clients::llm::{Finish, Wire};
use roundsman::model::FailureKind;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{Wallet, endpoint, formed};
use crate::support::servers::{RawServer, raw, request};

/// Sends these parts of a body, one after the other, and then nothing more, without an end.
async fn open_ended(parts: Vec<String>) -> RawServer {
    raw(move |mut stream| {
        let parts = parts.clone();
        async move {
            request(&mut stream).await;
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(head.as_bytes()).await.ok();
            for part in parts {
                let chunk = format!("{:x}\r\n{part}\r\n", part.len());
                stream.write_all(chunk.as_bytes()).await.ok();
                stream.flush().await.ok();
                tokio::task::yield_now().await;
            }
            std::future::pending::<()>().await;
        }
    })
    .await
}

fn data(events: &[Value]) -> String {
    let lines = events.iter().map(|event| format!("data: {event}\n\n"));
    lines.collect()
}

fn openai() -> String {
    data(&[
        json!({"choices": [{"delta": {"content": "data: [DONE] \"done\":true"}}]}),
        json!({"choices": [{"delta": {}, "finish_reason": "stop"}]}),
        json!({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2}}),
    ]) + "data: [DONE]\n\n"
}

fn anthropic() -> String {
    data(&[
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 9}}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"text": "data: [DONE] \"done\":true"}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
        json!({"type": "message_stop"}),
    ])
}

fn ollama() -> String {
    let parts = [
        json!({"message": {"content": "data: [DONE] \"done\":true"}, "done": false}),
        json!({"message": {"content": ""}, "done": true, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 2}),
    ];
    format!("{}\n{}\n", parts[0], parts[1])
}

#[tokio::test]
async fn an_answer_that_is_whole_is_not_lost_where_the_connection_stays_open() {
    for (wire, body) in [
        (Wire::OpenAi, openai()),
        (Wire::Azure, openai()),
        (Wire::Anthropic, anthropic()),
        (Wire::Ollama, ollama()),
    ] {
        // In one part, and cut in the middle of its last line.
        let (first, last) = body.split_at(body.trim_end().len() - 3);
        for parts in [vec![body.clone()], vec![first.to_owned(), last.to_owned()]] {
            let server = open_ended(parts).await;
            let base = format!("http://127.0.0.1:{}", server.port);
            let endpoints = [endpoint(wire, "in-house", "any", &base)];
            let wallet = Wallet::new();
            let (began, deadline) = (Instant::now(), Duration::from_secs(10));
            let asked = wallet.ask_in_turn(&endpoints, &formed("?"), deadline).await;
            let (reply, _) = asked.unwrap_or_else(|failed| panic!("{wire:?}: {failed:#?}"));
            assert!(began.elapsed() < deadline / 2, "{wire:?}");
            assert_eq!(reply.text, "data: [DONE] \"done\":true", "{wire:?}");
            assert_eq!(reply.finish, Finish::Stop, "{wire:?}");
            let tokens = (reply.paid.input_tokens, reply.paid.output_tokens);
            assert_eq!(tokens, (9, 2), "{wire:?}");
        }
        // And one that is not whole is waited for.
        let server = open_ended(vec![first.to_owned()]).await;
        let base = format!("http://127.0.0.1:{}", server.port);
        let endpoints = [endpoint(wire, "in-house", "any", &base)];
        let short = Duration::from_millis(700);
        let asked = Wallet::new()
            .ask_in_turn(&endpoints, &formed("?"), short)
            .await;
        let failure = super::failure(asked);
        assert_eq!(failure.kind, FailureKind::TimedOut, "{wire:?}: {failure}");
    }
}
