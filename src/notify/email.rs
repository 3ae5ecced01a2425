//! E-mail over SMTP, as text and HTML.

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;

use super::secret::Secret;
use super::smtp::{Delivery, SmtpError};
use super::{Message, NotifyError, Until};
use crate::net::printable;

const PASSWORD: &str = "OPTIMIZER_SMTP_PASSWORD";

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Plain at first, encrypted before anything is said; refused if the server cannot.
    Starttls,
    /// Encrypted from the start.
    Tls,
    /// Plain.
    None,
}

/// A mail server and who writes to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// Name of the server; its certificate has to be of this name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Who writes.
    pub from: Mailbox,
    /// To whom.
    pub to: Vec<Mailbox>,
    /// Who logs in; the password comes from `OPTIMIZER_SMTP_PASSWORD` or `OPTIMIZER_SMTP_PASSWORD_FILE`.
    pub username: Option<String>,
}

impl Email {
    pub(super) fn send(&self, message: &Message, until: &Until<'_>) -> Result<(), NotifyError> {
        let login = self.login()?;
        let mail = self.mail(message)?;
        let delivery = Delivery {
            host: self.host.clone(),
            port: self.port,
            security: self.security,
            login,
            envelope: mail.envelope().clone(),
            mail: mail.formatted(),
        };
        let at = format!("{}:{}", self.host, self.port);
        let sent = until.call(move |deadline| delivery.send(deadline));
        sent.map_err(|fault| NotifyError::of_fault(&at, fault))?.map_err(|error| refusal(&at, error))
    }

    fn login(&self) -> Result<Option<Credentials>, NotifyError> {
        let Some(user) = &self.username else { return Ok(None) };
        let password = Secret::read(PASSWORD)?;
        Ok(Some(Credentials::new(user.clone(), password.reveal().to_owned())))
    }

    fn mail(&self, message: &Message) -> Result<lettre::Message, NotifyError> {
        let fail = |error: lettre::error::Error| NotifyError::Message(error.to_string());
        let builder =
            lettre::Message::builder().from(self.from.clone()).subject(printable(&message.subject, 200));
        let builder = self.to.iter().fold(builder, |builder, to| builder.to(to.clone()));
        // Machines should not answer machines.
        let builder = builder.date_now().header(Automatic);
        let parts = MultiPart::alternative_plain_html(message.text.clone(), message.html.clone());
        builder.multipart(parts).map_err(fail)
    }
}

/// Returns what an answer of a mail server comes to.
fn refusal(at: &str, error: SmtpError) -> NotifyError {
    let said = format!("{at}: {error}");
    match error {
        // Too large, or its content is refused; whether others would be is not known of the rest.
        SmtpError::Code { code: 552 | 554 | 555, .. } => NotifyError::Rejected(said),
        SmtpError::Code { code: 500..600, .. } => NotifyError::Denied(said),
        _ => NotifyError::Refused(said),
    }
}

/// The header that says that no person wrote this (RFC 3834).
#[derive(Debug, Clone, Copy)]
struct Automatic;

impl lettre::message::header::Header for Automatic {
    fn name() -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> lettre::message::header::HeaderValue {
        lettre::message::header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
