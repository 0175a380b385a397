//! Takes secrets out of collected text: error messages, output of health checks, names, command lines.
//!
//! The secrets of the configuration are known and are taken out by their value ([`crate::secret`]). This is about those
//! that nobody configured: they are told by their own shape ([`shapes`]), or by what stands around them ([`names`],
//! [`addresses`], [`commands`], [`blocks`]). A text that is only long and random is no secret: ids of containers,
//! digests and hashes of commits are what people look for.
//!
//! One pass of an automaton finds all that a secret could begin with; what is found is looked at from there, so that the
//! time is linear, and a text without any of it is given back as it is. It is our own because the libraries for it take
//! everything that is long and random, or know no JSON (docs/decisions/0024-redaction.md).

mod abroad;
mod addresses;
mod beginnings;
mod blocks;
mod code;
mod commands;
mod emails;
mod escapes;
mod far;
mod findings;
mod headers;
mod introduced;
mod joints;
mod lines;
mod marks;
mod names;
mod nouns;
mod outcomes;
mod piped;
mod random;
mod resources;
mod rows;
mod seen;
mod sent;
mod shapes;
mod spoken;
mod tails;
mod values;
mod webhooks;

#[cfg(test)]
mod canaries;
#[cfg(test)]
mod properties;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::secret;
use beginnings::SHAPES;
use commands::{COMMANDS, Command};
use findings::Findings;
use nouns::Noun;
use seen::Seen;
use shapes::Shape;
use tails::{TAILS, Tail};

/// A text is looked at again when something was taken out: that may have hidden where something else ends. Nearly always the
/// second time finds nothing; more than three were never seen.
const MOST_PASSES: usize = 4;

/// What is looked at where one of the beginnings was found.
#[derive(Clone, Copy)]
enum Look {
    Shape(&'static Shape),
    Jwt,
    Name,
    Abroad(Noun),
    Authority,
    Go,
    Oracle,
    Webhook,
    WebhookPath,
    Telegram,
    Email,
    AzureSecret,
    Tail(&'static Tail),
    Airtable,
    Discord,
    Ntlm,
    Command(&'static Command),
    Identified,
    Auth,
    Chpasswd,
    ChpasswdList,
    Introduced,
    Call(usize),
    Entered,
    Pgpass,
    Piped,
    Radius,
    Snmp,
    Jwk,
    Phrase,
    User,
    Account,
    EscapedAuthority,
    OracleBehind,
    Bearer,
    Basic,
    Begin,
    End,
    Putty,
}

/// Takes secrets out of text. Made once, and shared.
pub struct Redactor {
    configured: secret::Redactor,
    /// All that a secret can begin with, in any case.
    beginnings: AhoCorasick,
    looks: Vec<Look>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Redactor");
        shown
            .field("beginnings", &self.looks.len())
            .finish_non_exhaustive()
    }
}

impl Default for Redactor {
    /// One that knows of no configured secret, and leaves e-mail addresses.
    fn default() -> Self {
        Self::new(&secret::Redactor::default(), false)
    }
}

impl Redactor {
    /// One that takes these secrets out by their value, and all others by how they look; addresses of e-mail too where
    /// `emails` says so.
    #[must_use]
    pub fn new(configured: &secret::Redactor, emails: bool) -> Self {
        let (words, looks): (Vec<&str>, Vec<Look>) = beginnings(emails).into_iter().unzip();
        let beginnings = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(words)
            .expect("a few hundred short words, far from what an automaton can hold");
        Self {
            configured: configured.clone(),
            beginnings,
            looks,
        }
    }

    /// The text with a mark, such as `[redacted: password]`, in the place of each secret; the same text where there is
    /// none. What was redacted before stays as it is.
    #[must_use]
    pub fn redact<'text>(&self, text: &'text str) -> Cow<'text, str> {
        let mut redacted = self.by_value(text);
        for _ in 0..MOST_PASSES {
            match self.by_looks(&redacted) {
                Cow::Owned(next) => redacted = Cow::Owned(next),
                Cow::Borrowed(_) => break,
            }
        }
        redacted
    }

