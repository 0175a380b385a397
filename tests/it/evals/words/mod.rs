//! The incidents, put into words: what of the answers of a language model reaches people, by sort of answer.

mod answers;
mod asked;
mod money;
mod passed;
mod recorder;

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use answers::{Sort, recorded};
pub(super) use asked::{Asked, Question, asked};
use money::Prompts;
pub(super) use money::median;
use passed::{claims_in, passed};
pub(super) use recorder::{model, section};
use roundsman::analysis::answer::{Answer, Discarded, read};
use roundsman::analysis::score::score;

use super::replay::Seen;

/// What came of all answers of a sort.
#[derive(Debug, Default)]
struct OfSort {
    answers: usize,
    shown: usize,
    claims: usize,
    claims_kept: usize,
    ungrounded: usize,
    obeyed: usize,
    scores: Vec<u8>,
    /// What passed that must not.
    wrong: BTreeSet<String>,
}

/// What came of all answers to all questions.
#[derive(Default)]
pub(super) struct Words {
    incidents: usize,
    nothing_wrong: usize,
    without_facts: usize,
    prompts: Prompts,
    sorts: [OfSort; Sort::ALL.len()],
}

impl Words {
    /// Asks about an incident, and takes an answer of each sort.
    pub(super) fn add(&mut self, seen: &Seen) {
        self.incidents += 1;
        let asked = match asked(seen) {
            Question::Asked(asked) => asked,
            Question::NothingIsWrong => return self.nothing_wrong += 1,
            Question::NoFacts => return self.without_facts += 1,
        };
        let mut longest_good = 0;
        for (sort, of_sort) in Sort::ALL.into_iter().zip(&mut self.sorts) {
            let answers = recorded(sort, &asked.prompt.text);
            if sort == Sort::Good {
                longest_good = answers[0].text.chars().count();
            }
            of_sort.add(&asked, &answers);
        }
        self.prompts.add(&asked.prompt, longest_good);
    }

    /// Nothing of what must not reach people did.
    pub(super) fn assert_safe(&self) {
        for (sort, of_sort) in Sort::ALL.into_iter().zip(&self.sorts) {
            let OfSort {
                ungrounded,
                obeyed,
                wrong,
                ..
            } = of_sort;
            assert_eq!((*ungrounded, *obeyed), (0, 0), "{sort:?}: {wrong:#?}");
        }
        // What is good stays whole, and what is wrapped in words as well.
        for of_sort in &self.sorts[..2] {
            let whole = (of_sort.answers, of_sort.claims);
            assert_eq!((of_sort.shown, of_sort.claims_kept), whole, "{of_sort:?}");
        }
        self.prompts.assert_cheap();
    }
}

/// What is left of answers; those behind the first are to later tries. As the analyst does it, but for what a provider says of
/// an answer's end: the words alone must do.
fn left(asked: &Asked, answers: &[answers::Recorded]) -> Result<Answer, Discarded> {
    let mut left = Err(Discarded::NotOfTheForm);
    for answer in answers {
        left = read(&answer.text, &asked.prompt);
        if left != Err(Discarded::NotOfTheForm) {
            break;
        }
    }
    left
}

impl OfSort {
    fn add(&mut self, asked: &Asked, answers: &[answers::Recorded]) {
        self.answers += 1;
        let said = answers.last().expect("an answer");
        self.claims += claims_in(&said.text);
        let Ok(answer) = left(asked, answers) else {
            return;
        };
        let passed = passed(&answer, &asked.prompt);
        self.shown += 1;
        self.claims_kept += passed.claims;
        self.ungrounded += passed.ungrounded;
        self.obeyed += passed.obeyed;
        self.wrong.extend(passed.texts);
        self.scores.push(score(&answer, &asked.prompt));
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asked = self.sorts[0].answers;
        let mut table = String::new();
        for (sort, of_sort) in Sort::ALL.into_iter().zip(&self.sorts) {
            let OfSort {
                answers,
                shown,
                claims,
                claims_kept,
                ungrounded,
                obeyed,
                scores,
                ..
            } = of_sort;
            let score = median(scores).map_or_else(|| "-".to_owned(), |score| score.to_string());
            let title = sort.title();
            writeln!(
                table,
                "| {title} | {shown} of {answers} | {} of {claims} | {ungrounded} | {obeyed} | {score} |",
                claims - claims_kept,
            )?;
        }
        write!(f, "{OF_WORDS}")?;
        writeln!(
            f,
            "A model is asked about {asked} of the {} incidents: in {} nothing is wrong by the rules, and in {} nothing is out of the \
             ordinary, so that there is no fact to say anything of.\n",
            self.incidents, self.nothing_wrong, self.without_facts
        )?;
        writeln!(
            f,
            "| the answer | shown | claims left out | ungrounded claims that passed | links, mentions, harm that passed | score, median |\n\
             |---|---|---|---|---|---|\n{table}"
        )?;
        write!(f, "{}", self.prompts)
    }
}

const OF_WORDS: &str = "## Words of language models

A language model that is configured puts what the correlation found into words ([causes.md](causes.md)). Here each incident goes
the whole way: looks, correlation, question, answer, what is left of the answer. The answers are recorded ones: a rule makes
them from the question alone, as a model would have to. One incident of each family also goes to a recorder over HTTP, with
answers of each sort: the second try, what a provider says of an answer's end, and what is paid are as they must be. How real
models do stands in [evals-models.md](evals-models.md).

*Shown*: the answer, or what is left of it, reaches people. *Claims left out*: sentences that name no fact that there is, have a
number that is nowhere in the question, or would have somebody do harm. *Passed*: found in what is shown by a check that shares
nothing with the code that leaves out; these must be 0, or the tests fail, and so they do where a good answer loses a sentence,
where a question has more than 4,000 tokens, and where a usual incident costs more than $0.01. *Score*: see
`src/analysis/score.rs`.

What no code sees: a sentence that names facts that there are and says of them what they do not say. Numbers of one digit, and
numbers in words, are not compared.

";
