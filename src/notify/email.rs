//! E-mail over SMTP, as text and HTML.

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;

use super::channel::{Channel, ChannelSettings, Until, Unusable};
use super::secret::Secret;
use super::smtp::{OutgoingMail, SmtpError};
use super::{Message, NotifyError};
use crate::config::network::{EmailConfig, Security};
use crate::model::is_loopback;
use crate::net::printable;

const PASSWORD: &str = "OPTIMIZER_SMTP_PASSWORD";

impl ChannelSettings for EmailConfig {
    /// A plain connection is for this machine; to another one only where it is asked for, and never with a password.
    fn channel(&self, _: Option<&str>) -> Result<Box<dyn Channel>, Unusable> {
        let unusable = |key, expected, found| Err(Unusable { key, expected, found });
        let plain_host = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':');
        if self.host.is_empty() || !self.host.bytes().all(plain_host) {
            return unusable("email.host", "a name such as smtp.example.com", length_of(&self.host));
        }
        let may_be_plain = is_loopback(&self.host) || (self.insecure && self.username.is_none());
        let usual_port = match self.security {
            Security::Starttls => 587,
            Security::Tls => 465,
            Security::None if may_be_plain => 25,
            Security::None => {
                let expected = "\"starttls\" or \"tls\" (\"none\" for this machine, or with insecure = true and no username)";
                return unusable("email.security", expected, "\"none\"".to_owned());
            }
        };
        if self.to.is_empty() {
            return unusable("email.to", "at least one address", "none".to_owned());
        }
        let to: Result<Vec<_>, _> = self.to.iter().map(|to| mailbox("email.to", to)).collect();
        Ok(Box::new(Email {
            host: self.host.clone(),
            port: self.port.unwrap_or(usual_port),
            security: self.security,
            from: mailbox("email.from", &self.from)?,
            to: to?,
            username: self.username.clone(),
        }))
    }
}

fn mailbox(key: &'static str, text: &str) -> Result<Mailbox, Unusable> {
    let expected = "an address such as me@example.com";
    text.parse().map_err(|_| Unusable { key, expected, found: length_of(text) })
}

/// Says what was found where a password may have been put by mistake: `smtp://me:password@example.com`.
fn length_of(text: &str) -> String {
    format!("{} other characters", text.chars().count())
}

/// A mail server and who writes to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Email {
    /// Name of the server; its certificate has to be of this name.
    host: String,
    /// Its port.
    port: u16,
    /// How the connection is protected.
    security: Security,
    /// Who writes.
    from: Mailbox,
    /// To whom.
    to: Vec<Mailbox>,
    /// Who logs in; the password comes from `OPTIMIZER_SMTP_PASSWORD` or `OPTIMIZER_SMTP_PASSWORD_FILE`.
    username: Option<String>,
}

impl Channel for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    fn send(&self, message: &Message, until: &Until<'_>) -> Result<(), NotifyError> {
        let login = self.login()?;
        let mail = self.mail(message)?;
        let outgoing = OutgoingMail {
            host: self.host.clone(),
            port: self.port,
            security: self.security,
            login,
            envelope: mail.envelope().clone(),
            mail: mail.formatted(),
        };
        let at = format!("{}:{}", self.host, self.port);
        let sent = until.call(move |deadline| outgoing.send(deadline));
        sent.map_err(|fault| NotifyError::of_fault(&at, fault))?.map_err(|error| refusal(&at, error))
    }
}

impl Email {
    fn login(&self) -> Result<Option<Credentials>, NotifyError> {
        let Some(user) = &self.username else { return Ok(None) };
        let password = Secret::read(PASSWORD)?;
        Ok(Some(Credentials::new(user.clone(), password.reveal().to_owned())))
    }

    /// Returns what tells a mail from every other: the same for one that is sent again because nobody knows whether it was taken.
    fn message_id(&self, message: &Message) -> String {
        let hash = blake3::hash(format!("{}\n{}", message.subject, message.json).as_bytes()).to_hex();
        format!("<{}@{}>", &hash[..32], self.from.email.domain())
    }

    fn mail(&self, message: &Message) -> Result<lettre::Message, NotifyError> {
        let fail = |error: lettre::error::Error| NotifyError::Message(error.to_string());
        let builder =
            lettre::Message::builder().from(self.from.clone()).subject(printable(&message.subject, 200));
        let builder = self.to.iter().fold(builder, |builder, to| builder.to(to.clone()));
        // Machines should not answer machines.
        let builder = builder.date_now().header(Automatic).message_id(Some(self.message_id(message)));
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
