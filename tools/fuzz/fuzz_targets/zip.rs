#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("zip"), |bytes: &[u8]| {
    retune_fuzz::hold("zip", bytes);
});
