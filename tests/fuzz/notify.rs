//! Hostile bytes for messages that wait.

use std::sync::atomic::AtomicBool;

use super::queue::{QUEUE_BYTES_MAX, QUEUE_FILE, QUEUE_MESSAGES_MAX, Queue};
use crate::fuzz::{Scratch, Target};

const CHANNELS: [&str; 3] = ["email", "bark", "webhook"];

/// The file of messages that wait.
pub(crate) const TARGETS: &[Target] = &[Target {
    name: "queue",
    run: queue,
    seeds,
    words: &["\"channel\":", "\"email\"", "\"message\":", "{", "}", "[", "]", ",", "null"],
    executions: 800,
}];

fn seeds() -> Vec<Vec<u8>> {
    let message =
        r#"{"channel":"email","message":{"subject":"a","text":"b","html":"c","json":"d","urgent":true}}"#;
    vec![format!("[{message},{}]", message.replace("email", "bark")).into_bytes()]
}

/// What waits is bounded and waits still after it was looked at; what is no queue is empty.
fn queue(bytes: &[u8]) -> String {
    let folder = Scratch::with(QUEUE_FILE, bytes);
    let waiting = || {
        let mut queue = Queue::open(folder.path(), &AtomicBool::new(false));
        for channel in CHANNELS {
            let messages: Vec<_> = std::iter::from_fn(|| queue.take_first(channel)).collect();
            messages.into_iter().for_each(|message| queue.add(channel, message));
        }
        queue.save().expect("a folder that can be written");
        drop(queue);
        let mut queue = Queue::open(folder.path(), &AtomicBool::new(false));
        CHANNELS.map(|channel| std::iter::from_fn(|| queue.take_first(channel)).collect::<Vec<_>>())
    };
    let first = waiting();
    let count: usize = first.iter().map(Vec::len).sum();
    assert!(first.iter().all(|own| own.len() <= QUEUE_MESSAGES_MAX), "{count} wait");
    let size = std::fs::metadata(folder.path().join(QUEUE_FILE)).map_or(0, |found| found.len());
    // What waits for channels that are not known stays as well.
    assert!(size <= 8 * QUEUE_BYTES_MAX as u64 + 16 && (size > 0 || count == 0), "{size} bytes for {count}");
    assert_eq!(waiting(), first, "the same when looked at again");
    if count > 0 { format!("ok {count}") } else { "nothing waits".to_owned() }
}
