//! `optimizer init`: a configuration with every key explained, and what to type next.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::context::{Context, quoted, shell_quoted};
use super::failure::{Failure, code};
use super::fetch::MarketName;
use crate::ingest::{IngestOptions, SymbolSources, survey};
use crate::model::{DAY_MS, Day, Interval, Timeframes};
use crate::store::Beside;

/// The file as it is written, before the paths that were found are put in.
pub(crate) const TEMPLATE: &str = include_str!("optimizer.toml");
/// Where candles usually lie, seen from the working directory.
const USUAL: [&str; 6] = ["data", "candles", "user_data/data", "market_data", "tests/sample", "."];
/// Symbols named in the result.
const SYMBOLS_SHOWN: usize = 5;

/// The whole day as a script, before names are put in.
const DAILY: &str = include_str!("daily.sh");
/// Days of candles that the script fetches first: the default window, its look-back and some more.
const FETCH_DAYS: i64 = 410;

#[derive(Debug, clap::Args)]
pub(crate) struct InitArguments {
    /// File to write; the script of the day goes beside it
    #[arg(short, long, default_value = "optimizer.toml", value_name = "FILE")]
    output: PathBuf,
    /// Folder of candles; looked for around the working directory if not given
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Symbols that the script fetches every day [default: those that `optimizer fetch` put into the folder]
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    symbols: Vec<String>,
    /// Where the symbols trade [default: where they were fetched from]
    #[arg(long, value_enum, requires = "symbols")]
    market: Option<MarketName>,
    /// Address to fetch from instead of the exchange's usual one
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// The bot's file, which the script writes when parameters changed
    #[arg(long, default_value = "learning_config.json", value_name = "FILE")]
    bot: PathBuf,
}

pub(crate) fn run(context: &Context, arguments: &InitArguments) -> Result<u8, Failure> {
    let usual = USUAL.map(PathBuf::from);
    let places = arguments.data.as_ref().map_or(&usual[..], std::slice::from_ref);
    let found = places.iter().find_map(|place| Some((place, find_candles(place, context.now_ms)?)));
    if let (Some(data), None, true) = (&arguments.data, &found, arguments.symbols.is_empty()) {
        let message = format!("expected candle files in `{}`, found none", data.display());
        return Err(
            Failure::new(code::DATA, message).hint("`optimizer check data PATH` says why of every file")
        );
    }
    let fetch = what_to_fetch(arguments, found.as_ref().map(|(place, candles)| (place.as_path(), candles)));
    let data = match (&found, &fetch) {
        (Some((place, _)), _) => Some(absolute(place)),
        (None, Some(fetch)) => Some(fetch.out.clone()),
        (None, None) => None,
    };
    let script = script_of(&arguments.output);
    if script.symlink_metadata().is_ok() {
        return Err(exists(&script));
    }
    let base = found.as_ref().and_then(|(_, candles)| candles.base);
    let daily = daily_values(context, arguments, fetch.as_ref());
    write_new(&arguments.output, &filled_template(data.as_deref(), base, &daily), 0o644)?;
    write_new(&script, &daily_script(context, arguments, fetch.as_ref()), 0o755).inspect_err(|_| {
        // Both or none: the configuration alone would be in the way of the next attempt.
        drop(std::fs::remove_file(&arguments.output));
    })?;
    super::output::print_result(&next_steps(
        context,
        arguments,
        &script,
        found.map(|(place, candles)| (place.clone(), candles.symbols)),
    ))?;
    Ok(0)
}

/// What the script fetches.
struct Fetching {
    symbols: Vec<String>,
    market: MarketName,
    out: PathBuf,
}

