#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("checksums"), |bytes: &[u8]| {
    retune_fuzz::hold("checksums", bytes);
});
