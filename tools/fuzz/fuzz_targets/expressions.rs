#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("expressions"), |bytes: &[u8]| {
    retune_fuzz::hold("expressions", bytes);
});
