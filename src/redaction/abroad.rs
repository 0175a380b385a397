//! What others than the English call a secret. Their other words are not known, so that a value must look like one.

use std::ops::Range;

use super::findings::Findings;
use super::names::{Name, pair};
use super::nouns::Noun::{self, Key, Password, Secret, Token};

/// What a secret is called. Only letters of ASCII are found in any case.
#[rustfmt::skip]
pub(super) const ABROAD: &[(&str, Noun)] = &[
    ("passwort", Password), ("kennwort", Password), ("zugangsdaten", Secret), ("schlüssel", Key),
    ("mot de passe", Password), ("motdepasse", Password), ("mdp", Password), ("contraseña", Password),
    ("contrasena", Password), ("clave", Password), ("senha", Password), ("parola", Password), ("wachtwoord", Password),
    ("hasło", Password), ("haslo", Password), ("heslo", Password), ("jelszó", Password), ("jelszo", Password),
    ("lösenord", Password), ("losenord", Password), ("adgangskode", Password), ("salasana", Password),
    ("şifre", Password), ("Şifre", Password), ("sifre", Password), ("kata sandi", Password), ("mật khẩu", Password),
    ("пароль", Password), ("Пароль", Password), ("ПАРОЛЬ", Password), ("пароль пользователя", Password),
    ("Пароль пользователя", Password), ("токен", Token), ("Токен", Token), ("ключ", Key), ("Ключ", Key),
    ("секрет", Secret), ("Секрет", Secret), ("κωδικός", Password), ("Κωδικός", Password), ("סיסמה", Password),
    ("كلمة المرور", Password), ("पासवर्ड", Password), ("密码", Password), ("密碼", Password), ("口令", Password),
    ("パスワード", Password), ("비밀번호", Password),
];

/// Where scripts begin that leave no blanks between words.
const WITHOUT_BLANKS: char = '\u{2e80}';

/// Looks at such a name.
pub(super) fn look(noun: Noun, text: &str, place: Range<usize>, findings: &mut Findings) {
    // `enclave: …`
    let before = text[..place.start].chars().next_back();
    if before.is_some_and(|before| before.is_alphanumeric() && before < WITHOUT_BLANKS) {
        return;
    }
    let name = Name {
        place,
        noun,
        plain: false,
        spoken: true,
    };
    pair(text, &name, findings);
}
