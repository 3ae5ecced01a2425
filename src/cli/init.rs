//! `optimizer init`: a configuration with every key explained, and what to type next.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::context::Context;
use super::failure::{Failure, code};
use crate::ingest::{IngestOptions, SymbolSources, discover};
use crate::model::{Interval, Timeframes};

/// The file as it is written, before the paths that were found are put in.
pub(crate) const TEMPLATE: &str = include_str!("optimizer.toml");
/// Where candles usually lie, seen from the working directory.
const USUAL: [&str; 6] = ["data", "candles", "user_data/data", "market_data", "tests/sample", "."];
/// Symbols named in the result.
const SYMBOLS_SHOWN: usize = 5;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// File to write
    #[arg(short, long, default_value = "optimizer.toml", value_name = "FILE")]
    output: PathBuf,
    /// Folder of candles; looked for around the working directory if not given
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    let usual = USUAL.map(PathBuf::from);
    let places = arguments.data.as_ref().map_or(&usual[..], std::slice::from_ref);
    let found = places.iter().find_map(|place| Some((place, candles(place, context.now_ms)?)));
    if let (Some(data), None) = (&arguments.data, &found) {
        let message = format!("expected candle files in `{}`, found none", data.display());
        return Err(
            Failure::new(code::DATA, message).hint("`optimizer check data PATH` says why of every file")
        );
    }
    let data = found.as_ref().map(|(place, _)| absolute(place));
    let (symbols, base) = found.map_or((None, None), |(_, candles)| (Some(candles.symbols), candles.base));
    write_new(&arguments.output, &filled(data.as_deref(), base))?;
    super::output::result(&next_steps(context, &arguments.output, data.as_deref(), symbols))?;
    Ok(0)
}

/// What lies in a place.
struct Candles {
    symbols: Vec<String>,
    /// The base interval to set, where the default one is finer than the candles.
    base: Option<Interval>,
}

/// Returns what lies in a place that has candle files.
fn candles(place: &Path, now_ms: i64) -> Option<Candles> {
    let options = IngestOptions::new(Interval::M15, now_ms);
    let catalog = place.exists().then(|| discover(&[place.to_path_buf()], &options).ok())??;
    let symbols: Vec<String> = catalog.symbols.iter().map(|sources| sources.symbol.to_string()).collect();
    (!symbols.is_empty()).then(|| Candles { symbols, base: coarser_base(&catalog.symbols) })
}

/// Returns the base interval that all symbols have candles for, where the names of their files say that it is coarser than
/// the default one.
fn coarser_base(symbols: &[SymbolSources]) -> Option<Interval> {
    let finest = |sources: &SymbolSources| {
        let claims: Option<Vec<Interval>> = sources.sources.iter().map(|source| source.interval).collect();
        claims?.into_iter().min()
    };
    let finest: Option<Vec<Interval>> = symbols.iter().map(finest).collect();
    let coarsest = finest?.into_iter().max().filter(|interval| *interval > Interval::M15)?;
    Timeframes::base_for(coarsest)
}

/// Returns where a file lies, seen from anywhere; it need not be there yet.
fn absolute(path: &Path) -> PathBuf {
    let absolute = || std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    std::fs::canonicalize(path).unwrap_or_else(|_| absolute())
}

/// Returns the template with the data's path and base interval in effect.
fn filled(data: Option<&Path>, base: Option<Interval>) -> String {
    let Some(data) = data else { return TEMPLATE.to_owned() };
    let path = toml::Value::String(data.display().to_string());
    let text = TEMPLATE.replacen("# paths = []", &format!("paths = [{path}]"), 1);
    let Some(base) = base else { return text };
    text.replacen("# base_interval = \"15m\"", &format!("base_interval = \"{base}\""), 1)
}

