//! Mail through an SMTP server.
//!
//! One mail goes to all recipients in one transaction. Where the server refuses some of them the others get it, and the
//! refusal is told as an error that says so: a refusal that may pass is tried again for those alone who have not got it,
//! one that will not is permanent.

mod address;
mod compose;
mod problems;
mod session;
mod settings;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::Address;

use super::{Means, Message, Receipt, Reporter, ReporterSpec, Retry, SendError};
use crate::clients::net::{Network, outside_host};
use crate::clients::tls::TlsConfigs;
use crate::clock::Clock;
use crate::document::Written;
use crate::problem::{SettingsProblem, Variables};
use crate::secret::Redactor;
use session::{Place, Progress, Session};

pub use address::{Address as MailAddress, Recipients};
pub use settings::{Host, Protection, Settings};

/// How long a mail may take, from the name of the server to its confirmation: together with the farewell 30 s, so that whoever
/// gives up after as long has been told where it hangs.
const TIMEOUT: Duration = Duration::from_secs(28);

/// How long we wait for a farewell.
const FAREWELL: Duration = Duration::from_secs(2);

/// Of how many mails we know who has got them already.
const MOST_REMEMBERED: usize = 100;

/// Sends mail.
pub struct Email {
    settings: Settings,
    network: Network,
    tls: TlsConfigs,
    clock: Arc<dyn Clock>,
    /// Takes the login out of what servers say: some repeat what they were told.
    redactor: Redactor,
    /// Mails that only some have got, by name.
    partly: Mutex<VecDeque<(String, Vec<Address>)>>,
}

impl Reporter for Email {
    const KIND: ReporterSpec = ReporterSpec {
        key: "email",
        title: "E-mail",
        how: "through an SMTP server",
        sample: r#"
- kind: email
  host: "${SMTP_HOST:-smtp.example.com}"   # port 587 and STARTTLS; `tls: implicit` for port 465
  username: "${SMTP_USER:-roundsman@example.com}"
  password: "${SMTP_PASSWORD:-change-me}"
  from: Roundsman <roundsman@example.com>
  to: [ops@example.com, "On call <oncall@example.com>"]
"#,
        built: true,
        edits: false,
    };

    type Settings = Settings;

    fn complete(settings: &mut Settings, variable: Variables<'_>) {
        settings.complete(variable);
    }

    fn check(settings: &Settings, variable: Variables<'_>) -> Vec<SettingsProblem> {
        settings.check(variable)
    }

    fn endpoint(settings: &Settings) -> Option<(String, u16)> {
        let host = outside_host(&settings.host.as_ref()?.0.0)?;
        Some((host, settings.port()))
    }

    fn new(settings: Settings, means: &Means) -> Self {
        Self {
            network: means.clients.network.clone(),
            tls: means.clients.tls.clone(),
            clock: Arc::clone(&means.clock),
            redactor: redactor(&settings),
            settings,
            partly: Mutex::default(),
        }
    }

    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        self.deliver(message).await.map_err(|mut error| {
            self.redactor.redact(&mut error.message);
            if let Some(hint) = &mut error.hint {
                self.redactor.redact(hint);
            }
            error
        })
    }
}

/// The login in the forms in which it is sent.
fn redactor(settings: &Settings) -> Redactor {
    let mut redactor = Redactor::default();
    if let Some(password) = settings
        .password
        .as_ref()
        .map(crate::secret::Secret::expose)
    {
        let user = settings.username.as_deref().unwrap_or_default();
        redactor.add(&STANDARD.encode(format!("\0{user}\0{password}")));
        redactor.add(&STANDARD.encode(password));
        redactor.add(password);
    }
    redactor
}

impl Email {
    async fn deliver(&self, message: &Message) -> Result<Receipt, SendError> {
        let settings = &self.settings;
        let (Some(Written(host)), Some(Written(from))) = (&settings.host, &settings.from) else {
            let error =
                SendError::permanent("nobody has said which server takes the mail, or who writes");
            return Err(error.hint("set `host` and `from`"));
        };
        let mail = compose::mail(message, settings, self.clock.now())?;
        let user = settings.username.as_deref().filter(|name| !name.is_empty());
        let place = Place {
            host: &host.0,
            port: settings.port(),
            protection: settings.protection(),
            ca_file: settings.ca_file.as_deref(),
            login: user.zip(settings.password.as_ref()),
        };
        let had = self.those_who_have(&mail.id);
        let all = compose::recipients(settings).map(|one| one.email.clone());
        let to: Vec<Address> = all.filter(|address| !had.contains(address)).collect();
        let progress = Progress::default();
        let sending = async {
            let mut session = Session::open(&place, &self.network, &self.tls, &progress).await?;
            let outcome = session.send(&from.0.email, &to, &mail.bytes).await?;
            Ok((session, outcome))
        };
        let sent = tokio::time::timeout(TIMEOUT, sending).await;
        let sent = sent.map_err(|_| problems::timed_out(&place, progress.step(), TIMEOUT));
        let (session, outcome) = sent.flatten()?;
        // It has the mail: whether it says good-bye is no matter.
        tokio::time::timeout(FAREWELL, session.close()).await.ok();
        if let Some(error) = problems::refused(&place, &outcome, had.len()) {
            if error.retry != Retry::Never {
                self.remember(mail.id, had.into_iter().chain(outcome.taken).collect());
            }
            return Err(error);
        }
        Ok(Receipt {
            external_id: Some(mail.root),
        })
    }

    fn those_who_have(&self, id: &str) -> Vec<Address> {
        let partly = self.partly.lock().unwrap_or_else(PoisonError::into_inner);
        let found = partly.iter().find(|(known, _)| known == id);
        found.map_or_else(Vec::new, |(_, had)| had.clone())
    }

    fn remember(&self, id: String, had: Vec<Address>) {
        let mut partly = self.partly.lock().unwrap_or_else(PoisonError::into_inner);
        partly.retain(|(known, _)| *known != id);
        if partly.len() == MOST_REMEMBERED {
            partly.pop_front();
        }
        partly.push_back((id, had));
    }
}
