#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("pages"), |bytes: &[u8]| {
    retune_fuzz::hold("pages", bytes);
});
