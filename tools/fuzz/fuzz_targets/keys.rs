#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("keys"), |bytes: &[u8]| {
    retune_fuzz::hold("keys", bytes);
});
