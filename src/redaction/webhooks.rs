//! Addresses that are secrets themselves: whoever has one may write.

use std::ops::Range;

use super::findings::{Findings, has_ellipsis, is_cut};
use super::marks;

/// How they begin.
#[rustfmt::skip]
pub(super) const WEBHOOKS: [&str; 21] = [
    "hooks.slack.com/", "discord.com/api/webhooks/", "discordapp.com/api/webhooks/", "webhook.office.com/webhookb2/",
    "outlook.office.com/webhook/", "hooks.zapier.com/hooks/catch/", "chat.googleapis.com/v1/spaces/", "hc-ping.com/",
    "events.pagerduty.com/integration/", "alert.victorops.com/integrations/generic/", "maker.ifttt.com/trigger/",
    "open.feishu.cn/open-apis/bot/v2/hook/", "open.larksuite.com/open-apis/bot/v2/hook/",
    "oapi.dingtalk.com/robot/send?access_token=", "qyapi.weixin.qq.com/cgi-bin/webhook/send?key=", "webhook.site/",
    "uptime.betterstack.com/api/v1/heartbeat/", "loggly.com/inputs/", "hook.eu1.make.com/", "hook.eu2.make.com/",
    "hook.us1.make.com/",
];

/// Paths of them, on whatever host.
pub(super) const PATHS: [&str; 3] = ["/services/T", "/webhooks/", "/hooks/"];

/// What stands behind the beginning of such an address.
pub(super) fn look(text: &str, start: usize, findings: &mut Findings) {
    let path = text[start..].bytes();
    let path = path.take_while(|byte| byte.is_ascii_alphanumeric() || b"/_-@.?=&%".contains(byte));
    let end = start + path.count();
    let end = start + text[start..end].trim_end_matches('.').len();
    if end - start >= 12 || (end - start >= 6 && has_ellipsis(text, end)) {
        findings.add(start..end, marks::WEBHOOK);
    }
}

/// A path such as a webhook has, on a host of somebody's own: Slack's, Discord's, Mattermost's.
pub(super) fn look_at_path(text: &str, place: Range<usize>, findings: &mut Findings) {
    let parts = |at: usize| {
        let path = text[at..].bytes().take(LONGEST);
        let length = path.take_while(|byte| byte.is_ascii_alphanumeric() || b"/_-".contains(byte));
        let path = &text[at..at + length.count()];
        (path, at + path.len())
    };
    let upper = |part: &str, first: char, shortest: usize| {
        part.starts_with(first)
            && part.len() >= shortest
            && (part.bytes()).all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    let digit = |part: &str| part.bytes().any(|byte| byte.is_ascii_digit());
    // The last letter of the first is the first of what stands there.
    let slack = text[place.clone()].ends_with('T');
    let start = place.end - usize::from(slack);
    let (path, end) = parts(start);
    let mut found = path.split('/');
    let (first, second) = (
        found.next().unwrap_or_default(),
        found.next().unwrap_or_default(),
    );
    let third = found.next().unwrap_or_default();
    let cut = has_ellipsis(text, end);
    let long = |part: &str, shortest: usize| part.len() >= if cut { 6 } else { shortest };
    let is_one = if slack {
        upper(first, 'T', 8) && upper(second, 'B', 8) && long(third, 8)
    } else if text[place].ends_with("/webhooks/") {
        first.len() >= 15 && first.bytes().all(|byte| byte.is_ascii_digit()) && long(second, 16)
    } else {
        path.split('/')
            .any(|part| long(part, 20) && digit(part) && !part.contains(['-', '_']))
    };
    if is_one {
        findings.add(start..end, marks::WEBHOOK);
    }
}

/// So much of a path is looked at.
const LONGEST: usize = 256;

/// `123456789:AA…`, from the colon on.
pub(super) fn look_at_telegram(text: &str, colon: usize, findings: &mut Findings) {
    const SHORTEST: usize = 30;
    const SHORTEST_IN_ADDRESS: usize = 10;
    let bytes = text.as_bytes();
    let digits = bytes[..colon]
        .iter()
        .rev()
        .take(16)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if !(6..=14).contains(&digits) || !text[colon..].starts_with(":AA") {
        return;
    }
    let made = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    let length = bytes[colon + 1..].iter().take_while(made).count();
    let end = colon + 1 + length;
    let in_an_address = text[..colon - digits].ends_with("/bot") && length >= SHORTEST_IN_ADDRESS;
    if length >= SHORTEST || in_an_address || (length >= 6 && is_cut(text, end)) {
        findings.add(colon - digits..end, marks::TELEGRAM_TOKEN);
    }
}
