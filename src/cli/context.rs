//! What every command shares: global options, configuration, the clock, the thread pool.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Global;
use super::failure::{Failure, code};
use super::progress::Progress;
use crate::config::{self, Config, Layer};
use crate::documents::document::{Document, Envelope};
use crate::ingest::read_whole;
use crate::model::excerpt;
use crate::store::{Location, StoreError, View};

/// What is said where readers see less than is stored.
const PENDING: &str = "shown; a later run is stored and was interrupted before it was published, which the next one does, or \
                       `optimizer doctor --repair`";

/// The surroundings of a command.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) global: Global,
    /// The instant of the command; UTC ms.
    pub(crate) now_ms: i64,
    /// Raised by a signal, once somebody listens: until then it ends the process by itself.
    stop: OnceCell<Arc<AtomicBool>>,
    /// Warnings about the configuration that were said: several parts of a command may ask for it.
    warned: RefCell<BTreeSet<String>>,
    /// Whether the environment and `--set` have no say in the configuration.
    is_apart: bool,
}

impl Context {
    /// Reads the clock once and starts the log.
    pub(crate) fn new(global: Global) -> Result<Self, Failure> {
        super::output::choose_colour(global.color);
        super::output::fit_to_terminal();
        super::log::start_log(&global)?;
        Ok(Self {
            global,
            now_ms: jiff::Timestamp::now().as_millisecond(),
            stop: OnceCell::new(),
            warned: RefCell::default(),
            is_apart: false,
        })
    }

    /// Returns the surroundings of a run that is the same for everybody: with this configuration alone, this store and this clock.
    pub(super) fn apart(&self, config: PathBuf, store: PathBuf, now_ms: i64) -> Self {
        let mut global = self.global.clone();
        global.config = vec![config];
        global.set.clear();
        (global.store, global.profile, global.max_memory) = (store, "default".to_owned(), None);
        Self { global, now_ms, stop: self.stop.clone(), warned: RefCell::default(), is_apart: true }
    }

    /// Returns how this program is typed for the same configuration, store and profile.
    pub(super) fn command(&self) -> String {
        let profile = match self.global.profile.as_str() {
            "default" => String::new(),
            name => format!(" --profile {}", quoted(name)),
        };
        format!("{}{profile}", self.command_of_store())
    }

    /// Returns how this program is typed for the same configuration and store.
    pub(super) fn command_of_store(&self) -> String {
        let mut command = program();
        for path in &self.global.config {
            command += &format!(" -c {}", shell_quoted(path));
        }
        // What may be a secret is not repeated, and of no use to who looks at what is stored.
        for setting in self.global.set.iter().filter(|setting| !may_be_secret(setting)) {
            command += &format!(" --set {}", quoted(setting));
        }
        // What the environment names it names again.
        let is_named =
            std::env::var_os(STORE_VARIABLE).is_some_and(|named| named == self.global.store.as_os_str());
        if !is_named && self.global.store != Path::new(DEFAULT_STORE) {
            command += &format!(" --store {}", shell_quoted(&self.global.store));
        }
        command
    }

    /// Prints what came of a step, and as text the command that follows it, at the end.
    pub(super) fn print_step<T: Document>(
        &self,
        data: T,
        text: impl FnOnce(&T) -> String,
        next: &str,
    ) -> Result<(), Failure> {
        self.print(data, |data| format!("{}next: {} {next}\n", text(data), self.command()))
    }

    /// Returns the surroundings of a step of which only errors are of interest.
    pub(super) fn in_the_background(&self) -> Self {
        let mut global = self.global.clone();
        (global.quiet, global.json, global.progress) = (true, false, super::progress::Mode::None);
        Self {
            global,
            now_ms: self.now_ms,
            stop: self.stop.clone(),
            warned: self.warned.clone(),
            is_apart: self.is_apart,
        }
    }

    /// Returns whether this is a step of another command, which says itself what follows.
    pub(super) fn is_apart(&self) -> bool {
        self.is_apart
    }

    /// Returns a command as it is typed, without the options of this one.
    pub(super) fn plain_command(&self, rest: &str) -> String {
        format!("{} {rest}", program())
    }

    /// Returns the same surroundings at this instant, for a command that goes on.
    pub(crate) fn renewed(&self) -> Self {
        Self {
            global: self.global.clone(),
            now_ms: jiff::Timestamp::now().as_millisecond(),
            stop: self.stop.clone(),
            is_apart: self.is_apart,
            warned: self.warned.clone(),
        }
    }

    /// Returns a flag that SIGINT and SIGTERM raise from now on; a second one ends the process at once. Every wait of the command, also
    /// that for its store, ends with it.
    pub(crate) fn listen(&self) -> Result<Arc<AtomicBool>, Failure> {
        if let Some(stop) = self.stop.get() {
            return Ok(Arc::clone(stop));
        }
        let stop = stop_on_signals()?;
        Ok(Arc::clone(self.stop.get_or_init(|| stop)))
    }

