#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("snapshots"), |bytes: &[u8]| {
    retune_fuzz::hold("snapshots", bytes);
});
