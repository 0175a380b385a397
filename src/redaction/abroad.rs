//! What others than the English call a secret. Their other words are not known, so that a value must look like one.

use std::ops::Range;

use super::findings::Findings;
use super::names::{Name, pair};
use super::nouns::Noun::{self, Code, Key, Password, Secret, Token};
use super::nouns::is;

/// What a secret is called. Only letters of ASCII are found in any case.
#[rustfmt::skip]
pub(super) const ABROAD: &[(&str, Noun)] = &[
    ("passwort", Password), ("kennwort", Password), ("zugangsdaten", Secret), ("schlüssel", Key),
    ("mot de passe", Password), ("motdepasse", Password), ("mdp", Password), ("contraseña", Password),
    ("contrasena", Password), ("clave", Password), ("senha", Password), ("parola", Password), ("wachtwoord", Password),
    ("mot_de_passe", Password), ("mot-de-passe", Password), ("geheimnis", Secret), ("clé", Key), ("Clé", Key), ("jeton", Token),
    ("llave", Key), ("verification code", Code), ("recovery code", Code), ("recovery codes", Code), ("backup code", Code),
    ("backup codes", Code), ("hasło", Password), ("haslo", Password), ("heslo", Password), ("jelszó", Password), ("jelszo", Password),
    ("lösenord", Password), ("losenord", Password), ("adgangskode", Password), ("salasana", Password),
    ("şifre", Password), ("Şifre", Password), ("sifre", Password), ("kata sandi", Password), ("mật khẩu", Password),
    ("пароль", Password), ("Пароль", Password), ("ПАРОЛЬ", Password), ("пароль пользователя", Password),
    ("Пароль пользователя", Password), ("токен", Token), ("Токен", Token), ("ключ", Key), ("Ключ", Key),
    ("секрет", Secret), ("Секрет", Secret), ("κωδικός", Password), ("Κωδικός", Password), ("סיסמה", Password),
    ("كلمة المرور", Password), ("पासवर्ड", Password), ("密码", Password), ("密碼", Password), ("口令", Password),
    ("パスワード", Password), ("비밀번호", Password),
];

/// What other words are put before without a blank: `Datenbankkennwort`.
const COMPOUND: [&str; 6] = [
    "passwort",
    "kennwort",
    "schlüssel",
    "wachtwoord",
    "lösenord",
    "geheimnis",
];

/// The longest rest of a name.
const LONGEST_REST: usize = 32;

/// Where scripts begin that leave no blanks between words.
const WITHOUT_BLANKS: char = '\u{2e80}';

/// Looks at such a name.
pub(super) fn look(noun: Noun, text: &str, place: Range<usize>, findings: &mut Findings) {
    // `enclave: …`
    let before = text[..place.start].chars().next_back();
    let is_compound = || is(&text[place.clone()], &COMPOUND);
    let joined = |before: char| before.is_alphanumeric() && before < WITHOUT_BLANKS;
    if before.is_some_and(joined) && !is_compound() {
        return;
    }
    // `clave_secreta=`
    let rest = text.as_bytes()[place.end..].iter().take(LONGEST_REST);
    let part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    let rest = match text.as_bytes().get(place.end) {
        Some(b'_' | b'-') => rest.take_while(part).count(),
        _ => 0,
    };
    let place = place.start..place.end + rest;
    let name = Name {
        place,
        noun,
        plain: false,
        spoken: true,
    };
    pair(text, &name, findings);
}
