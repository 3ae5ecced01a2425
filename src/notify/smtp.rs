//! One mail over SMTP (RFC 5321), over a connection that ends by a deadline.
//!
//! Commands, extensions and logging in are the mail library's; its own connection reads lines of any length and has a time limit for
//! each read only, so that a server which drips or never ends a line would hold a run for ever.

use std::io::{BufRead, BufReader, Read, Write};

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::commands::{Auth, Data, Ehlo, Mail, Quit, Rcpt, Starttls};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter, ServerInfo};
use lettre::transport::smtp::response::Response;

use crate::config::network::Security;
use crate::net::{Deadline, Fault, Stream};

/// Most bytes of all that a server says, its certificates included.
const BYTES_MAX: u64 = 256 << 10;
/// Most bytes of a line (512 by the standard) and lines of an answer.
const LINE_BYTES_MAX: u64 = 4 << 10;
const LINES_MAX: usize = 200;
/// Most questions of a server while somebody logs in.
const CHALLENGES_MAX: usize = 10;

/// Why a mail was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum SmtpError {
    /// The server refused something.
    #[error("{code} to {step}: {}", meaning(*code))]
    Code { code: u16, step: &'static str },
    /// The conversation came to nothing.
    #[error("{step}: {fault}")]
    Fault { fault: Fault, step: &'static str },
    /// The server cannot do what is needed.
    #[error("the server cannot {0}")]
    Lacks(&'static str),
}

/// Where a mail goes and how.
pub(super) struct OutgoingMail {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) login: Option<Credentials>,
    pub(super) envelope: Envelope,
    /// The mail as it is sent, but for dots at the beginning of lines.
    pub(super) mail: Vec<u8>,
}

impl OutgoingMail {
    /// Sends the mail.
    ///
    /// Errors: what was refused, or where the conversation ended
    pub(super) fn send(&self, deadline: &Deadline) -> Result<(), SmtpError> {
        let at = |step| move |fault| SmtpError::Fault { fault, step };
        let stream = Stream::connect(&self.host, self.port, BYTES_MAX, deadline);
        let mut stream = stream.map_err(at("connecting"))?;
        if self.security == Security::Tls {
            stream.encrypt(&self.host).map_err(at("connecting"))?;
        }
        let mut dialogue = Dialogue { lines: BufReader::new(stream) };
        dialogue.answer("connecting", 220)?;
        let mut server = dialogue.hello()?;
        if self.security == Security::Starttls {
            if !server.supports_feature(Extension::StartTls) {
                return Err(SmtpError::Lacks("encrypt (STARTTLS)"));
            }
            dialogue.ask("STARTTLS", Starttls, 220)?;
            dialogue.encrypt(&self.host).map_err(at("STARTTLS"))?;
            server = dialogue.hello()?;
        }
        if let Some(login) = &self.login {
            dialogue.log_in(&server, login)?;
        }
        self.hand_over(&mut dialogue, &server)
    }

    fn hand_over<S: Read + Write>(
        &self,
        dialogue: &mut Dialogue<S>,
        server: &ServerInfo,
    ) -> Result<(), SmtpError> {
        let mut parameters = Vec::new();
        let addresses = self.envelope.from().into_iter().chain(self.envelope.to());
        if addresses.into_iter().any(|address| !AsRef::<str>::as_ref(address).is_ascii()) {
            if !server.supports_feature(Extension::SmtpUtfEight) {
                return Err(SmtpError::Lacks("take addresses in other letters than ASCII (SMTPUTF8)"));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !self.mail.is_ascii() {
            if !server.supports_feature(Extension::EightBitMime) {
                return Err(SmtpError::Lacks("take text in other letters than ASCII (8BITMIME)"));
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        dialogue.ask("MAIL FROM", Mail::new(self.envelope.from().cloned(), parameters), 250)?;
        for to in self.envelope.to() {
            dialogue.ask("RCPT TO", Rcpt::new(to.clone(), Vec::new()), 250)?;
        }
        dialogue.ask("DATA", Data, 354)?;
        dialogue.say("the message", &stuffed(&self.mail))?;
        dialogue.answer("the message", 250)?;
        // It has been taken: how the server says good-bye is of no interest.
        let _ = dialogue.say("QUIT", Quit.to_string().as_bytes());
        Ok(())
    }
}

/// What is said to a server, and its answers.
struct Dialogue<S> {
    lines: BufReader<S>,
}

impl Dialogue<Stream> {
    /// Encrypts what follows. What was said in advance was said by anybody.
    fn encrypt(&mut self, host: &str) -> Result<(), Fault> {
        match self.lines.buffer().is_empty() {
            true => self.lines.get_mut().encrypt(host),
            false => Err(Fault::OtherProtocol),
        }
    }
}

impl<S: Read + Write> Dialogue<S> {
    /// Says who is there; returns what the server can do.
    fn hello(&mut self) -> Result<ServerInfo, SmtpError> {
        let answer = self.ask("EHLO", Ehlo::new(ClientId::default()), 250)?;
        let foreign = SmtpError::Fault { fault: Fault::OtherProtocol, step: "EHLO" };
        ServerInfo::from_response(&answer).map_err(|_| foreign)
    }

    fn log_in(&mut self, server: &ServerInfo, login: &Credentials) -> Result<(), SmtpError> {
        let mechanism = server.get_auth_mechanism(DEFAULT_MECHANISMS);
        let mechanism =
            mechanism.ok_or(SmtpError::Lacks("take a user name and a password (AUTH PLAIN or LOGIN)"))?;
        let foreign = SmtpError::Fault { fault: Fault::OtherProtocol, step: "AUTH" };
        let mut command = Auth::new(mechanism, login.clone(), None).map_err(|_| foreign)?;
        for _ in 0..CHALLENGES_MAX {
            self.say("AUTH", command.to_string().as_bytes())?;
            let answer = self.any_answer("AUTH")?;
            match u16::from(answer.code()) {
                235 => return Ok(()),
                334 => {
                    command =
                        Auth::new_from_response(mechanism, login.clone(), &answer).map_err(|_| foreign)?;
                }
                code => return Err(refusal(code, "AUTH")),
            }
        }
        Err(foreign)
    }

    /// Says a command; returns the answer, which has to be of the class of the one expected.
    fn ask(
        &mut self,
        step: &'static str,
        command: impl std::fmt::Display,
        expected: u16,
    ) -> Result<Response, SmtpError> {
        self.say(step, command.to_string().as_bytes())?;
        self.answer(step, expected)
    }

    fn say(&mut self, step: &'static str, bytes: &[u8]) -> Result<(), SmtpError> {
        let stream = self.lines.get_mut();
        let said = stream.write_all(bytes).and_then(|()| stream.flush());
        said.map_err(|error| SmtpError::Fault { fault: Fault::of_io(&error), step })
    }

    fn answer(&mut self, step: &'static str, expected: u16) -> Result<Response, SmtpError> {
        let answer = self.any_answer(step)?;
        let code = u16::from(answer.code());
        if code / 100 == expected / 100 { Ok(answer) } else { Err(refusal(code, step)) }
    }

    fn any_answer(&mut self, step: &'static str) -> Result<Response, SmtpError> {
        self.read_answer().map_err(|fault| SmtpError::Fault { fault, step })
    }

    fn read_answer(&mut self) -> Result<Response, Fault> {
        let mut text = String::new();
        for _ in 0..LINES_MAX {
            let line = self.line()?;
            let is_last = line.get(3..4) != Some("-");
            text.push_str(&line);
            // The parser wants a space behind the code, also where nothing follows.
            text.push_str(if line.len() == 3 { " \r\n" } else { "\r\n" });
            if is_last {
                return text.parse().map_err(|_| Fault::OtherProtocol);
            }
        }
        Err(Fault::TooLarge)
    }

    /// Returns a line without its end.
    fn line(&mut self) -> Result<String, Fault> {
        let mut line = Vec::new();
        let mut bounded = (&mut self.lines).take(LINE_BYTES_MAX);
        bounded.read_until(b'\n', &mut line).map_err(|error| Fault::of_io(&error))?;
        if line.pop_if(|last| *last == b'\n').is_none() {
            let is_cut = line.len() as u64 >= LINE_BYTES_MAX;
            return Err(if is_cut { Fault::TooLarge } else { Fault::Closed });
        }
        while line.pop_if(|last| *last == b'\r').is_some() {}
        Ok(String::from_utf8_lossy(&line).into_owned())
    }
}

fn refusal(code: u16, step: &'static str) -> SmtpError {
    match code {
        400..600 => SmtpError::Code { code, step },
        _ => SmtpError::Fault { fault: Fault::OtherProtocol, step },
    }
}

/// Returns what a code of refusal says (RFC 5321, 4954, 3207): the server's own text may repeat the password.
fn meaning(code: u16) -> &'static str {
    match code {
        421 => "the service is not available",
        450 => "the mailbox is busy",
        451 => "an error of the server",
        452 | 552 => "too much data, or no room",
        454 => "not possible at the moment",
        500..=504 => "the command is not known",
        521 | 556 => "the server takes no mail",
        530 => "a user name and a password are needed",
        534 | 538 => "this way to log in is not safe enough for it",
        535 => "the user name or the password is wrong",
        550 => "the mailbox is not there, or the mail is not wanted",
        551 => "the user is elsewhere",
        553 => "the address is not allowed",
        554 => "the mail is not taken",
        555 => "the parameters are not known",
        400..500 => "refused for now",
        _ => "refused",
    }
}

/// Returns a mail as it is sent: dots at the beginning of lines doubled, and the line that ends it.
fn stuffed(mail: &[u8]) -> Vec<u8> {
    let mut sent = Vec::with_capacity(mail.len() + 64);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            sent.push(b'.');
        }
        sent.extend_from_slice(line);
    }
    if !sent.ends_with(b"\r\n") {
        sent.extend_from_slice(b"\r\n");
    }
    sent.extend_from_slice(b".\r\n");
    sent
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that says what it is told to, whatever it hears.
    struct Script(std::io::Cursor<Vec<u8>>);

    impl Read for Script {
        fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(bytes)
        }
    }

    impl Write for Script {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn answer(text: &str) -> Result<(u16, usize), Fault> {
        let script = Script(std::io::Cursor::new(text.as_bytes().to_vec()));
        let mut dialogue = Dialogue { lines: BufReader::new(script) };
        let answer = dialogue.read_answer()?;
        Ok((u16::from(answer.code()), answer.message().count()))
    }

    #[test]
    fn answers_are_read_as_they_are_written_and_no_further() {
        assert_eq!(answer("250 fine\r\n220 more"), Ok((250, 1)));
        assert_eq!(answer("250-a\r\n250-b\r\n250 c\r\n"), Ok((250, 3)));
        assert_eq!(answer("550\r\n"), Ok((550, 1)));
        assert_eq!(answer("250 bare\n"), Ok((250, 1)));
        assert_eq!(answer("250-a\r\n550 b\r\n"), Err(Fault::OtherProtocol));
        for foreign in ["HTTP/1.1 400 X\r\n", "\r\n", "25\r\n", "999 x\r\n", "\u{fffd}\u{fffd}\r\n"] {
            assert_eq!(answer(foreign), Err(Fault::OtherProtocol), "{foreign:?}");
        }
        for cut in ["", "250", "250-a\r\n"] {
            assert_eq!(answer(cut), Err(Fault::Closed), "{cut:?}");
        }
        assert_eq!(answer(&"250-x\r\n".repeat(LINES_MAX + 1)), Err(Fault::TooLarge));
        assert_eq!(answer(&"2".repeat(LINE_BYTES_MAX as usize)), Err(Fault::TooLarge));
    }

    #[test]
    fn no_line_of_a_mail_ends_it() {
        assert_eq!(stuffed(b"a\r\n.\r\n..b\r\n"), b"a\r\n..\r\n...b\r\n.\r\n");
        assert_eq!(stuffed(b".a"), b"..a\r\n.\r\n");
        assert_eq!(stuffed(b""), b"\r\n.\r\n");
    }
}
