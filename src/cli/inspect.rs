//! `optimizer inspect`: browse what is stored.

use super::context::Context;
use super::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(context: &Context, _arguments: &Arguments) -> Result<u8, Failure> {
    context.view()?;
    Ok(0)
}
