//! What a store holds, topic by topic, as text.

mod changes;
mod diff;
mod entries;
mod learned;
mod overview;
mod params;
mod run;
mod runs;
mod space;
mod store;
mod top;
mod trials;
mod work;

pub use work::explain_text;
