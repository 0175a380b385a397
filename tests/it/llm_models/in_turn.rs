//! Several models in turn: what is asked again, what goes to the next, and how often each server was asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use roundsman::clients::llm::{AskFailed, Endpoint, Wire};
use roundsman::model::FailureKind;
use roundsman::purse::{Price, Refusal};
use tokio::io::AsyncWriteExt;

use super::bedrock::error;
use super::{LONG, Wallet, bedrock, completion, endpoint, endpoint_at, failure, formed, http};
use crate::support::children::free_port;
use crate::support::servers::{RawServer, answering_as, raw, request};

/// Fails so often with this answer, then answers.
async fn failing(times: usize, answer: Vec<u8>) -> RawServer {
    let asked = AtomicUsize::new(0);
    answering_as(move |_| {
        if asked.fetch_add(1, Ordering::SeqCst) < times {
            answer.clone()
        } else {
            http("200 OK", &completion("{}", "stop"))
        }
    })
    .await
}

async fn well() -> RawServer {
    failing(0, Vec::new()).await
}

fn with_header(status: &str, header: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{header}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}")
        .into()
}

#[tokio::test]
async fn a_limit_is_waited_for_as_long_as_the_server_says() {
    for (header, least) in [
        ("Retry-After: 1", 1_000),
        ("retry-after-ms: 1200", 1_200),
        // A second later, by the clock of a server that is wrong.
        (
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:49:38 GMT",
            1_000,
        ),
        ("Retry-After: nonsense", 500),
    ] {
        let server = failing(1, with_header("429 Too Many Requests", header)).await;
        let wallet = Wallet::new();
        let began = Instant::now();
        let asked = wallet
            .ask_in_turn(&[endpoint_at(server.port)], &formed("?"), LONG)
            .await;
        let took = began.elapsed();
        let (reply, index) = asked.unwrap_or_else(|failed| panic!("{header}: {failed:?}"));
        assert_eq!((reply.text.as_str(), index), ("{}", 0));
        assert_eq!(server.requests().len(), 2, "{header}");
        assert!(took >= Duration::from_millis(least), "{header}: {took:?}");
        assert_eq!(wallet.spent().1, 0, "a refusal costs nothing");
    }
    // Longer than there is time: it would only refuse again.
    let limited = failing(9, with_header("429 Too Many Requests", "Retry-After: 60")).await;
    let next = well().await;
    let endpoints = [endpoint_at(limited.port), endpoint_at(next.port)];
    let asked = Wallet::new()
        .ask_in_turn(&endpoints, &formed("?"), LONG)
        .await;
    assert_eq!(asked.map(|(_, index)| index), Ok(1));
    assert_eq!(limited.requests().len(), 1);
}

#[tokio::test]
async fn what_fails_three_times_makes_way_for_the_next() {
    let broken = failing(9, http("500 Oops", "{}")).await;
    let next = well().await;
    let wallet = Wallet::new();
    let endpoints = [endpoint_at(broken.port), endpoint_at(next.port)];
    let began = Instant::now();
    let asked = wallet.ask_in_turn(&endpoints, &formed("?"), LONG).await;
    assert_eq!(asked.map(|(_, index)| index), Ok(1));
    assert!(began.elapsed() >= Duration::from_millis(2_500));
    assert_eq!((broken.requests().len(), next.requests().len()), (3, 1));
    assert_eq!(wallet.spent().1, 0);
    let broken = failing(9, http("503 Oops", "{}")).await;
    let also = failing(9, http("429 Oops", "{}")).await;
    let endpoints = [
        endpoint_at(broken.port),
        endpoint(
            Wire::Ollama,
            "ollama",
            "llama3.2",
            &format!("http://127.0.0.1:{}", also.port),
        ),
    ];
    let asked = Wallet::new()
        .ask_in_turn(&endpoints, &formed("?"), LONG)
        .await;
    let failure = failure(asked);
    assert_eq!(failure.kind, FailureKind::Throttled);
    assert!(
        failure.message.ends_with(
            "; tried: `in-house/any` 3 times (unexpected), `ollama/llama3.2` 3 times (throttled)"
        ),
        "{failure}"
    );
    assert_eq!((broken.requests().len(), also.requests().len()), (3, 3));
}

#[tokio::test]
async fn what_would_fail_again_makes_way_at_once() {
    let cut = |body: &str| {
        let body = body.len() + 100;
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {body}\r\nConnection: close\r\n\r\n"
        )
    };
    let part = "data: {\"choices\":[{\"delta\":{\"content\":\"{\"}}]}\n\n";
    for (what, answer) in [
        (
            "a refusal",
            http("400 Bad Request", r#"{"error": {"message": "no"}}"#),
        ),
        ("a bad key", http("401 Unauthorized", "{}")),
        ("no such model", http("404 Not Found", "{}")),
        ("a cut stream", format!("{}{part}", cut(part)).into_bytes()),
        ("a stream without an end", http("200 OK", part)),
        ("5 MB", http("200 OK", &"x".repeat(5 << 20))),
        ("wrong JSON", http("200 OK", "{\"choices\": [{")),
    ] {
        let server = failing(9, answer).await;
        let next = well().await;
        let endpoints = [endpoint_at(server.port), endpoint_at(next.port)];
        let wallet = Wallet::new();
        let asked = wallet.ask_in_turn(&endpoints, &formed("?"), LONG).await;
        assert_eq!(asked.map(|(_, index)| index), Ok(1), "{what}");
        let asked = (server.requests().len(), next.requests().len());
        assert_eq!(asked, (1, 1), "{what}");
    }
    // Nobody is there.
    let next = well().await;
    let endpoints = [endpoint_at(free_port()), endpoint_at(next.port)];
    let asked = Wallet::new()
        .ask_in_turn(&endpoints, &formed("?"), LONG)
        .await;
    assert_eq!(asked.map(|(_, index)| index), Ok(1));
}

