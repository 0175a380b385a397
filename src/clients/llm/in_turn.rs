//! Several models in turn, each tried again where that may help, all within one deadline.

use std::time::Duration;

use tokio::time::Instant;

use super::paying::{pricing, worst};
use super::send::Again;
use super::{AskFailed, Endpoint, Limit, LlmClients, Question, Reply};
use crate::model::{Failure, FailureKind, Timestamp, UsDollars};
use crate::purse::{Purpose, Refusal};

/// How long is waited before a model is asked again, unless its server says how long.
const WAITS: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// With less time no model answers, and the question would be paid for all the same.
const LEAST_TIME: Duration = Duration::from_millis(500);

/// A model that is silent leaves the others so much of the time.
const SHARE_OF_OTHERS: u32 = 2;

/// Who asks keeps to the time by itself and says how far it came; the purse, which waits for its disk, does not.
const GRACE: Duration = Duration::from_millis(500);

/// A question that was not answered, with what there is to know for those who would ask again.
#[derive(Debug, PartialEq)]
pub(super) enum OnceFailed {
    NotPaid(Refusal),
    Failed(Failure, Again),
}

impl LlmClients {
    /// Asks the first of these models, and where it does not answer the next, within that time. Where that may help the same
    /// is asked up to three times. With the answer comes whose it is.
    ///
    /// What the purse does not pay for is asked of none that costs something.
    ///
    /// # Errors
    /// None answered: why the last that was asked did not, and which were tried. Or the purse pays for none.
    pub async fn ask_in_turn(
        &self,
        purpose: Purpose,
        endpoints: &[Endpoint],
        question: &Question,
        deadline: Duration,
        now: Timestamp,
    ) -> Result<(Reply, usize), AskFailed> {
        let terms = self.terms();
        let is_free = |endpoint: &Endpoint| {
            worst(&pricing(&terms, endpoint, now), question) == UsDollars::ZERO
        };
        let models = endpoints.iter().map(|endpoint| Model {
            name: format!("{}/{}", endpoint.provider, endpoint.model),
            is_free: is_free(endpoint),
        });
        let models: Vec<Model> = models.collect();
        let way = Live {
            llm: self,
            purpose,
            endpoints,
            question,
            now,
            began: Instant::now(),
        };
        in_turn(&models, deadline, &way).await
    }
}

struct Model {
    name: String,
    is_free: bool,
}

/// What was tried of a model.
struct Tried<'a> {
    name: &'a str,
    times: usize,
    kind: FailureKind,
}

/// The way to models, and the time that passes on it.
trait Way {
    type Answer;

    fn ask(
        &self,
        index: usize,
        left: Duration,
    ) -> impl Future<Output = Result<Self::Answer, OnceFailed>> + Send;

    /// Since the first was asked.
    fn passed(&self) -> Duration;

    fn wait(&self, time: Duration) -> impl Future<Output = ()> + Send;
}

struct Live<'a> {
    llm: &'a LlmClients,
    purpose: Purpose,
    endpoints: &'a [Endpoint],
    question: &'a Question,
    now: Timestamp,
    began: Instant,
}

impl Way for Live<'_> {
    type Answer = Reply;

    async fn ask(&self, index: usize, left: Duration) -> Result<Reply, OnceFailed> {
        let (purpose, question, now) = (self.purpose, self.question, self.now);
        let endpoint = &self.endpoints[index];
        // A call is large, and what asks in turn is held by those who wait.
        let limit = Limit::Until(Instant::now() + left);
        // It is meant for a model that thinks.
        let room = question.max_tokens;
        let asked = Box::pin((self.llm).ask_once(purpose, endpoint, question, room, limit, now));
        let asked = tokio::time::timeout(left.saturating_add(GRACE), asked).await;
        asked.unwrap_or_else(|_| {
            let message = format!(
                "`{}` could not be asked and heard within {} ms",
                endpoint.model,
                left.as_millis()
            );
            let failure = Failure::new(FailureKind::TimedOut, message)
                .hint("the ledger of the purse may wait for its disk, or for other processes");
            Err(OnceFailed::Failed(failure, Again::No))
        })
    }

    fn passed(&self) -> Duration {
        self.began.elapsed()
    }

    async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