/// Returns what to fetch: what was asked for, else what lies where `optimizer fetch` puts it. Candles that came from
/// elsewhere are not mixed with those of an exchange.
fn what_to_fetch(arguments: &InitArguments, found: Option<(&Path, &Candles)>) -> Option<Fetching> {
    let folder = found.map(|(place, _)| place).or(arguments.data.as_deref()).unwrap_or(Path::new("candles"));
    if !arguments.symbols.is_empty() {
        let market = arguments.market.unwrap_or(MarketName::Spot);
        return Some(Fetching { symbols: arguments.symbols.clone(), market, out: absolute(folder) });
    }
    let (place, candles) = found?;
    let interval = candles.base.unwrap_or(Interval::M15);
    [MarketName::Spot, MarketName::UsdtM].into_iter().find_map(|market| {
        let folder = place.join(market.as_str());
        let is_fetched = |name: &&String| folder.join(format!("{name}-{interval}.csv")).is_file();
        let symbols: Vec<String> = candles.symbols.iter().filter(is_fetched).cloned().collect();
        (!symbols.is_empty()).then(|| Fetching { symbols, market, out: absolute(place) })
    })
}

/// Returns where the script of a configuration lies: beside it, `optimizer-daily.sh` for `optimizer.toml`.
fn script_of(config: &Path) -> PathBuf {
    let stem = config.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    config.with_file_name(format!("{stem}-daily.sh"))
}

/// Returns the script of the whole day.
fn daily_script(context: &Context, arguments: &InitArguments, fetch: Option<&Fetching>) -> String {
    let fetch = match fetch {
        Some(_) => "# Candles are fetched by what [daily] of the configuration says.",
        None => {
            "# Here goes what downloads your candles. `optimizer init --symbols A,B` writes a configuration that fetches them."
        }
    };
    let profile = match context.global.profile.as_str() {
        "default" => String::new(),
        name => format!(" --profile {}", quoted(name)),
    };
    let program = format!(
        "{} -c {} --store {}{profile}",
        shell_quoted(&program()),
        shell_quoted(&absolute(&arguments.output)),
        shell_quoted(&absolute(&context.store()))
    );
    [("@PROGRAM@", program.as_str()), ("@FETCH@", fetch)]
        .into_iter()
        .fold(DAILY.to_owned(), |text, (name, part)| text.replacen(name, part, 1))
}

/// Returns the values of `[daily]`, a line each.
fn daily_values(context: &Context, arguments: &InitArguments, fetch: Option<&Fetching>) -> String {
    let text = |text: &str| toml::Value::String(text.to_owned());
    let mut values = String::new();
    if let Some(Fetching { symbols, market, out }) = fetch {
        let list: Vec<String> = symbols.iter().map(|symbol| text(symbol).to_string()).collect();
        let since = Day::of(context.now_ms - FETCH_DAYS * DAY_MS);
        values += &format!("fetch = [{}]\nsince = \"{since}\"\n", list.join(", "));
        values +=
            &format!("market = \"{}\"\nfolder = {}\n", market.as_str(), text(&out.display().to_string()));
        if let Some(url) = &arguments.base_url {
            values += &format!("base_url = {}\n", text(url));
        }
    }
    values + &format!("export = {}\n", text(&absolute(&arguments.bot).display().to_string()))
}

fn program() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("optimizer"))
}

/// What lies in a place.
struct Candles {
    symbols: Vec<String>,
    /// The base interval to set, where the default one is finer than the candles.
    base: Option<Interval>,
}

/// Returns what lies in a place that has candle files.
fn find_candles(place: &Path, now_ms: i64) -> Option<Candles> {
    let options = IngestOptions::new(Interval::M15, now_ms);
    let catalog = place.exists().then(|| survey(&[place.to_path_buf()], &options).ok())??;
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

/// Returns the template with the data's path, base interval and values of the day in effect.
fn filled_template(data: Option<&Path>, base: Option<Interval>, daily: &str) -> String {
    let text = TEMPLATE.replacen("[daily]\n", &format!("[daily]\n{daily}"), 1);
    let Some(data) = data else { return text };
    let path = toml::Value::String(data.display().to_string());
    let text = text.replacen("# paths = []", &format!("paths = [{path}]"), 1);
    let Some(base) = base else { return text };
    text.replacen("# base_interval = \"15m\"", &format!("base_interval = \"{base}\""), 1)
}

/// Writes a file that must not exist yet, whole or not at all: what somebody wrote by hand is never replaced.
fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let written = Beside::create(path, mode).and_then(|mut beside| {
        beside.file().write_all(text.as_bytes())?;
        beside.file().sync_all()?;
        // A second name fails where there is a file; not every disk has second names.
        match std::fs::hard_link(beside.path(), path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists && path.symlink_metadata().is_err() => {
                beside.put(path)
            }
            linked => linked,
        }
    });
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(path),
        _ => Failure::new(code::IO, format!("cannot write `{}`: {error}", path.display()))
            .hint("check the folder, its permissions and the disk"),
    })
}

