//! `optimizer import-freqtrade`: the parameters of a strategy's file become active, so that a candidate has to beat them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{file_failure, map_failure, text_of};
use crate::bot::freqtrade::{FreqtradeMap, Given, IncumbentError, ParamsFile, SearchedAxes, params_id};
use crate::bot::import::{Activated, activate};
use crate::cli::context::Context;
use crate::cli::failure::{Failure, code};
use crate::cli::{overdue, values};
use crate::config::Config;
use crate::documents::export_freqtrade::ImportFreqtradeDocument;
use crate::engine::plan::DayLimits;
use crate::ingest::{LEGACY_FILE_BYTES_MAX, read_whole};
use crate::model::Style;
use crate::store::bot_file::{self, FileOrigin, Mark};

#[derive(Debug, clap::Args)]
pub(crate) struct ImportFreqtradeArguments {
    /// Parameter file of the strategy: user_data/strategies/NAME.json
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Class of the strategy; the file must be its own
    #[arg(long, value_name = "NAME")]
    strategy: String,
    /// TOML file that says which filter goes to which parameter, the same as for `export-freqtrade`
    #[arg(long, value_name = "FILE")]
    map: PathBuf,
    /// Style whose parameters they are [default: the only one that the configuration has a table of]
    #[arg(long, value_parser = values::style(), value_name = "STYLE")]
    style: Option<Style>,
    /// Value of an axis that the file does not say, e.g. max_holding_hours=24; repeatable
    #[arg(long = "value", value_name = "KEY=VALUE", value_parser = given)]
    given: Vec<Given>,
}

/// Reads the value of an axis.
fn given(text: &str) -> Result<Given, String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE such as max_holding_hours=24")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

pub(crate) fn run(context: &Context, arguments: &ImportFreqtradeArguments) -> Result<u8, Failure> {
    let map = FreqtradeMap::parse(&text_of(&arguments.map)?)
        .map_err(|error| map_failure(&arguments.map, &error))?;
    let path = arguments.file.as_path();
    let bytes = read_whole(path, LEGACY_FILE_BYTES_MAX)
        .map_err(|error| Failure::new(code::IO, format!("cannot read `{}`: {error}", path.display())))?;
    let file = ParamsFile::parse(&bytes, &arguments.strategy).map_err(|error| file_failure(path, &error))?;
    let config = context.config(&[])?;
    let style = style_of(arguments.style, &config)?;
    let plan = config.plan(&[style], DayLimits::default())?;
    let axes = &plan.styles[0].axes;
    let rules = axes.rules().map_err(|error| Failure::new(code::CONFIGURATION, error.to_string()))?;
    let searched = SearchedAxes { rules: &rules, dimensions: axes.dimensions() };
    let found = map
        .incumbent(searched, &file, &arguments.given)
        .map_err(|error| incumbent_failure(arguments, &error))?;
    let (location, profile) = (context.location()?, context.global.profile.as_str());
    let source = path.display().to_string();
    let sets = BTreeMap::from([(style, found.set)]);
    let Activated { run, changes, overdue } =
        activate(&location, profile, &sets, &source, None, context.now_ms)?;
    // Without it the next export asks before it writes over the file, which is the safe side.
    let mark = Mark::new(FileOrigin::Import, &source, &blake3::hash(&bytes).to_hex(), context.now_ms);
    if let Err(error) = bot_file::remember(&location, profile, mark) {
        tracing::warn!(%error, "{source} could not be remembered, its export will ask for --force");
    }
    overdue::say_unreported(&overdue);
    let document = ImportFreqtradeDocument {
        profile: profile.to_owned(),
        file: source,
        strategy: arguments.strategy.clone(),
        style: style.to_string(),
        run,
        params_id: params_id(&sets[&style]),
        changes: changes.iter().map(Into::into).collect(),
        not_mapped: found.not_mapped,
    };
    let changed = !document.changes.is_empty();
    context.print(document, ImportFreqtradeDocument::text)?;
    overdue::told_by_hand(context, Some(run), &overdue);
    Ok(if changed { code::CHANGED } else { 0 })
}

/// Returns the style that is asked for, or the only one that the configuration says something of.
fn style_of(asked: Option<Style>, config: &Config) -> Result<Style, Failure> {
    let named = config.style.named();
    match (asked, &named[..]) {
        (Some(style), _) => Ok(style),
        (None, [style]) => Ok(*style),
        (None, _) => {
            let all: Vec<&str> = Style::ALL.iter().map(|style| style.as_str()).collect();
            let message = format!("--style: expected one of {}, found none", all.join(", "));
            Err(Failure::new(code::USAGE, message)
                .hint("a strategy trades one of them; `-c` with a table of one style says which"))
        }
    }
}

fn incumbent_failure(arguments: &ImportFreqtradeArguments, error: &IncumbentError) -> Failure {
    let (file, map) = (arguments.file.display(), arguments.map.display());
    match error {
        IncumbentError::Map(error) => map_failure(&arguments.map, error),
        IncumbentError::Given { .. } => Failure::new(code::USAGE, format!("--value: {error}")),
        IncumbentError::Ambiguous { .. } => Failure::new(code::DATA, format!("{file} by {map}: {error}"))
            .hint("nothing was imported; --value KEY=VALUE says the value of an axis"),
        error => Failure::new(code::DATA, format!("{file}: {error}")).hint(
            "nothing was imported; the space needs the value among its levels ([style.….space] or [[style.….filters]])",
        ),
    }
}
