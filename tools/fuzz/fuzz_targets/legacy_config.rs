#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("legacy_config"), |bytes: &[u8]| {
    retune_fuzz::hold("legacy_config", bytes);
});
