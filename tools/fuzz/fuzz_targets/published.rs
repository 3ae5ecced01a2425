#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("published"), |bytes: &[u8]| {
    retune_fuzz::hold("published", bytes);
});
