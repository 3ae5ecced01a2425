//! From a request to its answer: who may ask, what is known already, which page it is. Reads the published view only.

use hyper::{Method, StatusCode};

use super::access::{COOKIE, is_known, is_own_host, objection};
use super::answer::{Answer, HTML};
use super::asked::PageRequest;
use super::open_view::Closed;
use super::state::{FRESH_MS, Holds, Refusal, ServeOptions, ServerState};
use super::{debug, pages};
use crate::render::lang::Lang;
use crate::render::page::address;

/// How long a browser keeps a cookie.
const COOKIE_SECONDS: u32 = 365 * 86_400;

/// Answers requests.
pub(super) struct Server {
    pub(super) state: ServerState,
}

impl Server {
    pub(super) fn new(options: ServeOptions, now_ms: i64) -> Self {
        Self { state: ServerState::new(options, now_ms) }
    }

    /// Answers a request and counts it.
    pub(super) fn answer(&mut self, asked: &PageRequest<'_>, now_ms: i64) -> Answer {
        let answer = self.answer_uncounted(asked, now_ms);
        self.state.count(answer.status);
        answer
    }

    fn answer_uncounted(&mut self, asked: &PageRequest<'_>, now_ms: i64) -> Answer {
        let hosts = asked.headers.get_all("host").iter().count();
        let host = asked.header("host").filter(|_| hosts == 1);
        let named = asked.uri.authority().map(|authority| authority.as_str());
        let is_own = |host: &str| is_own_host(host, &self.state.options.hosts);
        if !host.is_some_and(is_own) || !named.is_none_or(is_own) {
            let text = "this name is not one of this server's: add it to serve.hosts of the configuration, or ask by localhost";
            return Answer::said(StatusCode::MISDIRECTED_REQUEST, text);
        }
        if asked.uri.path() == "/healthz" {
            return self.only_reads(asked).unwrap_or_else(|| self.healthz(now_ms));
        }
        if let Some(shown) = asked.value("token") {
            return self.entered(asked, shown);
        }
        if !is_known(asked, &self.state.options.token) {
            let text = "expected the token: open the address that `optimizer serve` printed, or send it as `Authorization: Bearer`";
            return Answer::said(StatusCode::UNAUTHORIZED, text).with("www-authenticate", "Bearer");
        }
        self.state.view.refresh(now_ms).then(|| self.state.forget());
        if let Some(["debug", "memory", name]) = asked.path().as_deref() {
            return self.debug(asked, name, now_ms);
        }
        self.only_reads(asked).unwrap_or_else(|| self.page(asked, now_ms))
    }

    /// Refuses what is no look.
    fn only_reads(&self, asked: &PageRequest<'_>) -> Option<Answer> {
        let is_look = [Method::GET, Method::HEAD].contains(asked.method);
        let refused =
            || Answer::said(StatusCode::METHOD_NOT_ALLOWED, "expected GET: this page reads and never writes");
        (!is_look).then(|| refused().with("allow", "GET, HEAD"))
    }

