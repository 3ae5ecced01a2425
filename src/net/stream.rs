//! A connection of our own, for protocols other than HTTP: it ends by its deadline and after so many bytes, however slowly, silently
//! or endlessly the other side speaks, encrypted or not.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::deadline::{Deadline, LOOK_EVERY};
use super::fault::Fault;

/// A connection.
pub struct Stream(Inner);

enum Inner {
    Plain(Bounded),
    Tls(Box<StreamOwned<ClientConnection, Bounded>>),
    /// Only while a plain one becomes an encrypted one, and if that failed.
    Gone,
}

impl Stream {
    /// Connects to a server; all that is read from it afterwards is so many bytes at most.
    ///
    /// Finding the addresses of a name may block for longer than the deadline: see [`Deadline::call`].
    ///
    /// Errors: why no address of the name could be reached
    pub fn connect(host: &str, port: u16, bytes_max: u64, deadline: &Deadline) -> Result<Self, Fault> {
        let found =
            (host.trim_matches(['[', ']']), port).to_socket_addrs().map_err(|_| Fault::UnknownHost)?;
        let addresses: Vec<SocketAddr> = found.collect();
        let mut fault = Fault::UnknownHost;
        for (tried, address) in addresses.iter().enumerate() {
            // An address that does not answer leaves the others their share.
            let share = deadline.left()? / u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
            match TcpStream::connect_timeout(address, share.max(LOOK_EVERY)) {
                Ok(tcp) => {
                    let deadline = deadline.clone();
                    return Ok(Self(Inner::Plain(Bounded { tcp, deadline, bytes_left: bytes_max })));
                }
                Err(error) => fault = Fault::of_io(&error),
            }
        }
        Err(fault)
    }

    /// Encrypts what follows; the certificate has to be of the name and vouched for by a public authority.
    ///
    /// Errors: a handshake that fails, or does not end in time
    pub fn encrypt(&mut self, host: &str) -> Result<(), Fault> {
        self.encrypt_by(host, RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    }

    fn encrypt_by(&mut self, host: &str, roots: RootCertStore) -> Result<(), Fault> {
        let Inner::Plain(mut bounded) = std::mem::replace(&mut self.0, Inner::Gone) else {
            return Err(Fault::OtherProtocol);
        };
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned());
        let name =
            name.map_err(|_| Fault::Tls("the name of the server is none that a certificate can have"))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| Fault::of_io(&io::Error::other(error)))?;
        let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
        let connection = ClientConnection::new(config, name);
        let mut connection = connection.map_err(|error| Fault::of_io(&io::Error::other(error)))?;
        while connection.is_handshaking() {
            connection.complete_io(&mut bounded).map_err(|error| Fault::of_io(&error))?;
        }
        self.0 = Inner::Tls(Box::new(StreamOwned::new(connection, bounded)));
        Ok(())
    }
}

impl Read for Stream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Inner::Plain(stream) => stream.read(bytes),
            Inner::Tls(stream) => stream.read(bytes),
            Inner::Gone => Err(ErrorKind::NotConnected.into()),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Inner::Plain(stream) => stream.write(bytes),
            Inner::Tls(stream) => stream.write(bytes),
            Inner::Gone => Err(ErrorKind::NotConnected.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Inner::Plain(stream) => stream.flush(),
            Inner::Tls(stream) => stream.flush(),
            Inner::Gone => Err(ErrorKind::NotConnected.into()),
        }
    }
}

/// A socket that no call stays in beyond the deadline, and that gives so many bytes at most.
struct Bounded {
    tcp: TcpStream,
    deadline: Deadline,
    bytes_left: u64,
}

impl Bounded {
    /// Repeats a call that waits for a moment at most until it is done.
    fn patiently<T>(&self, mut call: impl FnMut(&TcpStream) -> io::Result<T>) -> io::Result<T> {
        loop {
            let moment = self.deadline.left().map_err(Fault::into_io)?.min(LOOK_EVERY);
            self.tcp.set_read_timeout(Some(moment))?;
            self.tcp.set_write_timeout(Some(moment))?;
            match call(&self.tcp) {
                Err(error) if is_of_a_moment(&error) => {}
                done => return done,
            }
        }
    }
}

