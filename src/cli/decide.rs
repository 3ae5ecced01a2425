//! `optimizer adopt` and `optimizer rollback`: decisions by hand.

use super::context::Context;
use super::failure::{Failure, code};
use super::values;
use crate::documents::by_hand::ByHandDocument;
use crate::model::Style;
use crate::run::adopt::{ByHandError, ManualRequest, by_hand};

#[derive(Debug, clap::Args)]
pub(crate) struct Adopt {
    /// The run whose candidate is activated
    #[arg(value_parser = values::run())]
    run: u64,
    /// Only this style
    #[arg(long, value_parser = values::style(), value_name = "STYLE")]
    style: Option<Style>,
    /// Also a candidate that was rejected; the history will say so
    #[arg(long)]
    force: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rollback {
    /// Back to what was active after this run [default: before the present parameters]
    #[arg(value_parser = values::run())]
    run: Option<u64>,
    /// Only this style
    #[arg(long, value_parser = values::style(), value_name = "STYLE")]
    style: Option<Style>,
}

pub(crate) fn run_adopt(context: &Context, arguments: &Adopt) -> Result<u8, Failure> {
    let request = ManualRequest::Adopt { run: arguments.run, force: arguments.force };
    carry_out(context, request, arguments.style)
}

pub(crate) fn run_rollback(context: &Context, arguments: &Rollback) -> Result<u8, Failure> {
    carry_out(context, ManualRequest::Rollback { run: arguments.run }, arguments.style)
}

fn carry_out(context: &Context, request: ManualRequest, style: Option<Style>) -> Result<u8, Failure> {
    context.expect_store()?;
    let styles = style.map_or_else(|| Style::ALL.to_vec(), |style| vec![style]);
    let done = by_hand(context.location()?, &context.global.profile, &styles, request, context.now_ms)?;
    let (changed, run, overdue) = (!done.changes.is_empty(), done.run, done.overdue.clone());
    super::overdue::say_unreported(&overdue);
    let document = ByHandDocument::new(&context.global.profile, done);
    context.print_step(document, ByHandDocument::text, if changed { "export-json" } else { "inspect" })?;
    super::overdue::told_by_hand(context, run, &overdue);
    Ok(if changed { code::CHANGED } else { 0 })
}

impl From<ByHandError> for Failure {
    fn from(error: ByHandError) -> Self {
        let failure = |error: &ByHandError| Self::new(code::USAGE, error.to_string());
        match error {
            ByHandError::Store(error) => error.into(),
            ByHandError::Rejected { style, .. } => {
                failure(&error).hint(format!("--force adopts it all the same; --style leaves {style} out"))
            }
            error => failure(&error)
                .hint("`optimizer inspect runs` lists the runs, `inspect changes` what changed"),
        }
    }
}