    /// Returns whether the server can show what is published; says nothing that anybody may not know.
    fn healthz(&mut self, now_ms: i64) -> Answer {
        self.state.view.refresh(now_ms).then(|| self.state.forget());
        match (self.state.view.get(), self.state.view.failure()) {
            (Ok(_), None) | (Err(Closed::NoStore), _) => Answer::said(StatusCode::OK, "ok"),
            _ => Answer::said(StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read"),
        }
    }

    /// Takes the token of an address, and leads to the same address without it.
    fn entered(&self, asked: &PageRequest<'_>, shown: &str) -> Answer {
        if let Some(refused) = self.only_reads(asked) {
            return refused;
        }
        if !self.state.options.token.is(shown) {
            return Answer::said(StatusCode::UNAUTHORIZED, "this is not the token")
                .with("www-authenticate", "Bearer");
        }
        let rest = asked.query.iter().filter(|(key, _)| key != "token");
        let rest: Vec<(&str, &str)> = rest.map(|(key, value)| (key.as_str(), value.as_str())).collect();
        // Of the path only what cannot lead elsewhere: two slashes at its beginning would name a host.
        let path = format!("/{}", asked.uri.path().trim_start_matches(['/', '\\']));
        let secure = if self.state.options.is_behind_proxy { "; Secure" } else { "" };
        let cookie = format!(
            "{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={COOKIE_SECONDS}{secure}",
            self.state.options.token.cookie()
        );
        Answer::said(StatusCode::SEE_OTHER, "go on without the token")
            .with("location", address(&path, &rest))
            .with("set-cookie", cookie)
    }

    fn debug(&mut self, asked: &PageRequest<'_>, name: &str, now_ms: i64) -> Answer {
        if !self.state.options.is_debug {
            let text = "the endpoints about memory are off: start `optimizer serve --debug-memory`";
            return Answer::said(StatusCode::NOT_FOUND, text);
        }
        let does = debug::ACTIONS.contains(&name);
        match (does, asked.method == Method::POST) {
            (true, false) => {
                Answer::said(StatusCode::METHOD_NOT_ALLOWED, "expected POST").with("allow", "POST")
            }
            (true, true) => match objection(asked) {
                Some(text) => Answer::said(StatusCode::FORBIDDEN, text),
                None => debug::act(&mut self.state, name, now_ms),
            },
            (false, _) => {
                self.only_reads(asked).unwrap_or_else(|| debug::look(&mut self.state, name, now_ms))
            }
        }
    }

    /// Returns a page, drawn now or before.
    fn page(&mut self, asked: &PageRequest<'_>, now_ms: i64) -> Answer {
        if let Some(["assets", name]) = asked.path().as_deref() {
            return pages::asset(name).unwrap_or_else(|| Answer::said(StatusCode::NOT_FOUND, "no such file"));
        }
        let lang = language(asked);
        let key = format!("{} {}", lang.tag(), asked.uri);
        let drawn = match self.state.library.get(&key, now_ms) {
            Some(answer) => answer,
            None => self.drawn(asked, lang, key, now_ms),
        };
        let is_same = |tag: &String| {
            asked.header("if-none-match").is_some_and(|known| {
                known.split(',').any(|one| one.trim().trim_start_matches("W/").trim_matches('"') == tag)
            })
        };
        let answer = match &drawn.tag {
            Some(tag) if is_same(tag) => drawn.not_modified(),
            _ => drawn,
        };
        match asked.value("lang").and_then(tongue) {
            Some(lang) => answer.with(
                "set-cookie",
                format!(
                    "optimizer_lang={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={COOKIE_SECONDS}",
                    lang.tag()
                ),
            ),
            None => answer,
        }
    }

    fn drawn(&mut self, asked: &PageRequest<'_>, lang: Lang, key: String, now_ms: i64) -> Answer {
        match pages::draw(&mut self.state, asked, lang, now_ms) {
            Ok((answer, holds)) => {
                let tag = match (holds, self.state.view.get()) {
                    (Holds::WithView, Ok((_, tag))) => Some(format!("{tag}-{}", lang.tag())),
                    // Another one every time, but the same while it says the same.
                    (Holds::Shortly, _) => {
                        Some(blake3::hash(&answer.body).to_hex().chars().take(24).collect())
                    }
                    _ => None,
                };
                let answer = match tag {
                    Some(tag) => answer.tagged(tag),
                    None => answer,
                };
                match holds {
                    Holds::WithView => self.state.library.put(key, &answer, i64::MAX),
                    Holds::Shortly => self.state.library.put(key, &answer, now_ms + FRESH_MS),
                    Holds::Once => {}
                }
                answer
            }
            Err(refusal) => self.refused(refusal, asked, lang),
        }
    }

    fn refused(&self, refusal: Refusal, asked: &PageRequest<'_>, lang: Lang) -> Answer {
        let (status, text) = match refusal {
            Refusal::NotFound(text) => (StatusCode::NOT_FOUND, text),
            Refusal::Wrong(text) => (StatusCode::BAD_REQUEST, text),
            Refusal::Closed(Closed::NoStore) => {
                let text =
                    "nothing was published here yet: `optimizer incremental --data PATH` makes the first run";
                (StatusCode::SERVICE_UNAVAILABLE, text.to_owned())
            }
            Refusal::Closed(Closed::Unreadable(text)) => (StatusCode::SERVICE_UNAVAILABLE, text),
        };
        let text = crate::model::escaped(&text, &[]).into_owned();
        if asked.uri.path().starts_with("/api/") || asked.uri.path() == "/metrics" {
            return Answer::said(status, text);
        }
        Answer::new(status, HTML, pages::refusal_page(&self.state.options.asked.profile, lang, status, &text))
    }
}

/// Returns the language of a tag.
fn tongue(tag: &str) -> Option<Lang> {
    match tag {
        "en" => Some(Lang::En),
        "zh" => Some(Lang::Zh),
        _ => None,
    }
}

/// Returns the language of a request: asked for, kept, or preferred.
fn language(asked: &PageRequest<'_>) -> Lang {
    let kept = || asked.cookie("optimizer_lang").and_then(tongue);
    let preferred = || {
        let first = asked.header("accept-language")?.split(',').next()?;
        tongue(first.trim().get(..2)?)
    };
    asked.value("lang").and_then(tongue).or_else(kept).or_else(preferred).unwrap_or_default()
}
