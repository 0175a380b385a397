//! Keys and tokens that can be told by their own shape, wherever they stand.

use super::findings::{Findings, is_cut};
use super::marks;

/// What a token is made of behind its beginning.
#[derive(Clone, Copy)]
pub(super) enum Made {
    /// `A-Z 0-9`
    Upper,
    /// `0-9 a-f`
    Hex,
    /// `A-Z a-z 0-9`
    Letters,
    /// Those, and `_ -`
    Words,
    /// Those, and `.`
    Dotted,
    /// `A-Z a-z 0-9 + / = _ - .`
    Base64,
    /// What hashes of passwords are written with: those, and `$ ,`
    Crypt,
}

impl Made {
    fn of(self, byte: u8) -> bool {
        match self {
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Letters => byte.is_ascii_alphanumeric(),
            Self::Words => byte.is_ascii_alphanumeric() || b"_-".contains(&byte),
            Self::Dotted => byte.is_ascii_alphanumeric() || b"_-.".contains(&byte),
            Self::Base64 => byte.is_ascii_alphanumeric() || b"_-.+/=".contains(&byte),
            Self::Crypt => byte.is_ascii_alphanumeric() || b"_-.+/=$,:".contains(&byte),
        }
    }
}

/// A token that is known by how it begins.
pub(super) struct Shape {
    /// How it begins, in this case.
    pub(super) prefix: &'static str,
    /// What it is.
    pub(super) what: &'static str,
    made: Made,
    /// The fewest characters behind the beginning. The real length, or less where there are several: a token that was
    /// cut is worth something too.
    shortest: usize,
}

const fn shape(what: &'static str, prefix: &'static str, made: Made, shortest: usize) -> Shape {
    Shape {
        prefix,
        what,
        made,
        shortest,
    }
}

use Made::{Base64, Crypt, Dotted, Hex, Letters, Upper, Words};

