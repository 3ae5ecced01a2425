//! What makes room when the cache is over its budget.

use redb::{ReadableTable, WriteTransaction};

use super::{UNITS, USED};

/// When a batch takes the cache over its budget, it is emptied to this share of it.
const KEEP_PERCENT: u64 = 75;

/// Evicts symbols that were not used for longest, then the oldest days of the one just written.
pub(super) fn make_room(
    transaction: &WriteTransaction,
    current: &str,
    budget: u64,
) -> Result<u64, redb::Error> {
    let mut symbols: Vec<(i64, String, u64)> = Vec::new();
    for row in transaction.open_table(USED)?.iter()? {
        let (key, value) = row?;
        symbols.push((value.value().0, key.value().to_owned(), value.value().1));
    }
    let mut total: u64 = symbols.iter().map(|(_, _, bytes)| bytes).sum();
    if total <= budget {
        return Ok(0);
    }
    let target = budget / 100 * KEEP_PERCENT;
    symbols.sort();
    let mut evicted = 0;
    for (_, symbol, bytes) in symbols.iter().filter(|(_, symbol, _)| symbol != current) {
        if total <= target {
            return Ok(evicted);
        }
        evicted += remove_units(transaction, symbol)?;
        total -= bytes;
    }
    Ok(evicted + remove_oldest_days(transaction, current, total, target)?)
}

/// Removes a symbol's units; its own row stays, so that a later run can tell evicted from new.
pub(super) fn remove_units(transaction: &WriteTransaction, symbol: &str) -> Result<u64, redb::Error> {
    let mut units = transaction.open_table(UNITS)?;
    let mut removed = 0;
    units.retain_in((symbol, 0, i32::MIN)..=(symbol, u8::MAX, i32::MAX), |_, _| {
        removed += 1;
        false
    })?;
    transaction.open_table(USED)?.remove(symbol)?;
    Ok(removed)
}

fn remove_oldest_days(
    transaction: &WriteTransaction,
    symbol: &str,
    mut total: u64,
    target: u64,
) -> Result<u64, redb::Error> {
    let mut units = transaction.open_table(UNITS)?;
    let mut days: Vec<(i32, u8, u64)> = Vec::new();
    for row in units.range((symbol, 0, i32::MIN)..=(symbol, u8::MAX, i32::MAX))? {
        let (key, value) = row?;
        days.push((key.value().2, key.value().1, value.value().len() as u64));
    }
    days.sort();
    let mut evicted = 0;
    for (day, style, bytes) in days {
        if total <= target {
            break;
        }
        units.remove((symbol, style, day))?;
        total -= bytes;
        evicted += 1;
    }
    let mut used = transaction.open_table(USED)?;
    let last = used.get(symbol)?.map_or(0, |row| row.value().0);
    used.insert(symbol, (last, total))?;
    Ok(evicted)
}