    /// As [`Self::redact`], for the name of a thing, whose id may stand behind it.
    #[must_use]
    pub fn redact_name<'text>(&self, name: &'text str) -> Cow<'text, str> {
        let Some(id) = resources::id_in_name(name) else {
            return self.redact(name);
        };
        match self.redact(&name[..id - 1]) {
            Cow::Owned(redacted) => Cow::Owned(redacted + &name[id - 1..]),
            // A secret of the configuration may be both.
            Cow::Borrowed(_) if self.configured.is_in(name) => self.redact(name),
            Cow::Borrowed(_) => Cow::Borrowed(name),
        }
    }

    /// As [`Self::redact`], in place.
    pub fn redact_in_place(&self, text: &mut String) {
        if let Cow::Owned(redacted) = self.redact(text) {
            *text = redacted;
        }
    }

    fn by_value<'text>(&self, text: &'text str) -> Cow<'text, str> {
        let seen = Seen::new(text);
        let found = self.configured.places(seen.text());
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let marks = marks::all_in(seen.text());
        let is_apart = |place: &Range<usize>| {
            let behind = marks.partition_point(|mark| mark.end <= place.start);
            marks.get(behind).is_none_or(|mark| place.end <= mark.start)
        };
        let found = found.into_iter().filter(is_apart);
        let found = found.map(|place| (place, marks::CONFIGURED)).collect();
        seen.without(found)
    }

    fn by_looks<'text>(&self, written: &'text str) -> Cow<'text, str> {
        let seen = Seen::new(written);
        let text = seen.text();
        let mut findings = Findings::new(text);
        for hit in self.beginnings.find_overlapping_iter(text) {
            let (start, end) = (hit.start(), hit.end());
            if findings.covers(start) {
                continue;
            }
            let found = &mut findings;
            match self.looks[hit.pattern().as_usize()] {
                Look::Shape(shape) => shapes::look(shape, text, start, found),
                Look::Jwt => shapes::look_at_jwt(text, start, found),
                Look::Name => names::look(text, start..end, found),
                Look::Abroad(noun) => abroad::look(noun, text, start..end, found),
                Look::Authority => addresses::look_at_authority(text, end, found),
                Look::Go => addresses::look_at_go(text, start, found),
                Look::Webhook => webhooks::look(text, end, found),
                Look::Oracle => addresses::look_at_oracle(text, end, found),
                Look::WebhookPath => webhooks::look_at_path(text, start..end, found),
                Look::Telegram => webhooks::look_at_telegram(text, start, found),
                Look::Email => emails::look(text, start..end, found),
                Look::AzureSecret => tails::look_at_azure(text, start, found),
                Look::Tail(tail) => tails::look(tail, text, start, found),
                Look::Airtable => tails::look_at_airtable(text, start, found),
                Look::Discord => tails::look_at_discord(text, start, found),
                Look::Ntlm => tails::look_at_ntlm(text, start, found),
                Look::Command(command) => commands::look(command, text, end, found),
                Look::Identified => sent::look_at_identified(text, end, found),
                Look::Auth => sent::look_at_auth(text, start..end, found),
                Look::Chpasswd => sent::look_at_chpasswd(text, start, found),
                Look::ChpasswdList => sent::look_at_chpasswd_list(text, end, found),
                Look::Introduced => introduced::look(text, end, found),
                Look::Call(wanted) => introduced::look_at_call(text, start..end, wanted, found),
                Look::Entered => introduced::look_at_entered(text, start..end, found),
                Look::Pgpass => introduced::look_at_pgpass(text, end, found),
                Look::Piped => piped::look(text, start, found),
                Look::Radius => piped::look_at_radius(text, end, found),
                Look::Snmp => piped::look_at_snmp(text, end, found),
                Look::Jwk => piped::look_at_jwk(text, end, found),
                Look::Phrase => piped::look_at_phrase(text, end, found),
                Look::User => introduced::look_at_user(text, end, found),
                Look::Account => addresses::look_at_account(text, start..end, found),
                Look::EscapedAuthority => addresses::look_at_escaped(text, end, found),
                Look::OracleBehind => addresses::look_at_oracle_from_behind(text, start, found),
                Look::Bearer => sent::look_at_bearer(text, end, found),
                Look::Basic => sent::look_at_basic(text, end, found),
                Look::Begin => blocks::look_at_begin(text, start..end, found),
                Look::End => blocks::look_at_end(text, start..end, found),
                Look::Putty => blocks::look_at_putty(text, end, found),
            }
        }
        lines::look(text, &mut findings);
        let places = findings.places();
        seen.without(places)
    }
}

