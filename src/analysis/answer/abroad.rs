//! Orders that would harm, in the languages that models answer in where they are asked or led to: the verbs that delete, format,
//! switch off, and that send what is secret. German, Spanish, French, Portuguese, Italian, Russian, Chinese, Japanese.

use super::orders::clauses;

/// Imperatives and infinitives that destroy whatever they are done to.
#[rustfmt::skip]
const DESTROYING: [&str; 57] = [
    "lösche", "löschen", "lösch", "leere", "leeren", "formatiere", "formatieren", "entferne", "entfernen", "vernichte", "überschreibe",
    "deinstalliere", "verwirf", "borra", "borrar", "borre", "elimina", "eliminar", "elimine", "formatea", "formatear", "vacía", "vaciar",
    "destruye", "destruir", "desinstala", "supprime", "supprimer", "supprimez", "efface", "effacer", "effacez", "formate", "formater",
    "formatez", "vide", "vider", "videz", "détruis", "détruire", "apague", "apagar", "exclua", "excluir", "exclui", "cancella", "cancellare",
    "удали", "удалить", "удалите", "очисти", "очистить", "отформатируй", "отформатировать", "сотри", "стереть", "уничтожь",
];

/// Verbs that end what watches or guards, or the host.
#[rustfmt::skip]
const ENDING: [&str; 46] = [
    "schalte", "schalten", "deaktiviere", "deaktivieren", "stumme", "stumm", "stoppe", "stoppen", "beende", "beenden", "fahre", "setze",
    "ignoriere", "desactiva", "desactivar", "desactive", "apaga", "apagar", "silencia", "silenciar", "detén", "detener", "ignora",
    "désactive", "désactiver", "désactivez", "coupe", "couper", "coupez", "éteins", "éteindre", "arrête", "arrêter", "ignore", "desligue",
    "desligar", "disattiva", "disattivare", "spegni", "отключи", "отключить", "отключите", "выключи", "выключить", "выключите", "останови",
];
#[rustfmt::skip]
const GUARDS: [&str; 43] = [
    "firewall", "überwachung", "alarm", "warnung", "benachrichtigung", "monitor", "sicherung", "server", "host", "rechner", "datenbank",
    "authentifizierung", "virenschutz", "protokollierung", "cortafuegos", "monitorización", "supervisión", "alerta", "copias", "respaldo",
    "servidor", "autenticación", "notificacion", "pare-feu", "surveillance", "alerte", "sauvegarde", "serveur", "authentification",
    "allarm", "sorveglianza", "брандмауэр", "фаервол", "файрвол", "мониторинг", "оповещени", "уведомлени", "алерт", "сервер", "резервн",
    "аутентификац", "тревог", "roundsman",
];

/// Verbs that give away what they are done to, and what is secret.
#[rustfmt::skip]
const TELLING: [&str; 28] = [
    "schicke", "schicken", "sende", "senden", "poste", "teile", "gib", "nenne", "veröffentliche", "envía", "enviar", "envíe", "manda",
    "publica", "comparte", "pega", "envoie", "envoyer", "envoyez", "publie", "partage", "colle", "invia", "envie", "отправь", "отправить",
    "отправьте", "пришли",
];
#[rustfmt::skip]
const SECRETS: [&str; 18] = [
    "passwort", "kennwort", "zugangsdaten", "schlüssel", "geheimnis", "contraseña", "clave", "credencial", "mot de passe", "clé", "senha",
    "пароль", "ключ", "токен", "секрет", "password", "token", "secret",
];

/// Words behind which a verb is no order.
#[rustfmt::skip]
const KEEPING: [&str; 30] = [
    "nicht", "nie", "niemals", "kein", "keine", "ohne", "ob", "bevor", "wer", "warum", "no", "nunca", "sin", "si", "quién", "antes", "ne", "n'efface", "jamais",
    "sans", "avant", "qui", "non", "não", "не", "никогда", "без", "ли", "кто", "перед",
];

/// Words before an order.
#[rustfmt::skip]
const AHEAD: [&str; 40] = [
    "bitte", "dann", "und", "jetzt", "erst", "einfach", "sofort", "du", "sie", "musst", "müssen", "sollst", "sollten", "por", "favor", "luego", "ahora",
    "y", "debes", "debe", "hay", "que", "puis", "et", "veuillez", "il", "faut", "devez", "e", "poi", "пожалуйста", "потом", "и", "сначала", "надо",
    "нужно", "следует", "please", "run", "s'il",
];

/// What deletes, formats and uninstalls in scripts without blanks, and what does so to a guard, and what sends a secret.
const DESTROYING_THERE: [&str; 11] = [
    "删除",
    "清空",
    "格式化",
    "擦除",
    "卸载",
    "销毁",
    "抹掉",
    "刪除",
    "削除",
    "消去",
    "初期化",
];
const ENDING_THERE: [&str; 9] = [
    "关闭", "停止", "禁用", "关掉", "屏蔽", "静音", "忽略", "關閉", "無効",
];
const GUARDS_THERE: [&str; 12] = [
    "防火墙",
    "监控",
    "告警",
    "报警",
    "备份",
    "认证",
    "防火牆",
    "監控",
    "監視",
    "ファイアウォール",
    "服务器",
    "通知",
];
const TELLING_THERE: [&str; 6] = ["发到", "发送", "发给", "粘贴", "上传", "送信"];
const SECRETS_THERE: [&str; 8] = [
    "密码",
    "密钥",
    "口令",
    "令牌",
    "密碼",
    "パスワード",
    "password",
    "token",
];
const KEEPING_THERE: [&str; 13] = [
    "不要",
    "请勿",
    "勿",
    "别",
    "不能",
    "是否",
    "谁",
    "已",
    "被",
    "没有",
    "之前",
    "ない",
    "された",
];

/// Whether a text in small letters gives such an order; in a step wherever the verb stands, and else where it begins a part of a
/// sentence, because in some of these languages what somebody does is said alike.
pub(super) fn would_harm(text: &str, is_step: bool) -> bool {
    clauses(text).any(|clause| by_words(clause, is_step) || by_characters(clause))
}

fn by_words(clause: &str, is_step: bool) -> bool {
    let words: Vec<&str> = clause
        .split(' ')
        .map(|word| word.trim_matches(|one: char| !one.is_alphanumeric()))
        .collect();
    let mut verbs = words.iter().enumerate();
    verbs.any(|(at, verb)| {
        let (before, rest) = (&words[..at], &words[at + 1..]);
        let is_kept = before.iter().chain(rest).any(|word| KEEPING.contains(word));
        let has = |list: &[&str]| {
            let rest = rest.join(" ");
            list.iter().any(|object| rest.contains(object))
        };
        let would = (DESTROYING.contains(verb) && !rest.is_empty())
            || (ENDING.contains(verb) && has(&GUARDS))
            || (TELLING.contains(verb) && has(&SECRETS));
        would && !is_kept && (is_step || before.iter().all(|word| AHEAD.contains(word)))
    })
}

fn by_characters(clause: &str) -> bool {
    let has = |list: &[&str]| list.iter().any(|part| clause.contains(part));
    let would = has(&DESTROYING_THERE)
        || (has(&ENDING_THERE) && has(&GUARDS_THERE))
        || (has(&TELLING_THERE) && has(&SECRETS_THERE));
    would && !has(&KEEPING_THERE)
}
