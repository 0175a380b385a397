//! Ids of things: what people look for in a report, also where it stands behind a name that ends as the name of a secret does.

/// What ids of AWS begin with. 8 or 17 hexadecimal characters follow.
#[rustfmt::skip]
const AWS: &[&str] = &[
    "acl-", "ami-", "cgw-", "dopt-", "eipalloc-", "eipassoc-", "eni-", "fl-", "fs-", "fsap-", "i-", "igw-", "lt-", "mi-",
    "nat-", "pcx-", "pl-", "r-", "rtb-", "sg-", "sgr-", "snap-", "subnet-", "tgw-", "vgw-", "vol-", "vpc-", "vpce-",
];

/// What else says that an id follows.
const ARN: &str = "arn:";
const DIGEST: &str = "sha256:";

fn is_hex(id: &str) -> bool {
    (id.bytes()).all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Whether this is the id of a thing, whatever stands before it: nobody makes up a secret that looks so.
pub(super) fn is_resource(value: &str) -> bool {
    let behind = |begin: &&str| {
        value
            .strip_prefix(begin)
            .is_some_and(|id| matches!(id.len(), 8 | 17) && is_hex(id))
    };
    let is_digest = |id: &str| id.len() == 64 && is_hex(id);
    AWS.iter().any(behind)
        || value.starts_with(ARN)
        || value.strip_prefix(DIGEST).is_some_and(is_digest)
}

/// Where the id begins that the name of a thing ends with, as in `auth-token:i-0123456789abcdef0`. In a name, that may be
/// the id of a container too; in a sentence, that could be a token.
pub(super) fn id_in_name(name: &str) -> Option<usize> {
    if name.contains(|c: char| c.is_whitespace() || c == '=') {
        return None;
    }
    let behind = |sign: &str| name.find(sign).map(|at| at + 1);
    let start = behind(":arn:")
        .or_else(|| behind(":sha256:"))
        .or_else(|| name.rfind(':').map(|at| at + 1))?;
    let id = &name[start..];
    let is_container = matches!(id.len(), 12 | 64) && is_hex(id);
    (is_resource(id) || is_container).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::super::Redactor;

    #[test]
    fn the_id_behind_a_name_stays_whatever_the_name_is() {
        let redactor = Redactor::default();
        let container = "3f4e5d6c7b8a";
        let whole = "9b74c9897bac770ffc029102a200c5de5d1a0f3e6c2d4b8a7f9e0d1c2b3a4f5e";
        for name in [
            "auth-token",
            "vault-password",
            "jwt-secret",
            "passphrase",
            "api-key",
            "PASSWORD",
        ] {
            for id in [
                "i-0123456789abcdef0",
                "i-0abc1234",
                "vol-0123456789abcdef0",
                "arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0",
                container,
                whole,
                &format!("sha256:{whole}"),
            ] {
                let named = format!("{name}:{id}");
                assert_eq!(redactor.redact_name(&named), named);
            }
            let said = format!("{name}:i-0123456789abcdef0 is stopped");
            assert_eq!(redactor.redact(&said), said);
        }
    }

    #[test]
    fn what_only_looks_like_an_id_goes() {
        let redactor = Redactor::default();
        for secret in [
            "password=3d2c1b0a-9f8e-7d6c-5b4a-3f2e1d0c9b8a",
            "password=3f4e5d6c7b8a",
            "auth-token:i-0123456789abcdef",
            "auth-token:x-0123456789abcdef0",
            "token: 9b74c9897bac770ffc029102a200c5de5d1a0f3e6c2d4b8a7f9e0d1c2b3a4f5e",
            "worker-ghp_\u{31}6C7e42F292c6912E7710c838347Ae178B4a:3f4e5d6c7b8a",
        ] {
            let named = redactor.redact_name(secret);
            assert!(named.contains("[redacted: "), "{named}");
        }
    }
}