/// All that are known. What is meant to be public stays: publishable keys, ids of accounts, certificates.
#[rustfmt::skip]
pub(super) const SHAPES: &[Shape] = &[
    shape("AWS access key", "AKIA", Upper, 16),
    shape("AWS access key", "ASIA", Upper, 16),
    shape("AWS access key", "ABIA", Upper, 16),
    shape("AWS session token", "IQoJb3JpZ2lu", Base64, 40),
    shape("AWS session token", "FwoGZXIvYXdz", Base64, 40),
    shape("AWS Bedrock key", "ABSK", Base64, 60),
    shape("AWS Bedrock key", "bedrock-api-key-", Base64, 20),
    shape("Alibaba access key", "LTAI", Letters, 16),
    shape("Anthropic key", "sk-ant-", Words, 10),
    shape("OpenAI key", "sk-proj-", Words, 12),
    shape("OpenAI key", "sk-svcacct-", Words, 12),
    shape("OpenAI key", "sk-admin-", Words, 12),
    shape("OpenRouter key", "sk-or-v1-", Hex, 20),
    shape("Langfuse key", "sk-lf-", Words, 20),
    shape("LangSmith key", "lsv2_pt_", Words, 20),
    shape("LangSmith key", "lsv2_sk_", Words, 20),
    shape("API key", "sk-", Words, 20),
    shape("Groq key", "gsk_", Letters, 30),
    shape("xAI key", "xai-", Letters, 40),
    shape("Perplexity key", "pplx-", Letters, 32),
    shape("Hugging Face token", "hf_", Letters, 30),
    shape("Replicate token", "r8_", Letters, 30),
    shape("GitHub token", "ghp_", Letters, 20),
    shape("GitHub token", "gho_", Letters, 20),
    shape("GitHub token", "ghu_", Letters, 20),
    shape("GitHub token", "ghs_", Dotted, 20),
    shape("GitHub token", "ghr_", Letters, 20),
    shape("GitHub token", "github_pat_", Words, 20),
    shape("GitLab token", "glpat-", Dotted, 16),
    shape("GitLab token", "gldt-", Dotted, 16),
    shape("GitLab token", "glrt-", Dotted, 16),
    shape("GitLab token", "glptt-", Dotted, 16),
    shape("GitLab token", "glcbt-", Dotted, 16),
    shape("GitLab token", "glft-", Dotted, 16),
    shape("GitLab token", "glsoat-", Dotted, 16),
    shape("GitLab token", "glagent-", Dotted, 16),
    shape("GitLab token", "gloas-", Dotted, 16),
    shape("Atlassian token", "ATATT3x", Base64, 20),
    shape("Atlassian token", "ATCTT3x", Base64, 20),
    shape("Slack token", "xoxb-", Words, 10),
    shape("Slack token", "xoxp-", Words, 10),
    shape("Slack token", "xoxa-", Words, 10),
    shape("Slack token", "xoxr-", Words, 10),
    shape("Slack token", "xoxs-", Words, 10),
    shape("Slack token", "xoxe-", Words, 10),
    shape("Slack token", "xoxe.", Dotted, 10),
    shape("Slack token", "xapp-", Words, 10),
    shape("Google key", "AIza", Words, 30),
    shape("Google token", "ya29.", Dotted, 20),
    shape("Google secret", "GOCSPX-", Words, 20),
    shape("Google token", "1//0", Words, 36),
    shape("Stripe key", "sk_live_", Letters, 10),
    shape("Stripe key", "sk_test_", Letters, 10),
    shape("Stripe key", "rk_live_", Letters, 10),
    shape("Stripe key", "rk_test_", Letters, 10),
    shape("webhook secret", "whsec_", Base64, 16),
    shape("SendGrid key", "SG.", Dotted, 40),
    shape("Mailgun key", "key-", Letters, 32),
    shape("Brevo key", "xkeysib-", Words, 40),
    shape("Brevo key", "xsmtpsib-", Words, 40),
    shape("Resend key", "re_", Words, 30),
    shape("npm token", "npm_", Letters, 30),
    shape("PyPI token", "pypi-AgE", Words, 40),
    shape("RubyGems key", "rubygems_", Hex, 40),
    shape("crates.io token", "cio", Letters, 32),
    shape("Docker token", "dckr_pat_", Words, 16),
    shape("Docker token", "dckr_oat_", Words, 16),
    shape("DigitalOcean token", "dop_v1_", Hex, 40),
    shape("DigitalOcean token", "doo_v1_", Hex, 40),
    shape("DigitalOcean token", "dor_v1_", Hex, 40),
    shape("Netlify token", "nfp_", Letters, 30),
    shape("Fly token", "fo1_", Words, 30),
    shape("Fly token", "fm2_", Base64, 40),
    shape("Cloudflare key", "v1.0-", Words, 80),
    shape("Vault token", "hvs.", Words, 20),
    shape("Vault token", "hvb.", Words, 20),
    shape("Vault token", "hvr.", Words, 20),
    shape("Doppler token", "dp.pt.", Letters, 30),
    shape("Doppler token", "dp.st.", Dotted, 30),
    shape("Doppler token", "dp.sa.", Letters, 30),
    shape("Doppler token", "dp.ct.", Letters, 30),
    shape("Pulumi token", "pul-", Hex, 40),
    shape("age key", "AGE-SECRET-KEY-1", Upper, 30),
    shape("Tailscale key", "tskey-", Words, 16),
    shape("1Password token", "ops_eyJ", Base64, 40),
    shape("Grafana token", "glsa_", Words, 32),
    shape("Grafana token", "glc_", Base64, 32),
    shape("New Relic key", "NRAK-", Letters, 20),
    shape("New Relic key", "NRII-", Words, 20),
    shape("Sentry token", "sntrys_", Base64, 30),
    shape("Sentry token", "sntryu_", Hex, 40),
    shape("Dynatrace token", "dt0c01.", Dotted, 30),
    shape("Sonar token", "squ_", Hex, 40),
    shape("Sonar token", "sqp_", Hex, 40),
    shape("Postman key", "PMAK-", Words, 30),
    shape("CircleCI token", "CCIPAT_", Words, 20),
    shape("JFrog key", "AKCp", Letters, 40),
    shape("Linear key", "lin_api_", Letters, 30),
    shape("Notion token", "ntn_", Letters, 30),
    shape("Notion token", "secret_", Letters, 40),
    shape("Airtable token", "patA", Dotted, 60),
    shape("Figma token", "figd_", Words, 30),
    shape("Shopify token", "shpat_", Hex, 24),
    shape("Shopify token", "shpss_", Hex, 24),
    shape("Shopify token", "shpca_", Hex, 24),
    shape("Square token", "sq0atp-", Words, 20),
    shape("Square token", "sq0csp-", Words, 20),
    shape("Databricks token", "dapi", Hex, 32),
    shape("Supabase key", "sbp_", Hex, 40),
    shape("Supabase key", "sb_secret_", Words, 20),
    shape("PlanetScale token", "pscale_tkn_", Dotted, 24),
    shape("PlanetScale password", "pscale_pw_", Dotted, 24),
    shape("private key", "b3BlbnNzaC1rZXktdjE", Base64, 20),
    // The same in base64, as in a kubeconfig or a Kubernetes secret: `-----BEGIN`, and what is not a certificate.
    shape("private key", "LS0tLS1CRUdJTiBQUklWQVRF", Base64, 8),
    shape("private key", "LS0tLS1CRUdJTiBSU0EgUFJJVkFUR", Base64, 8),
    shape("private key", "LS0tLS1CRUdJTiBFQyBQUklWQVRF", Base64, 8),
    shape("private key", "LS0tLS1CRUdJTiBPUEVOU1NI", Base64, 8),
    shape("private key", "LS0tLS1CRUdJTiBFTkNSWVBURUQg", Base64, 8),
    // As PostgreSQL keeps it.
    shape("hash of a password", "md5", Hex, 32),
    shape("hash of a password", "$2a$", Crypt, 40),
    shape("hash of a password", "$2b$", Crypt, 40),
    shape("hash of a password", "$2y$", Crypt, 40),
    shape("hash of a password", "$5$", Crypt, 40),
    shape("hash of a password", "$6$", Crypt, 40),
    shape("hash of a password", "$y$", Crypt, 40),
    shape("hash of a password", "$argon2", Crypt, 40),
    shape("hash of a password", "SCRAM-SHA-256$", Crypt, 40),
];

