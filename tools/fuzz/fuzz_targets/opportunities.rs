#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("opportunities"), |bytes: &[u8]| {
    retune_fuzz::hold("opportunities", bytes);
});
