//! `optimizer restore`: the way back from a store that is damaged or lost.

use std::path::PathBuf;

use super::context::Context;
use super::failure::{Failure, code};
use crate::documents::restore::RestoreDocument;
use crate::store::{begin_anew, list_backups, own_store, restore_backup};

#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArguments {
    /// Number of a backup in the list, or its file; without it they are listed
    #[arg(value_name = "BACKUP")]
    backup: Option<PathBuf>,
    /// Begin anew with an empty store; the one that is there is kept under another name
    #[arg(long, conflicts_with = "backup")]
    empty: bool,
}

pub(crate) fn run(context: &Context, arguments: &RestoreArguments) -> Result<u8, Failure> {
    let directory = context.store();
    if arguments.empty {
        context.expect_directory()?;
        let kept = begin_anew(context.location()?, context.now_ms)?;
        let kept = kept.map(|kept| format!("; the store that was there is kept as {}", kept.display()));
        let text = format!("empty store made in {}{}", directory.display(), kept.unwrap_or_default());
        let document =
            RestoreDocument::new(&directory, list_backups(&directory)?, None, own_store(&directory));
        context.print(document, |_| text)?;
        return Ok(0);
    }
    let restored = match &arguments.backup {
        None => None,
        Some(named) => Some(restore_backup(context.location()?, &file(context, named)?, context.now_ms)?),
    };
    let listed = list_backups(&directory)?;
    context.print(
        RestoreDocument::new(&directory, listed, restored, own_store(&directory)),
        RestoreDocument::text,
    )?;
    Ok(0)
}

/// Returns the file of a backup that is named by its number or its path.
fn file(context: &Context, named: &std::path::Path) -> Result<PathBuf, Failure> {
    if named.is_file() {
        return Ok(named.to_owned());
    }
    let number: Option<u64> = named.to_str().and_then(|text| text.parse().ok());
    let mut listed = list_backups(&context.store())?;
    listed.retain(|backup| Some(backup.number) == number);
    // Numbers are those of a store: where others' lie beside them, the own one is meant.
    if listed.len() > 1
        && let Some(own) = own_store(&context.store())
    {
        listed.retain(|backup| backup.store == own);
    }
    match listed.as_slice() {
        [backup] => Ok(backup.path.clone()),
        found => {
            let found = match found.len() {
                0 => format!("no backup `{}`", named.display()),
                several => format!("{several} backups of number {}", named.display()),
            };
            let message = format!("expected the number of a backup, or its file, found {found}");
            Err(Failure::new(code::USAGE, message)
                .hint("`optimizer restore` lists the backups; a file can be given instead of a number"))
        }
    }
}
