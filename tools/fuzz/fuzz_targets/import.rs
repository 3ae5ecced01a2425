#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("import"), |bytes: &[u8]| {
    retune_fuzz::hold("import", bytes);
});