async fn in_turn<W: Way>(
    models: &[Model],
    deadline: Duration,
    way: &W,
) -> Result<(W::Answer, usize), AskFailed> {
    let left = || deadline.saturating_sub(way.passed());
    let mut tried: Vec<Tried<'_>> = Vec::new();
    let mut last: Option<Failure> = None;
    let mut refusal: Option<Refusal> = None;
    for (index, model) in models.iter().enumerate() {
        if refusal.is_some() && !model.is_free || !tried.is_empty() && left() < LEAST_TIME {
            continue;
        }
        let is_last = !models[index + 1..]
            .iter()
            .any(|next| refusal.is_none() || next.is_free);
        let until = if is_last {
            deadline
        } else {
            way.passed() + left() / SHARE_OF_OTHERS
        };
        let left = || until.saturating_sub(way.passed());
        let mut waits = WAITS.into_iter();
        let mut times = 0;
        loop {
            let (failure, again) = match way.ask(index, left()).await {
                Ok(answer) => return Ok((answer, index)),
                Err(OnceFailed::NotPaid(why)) => {
                    refusal.get_or_insert(why);
                    break;
                }
                Err(OnceFailed::Failed(failure, again)) => (failure, again),
            };
            times += 1;
            if times > 1 {
                tried.pop();
            }
            tried.push(Tried {
                name: &model.name,
                times,
                kind: failure.kind,
            });
            last = Some(failure);
            let wait = match (again, waits.next()) {
                (Again::No, _) | (_, None) => break,
                (Again::Soon, Some(wait)) | (Again::After(wait), Some(_)) => wait,
            };
            // Before the time that it named it would only refuse again.
            if left().saturating_sub(LEAST_TIME) < wait {
                break;
            }
            way.wait(wait).await;
        }
    }
    Err(match (last, refusal) {
        (Some(failure), refusal) => AskFailed::Failed(naming(failure, &tried, refusal.as_ref())),
        (None, Some(refusal)) => AskFailed::NotPaid(refusal),
        (None, None) => AskFailed::Failed(
            Failure::ours("there is no model to ask").hint("set `llm.provider` and `llm.model_id`"),
        ),
    })
}