    /// Returns the effective configuration: files in order, environment, `--set` in order and flags, laid over the defaults.
    /// What is to be said of how values were named is said once.
    pub(crate) fn config(&self, flags: &[(&str, String)]) -> Result<Config, Failure> {
        let config = Config::from_layers(&self.layers(flags)?)?;
        for warning in config.warnings() {
            if self.warned.borrow_mut().insert(warning.clone()) {
                super::log::log_printed("warning", warning);
                super::output::print_note(&format!("warning: {warning}"));
            }
        }
        Ok(config)
    }

    /// Returns what is laid over the defaults.
    fn layers(&self, flags: &[(&str, String)]) -> Result<Vec<Layer>, Failure> {
        let mut layers = Vec::new();
        for path in &self.global.config {
            let text =
                read_text(path, CONFIG_BYTES_MAX, code::CONFIGURATION).map_err(|failure| {
                    match path.try_exists() {
                        Ok(false) => {
                            failure.hint("`optimizer init` writes one; without `-c` the defaults hold")
                        }
                        _ => failure,
                    }
                })?;
            layers.push(Layer::text(format!("`{}`", path.display()), text));
        }
        if !self.is_apart {
            layers.extend(configuration_in_environment(variables()?.into_iter()));
        }
        for setting in &self.global.set {
            let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
            let key = key.trim();
            // Without the value: it may be an address that is a secret, and sources are printed.
            let source = if is_plain(key) { format!("--set {key}") } else { "--set".to_owned() };
            if !setting.contains('=') {
                let found = if is_plain(key) { key } else { "other text" };
                return Err(Failure::new(
                    code::USAGE,
                    format!("--set: expected KEY=VALUE, found {found} without ="),
                ));
            }
            layers.push(Layer::setting(source, dotted_to_toml(key, value.trim())));
        }
        if let Some(size) = &self.global.max_memory {
            layers.push(Layer::setting("--max-memory", dotted_to_toml("limits.memory", size)));
        }
        for (key, value) in flags {
            layers.push(Layer::setting(format!("flag for {key}"), dotted_to_toml(key, value)));
        }
        Ok(layers)
    }

    /// Returns a thread pool of the size asked for: by `-j`, else by the environment, else a thread for each core.
    pub(crate) fn pool(&self) -> Result<rayon::ThreadPool, Failure> {
        let asked = std::env::var_os(THREADS_VARIABLE).map(|text| text.to_string_lossy().into_owned());
        let threads = threads(self.global.jobs.map(std::num::NonZero::get), asked.as_deref())?;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.map_err(|error| {
            Failure::new(code::INTERNAL, format!("cannot start worker threads: {error}")).hint(
                "`-j 1` asks for one; `ulimit -u` and the limits of the service say how many there may be",
            )
        })
    }

    /// Returns the progress display asked for.
    pub(crate) fn progress(&self) -> Progress {
        Progress::new(self.global.progress, self.global.quiet)
    }

    /// Opens the published view of the store. Where a later run is stored that was interrupted before it was published, it
    /// is said which run is shown.
    pub(crate) fn view(&self) -> Result<View, Failure> {
        let view = View::open_for_a_look(&self.global.store)?;
        if view.is_pending() {
            let profile = &self.global.profile;
            let shown = match view.read()?.run_ids(profile)?.first() {
                Some(run) => format!("run {run} of profile {profile} is"),
                None => format!("no run of profile {profile} is"),
            };
            super::output::error_line("not published yet", &format!("{shown} {PENDING}"));
        }
        Ok(view)
    }

    /// Opens the published view to hand it on as what is active.
    ///
    /// Errors: also where a later run is stored that was not published
    pub(crate) fn current_view(&self) -> Result<View, Failure> {
        let view = View::open_for_a_look(&self.global.store)?;
        match view.is_pending() {
            false => Ok(view),
            true => Err(Failure::new(code::STORE_REPAIR, "the copy for readers is not current: a later run is stored, which was interrupted before it was published")
                .hint("`optimizer doctor --repair` publishes the store, as the next run does")),
        }
    }