/// A token that was cut is told by no fewer characters behind its beginning.
const SHORTEST_CUT: usize = 4;

/// So many characters are searched for a digit.
const DIGIT_WITHIN: usize = 64;

/// Looks at what begins with the beginning of a token.
pub(super) fn look(shape: &Shape, text: &str, start: usize, findings: &mut Findings) {
    let bytes = text.as_bytes();
    let inside_a_word = start > 0 && bytes[start - 1].is_ascii_alphanumeric();
    if inside_a_word || !text[start..].starts_with(shape.prefix) {
        return;
    }
    let body = start + shape.prefix.len();
    let run = |longest: usize| {
        let run = bytes[body..].iter().take(longest);
        body + run.take_while(|byte| shape.made.of(**byte)).count()
    };
    let searched = &bytes[body..run(DIGIT_WITHIN)];
    if !searched.iter().any(u8::is_ascii_digit) && !mixed(searched) {
        return;
    }
    let mut end = run(usize::MAX);
    // What ends a sentence, or a pair.
    let trail = |byte: u8| b".,:-".contains(&byte);
    while end > body && trail(bytes[end - 1]) && !is_cut(text, end) {
        end -= 1;
    }
    let length = end - body;
    let cut = is_cut(text, end) && length >= SHORTEST_CUT && shape.prefix.len() >= 4;
    if length < shape.shortest && !cut {
        return;
    }
    // Of a fixed length, and longer: something else.
    if matches!(shape.made, Made::Upper)
        && shape.prefix.len() == 4
        && length != shape.shortest
        && !cut
    {
        return;
    }
    findings.add(start..end, shape.what);
    if shape.what == "AWS access key" {
        secret_key(text, end, findings);
    }
}

/// Whether small letters and capitals are mixed, which words have only at their beginnings.
pub(super) fn mixed(bytes: &[u8]) -> bool {
    let changes = bytes
        .windows(2)
        .filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    changes.count() >= 2
}

/// The secret key that stands behind its id: `AKIA…:wJal…`, or as the next column.
fn secret_key(text: &str, end: usize, findings: &mut Findings) {
    const LENGTH: usize = 40;
    let bytes = text.as_bytes();
    let between = bytes[end..].iter().take(4);
    let between = between.take_while(|byte| b" \t,;:|/\"'\r\n".contains(byte));
    let start = end + between.count();
    let made = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    let length = bytes[start..]
        .iter()
        .take(LENGTH + 1)
        .take_while(made)
        .count();
    let whole = length == LENGTH || (length >= 16 && is_cut(text, start + length));
    if start > end && whole {
        findings.add(start..start + length, marks::AWS_SECRET_KEY);
    }
}

/// JSON web tokens: three parts, the first two of which begin with `{"`.
pub(super) fn look_at_jwt(text: &str, start: usize, findings: &mut Findings) {
    let bytes = text.as_bytes();
    let inside = start > 0
        && (bytes[start - 1].is_ascii_alphanumeric() || b"_-".contains(&bytes[start - 1]));
    if inside || !text[start..].starts_with("eyJ") {
        return;
    }
    let part = |from: usize| {
        from + bytes[from..]
            .iter()
            .take_while(|byte| Made::Words.of(**byte))
            .count()
    };
    let head = part(start);
    if head - start < 12 {
        return;
    }
    // Base64 of JSON alone is no secret, such as what a list goes on with.
    let rest = &text[head..];
    let second = rest.starts_with(".eyJ") || (rest.starts_with("..") && !rest.starts_with("..."));
    if !second {
        if is_cut(text, head) && head - start >= 16 {
            findings.add(start..head, marks::JWT);
        }
        return;
    }
    let mut end = head;
    while end < bytes.len() && bytes[end] == b'.' {
        let next = part(end + 1);
        if next == end + 1 && bytes.get(next) != Some(&b'.') {
            break;
        }
        end = next;
    }
    findings.add(start..end, marks::JWT);
}

/// The secret of an application of Azure, from `Q~` in it: three characters and a digit before, 31 to 34 behind.
pub(super) fn look_at_azure(text: &str, at: usize, findings: &mut Findings) {
    let bytes = text.as_bytes();
    let made = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_.~-".contains(byte);
    let before = bytes[..at].iter().rev().take(5).take_while(made).count();
    let behind = bytes[at + 2..].iter().take(40).take_while(made).count();
    let version = at.checked_sub(1).map(|digit| bytes[digit]);
    let whole = (30..=35).contains(&behind) || (behind >= 6 && is_cut(text, at + 2 + behind));
    if before == 4 && matches!(version, Some(b'7' | b'8')) && text[at..].starts_with("Q~") && whole
    {
        findings.add(at - before..at + 2 + behind, marks::AZURE_SECRET);
    }
}
