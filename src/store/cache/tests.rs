//! What is cached, found again, evicted and refused.

use std::fs;

use super::*;

fn batch(days: std::ops::Range<i32>) -> CacheBatch {
    let unit = |day| ((0, day), vec![day as u8; 1000]);
    CacheBatch { symbol: Some(vec![7; 10]), units: days.map(unit).collect(), ..CacheBatch::default() }
}

/// The days of the first style whose rows verify.
fn days(cache: &Cache, symbol: &str) -> Vec<i32> {
    let mut days = Vec::new();
    let note = |day, row: Option<&[u8]>| days.extend(row.is_some().then_some(day));
    cache.for_each_unit(symbol, 0, note).expect("read");
    days
}

#[test]
fn what_is_put_is_found_and_survives_reopening() {
    let dir = tempfile::tempdir().expect("a folder");
    let cache = Cache::open(dir.path(), 1 << 20).expect("a cache");
    assert_eq!(cache.put("A", &batch(0..5), 1).expect("put"), 0);
    assert_eq!(cache.put("AB", &batch(3..4), 2).expect("put"), 0);
    drop(cache);
    let cache = Cache::open(dir.path(), 1 << 20).expect("a cache");
    assert_eq!(cache.symbol("A").expect("read"), Some(vec![7; 10]));
    assert_eq!(days(&cache, "A"), [0, 1, 2, 3, 4]);
    assert_eq!(cache.unit("A", (0, 4)).expect("read"), Some(vec![4; 1000]));
    assert_eq!(cache.unit("A", (1, 4)).expect("read"), None);
    let size = cache.size().expect("size");
    assert_eq!((size.symbols, size.units, size.bytes), (2, 6, 6 * 1004));
    let gone = CacheBatch { removed: vec![(0, 4)], ..CacheBatch::default() };
    cache.put("A", &gone, 3).expect("put");
    assert_eq!(cache.size().expect("size").bytes, 5 * 1004);
    cache.forget("A").expect("forget");
    assert!(days(&cache, "A").is_empty());
}

#[test]
fn the_budget_holds_and_the_longest_unused_goes_first() {
    let dir = tempfile::tempdir().expect("a folder");
    let cache = Cache::open(dir.path(), 20_000).expect("a cache");
    cache.put("OLD", &batch(0..9), 1).expect("put");
    cache.put("NEW", &batch(0..9), 2).expect("put");
    assert_eq!(cache.size().expect("size").units, 18);
    assert_eq!(cache.put("NEWEST", &batch(0..5), 3).expect("put"), 9);
    assert!(days(&cache, "OLD").is_empty());
    assert_eq!(days(&cache, "NEW").len(), 9);
    // More than the budget at once: the newest days stay.
    assert!(cache.put("HUGE", &batch(0..50), 4).expect("put") > 30);
    let left = days(&cache, "HUGE");
    assert!(left.contains(&49) && !left.contains(&0));
    assert!(cache.size().expect("size").bytes <= 20_000);
}

#[test]
fn the_last_answers_are_kept() {
    let dir = tempfile::tempdir().expect("a folder");
    let cache = Cache::open(dir.path(), 1 << 20).expect("a cache");
    for n in 0..10_u8 {
        cache.keep_answer(&[n; 32], &[n; 100], n.into()).expect("kept");
    }
    let known = |n: u8| cache.answer(&[n; 32]).expect("read");
    assert_eq!((known(1), known(2)), (None, Some(vec![2; 100])));
    cache.forget("A").expect("forget");
    assert_eq!(known(9), None);
}

#[test]
fn a_row_that_was_changed_or_moved_is_no_row() {
    let dir = tempfile::tempdir().expect("a folder");
    let cache = Cache::open(dir.path(), 1 << 20).expect("a cache");
    cache.put("A", &batch(0..3), 1).expect("put");
    cache
        .transact(|transaction| {
            let mut units = transaction.open_table(UNITS)?;
            let mut row = units.get(("A", 0, 1))?.expect("the row").value().to_vec();
            units.insert(("A", 0, 2), row.as_slice())?;
            row[500] ^= 1;
            units.insert(("A", 0, 1), row.as_slice())?;
            Ok(())
        })
        .expect("changed");
    let mut corrupt = Vec::new();
    let note = |day, row: Option<&[u8]>| corrupt.extend(row.is_none().then_some(day));
    cache.for_each_unit("A", 0, note).expect("read");
    assert_eq!(days(&cache, "A"), [0]);
    assert_eq!(corrupt, [1, 2]);
    assert_eq!(cache.unit("A", (0, 2)).expect("read"), None);
}