/// What a secret can begin with, and what is looked at then.
fn beginnings(emails: bool) -> Vec<(&'static str, Look)> {
    let mut all = vec![
        ("eyJ", Look::Jwt),
        ("://", Look::Authority),
        ("@tcp(", Look::Go),
        ("@unix(", Look::Go),
        (":thin:", Look::Oracle),
        ("sqlplus ", Look::Oracle),
        (":AA", Look::Telegram),
        ("Q~", Look::AzureSecret),
        ("pat", Look::Airtable),
        (":::", Look::Ntlm),
        ("identified by", Look::Identified),
        ("identified with ", Look::Identified),
        ("identified via ", Look::Identified),
        ("auth ", Look::Auth),
        ("\"auth\" \"", Look::Auth),
        ("chpasswd:", Look::ChpasswdList),
        (":5432:", Look::Pgpass),
        ("--user", Look::User),
        ("authentication failed for", Look::User),
        ("login incorrect", Look::Radius),
        ("login ok: ", Look::Radius),
        ("createuser ", Look::Snmp),
        ("\"d\":", Look::Jwk),
        ("seed phrase", Look::Phrase),
        ("mnemonic", Look::Phrase),
        ("basic with user", Look::User),
        ("sip:", Look::Account),
        ("sips:", Look::Account),
        ("turn:", Look::Account),
        ("turns:", Look::Account),
        ("mailto:", Look::Account),
        ("%3A%2F%2F", Look::EscapedAuthority),
        ("@//", Look::OracleBehind),
        ("| chpasswd", Look::Chpasswd),
        ("|chpasswd", Look::Chpasswd),
        ("bearer", Look::Bearer),
        ("basic", Look::Basic),
        (blocks::BEGIN, Look::Begin),
        (blocks::SSH2_BEGIN, Look::Begin),
        (blocks::END, Look::End),
        (blocks::SSH2_END, Look::End),
        (blocks::PUTTY, Look::Putty),
    ];
    all.extend(
        SHAPES
            .iter()
            .map(|shape| (shape.prefix, Look::Shape(shape))),
    );
    all.extend(TAILS.iter().map(|tail| (tail.sign, Look::Tail(tail))));
    all.extend(tails::DISCORD.map(|begin| (begin, Look::Discord)));
    all.extend(names::PARTS.map(|part| (part, Look::Name)));
    all.extend(
        abroad::ABROAD
            .iter()
            .map(|(name, noun)| (*name, Look::Abroad(*noun))),
    );
    all.extend(introduced::INTRODUCED.map(|words| (words, Look::Introduced)));
    all.extend(piped::READERS.map(|reader| (reader, Look::Piped)));
    all.extend(introduced::CALLS.map(|(call, wanted)| (call, Look::Call(wanted))));
    all.extend(introduced::ENTERED.map(|words| (words, Look::Entered)));
    all.extend(webhooks::WEBHOOKS.map(|webhook| (webhook, Look::Webhook)));
    all.extend(webhooks::PATHS.map(|path| (path, Look::WebhookPath)));
    all.extend(
        COMMANDS
            .iter()
            .map(|command| (command.name, Look::Command(command))),
    );
    if emails {
        all.extend([("@", Look::Email), ("%40", Look::Email)]);
    }
    all
}
