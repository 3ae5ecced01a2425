//! Listening, within what is allowed.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use super::ServeArguments;
use crate::cli::context::Context;
use crate::cli::failure::{Failure, code};
use crate::cli::metrics::asked;
use crate::cli::output::{print_note, print_result};
use crate::serve::{Listener, ServeOptions, ServeToken, ServeTokenError, serve};

impl From<ServeTokenError> for Failure {
    fn from(error: ServeTokenError) -> Self {
        let code = if matches!(error, ServeTokenError::Io { .. }) { code::IO } else { code::CONFIGURATION };
        Self::new(code, error.to_string())
    }
}

pub(crate) fn run(context: &Context, arguments: &ServeArguments) -> Result<u8, Failure> {
    let config = context.config(&[])?;
    let (asked, hosts, alarms) = (asked(context)?, config.serve_hosts()?, config.memory_alarms()?);
    context.expect_directory()?;
    let dir = context.store();
    let stop = context.listen()?;
    let (listener, shown) = listen(arguments)?;
    let token = ServeToken::find(&dir)?;
    print_result(&format!("{shown}/?token={}", token.reveal()))?;
    let options = ServeOptions {
        dir,
        asked,
        alarms,
        hosts,
        token,
        is_debug: arguments.debug_memory,
        is_behind_proxy: arguments.behind_proxy,
    };
    let socket = arguments.listen.strip_prefix("unix:");
    let served = serve(listener, options, &stop);
    if let Some(path) = socket {
        // Whoever comes next makes its own.
        let _ = std::fs::remove_file(path);
    }
    served.map_err(|error| Failure::new(code::INTERNAL, format!("cannot serve: {error}")))?;
    if !context.global.quiet {
        print_note("stopped");
    }
    Ok(0)
}

/// Listens where it is allowed, and returns the beginning of addresses there.
fn listen(arguments: &ServeArguments) -> Result<(Listener, String), Failure> {
    let failed = |error: std::io::Error| {
        let hint = "another program may have it: name another with --listen";
        Failure::new(code::IO, format!("cannot listen on {}: {error}", arguments.listen)).hint(hint)
    };
    if let Some(path) = arguments.listen.strip_prefix("unix:") {
        let listener = listen_on_socket(Path::new(path)).map_err(failed)?;
        return Ok((Listener::Unix(listener), "http://localhost".to_owned()));
    }
    let address: SocketAddr = arguments.listen.parse().map_err(|_| {
        let message = format!(
            "--listen: expected an address with a port such as 127.0.0.1:8710, or unix:PATH, found {:?}",
            arguments.listen
        );
        Failure::new(code::USAGE, message)
    })?;
    let is_allowed =
        address.ip().is_loopback() || arguments.i_know_it_is_plain_http || arguments.behind_proxy;
    if !is_allowed {
        let message =
            format!("--listen: {address} can be reached from other machines, and nothing is encrypted");
        return Err(Failure::new(code::USAGE, message).hint(
            "reach this machine's own by `ssh -L 8710:127.0.0.1:8710 HOST`, put a proxy with TLS in front (--behind-proxy), or say \
             --i-know-it-is-plain-http",
        ));
    }
    let listener = TcpListener::bind(address).map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    Ok((Listener::Tcp(listener), format!("http://{local}")))
}

/// Listens on a socket in the file system that nobody else may use. One that a killed server left is replaced.
fn listen_on_socket(path: &Path) -> std::io::Result<UnixListener> {
    let is_left = std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
        && UnixStream::connect(path).is_err();
    if is_left {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}
