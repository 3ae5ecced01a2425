#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("configuration"), |bytes: &[u8]| {
    retune_fuzz::hold("configuration", bytes);
});