#[tokio::test]
async fn what_is_no_json_in_a_good_answer_is_for_whoever_asked() {
    let server = answering_as(|_| http("200 OK", &completion("Sure! {", "stop"))).await;
    let asked = Wallet::new()
        .ask_in_turn(&[endpoint_at(server.port)], &formed("?"), LONG)
        .await;
    let (reply, _) = asked.unwrap_or_else(|failed| panic!("{failed:?}"));
    assert_eq!(reply.text, "Sure! {");
    assert_eq!(server.requests().len(), 1);
}

/// Hears questions, counts them, and does something else than answering.
async fn counted(is_silent: bool) -> (RawServer, Arc<AtomicUsize>) {
    let heard = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&heard);
    let server = raw(move |mut stream| {
        let count = Arc::clone(&count);
        async move {
            request(&mut stream).await;
            count.fetch_add(1, Ordering::SeqCst);
            if is_silent {
                std::future::pending::<()>().await;
            }
            stream.shutdown().await.ok();
        }
    })
    .await;
    (server, heard)
}

#[tokio::test]
async fn a_connection_that_breaks_before_an_answer_is_tried_again() {
    let (server, heard) = counted(false).await;
    let next = well().await;
    let wallet = Wallet::new();
    let endpoints = [endpoint_at(server.port), endpoint_at(next.port)];
    let asked = wallet.ask_in_turn(&endpoints, &formed("?"), LONG).await;
    assert_eq!(asked.map(|(_, index)| index), Ok(1));
    let heard = heard.load(Ordering::SeqCst);
    assert_eq!((heard, next.requests().len()), (3, 1));
    assert_eq!(wallet.spent().1, 3, "each may have been answered");
}

#[tokio::test]
async fn silence_takes_the_deadline_and_no_more() {
    let (server, heard) = counted(true).await;
    let next = well().await;
    let wallet = Wallet::new();
    let endpoints = [endpoint_at(server.port), endpoint_at(next.port)];
    let deadline = Duration::from_millis(1_200);
    let began = Instant::now();
    let alone = [endpoint_at(server.port)];
    let asked = wallet.ask_in_turn(&alone, &formed("?"), deadline).await;
    let took = began.elapsed();
    assert!(took < 2 * deadline, "{took:?}");
    let failure = failure(asked);
    assert_eq!(failure.kind, FailureKind::TimedOut);
    assert!(failure.message.contains("no first byte from"), "{failure}");
    let heard = heard.load(Ordering::SeqCst);
    assert_eq!(heard, 1);
    assert_eq!(wallet.spent().1, 1);
    // It leaves the next its share of the time.
    let long = 20 * deadline;
    let asked = wallet.ask_in_turn(&endpoints, &formed("?"), long).await;
    assert_eq!(asked.expect("an answer").1, 1);
    assert_eq!((wallet.spent().1, next.requests().len()), (2, 1));
}

#[tokio::test]
async fn a_spent_purse_asks_only_what_is_free() {
    let (first, second, free) = (well().await, well().await, well().await);
    let wallet = Wallet::new();
    wallet.may_spend(0.000_1);
    let dear = [endpoint_at(first.port), endpoint_at(second.port)];
    let asked = wallet.ask_in_turn(&dear, &formed("?"), LONG).await;
    assert!(
        matches!(asked, Err(AskFailed::NotPaid(Refusal::Spent { .. }))),
        "{asked:?}"
    );
    let price = Some(Price {
        input_per_1k: 0.0,
        output_per_1k: 0.0,
    });
    let all: Vec<Endpoint> = (dear.into_iter())
        .chain([Endpoint {
            price,
            ..endpoint_at(free.port)
        }])
        .collect();
    let asked = wallet.ask_in_turn(&all, &formed("?"), LONG).await;
    assert_eq!(asked.map(|(_, index)| index), Ok(2));
    assert!(first.requests().is_empty() && second.requests().is_empty());
    assert_eq!(free.requests().len(), 1);
}

#[tokio::test]
async fn bedrock_is_tried_again_by_its_sdk_and_then_makes_way() {
    let server =
        answering_as(|_| error("503 Unavailable", "ServiceUnavailableException", "busy")).await;
    let next = well().await;
    let wallet = bedrock::wallet(&server);
    let model = "global.anthropic.claude-haiku-5-5";
    let mut bedrock = endpoint(Wire::Bedrock, "bedrock", model, "");
    bedrock.base_url = None;
    let endpoints = [bedrock, endpoint_at(next.port)];
    let asked = wallet.ask_in_turn(&endpoints, &formed("?"), LONG).await;
    assert_eq!(asked.map(|(_, index)| index), Ok(1));
    assert_eq!((server.requests().len(), next.requests().len()), (3, 1));
}

#[tokio::test]
async fn it_can_be_spawned() {
    let server = well().await;
    let wallet = Wallet::new();
    let llm = wallet.clients.llm.clone();
    let endpoints = vec![endpoint_at(server.port)];
    let asked = tokio::spawn(async move {
        let now = roundsman::clock::Clock::now(&roundsman::clock::SystemClock);
        let purpose = roundsman::purse::Purpose::Analysis;
        let question = formed("?");
        let asked = llm.ask_in_turn(purpose, &endpoints, &question, LONG, now);
        asked.await.map(|(_, index)| index)
    });
    assert_eq!(asked.await.expect("no panic"), Ok(0));
}