/// The same failure, saying what was tried. Of a single try it says enough already.
fn naming(mut failure: Failure, tried: &[Tried<'_>], refusal: Option<&Refusal>) -> Failure {
    if tried.iter().map(|one| one.times).sum::<usize>() > 1 {
        let tried = tried.iter().map(|one| {
            let times = match one.times {
                1 => "once".to_owned(),
                times => format!("{times} times"),
            };
            format!("`{}` {times} ({})", one.name, one.kind)
        });
        let tried: Vec<String> = tried.collect();
        failure.message += &format!("; tried: {}", tried.join(", "));
    }
    if let Some(refusal) = refusal {
        failure.message += &format!("; others were not asked: {refusal}");
    }
    failure
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(20);

    /// What a model does when it is asked: after so many milliseconds it fails, or answers.
    enum Does {
        Fails(u64, Again),
        Refuses(FailureKind),
        Answers(u64),
        IsNotPaid,
    }

    use Does::{Answers, Fails, IsNotPaid, Refuses};

    /// Models that do as they are told, in time that passes only where it is waited for.
    struct Scripted {
        deadline: Duration,
        passed_ms: AtomicU64,
        script: Mutex<VecDeque<(usize, Does)>>,
        log: Mutex<Vec<(usize, u64)>>,
    }

    impl Way for Scripted {
        type Answer = ();

        async fn ask(&self, index: usize, left: Duration) -> Result<(), OnceFailed> {
            assert!(left <= self.deadline.saturating_sub(self.passed()));
            let passed_ms = self.passed_ms.load(Ordering::Relaxed);
            self.log.lock().expect("a log").push((index, passed_ms));
            let next = self.script.lock().expect("a script").pop_front();
            let (expected, does) = next.expect("nobody else is asked");
            assert_eq!(index, expected);
            let failed = |kind, again| {
                let failure = Failure::new(kind, format!("{index} failed"));
                Err(OnceFailed::Failed(failure, again))
            };
            let (after_ms, outcome) = match does {
                Fails(after_ms, again) => (after_ms, failed(FailureKind::Unexpected, again)),
                Refuses(kind) => (0, failed(kind, Again::No)),
                Answers(after_ms) => (after_ms, Ok(())),
                IsNotPaid => (0, Err(OnceFailed::NotPaid(spent()))),
            };
            let after = Duration::from_millis(after_ms);
            self.wait(after.min(left)).await;
            if after > left {
                return failed(FailureKind::TimedOut, Again::No);
            }
            outcome
        }

        fn passed(&self) -> Duration {
            Duration::from_millis(self.passed_ms.load(Ordering::Relaxed))
        }

        async fn wait(&self, time: Duration) {
            let milliseconds = u64::try_from(time.as_millis()).expect("a short time");
            self.passed_ms.fetch_add(milliseconds, Ordering::Relaxed);
        }
    }

    /// Who was asked after how many milliseconds, and what came of it.
    async fn asked(
        deadline: Duration,
        free: &[bool],
        does: Vec<(usize, Does)>,
    ) -> (Vec<(usize, u64)>, Result<usize, AskFailed>) {
        let models = free.iter().enumerate().map(|(index, is_free)| Model {
            name: format!("provider/{index}"),
            is_free: *is_free,
        });
        let models: Vec<Model> = models.collect();
        let way = Scripted {
            deadline,
            passed_ms: AtomicU64::new(0),
            script: Mutex::new(VecDeque::from(does)),
            log: Mutex::default(),
        };
        let outcome = in_turn(&models, deadline, &way).await;
        assert!(way.passed() <= deadline, "{:?}", way.passed());
        let script = way.script.into_inner().expect("a script");
        assert!(script.is_empty(), "somebody was not asked");
        let log = way.log.into_inner().expect("a log");
        (log, outcome.map(|((), index)| index))
    }

    fn spent() -> Refusal {
        Refusal::NoLedger("it is spent".to_owned())
    }

    fn message(outcome: Result<usize, AskFailed>) -> String {
        match outcome {
            Err(AskFailed::Failed(failure)) => failure.message,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_may_pass_is_asked_twice_more_and_then_the_next() {
        let fails = || Fails(10, Again::Soon);
        let (log, outcome) = asked(
            DEADLINE,
            &[false, false],
            vec![(0, fails()), (0, fails()), (0, fails()), (1, Answers(5))],
        )
        .await;
        assert_eq!(log, [(0, 0), (0, 510), (0, 2_520), (1, 2_530)]);
        assert_eq!(outcome, Ok(1));
        let (log, outcome) = asked(DEADLINE, &[false], vec![(0, fails()), (0, Answers(5))]).await;
        assert_eq!((log, outcome), (vec![(0, 0), (0, 510)], Ok(0)));
    }

    #[tokio::test]
    async fn a_server_is_asked_when_it_says_where_that_fits() {
        let after = |seconds| Fails(0, Again::After(Duration::from_secs(seconds)));
        let (log, outcome) = asked(
            DEADLINE,
            &[false, false],
            vec![(0, after(7)), (0, after(0)), (0, Answers(0))],
        )
        .await;
        assert_eq!(
            (log, outcome),
            (vec![(0, 0), (0, 7_000), (0, 7_000)], Ok(0))
        );
        let (log, outcome) = asked(
            DEADLINE,
            &[false, false],
            vec![(0, after(60)), (1, Answers(0))],
        )
        .await;
        assert_eq!((log, outcome), (vec![(0, 0), (1, 0)], Ok(1)));
    }

    #[tokio::test]
    async fn what_will_not_pass_goes_to_the_next_at_once() {
        let (log, outcome) = asked(
            DEADLINE,
            &[false, false, false],
            vec![
                (0, Refuses(FailureKind::Denied)),
                (1, Refuses(FailureKind::Missing)),
                (2, Refuses(FailureKind::Unexpected)),
            ],
        )
        .await;
        assert_eq!(log, [(0, 0), (1, 0), (2, 0)]);
        assert_eq!(
            message(outcome),
            "2 failed; tried: `provider/0` once (denied), `provider/1` once (missing), `provider/2` once (unexpected)"
        );
        let (_, outcome) = asked(DEADLINE, &[false], vec![(0, Refuses(FailureKind::Denied))]).await;
        assert_eq!(message(outcome), "0 failed", "of one try nothing is added");
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_the_deadline() {
        // One that is silent does not take the time of the next.
        let (log, outcome) = asked(
            DEADLINE,
            &[false, false, false],
            vec![(0, Answers(60_000)), (1, Answers(60_000)), (2, Answers(1))],
        )
        .await;
        let half = u64::try_from(DEADLINE.as_millis()).expect("a time") / 2;
        assert_eq!(log, [(0, 0), (1, half), (2, half + half / 2)]);
        assert_eq!(outcome, Ok(2));
        let (log, _) = asked(DEADLINE, &[false], vec![(0, Answers(60_000))]).await;
        assert_eq!(log.len(), 1);
        let short = Duration::from_millis(900);
        let (log, outcome) = asked(
            short,
            &[false, false],
            vec![(0, Fails(100, Again::Soon)), (1, Answers(60_000))],
        )
        .await;
        assert_eq!(log, [(0, 0), (1, 100)], "there is no time to wait");
        assert_eq!(
            message(outcome),
            "1 failed; tried: `provider/0` once (unexpected), `provider/1` once (timed_out)"
        );
        let (log, _) = asked(short, &[false, false], vec![(0, Fails(600, Again::No))]).await;
        assert_eq!(log.len(), 1, "with so little no model answers");
        let tiny = Duration::from_millis(50);
        let (log, outcome) = asked(tiny, &[false], vec![(0, Answers(10))]).await;
        assert_eq!((log.len(), outcome), (1, Ok(0)));
    }

    #[tokio::test]
    async fn a_purse_that_refuses_leaves_what_is_free() {
        let (log, outcome) = asked(DEADLINE, &[false, false], vec![(0, IsNotPaid)]).await;
        assert_eq!(log.len(), 1);
        assert_eq!(outcome, Err(AskFailed::NotPaid(spent())));
        let (log, outcome) = asked(
            DEADLINE,
            &[false, false, true],
            vec![(0, IsNotPaid), (2, Answers(0))],
        )
        .await;
        assert_eq!((log, outcome), (vec![(0, 0), (2, 0)], Ok(2)));
        let (_, outcome) = asked(
            DEADLINE,
            &[false, false, false],
            vec![(0, Fails(0, Again::Soon)), (0, IsNotPaid)],
        )
        .await;
        assert_eq!(
            message(outcome),
            "0 failed; others were not asked: the ledger of the purse cannot be used: it is spent"
        );
    }

    #[tokio::test]
    async fn without_a_model_that_is_said() {
        let (_, outcome) = asked(DEADLINE, &[], Vec::new()).await;
        assert_eq!(message(outcome), "there is no model to ask");
    }
}
