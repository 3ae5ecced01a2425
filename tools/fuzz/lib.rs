//! What the programs of this package share.

/// Tries bytes on a target; a failure is a panic, which ends the program.
pub fn hold(name: &str, bytes: &[u8]) {
    retune::fuzz::named(name).expect("every program has its target").hold(bytes);
}
