//! The page for the morning and the metrics over HTTP, for readers on this machine.
//!
//! One thread, one published view, at most sixteen connections. It shows what `inspect` shows, of the same
//! documents, and writes nothing of the store: what it looks at is opened for reading, and opened again when another view was
//! published. `access` says who may ask, `server` and `pages` what is answered, `connections` for how long.

mod access;
mod answer;
mod api;
mod asked;
mod connections;
mod debug;
mod memory_log;
mod open_view;
mod pages;
mod server;
mod state;
mod token;

use std::io;
use std::sync::atomic::AtomicBool;

pub use api::API_KINDS;
pub use state::ServeOptions;
pub use token::{ServeToken, ServeTokenError, TOKEN_FILE, TOKEN_VARIABLE};

/// Most connections at a time.
const CONNECTIONS_MAX: usize = 16;

/// Where readers connect.
#[derive(Debug)]
pub enum Listener {
    /// A port.
    Tcp(std::net::TcpListener),
    /// A socket in the file system.
    Unix(std::os::unix::net::UnixListener),
}

/// Serves until the flag is raised.
///
/// Errors: the system gives no runtime or no socket
pub fn serve(listener: Listener, options: ServeOptions, stop: &AtomicBool) -> io::Result<()> {
    match &listener {
        Listener::Tcp(listener) => listener.set_nonblocking(true)?,
        Listener::Unix(listener) => listener.set_nonblocking(true)?,
    }
    connections::serve_all(listener, server::Server::new(options, now_ms()), stop)
}

/// Returns the time; UTC ms.
fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
