#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("assistant_lines"), |bytes: &[u8]| {
    retune_fuzz::hold("assistant_lines", bytes);
});