fn exists(path: &Path) -> Failure {
    Failure::new(code::USAGE, format!("`{}` exists and is left as it is", path.display()))
        .hint("choose another file with -o, or remove it first")
}

fn next_steps(
    context: &Context,
    arguments: &InitArguments,
    script: &Path,
    found: Option<(PathBuf, Vec<String>)>,
) -> String {
    let (config, script) = (absolute(&arguments.output), absolute(script));
    let store = shell_quoted(&absolute(&context.store()));
    let found = match found {
        Some((data, symbols)) => {
            let more = symbols.len().saturating_sub(SYMBOLS_SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let named: Vec<String> = symbols.into_iter().take(SYMBOLS_SHOWN).collect();
            format!("found candles of {}{more} in {}", named.join(", "), absolute(&data).display())
        }
        None if !arguments.symbols.is_empty() => "found no candles here: the script fetches them".to_owned(),
        None => "found no candles here: set data.paths in it, or name them with --data".to_owned(),
    };
    let (program, config) = (shell_quoted(&program()), shell_quoted(&config));
    format!(
        "wrote {config}\nwrote {}\n{found}\n\n\
         `optimizer daily`, which the script calls, does the whole day: it fetches, tunes, tells, and writes {} when \
         parameters changed, unless that is a file which was not imported (`import-json`)\n\n\
         every day, from cron (crontab -e):\n  5 0 * * * {}\n\n\
         or as a systemd timer: ~/.config/systemd/user/optimizer.service\n  [Service]\n  Type=oneshot\n  \
         ExecStart={}\n  SuccessExitStatus=10 11 12\n  Nice=19\n\n\
         ~/.config/systemd/user/optimizer.timer, then `systemctl --user enable --now optimizer.timer`\n  \
         [Timer]\n  OnCalendar=*-*-* 00:05:00 UTC\n  Persistent=true\n  [Install]\n  WantedBy=timers.target\n\n\
         next: {program} -c {config} --store {store} incremental\n",
        shell_quoted(&script),
        absolute(&arguments.bot).display(),
        for_cron(&script),
        for_systemd(&script),
    )
}

/// Returns a path as a line of cron takes it, for which a percent sign ends the line.
fn for_cron(path: &Path) -> String {
    shell_quoted(path).replace('%', r"\%")
}

/// Returns a path as a unit of systemd takes it.
fn for_systemd(path: &Path) -> String {
    let text = path.display().to_string().replace('%', "%%").replace('$', "$$");
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

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
            let days = crate::engine::plan::DayLimits::default();
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
        assert_eq!(shell_quoted(Path::new("/srv/a b's")), r"'/srv/a b'\''s'");
        assert_eq!(for_cron(Path::new("/srv/5%")), r"'/srv/5\%'");
        assert_eq!(for_systemd(Path::new("/srv/5% of \"$x\"")), "\"/srv/5%% of \\\"$$x\\\"\"");
        let config = Config::from_texts(&[(
            "x".to_owned(),
            filled_template(
                Some(Path::new("/srv/a \"b\"")),
                Some(Interval::from_minutes(60)),
                "fetch = [\"BTCUSDT\"]\n",
            ),
        )])
        .expect("sound");
        assert_eq!(config.data.paths, [PathBuf::from("/srv/a \"b\"")]);
        assert_eq!(config.data.base_interval, "1h");
    }
}