    /// Makes sure that there is a store, which is not made by who only wants to change something in it.
    pub(crate) fn expect_store(&self) -> Result<(), Failure> {
        match View::open_for_a_look(&self.global.store) {
            Ok(_) => Ok(()),
            // Whoever writes opens the store itself, and publishes it.
            Err(StoreError::Unpublished { .. } | StoreError::Apart { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes sure that the store's directory is there.
    pub(crate) fn expect_directory(&self) -> Result<(), Failure> {
        match self.global.store.is_dir() {
            true => Ok(()),
            false => Err(StoreError::NoStore { path: self.global.store.clone() }.into()),
        }
    }

    /// Prints a document as JSON, or its text.
    pub(crate) fn print<T: Document>(&self, data: T, text: impl FnOnce(&T) -> String) -> Result<(), Failure> {
        if self.global.json {
            super::output::print_result(&Envelope::new(data, self.now_ms).to_json())
        } else {
            super::output::print_result(&text(&data))
        }
    }

    /// Returns the store's directory.
    pub(crate) fn store(&self) -> PathBuf {
        self.global.store.clone()
    }

    /// Returns where the store lies and how it is kept, for who writes it.
    pub(crate) fn location(&self) -> Result<Location, Failure> {
        let lock_wait = self.global.lock_wait.unwrap_or_default();
        let config = self.config(&[])?;
        let (backups, full_runs) = (config.store.backups, config.full_runs()?);
        let stop = self.stop.get().cloned();
        Ok(Location { lock_wait, backups, full_runs, stop, ..Location::new(&self.global.store) })
    }
}

/// Returns this program as it was typed.
fn program() -> String {
    let typed = std::env::args_os().next().filter(|name| !name.is_empty());
    shell_quoted(Path::new(&typed.unwrap_or_else(|| "optimizer".into())))
}

/// Returns the command as it was typed, without a flag.
pub(super) fn typed_without(flag: &str) -> String {
    let typed = std::env::args_os().skip(1).filter(|argument| argument != flag);
    typed.fold(program(), |line, argument| format!("{line} {}", shown(&argument.to_string_lossy())))
}

/// Returns an argument as it may be shown: of what may be a secret the key alone.
fn shown(argument: &str) -> String {
    let setting = argument.strip_prefix("--set=").unwrap_or(argument);
    match setting.split_once('=').filter(|_| may_be_secret(setting)) {
        Some((key, _)) if is_plain(key.trim()) => {
            format!("{}{}=…", if setting == argument { "" } else { "--set=" }, key.trim())
        }
        Some(_) => "…".to_owned(),
        None => quoted(argument),
    }
}

/// Returns whether a setting may hold an address that is a secret.
fn may_be_secret(setting: &str) -> bool {
    let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
    key.trim().starts_with("notify") || value.contains("://") || value.contains('@')
}

/// Returns a path as a shell takes it.
pub(super) fn shell_quoted(path: &Path) -> String {
    quoted(&path.display().to_string())
}

/// Returns text as one word of a shell.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=,:".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn stop_on_signals() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let second =
            signal_hook::flag::register_conditional_shutdown(signal, code::STOPPED.into(), stop.clone());
        second
            .and_then(|_| signal_hook::flag::register(signal, stop.clone()))
            .map_err(|error| Failure::new(code::INTERNAL, format!("cannot listen for signals: {error}")))?;
    }
    Ok(stop)
}

/// Says how many threads a pool has where `-j` does not.
const THREADS_VARIABLE: &str = "RAYON_NUM_THREADS";
/// Most threads: far more than cores help nobody, and starting them can take for ever.
const THREADS_MAX: usize = 256;

/// Returns how many threads to start; 0 is one for each core.
///
/// Errors: more than there can be by `-j`; a variable that is no number. One that is too large is bounded: it may be meant
/// for another program.
fn threads(jobs: Option<usize>, variable: Option<&str>) -> Result<usize, Failure> {
    if let Some(jobs) = jobs {
        return match jobs <= THREADS_MAX {
            true => Ok(jobs),
            false => Err(Failure::new(
                code::USAGE,
                format!("-j: expected 1 to {THREADS_MAX} threads, found {jobs}"),
            )),
        };
    }
    let Some(text) = variable.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(0) };
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let found = excerpt(text);
        let message = format!(
            "environment {THREADS_VARIABLE}: expected a number of threads, found {:?}; unset it, or give -j",
            found
        );
        return Err(Failure::new(code::CONFIGURATION, message));
    }
    // A number with more digits than fit is larger than any bound.
    let asked = text.parse().unwrap_or(usize::MAX);
    if asked > THREADS_MAX {
        tracing::warn!("environment {THREADS_VARIABLE}: expected at most {THREADS_MAX}, which are started");
    }
    Ok(asked.min(THREADS_MAX))
}

/// The store that is used where none is named, and the variable that names one.
pub(super) const DEFAULT_STORE: &str = "optimizer-state";
pub(super) const STORE_VARIABLE: &str = "OPTIMIZER_STORE";

/// The largest configuration file.
const CONFIG_BYTES_MAX: u64 = 1 << 20;

