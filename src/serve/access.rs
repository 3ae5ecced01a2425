//! Who may ask: the Host rule, the token, and what a request that does something needs besides.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::asked::PageRequest;
use super::token::ServeToken;

/// The cookie of a browser that has shown the token.
pub(super) const COOKIE: &str = "optimizer_serve";

/// Returns whether a host may be asked for by its name. Nobody can point a public name at numbers, `localhost` and `*.local`; any
/// other name has to be declared, because a page elsewhere may have been told that it is this machine's.
pub(super) fn is_own_host(host: &str, declared: &[String]) -> bool {
    let Some(name) = without_port(host) else { return false };
    if let Some(six) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        return six.parse::<Ipv6Addr>().is_ok();
    }
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let is_below = |parent: &str| name.strip_suffix(parent).is_some_and(|rest| !rest.is_empty());
    name.parse::<Ipv4Addr>().is_ok()
        || name == "localhost"
        || is_below(".localhost")
        || is_below(".local")
        || declared.contains(&name)
}

/// Returns the name of a host without its port; `None` where it is neither.
fn without_port(host: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    if host.is_empty() || host.len() > 260 || !host.bytes().all(plain) {
        return None;
    }
    let end = host.rfind(']').map_or(0, |end| end + 1);
    let (name, port) = match host[end..].rfind(':') {
        Some(at) => (&host[..end + at], &host[end + at + 1..]),
        None => (host, ""),
    };
    let is_name = !name.is_empty() && (end > 0 || !name.contains(':'));
    (is_name && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

/// Returns whether a request shows the token, as bearer or by its cookie.
pub(super) fn is_known(asked: &PageRequest<'_>, token: &ServeToken) -> bool {
    let bearer = asked.header("authorization").and_then(|value| {
        let (scheme, text) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(text.trim())
    });
    bearer.is_some_and(|text| token.is(text))
        || asked.cookie(COOKIE).is_some_and(|text| token.is_cookie(text))
}

/// Returns what speaks against a request that does something: it may come from a page elsewhere.
pub(super) fn objection(asked: &PageRequest<'_>) -> Option<&'static str> {
    if asked.header("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        return Some("expected a request of this page, found one of another site");
    }
    if let Some(origin) = asked.header("origin") {
        let host = asked.header("host").unwrap_or_default();
        let own = ["http", "https"].iter().any(|scheme| origin == format!("{scheme}://{host}"));
        if !own {
            return Some("expected a request of this page, found another Origin");
        }
    }
    let kind = asked.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    (!kind.eq_ignore_ascii_case("application/json")).then_some("expected Content-Type application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_anybody_can_point_here_have_to_be_declared() {
        let declared = ["box.tail1234.ts.net".to_owned()];
        for host in [
            "127.0.0.1",
            "127.0.0.1:8710",
            "192.168.1.7:80",
            "[::1]",
            "[::1]:8710",
            "localhost",
            "LOCALHOST:8710",
            "localhost.",
            "a.localhost:1",
            "box.local",
            "box.tail1234.ts.net:8710",
            "BOX.tail1234.ts.net",
        ] {
            assert!(is_own_host(host, &declared), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:8710",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.example#localhost",
            "evil.example/.local",
            "local",
            ".local",
            "tail1234.ts.net",
            "x.box.tail1234.ts.net",
            "user@localhost",
            "127.0.0.1:80:90",
            "127.0.0.1:port",
            "[::1",
            "[evil.example]",
            "::1",
            "0x7f000001.evil.example",
            "2130706433",
            "localhost\u{0}",
            "localhost evil.example",
        ] {
            assert!(!is_own_host(host, &declared), "{host:?}");
        }
    }
}
