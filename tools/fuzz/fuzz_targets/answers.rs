#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("answers"), |bytes: &[u8]| {
    retune_fuzz::hold("answers", bytes);
});