/// Writes a file that must not exist yet: what somebody wrote by hand is never replaced.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let made = OpenOptions::new().write(true).create_new(true).open(path);
    let written = made.and_then(|mut file| {
        // Part of a file would be in the way of the next attempt.
        file.write_all(text.as_bytes()).inspect_err(|_| drop(std::fs::remove_file(path)))
    });
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::new(code::USAGE, format!("`{}` exists and is left as it is", path.display()))
                .hint("choose another file with -o, or remove it first")
        }
        _ => Failure::new(code::IO, format!("cannot write `{}`: {error}", path.display()))
            .hint("check the folder, its permissions and the disk"),
    })
}

fn next_steps(context: &Context, config: &Path, data: Option<&Path>, symbols: Option<Vec<String>>) -> String {
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("optimizer"));
    let (program, config) = (shell(&program), shell(&absolute(config)));
    let store = shell(&absolute(&context.store()));
    let found = match (data, symbols) {
        (Some(data), Some(symbols)) => {
            let more = symbols.len().saturating_sub(SYMBOLS_SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let named: Vec<String> = symbols.into_iter().take(SYMBOLS_SHOWN).collect();
            format!("found candles of {}{more} in {}", named.join(", "), data.display())
        }
        _ => "found no candles here: set data.paths in it, or name them with --data".to_owned(),
    };
    format!(
        "wrote {config}\n{found}\n\nnext:\n  {program} -c {config} --store {store} incremental\n\n\
         every day, from cron (crontab -e):\n  5 0 * * * {program} -c {config} --store {store} incremental -q\n\n\
         or as a systemd timer: ~/.config/systemd/user/optimizer.service\n  [Service]\n  Type=oneshot\n  \
         ExecStart={program} -c {config} --store {store} incremental -q --exit-zero\n  Nice=19\n\n\
         ~/.config/systemd/user/optimizer.timer, then `systemctl --user enable --now optimizer.timer`\n  \
         [Timer]\n  OnCalendar=*-*-* 00:05:00 UTC\n  Persistent=true\n  [Install]\n  WantedBy=timers.target\n"
    )
}

/// Returns a path as a shell takes it.
pub(crate) fn shell(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::config::Config;

    #[test]
    fn the_template_says_the_defaults() {
        let key = |line: &&str| {
            line.strip_prefix("# ").is_some_and(|rest| {
                rest.split_once(" = ").is_some_and(|(key, _)| {
                    key.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit())
                })
            })
        };
        let mut text = String::new();
        for line in TEMPLATE.lines().take_while(|line| !line.starts_with("# A filter of your own")) {
            text.push_str(if key(&line) { &line[2..] } else { line });
            text.push('\n');
        }
        let uncommented = Config::from_texts(&[("template".to_owned(), text.clone())]).expect("sound");
        let mut defaults = Config::default();
        defaults.style.scalping.space.clone_from(&uncommented.style.scalping.space);
        assert_eq!(uncommented, defaults, "{text}");
        assert_eq!(uncommented.style.scalping.space.len(), 5);
        let plan = |config: &Config| {
            let days = crate::run::plan::DayLimits::default();
            config.plan(&crate::model::Style::ALL, days).expect("sound").fingerprint()
        };
        assert_eq!(plan(&uncommented), plan(&Config::default()), "the axes are the default ones");
        assert_eq!(
            Config::from_texts(&[("template".to_owned(), TEMPLATE.to_owned())]).ok(),
            Some(Config::default())
        );
        let filter =
            TEMPLATE.split("# A filter of your own, on any feature column:\n").nth(1).expect("at the end");
        let filter: String =
            filter.lines().map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
        assert!(Config::from_texts(&[("filter".to_owned(), filter)]).is_ok());
    }

    #[test]
    fn paths_survive_shell_and_toml() {
        assert_eq!(shell(Path::new("/srv/a b's")), r"'/srv/a b'\''s'");
        let config = Config::from_texts(&[(
            "x".to_owned(),
            filled(Some(Path::new("/srv/a \"b\"")), Some(Interval::from_minutes(60))),
        )])
        .expect("sound");
        assert_eq!(config.data.paths, [PathBuf::from("/srv/a \"b\"")]);
        assert_eq!(config.data.base_interval, "1h");
    }
}
