//! `optimizer explain`: why the units of a run were evaluated or reused.

use super::context::Context;
use super::failure::Failure;
use crate::documents::inspect::{ExplainDocument, RunRef, number_of};

#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArguments {
    /// Number of the run, `last` or `previous` [default: the last]
    run: Option<RunRef>,
    /// Only this symbol
    #[arg(long, value_name = "NAME")]
    symbol: Option<String>,
}

pub(crate) fn run(context: &Context, arguments: &ExplainArguments) -> Result<u8, Failure> {
    let view = context.view()?;
    let (profile, symbol) = (context.global.profile.as_str(), arguments.symbol.as_deref());
    let snapshot = view.read()?;
    let run = number_of(&snapshot, profile, arguments.run)?;
    let found = ExplainDocument::read(&snapshot, profile, run, symbol)?;
    context.print(found, ExplainDocument::text)?;
    Ok(0)
}