fn is_of_a_moment(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

impl Read for Bounded {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.bytes_left == 0 && !bytes.is_empty() {
            return Err(Fault::TooLarge.into_io());
        }
        let room = bytes.len().min(usize::try_from(self.bytes_left).unwrap_or(usize::MAX));
        let read = self.patiently(|mut tcp| tcp.read(&mut bytes[..room]))?;
        self.bytes_left -= read as u64;
        Ok(read)
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.patiently(|mut tcp| tcp.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::atomic::AtomicBool;
    use std::time::{Duration, Instant};

    use rustls::pki_types::PrivateKeyDer;
    use rustls::{ServerConfig, ServerConnection};

    use super::*;

    /// Serves one visitor.
    fn serve(visit: impl FnOnce(TcpStream) + Send + 'static) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || visit(listener.accept().expect("a visitor").0));
        port
    }

    fn connect(port: u16, bytes_max: u64, time: Duration) -> Stream {
        let deadline = Deadline::after(time, Arc::new(AtomicBool::new(false)));
        Stream::connect("127.0.0.1", port, bytes_max, &deadline).expect("connected")
    }

    /// Serves one visitor over TLS, as `mail.test`.
    fn serve_encrypted() -> u16 {
        let certificate = include_bytes!("../../tests/fixtures/tls/certificate.der");
        let key = include_bytes!("../../tests/fixtures/tls/key.der");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.expect("versions").with_no_client_auth();
        let key = PrivateKeyDer::try_from(&key[..]).expect("a key").clone_key();
        let config = config.with_single_cert(vec![certificate.to_vec().into()], key).expect("sound");
        serve(move |tcp| {
            let connection = ServerConnection::new(Arc::new(config)).expect("a connection");
            let mut stream = StreamOwned::new(connection, tcp);
            let mut word = [0; 4];
            // Who does not trust the certificate leaves here.
            if stream.read_exact(&mut word).is_ok() {
                stream.write_all(&[b"you said ", &word[..]].concat()).expect("answered");
            }
        })
    }

    fn authority() -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(include_bytes!("../../tests/fixtures/tls/authority.der")[..].into()).expect("sound");
        roots
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn an_encrypted_connection_is_with_whom_the_certificate_names() {
        let mut stream = connect(serve_encrypted(), 1 << 16, LONG);
        stream.encrypt_by("mail.test", authority()).expect("trusted");
        stream.write_all(b"ping").expect("said");
        let mut heard = [0; 13];
        stream.read_exact(&mut heard).expect("heard");
        assert_eq!(&heard, b"you said ping");
        let mut other = connect(serve_encrypted(), 1 << 16, LONG);
        let name = Fault::Tls("the server's certificate is of another name");
        assert_eq!(other.encrypt_by("other.test", authority()), Err(name));
        let mut unknown = connect(serve_encrypted(), 1 << 16, LONG);
        let issuer = Fault::Tls("nobody known vouches for the server's certificate");
        assert_eq!(unknown.encrypt("mail.test"), Err(issuer));
        assert!(unknown.write(b"a").is_err(), "nothing is said to it afterwards");
        let mut much = connect(serve_encrypted(), 300, LONG);
        assert_eq!(much.encrypt_by("mail.test", authority()), Err(Fault::TooLarge));
    }

    #[test]
    fn reading_and_writing_end_in_time_and_bytes() {
        let port = serve(|mut tcp| while tcp.write_all(&[b'x'; 1 << 10]).is_ok() {});
        let mut read = Vec::new();
        let error = connect(port, 10_000, LONG).read_to_end(&mut read).expect_err("no end");
        assert_eq!((Fault::of_io(&error), read.len()), (Fault::TooLarge, 10_000));
        let began = Instant::now();
        let hang = |tcp: TcpStream| {
            std::thread::sleep(2 * LONG);
            drop(tcp);
        };
        let mut silent = connect(serve(hang), 10_000, Duration::from_millis(200));
        let error = silent.read(&mut [0; 9]).expect_err("nothing came");
        assert_eq!(Fault::of_io(&error), Fault::OutOfTime);
        let mut deaf = connect(serve(hang), 10_000, Duration::from_millis(200));
        let error = deaf.write_all(&vec![0; 64 << 20]).expect_err("nobody reads");
        assert_eq!(Fault::of_io(&error), Fault::OutOfTime);
        assert!(began.elapsed() < LONG / 2, "{:?}", began.elapsed());
    }

    #[test]
    fn who_cannot_be_reached_is_told_by_its_kind() {
        let deadline = Deadline::after(LONG, Arc::new(AtomicBool::new(false)));
        let of = |host: &str, port| Stream::connect(host, port, 9, &deadline).err();
        let free =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        assert_eq!(of("127.0.0.1", free), Some(Fault::ConnectionRefused));
        assert_eq!(of("no such host", 25), Some(Fault::UnknownHost));
        assert_eq!(of("[127.0.0.1", free), Some(Fault::ConnectionRefused), "brackets are no part of a name");
    }
}
