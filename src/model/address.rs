//! Addresses of services, as far as they may be shown.

use std::net::IpAddr;

/// Returns whether a host is this machine: `localhost` or a loopback address.
pub fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Returns scheme, host and port of an address, whatever else it holds: users, paths and queries may be secrets. Text that
/// is no address may be one as a whole.
pub fn origin(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return if text.is_empty() { String::new() } else { "…".to_owned() };
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let more = if rest.len() > host.len() { "/…" } else { "" };
    format!("{scheme}://{host}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_host_and_port_are_shown_and_nothing_else() {
        for (text, shown) in [
            ("https://a.example:1/hook/T0KEN", "https://a.example:1/…"),
            ("https://a.example", "https://a.example"),
            ("https://me:T0KEN@a.example/x", "https://a.example/…"),
            ("https://a.example?k=T0KEN", "https://a.example/…"),
            ("https:/a.example/T0KEN", "…"),
            ("T0KEN", "…"),
            ("", ""),
        ] {
            assert_eq!(origin(text), shown);
        }
    }
}
