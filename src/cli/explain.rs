//! `optimizer explain`: why the units of a run were evaluated or reused.

use super::context::Context;
use super::failure::Failure;
use crate::present::inspect::ExplainDocument;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Number of the run [default: the last]
    #[arg(value_parser = super::values::run())]
    run: Option<u64>,
    /// Only this symbol
    #[arg(long, value_name = "NAME")]
    symbol: Option<String>,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    let view = context.view()?;
    let (profile, symbol) = (context.global.profile.as_str(), arguments.symbol.as_deref());
    let found = ExplainDocument::read(&view.read()?, profile, arguments.run, symbol)?;
    context.print(found, ExplainDocument::text)?;
    Ok(0)
}
