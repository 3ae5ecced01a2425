//! What the server knows between two requests: the view, what was drawn of it, counts and samples.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hyper::StatusCode;

use super::memory_log::MemoryLog;
use super::open_view::{Closed, OpenView, PageLibrary};
use super::token::ServeToken;
use crate::config::MemoryAlarms;
use crate::documents::inspect::InspectError;
use crate::documents::memory::MemoryReportDocument;
use crate::documents::status::{StatusAsked, StatusDocument};
use crate::render::text::prometheus::ServerFigures;

/// How long a page is kept that says how long ago something was; ms.
pub(super) const FRESH_MS: i64 = 5_000;

/// What is served, and to whom.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The store.
    pub dir: PathBuf,
    /// What the configuration says of the status; its clock is set anew for every request.
    pub asked: StatusAsked,
    /// The alarms about memory.
    pub alarms: MemoryAlarms,
    /// Names that a browser may ask by besides.
    pub hosts: Vec<String>,
    /// What a reader has to know.
    pub token: ServeToken,
    /// Whether the endpoints about memory are there.
    pub is_debug: bool,
    /// Whether cookies go over TLS only, which a proxy in front sees to.
    pub is_behind_proxy: bool,
}

/// What the server knows between two requests.
pub(super) struct ServerState {
    pub(super) options: ServeOptions,
    pub(super) view: OpenView,
    pub(super) library: PageLibrary,
    pub(super) memory: MemoryLog,
    pub(super) started_ms: i64,
    counts: BTreeMap<u16, u64>,
    status: Option<(StatusDocument, i64)>,
}

/// Why a page cannot be drawn.
#[derive(Debug)]
pub(super) enum Refusal {
    /// There is no such page, or nothing of the name that was asked for.
    NotFound(String),
    /// What is asked for cannot be understood.
    Wrong(String),
    /// There is nothing to show, or it cannot be read.
    Closed(Closed),
}

impl From<InspectError> for Refusal {
    fn from(error: InspectError) -> Self {
        match error {
            InspectError::Store(error) => Self::Closed(Closed::Unreadable(error.to_string())),
            InspectError::Column(error) => Self::Wrong(error.to_string()),
            error => Self::NotFound(error.to_string()),
        }
    }
}

impl From<crate::store::StoreError> for Refusal {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Closed(Closed::Unreadable(error.to_string()))
    }
}

/// How long an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// While the view is the same.
    WithView,
    /// For some seconds: it tells times.
    Shortly,
    /// For this request.
    Once,
}

impl ServerState {
    pub(super) fn new(options: ServeOptions, now_ms: i64) -> Self {
        Self {
            view: OpenView::new(&options.dir),
            options,
            library: PageLibrary::new(),
            memory: MemoryLog::default(),
            started_ms: now_ms,
            counts: BTreeMap::new(),
            status: None,
        }
    }

    /// Counts an answer.
    pub(super) fn count(&mut self, status: StatusCode) {
        *self.counts.entry(status.as_u16()).or_default() += 1;
    }

    /// Returns where every profile stands; not read more often than every some seconds.
    pub(super) fn status(&mut self, now_ms: i64) -> Result<StatusDocument, Refusal> {
        if let Some((status, at_ms)) = &self.status
            && (0..FRESH_MS).contains(&(now_ms - at_ms))
        {
            return Ok(status.clone());
        }
        let asked = StatusAsked { now_ms, ..self.options.asked.clone() };
        let (view, _) = self.view.get().map_err(Refusal::Closed)?;
        let status = StatusDocument::read(&self.options.dir, view, &asked)?;
        self.status = Some((status.clone(), now_ms));
        Ok(status)
    }

    /// Returns what the server says of itself as metrics.
    pub(super) fn figures(&self, now_ms: i64) -> ServerFigures {
        let sample = crate::diagnose::process::sample(std::process::id(), now_ms);
        ServerFigures {
            resident_bytes: sample.ok().map(|sample| sample.rss_bytes),
            requests: self.counts.iter().map(|(code, count)| (*code, *count)).collect(),
            reopened: self.view.reopened,
        }
    }

    /// Forgets what was drawn of another view.
    pub(super) fn forget(&mut self) {
        self.library.clear();
        self.status = None;
    }

    /// Returns what runs and this server take.
    pub(super) fn memory_report(&self, profile: &str, now_ms: i64) -> Result<MemoryReportDocument, Refusal> {
        let (view, _) = self.view.get().map_err(Refusal::Closed)?;
        let runs = view.read()?.runs(profile, .., MemoryReportDocument::RUNS_SHOWN)?;
        let report = MemoryReportDocument::of_runs(runs, &self.options.alarms, now_ms);
        report.map_err(|error| Refusal::Closed(Closed::Unreadable(error.to_string())))
    }

    /// Does what is done once a minute.
    pub(super) fn tick(&mut self, now_ms: i64) {
        self.memory.take(now_ms);
    }
}
