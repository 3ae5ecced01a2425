#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("memory_snapshots"), |bytes: &[u8]| {
    retune_fuzz::hold("memory_snapshots", bytes);
});
