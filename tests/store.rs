//! The store as the program uses it: directories, processes, crashes.

use retune::store::records::RunRecord;
use retune::store::{LearningCommit, Store, View};

fn run(started_at_ms: i64) -> RunRecord {
    RunRecord { started_at_ms, ..RunRecord::default() }
}

#[test]
fn what_is_committed_and_published_is_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path().join("state");
    let mut store = Store::open(&dir, 5).expect("a new store");
    assert_eq!(store.commit(LearningCommit::new("default", run(7))).expect("committed"), 1);
    store.publish_view().expect("published");
    drop(store);
    let view = View::open(&dir).expect("a view");
    let runs = view.read().expect("read").runs("default", .., 10).expect("runs");
    assert_eq!(runs, [(1, run(7))]);
    let store = Store::open(&dir, 6).expect("the same store");
    assert_eq!(store.read().expect("read").profiles().expect("profiles"), ["default"]);
}
