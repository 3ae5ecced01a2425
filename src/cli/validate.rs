//! `optimizer validate`: a closer look at a stored run. Decides nothing and changes nothing.

use super::context::Context;
use super::failure::Failure;
use super::values;
use crate::config::Config;
use crate::documents::inspect::{RunRef, number_of, run_of};
use crate::documents::validate::ValidateDocument;
use crate::engine::plan::DayLimits;
use crate::model::Style;
use crate::run::deep_validation::{ScrutinyError, ScrutinyOptions, validate_deeply};

#[derive(Debug, clap::Args)]
pub(crate) struct ValidateArguments {
    /// Number of the run, `last` or `previous` [default: the last]
    run: Option<RunRef>,
    /// Also what takes longer: all halves of the days, what sets have in common, shuffled filters
    #[arg(long)]
    full: bool,
    /// Only this style
    #[arg(long, value_parser = values::style(), value_name = "STYLE")]
    style: Option<Style>,
}

impl From<ScrutinyError> for Failure {
    fn from(error: ScrutinyError) -> Self {
        match error {
            ScrutinyError::Store(error) => error.into(),
            ScrutinyError::Ingest(error) => error.into(),
        }
    }
}

pub(crate) fn run(context: &Context, arguments: &ValidateArguments) -> Result<u8, Failure> {
    context.print(look_closer(context, arguments)?, ValidateDocument::text)?;
    Ok(0)
}

/// Looks closer at what a run found.
pub(super) fn look_closer(
    context: &Context,
    arguments: &ValidateArguments,
) -> Result<ValidateDocument, Failure> {
    let view = context.view()?;
    let snapshot = view.read()?;
    let profile = context.global.profile.clone();
    let run = number_of(&snapshot, &profile, arguments.run)?;
    let (run, record) = run_of(&snapshot, &profile, run)?;
    let styles: Vec<Style> = Style::ALL
        .into_iter()
        .filter(|style| record.styles.iter().any(|known| known.style == style.as_str()))
        .collect();
    let config = (format!("the configuration of run {run}"), record.config_toml.clone());
    // A configuration that this version no longer reads is no error: what needs it is left out.
    let config = Config::from_texts(&[config]).ok();
    let (first, end) = record.asked_days();
    let days = DayLimits { first, end, window_days: None };
    let plan = config.as_ref().and_then(|config| config.plan(&styles, days).ok());
    let options = ScrutinyOptions {
        store: context.store(),
        profile: profile.clone(),
        run,
        style: arguments.style,
        signals: config.and_then(|config| config.signals.file),
        full: arguments.full,
        now_ms: context.now_ms,
    };
    let found = context.pool()?.install(|| validate_deeply(&snapshot, &record, plan.as_ref(), &options))?;
    Ok(ValidateDocument::new(&profile, run, arguments.full, found))
}