/// Reads a file of text that is small.
///
/// Errors: with this code: the disk, other bytes than UTF-8, a file beyond so many bytes
pub(super) fn read_text(path: &Path, bytes_max: u64, code: u8) -> Result<String, Failure> {
    let fail = |what: String| Failure::new(code, format!("cannot read `{}`: {what}", path.display()));
    let bytes = read_whole(path, bytes_max).map_err(|error| fail(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| {
        fail(format!("expected UTF-8 text, found other bytes at {}", error.utf8_error().valid_up_to()))
    })
}

/// What the names of the program's variables in the environment begin with.
const PREFIX: &str = "OPTIMIZER_";

/// Returns the variables that name a key of the configuration. Others are no business of ours, whatever bytes they hold.
///
/// Errors: one with a value that is no text; one that would be read if it had both underscores after its section
fn variables() -> Result<Vec<(String, String)>, Failure> {
    let wrong =
        |name: &str, what: String| Failure::new(code::CONFIGURATION, format!("environment {name}: {what}"));
    let mut found = Vec::new();
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.into_string().ok().filter(|name| name.starts_with(PREFIX)) else { continue };
        if name.contains("__") {
            let text = value.into_string();
            let text = text.map_err(|_| wrong(&name, "expected UTF-8 text, found other bytes".to_owned()))?;
            found.push((name, text));
        } else if let Some(meant) = with_both_underscores(&name) {
            return Err(wrong(
                &name,
                format!("expected two underscores after the section: {meant}, found one"),
            ));
        }
    }
    Ok(found)
}

/// Returns what a variable is called that names a key with one underscore after its section.
fn with_both_underscores(name: &str) -> Option<String> {
    let lower = name.strip_prefix(PREFIX)?.to_ascii_lowercase();
    config::key_of_underscored(&lower)
        .map(|key| format!("{PREFIX}{}", key.replace('.', "__")).to_ascii_uppercase())
}

/// Returns the configuration in environment variables: `OPTIMIZER_SEARCH__TOP=5` is `search.top = 5`.
pub(super) fn configuration_in_environment(variables: impl Iterator<Item = (String, String)>) -> Vec<Layer> {
    let key = |name: &str| {
        let rest = name.strip_prefix(PREFIX).filter(|rest| rest.contains("__"))?;
        Some(rest.to_ascii_lowercase().replace("__", "."))
    };
    // The system has no order; keys do not overlap, but messages should not vary.
    let ordered: BTreeMap<String, String> = variables.collect();
    let layer = |(name, value): (String, String)| {
        Some(Layer::setting(format!("environment {name}"), dotted_to_toml(&key(&name)?, value.trim())))
    };
    ordered.into_iter().filter_map(layer).collect()
}

/// Returns whether text is a key without quotes: whatever else somebody wrote instead of one is not repeated.
fn is_plain(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// Returns `a.b.c = value` as TOML; text that is no TOML value is taken as a string.
pub(super) fn dotted_to_toml(key: &str, value: &str) -> String {
    let plain = format!("{key} = {value}");
    match plain.parse::<toml::Table>() {
        Ok(_) => plain,
        Err(_) => format!("{key} = {}", toml::Value::String(value.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_not_repeated() {
        assert_eq!(shown("search.top=5"), "search.top=5");
        assert_eq!(shown("a b"), "'a b'");
        assert_eq!(shown("notify.webhook.url=\"https://x/T0KEN\""), "notify.webhook.url=…");
        assert_eq!(shown("--set=notify.bark={url=\"K\"}"), "--set=notify.bark=…");
        assert_eq!(shown("daily={base_url=\"https://me:pw@x\"}"), "daily=…");
        assert_eq!(shown("\"notify\".x=https://x/T0KEN"), "…", "whatever somebody wrote instead of a key");
        assert!(may_be_secret("daily.base_url=https://x/K") && !may_be_secret("data.window=90d"));
    }

    #[test]
    fn threads_are_bounded() {
        let threads =
            |jobs, variable| threads(jobs, variable).map_err(|failure| (failure.code, failure.message));
        assert_eq!(threads(None, None), Ok(0));
        assert_eq!(threads(None, Some(" ")), Ok(0));
        assert_eq!(threads(None, Some("0")), Ok(0), "a thread for each core");
        assert_eq!(threads(None, Some("3")), Ok(3));
        assert_eq!(threads(Some(2), Some("many")), Ok(2), "what is asked for by name counts");
        for huge in ["1000000", "99999999999999999999999999"] {
            assert_eq!(threads(None, Some(huge)), Ok(THREADS_MAX));
        }
        for text in ["many", "-1", "2.5", "0x10"] {
            let (code, message) = threads(None, Some(text)).expect_err("no number");
            assert!(code == 3 && message.contains(&format!("{text:?}")), "{message}");
        }
        assert_eq!(threads(Some(257), None).expect_err("too many").0, 2);
    }
}
