//! E-mail over SMTP, as text and HTML.

use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{SmtpTransport, Transport};

use super::secret::Secret;
use super::{Message, NotifyError};
use crate::net::printable;

/// Most characters of an answer that are shown.
const ANSWER_CHARS: usize = 200;
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
    pub(super) fn send(&self, message: &Message, timeout: Duration) -> Result<(), NotifyError> {
        let password = self.username.as_ref().map(|_| Secret::read(PASSWORD)).transpose()?;
        let mail = self.mail(message)?;
        let sent = self.transport(password.as_ref(), timeout)?.send(&mail);
        let blot = |text: String| password.as_ref().map_or(text.clone(), |secret| secret.blot(&text));
        sent.map(drop).map_err(|error| {
            let answer = printable(&crate::net::chain(&error), ANSWER_CHARS);
            let said = format!("{}:{}: {}", self.host, self.port, blot(answer));
            match error.status().map(u16::from) {
                // Too large, or its content is refused; whether others would be is not known of the rest.
                Some(552 | 554 | 555) => NotifyError::Rejected(said),
                Some(500..600) => NotifyError::Denied(said),
                _ => NotifyError::Refused(said),
            }
        })
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

    fn transport(&self, password: Option<&Secret>, timeout: Duration) -> Result<SmtpTransport, NotifyError> {
        let tls = || {
            TlsParameters::new(self.host.clone())
                .map_err(|error| NotifyError::Refused(crate::net::chain(&error)))
        };
        let tls = match self.security {
            Security::Starttls => Tls::Required(tls()?),
            Security::Tls => Tls::Wrapper(tls()?),
            Security::None => Tls::None,
        };
        let builder = SmtpTransport::builder_dangerous(&self.host);
        let builder = builder.port(self.port).tls(tls).timeout(Some(timeout));
        let login = self.username.clone().zip(password);
        let login = login.map(|(user, password)| Credentials::new(user, password.reveal().to_owned()));
        Ok(match login {
            Some(login) => builder.credentials(login).build(),
            None => builder.build(),
        })
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