#[test]
fn what_a_killed_run_left_is_looked_at_as_the_next_run_finds_it() {
    let (dir, left) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let cache = Cache::open(dir.path(), 1 << 20).expect("a cache");
    cache.put("A", &batch(0..3), 1).expect("put");
    let edition = Edition { store_uuid: [7; 16], generation: 3, content: [5; 16] };
    cache.put_stamp(&edition).expect("put");
    // As it is when the process that has it open is killed.
    fs::copy(dir.path().join(FILE), left.path().join(FILE)).expect("copied");
    drop(cache);
    let before = fs::read(left.path().join(FILE)).expect("readable");
    assert!(
        matches!(Opened::look(&left.path().join(FILE)), Ok(Opened::Look(DisposableLook::Left(_), _))),
        "it was not closed"
    );
    Cache::examine(left.path()).expect("every row verified");
    assert_eq!(Cache::stamp_of(left.path()), Some(edition));
    let look = Cache::look(left.path(), 1).expect("readable").expect("there");
    assert_eq!(days(&look, "A"), [0, 1, 2]);
    assert!(matches!(look.put("A", &batch(0..3), 1), Err(StoreError::Io { .. })));
    drop(look);
    assert!(fs::read(left.path().join(FILE)).expect("readable") == before, "byte for byte as it was");
    assert_eq!(days(&Cache::open(left.path(), 1 << 20).expect("a run opens it"), "A"), [0, 1, 2]);
}

#[test]
fn a_look_finds_what_is_there_and_changes_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    assert!(Cache::look(dir.path(), 1).expect("nothing there").is_none());
    let cache = Cache::open(dir.path(), 1 << 20).expect("a cache");
    cache.put("A", &batch(0..3), 1).expect("put");
    assert!(matches!(Cache::look(dir.path(), 1), Err(StoreError::Busy { .. })));
    drop(cache);
    let before = fs::read(dir.path().join(FILE)).expect("readable");
    let look = Cache::look(dir.path(), 1).expect("readable").expect("there");
    assert_eq!(days(&look, "A"), [0, 1, 2]);
    assert!(matches!(look.put("A", &batch(0..3), 1), Err(StoreError::Io { .. })));
    drop(look);
    assert!(fs::read(dir.path().join(FILE)).expect("readable") == before, "byte for byte as it was");
    fs::write(dir.path().join(FILE), vec![1; 5000]).expect("garbage");
    assert!(Cache::look(dir.path(), 1).expect("no cache").is_none());
    assert_eq!(fs::read(dir.path().join(FILE)).expect("readable"), vec![1; 5000]);
}

#[test]
fn who_looks_for_long_keeps_nobody_out_and_is_told_that_it_changed() {
    let dir = tempfile::tempdir().expect("a folder");
    let cache = Cache::open(dir.path(), 1 << 20).expect("a cache");
    cache.put("A", &batch(0..3), 1).expect("put");
    drop(cache);
    let look = Cache::look(dir.path(), 1).expect("readable").expect("there");
    assert_eq!(days(&look, "A"), [0, 1, 2]);
    let cache = Cache::open(dir.path(), 1 << 20).expect("open at once");
    let busy = |look: &Cache| matches!(look.unit("A", (0, 1)), Err(StoreError::Busy { .. }));
    assert!(busy(&look), "somebody may write");
    cache.put("A", &batch(3..5), 1).expect("put");
    drop(cache);
    assert!(busy(&look), "somebody wrote");
    assert_eq!(days(&Cache::look(dir.path(), 1).expect("readable").expect("there"), "A").len(), 5);
    let held = fs::File::open(dir.path().join(FILE)).expect("a file");
    held.lock_shared().expect("shared");
    let watched = Cache::open(dir.path(), 1 << 20).map(drop);
    assert!(matches!(watched, Err(StoreError::Watched { .. })), "{watched:?}");
    drop(held);
    assert_eq!(Cache::open(dir.path(), 1 << 20).expect("kept").size().expect("size").units, 5);
}

#[test]
fn a_file_that_cannot_be_used_is_begun_anew() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join(FILE), vec![1; 5000]).expect("garbage");
    let cache = Cache::open(dir.path(), 1 << 20).expect("a cache");
    assert_eq!(cache.size().expect("size").units, 0);
}

#[test]
fn it_says_for_which_store_it_was_written_and_another_does_not_take_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let cache = Cache::open(dir.path(), 1 << 20).expect("a cache");
    cache.put("A", &batch(0..3), 1).expect("put");
    drop(cache);
    assert_eq!(Cache::stamp_of(dir.path()), None);
    let store = Edition { store_uuid: [7; 16], generation: 4, content: [9; 16] };
    let open = |store: &Edition| Cache::open_of(dir.path(), 1 << 20, Some(store)).expect("a cache");
    let cache = open(&store);
    assert_eq!(days(&cache, "A"), [0, 1, 2], "of no store yet");
    cache.put_stamp(&store).expect("put");
    drop(cache);
    assert_eq!(Cache::stamp_of(dir.path()), Some(store));
    let later = Edition { generation: 9, content: [1; 16], ..store };
    assert_eq!(days(&open(&later), "A"), [0, 1, 2]);
    let other = Edition { store_uuid: [8; 16], ..later };
    assert!(days(&open(&other), "A").is_empty());
}
