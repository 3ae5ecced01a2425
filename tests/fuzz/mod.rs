//! Hostile bytes for everything that reads bytes: files, rows of the store, answers of servers, the configuration.
//!
//! Every folder that reads bytes has a list of [`Target`]s here, mounted in it as its module `fuzz`, so that readers need
//! not be public to be tried. A target takes any bytes, says what became of them and asserts what has to hold whatever
//! they are: that what was accepted comes out the same when it is written and read again, that what was counted adds up.
//! Here it is asserted of all that nothing panics and that no text about bytes is long: none carries a payload along.
//!
//! Two ways lead to a target. `tools/fuzz` builds the library with `--cfg fuzzing` and lets libFuzzer look for new bytes,
//! guided by coverage, one program per target. Every run of the tests tries what that left behind (`corpus/TARGET`, an
//! input a file), the seeds, and a fixed number of changes to them with a fixed seed (`attack.rs`); more of those by hand:
//! `RETUNE_FUZZ_SECONDS=600 cargo test --lib fuzz -- --nocapture` gives every target so much time (`RETUNE_FUZZ_TARGET`
//! chooses those whose names hold a text, `RETUNE_FUZZ_SEED` another seed).

#[cfg(test)]
mod attack;
#[cfg(test)]
mod mutator;
mod scratch;

pub use scratch::Scratch;

/// The longest text about bytes.
pub const TEXT_BYTES_MAX: usize = 2048;

/// Something that reads bytes.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Reads bytes and says what became of them; panics where something does not hold.
    pub run: fn(&[u8]) -> String,
    /// Sound bytes to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words of the format.
    pub words: &'static [&'static str],
    /// Executions of every test run.
    pub executions: usize,
}

/// Returns every target.
pub fn targets() -> impl Iterator<Item = &'static Target> {
    let lists: &[&'static [Target]] = &[
        crate::ingest::fuzz::TARGETS,
        crate::store::fuzz::TARGETS,
        #[cfg(feature = "fetch")]
        crate::fetch::fuzz::TARGETS,
        #[cfg(feature = "notify")]
        crate::notify::fuzz::TARGETS,
        crate::config::fuzz::TARGETS,
        crate::run::fuzz::TARGETS,
        crate::bot::fuzz::TARGETS,
        #[cfg(feature = "cli")]
        crate::mcp::fuzz::TARGETS,
        #[cfg(feature = "cli")]
        crate::cli::fuzz::TARGETS,
    ];
    lists.iter().copied().flatten()
}

/// Returns the target of a name; `None` if there is none.
pub fn named(name: &str) -> Option<&'static Target> {
    targets().find(|target| target.name == name)
}

impl Target {
    /// Reads bytes, and asserts what holds for every target.
    pub fn hold(&self, bytes: &[u8]) -> String {
        let said = (self.run)(bytes);
        assert!(said.len() < TEXT_BYTES_MAX, "{}: a text of {} bytes: {:.300}", self.name, said.len(), said);
        said
    }
}
