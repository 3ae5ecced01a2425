#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("gzip"), |bytes: &[u8]| {
    retune_fuzz::hold("gzip", bytes);
});
