//! Why a conversation came to nothing, in our own words.
//!
//! Invariant: nothing that the other side, a proxy on the way or a library says is part of a fault, because it may repeat an address,
//! a password or a key in any form. What is told of a refusal is its number.

use std::io::{self, ErrorKind};

use rustls::CertificateError;

/// Why a conversation came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Fault {
    #[error("timeout: no whole answer in time")]
    OutOfTime,
    #[error("stopped by a signal")]
    Stopped,
    #[error("no address is known for the name of the server")]
    UnknownHost,
    #[error("the connection was refused")]
    ConnectionRefused,
    #[error("the connection was closed before the answer was whole")]
    Closed,
    #[error("the answer is larger than any that is expected")]
    TooLarge,
    #[error("the answer is not of the protocol that was spoken")]
    OtherProtocol,
    #[error("no encrypted connection: {0}")]
    Tls(&'static str),
    #[error("the proxy did not make the connection")]
    Proxy,
    #[error("it leads from one address to another for ever")]
    Redirects,
    #[error("it leads to a connection that is not encrypted")]
    PlainRedirect,
    /// What the operating system says, in the words of our own library.
    #[error("the connection failed ({0})")]
    Failed(ErrorKind),
}

impl Fault {
    /// Returns what an error of a connection comes to.
    pub fn of_io(error: &io::Error) -> Self {
        if let Some(inner) = error.get_ref() {
            if let Some(fault) = inner.downcast_ref::<Self>() {
                return *fault;
            }
            if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
                return Self::Tls(tls_trouble(tls));
            }
            if let Some(http) = inner.downcast_ref::<ureq::Error>() {
                return Self::of_http(http);
            }
        }
        match error.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Self::OutOfTime,
            ErrorKind::ConnectionRefused => Self::ConnectionRefused,
            ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe => Self::Closed,
            kind => Self::Failed(kind),
        }
    }

    /// Returns what an error of an HTTP request comes to.
    pub fn of_http(error: &ureq::Error) -> Self {
        use ureq::Error;
        match error {
            Error::Io(error) => Self::of_io(error),
            Error::Timeout(_) => Self::OutOfTime,
            Error::HostNotFound => Self::UnknownHost,
            Error::Rustls(tls) => Self::Tls(tls_trouble(tls)),
            Error::Tls(_) | Error::TlsRequired | Error::Pem(_) => Self::Tls("the handshake failed"),
            Error::LargeResponseHeader(..) | Error::BodyExceedsLimit(_) => Self::TooLarge,
            Error::Protocol(_) | Error::Http(_) | Error::BadUri(_) | Error::BodyStalled => {
                Self::OtherProtocol
            }
            Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => Self::Proxy,
            Error::TooManyRedirects | Error::RedirectFailed => Self::Redirects,
            Error::RequireHttpsOnly(_) => Self::PlainRedirect,
            _ => Self::Failed(ErrorKind::Other),
        }
    }

    /// Returns the fault as an error of a stream.
    pub(super) fn into_io(self) -> io::Error {
        io::Error::other(self)
    }
}

fn tls_trouble(error: &rustls::Error) -> &'static str {
    use CertificateError as C;
    use rustls::Error as E;
    match error {
        E::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => {
            "the server's certificate has expired"
        }
        E::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. }) => {
            "the server's certificate is of the future (is the clock right?)"
        }
        E::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => {
            "the server's certificate is of another name"
        }
        E::InvalidCertificate(C::UnknownIssuer) => "nobody known vouches for the server's certificate",
        E::InvalidCertificate(C::Revoked) => "the server's certificate was revoked",
        E::InvalidCertificate(_) | E::NoCertificatesPresented => "the server's certificate is not sound",
        E::InvalidMessage(_) | E::InappropriateMessage { .. } | E::InappropriateHandshakeMessage { .. } => {
            "what the server says is no TLS"
        }
        E::AlertReceived(_) => "the server ended the handshake",
        E::PeerIncompatible(_) => "the server knows no version or cipher that is safe",
        _ => "the handshake failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_holds_nothing_of_what_was_said() {
        const SECRET: &str = "hunter2";
        let wrapped = io::Error::other(ureq::Error::ConnectProxyFailed(SECRET.to_owned()));
        let faults = [
            Fault::of_io(&io::Error::new(ErrorKind::InvalidData, SECRET)),
            Fault::of_io(&wrapped),
            Fault::of_http(&ureq::Error::BadUri(SECRET.to_owned())),
            Fault::of_http(&ureq::Error::RequireHttpsOnly(SECRET.to_owned())),
            Fault::of_http(&ureq::Error::Other(SECRET.into())),
            Fault::of_http(&ureq::Error::Rustls(rustls::Error::General(SECRET.to_owned()))),
            Fault::of_io(&io::Error::new(ErrorKind::InvalidData, rustls::Error::General(SECRET.to_owned()))),
        ];
        for fault in faults {
            assert!(!format!("{fault} {fault:?}").contains(SECRET), "{fault}");
        }
        assert_eq!(faults[1], Fault::Proxy);
        assert_eq!(faults[6], Fault::Tls("the handshake failed"));
        assert_eq!(Fault::of_io(&Fault::TooLarge.into_io()), Fault::TooLarge);
    }
}
