//! The proxy that the environment names: used as it is written, or told to be unusable; never passed by in silence.

use ureq::http::Uri;
use ureq::{Proxy, ProxyProtocol};

use super::endpoint::Endpoint;
use crate::model::origin;

/// The variables that name a proxy, the one that counts first.
const VARIABLES: [&str; 6] =
    ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];
/// The variables with hosts that are reached without one.
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// A proxy that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: expected a proxy such as http://proxy.example:3128, found {found:?}{why}")]
pub struct ProxyError {
    /// The variable of the environment.
    pub variable: String,
    /// What stands in it, without what may be a secret.
    pub found: String,
    /// Why it cannot be used, where it is a proxy.
    pub why: &'static str,
}

/// Returns nothing if an endpoint can be reached as the environment says: without a proxy, or by one that can be used.
///
/// Errors: the variable that counts names no proxy, or one of a kind that is not built in
pub fn usable_proxy(endpoint: &Endpoint) -> Result<(), ProxyError> {
    let value = |name: &&str| std::env::var_os(name).filter(|value| !value.is_empty());
    let named = VARIABLES.iter().find_map(|name| Some((*name, value(name)?)));
    let Some((variable, found)) = named else { return Ok(()) };
    let exceptions = EXCEPTIONS.iter().find_map(value).map(|hosts| hosts.to_string_lossy().into_owned());
    if endpoint.is_loopback() || exceptions.is_some_and(|hosts| is_excepted(&hosts, endpoint.url())) {
        return Ok(());
    }
    let fail = |found: &str, why| ProxyError { variable: variable.to_owned(), found: origin(found), why };
    let found = found.into_string().map_err(|_| fail("other bytes than text", ""))?;
    match Proxy::new(&found).map(|proxy| proxy.protocol()) {
        Ok(ProxyProtocol::Http | ProxyProtocol::Https) => Ok(()),
        Ok(_) => Err(fail(&found, ": SOCKS is not built in")),
        Err(_) => Err(fail(&found, "")),
    }
}

fn is_excepted(hosts: &str, url: &str) -> bool {
    let proxy = Proxy::builder(ProxyProtocol::Http).host("proxy.invalid").no_proxy(hosts).build();
    proxy.ok().zip(url.parse::<Uri>().ok()).is_some_and(|(proxy, uri)| proxy.is_no_proxy(&uri))
}
