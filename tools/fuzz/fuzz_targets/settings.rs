#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("settings"), |bytes: &[u8]| {
    retune_fuzz::hold("settings", bytes);
});
