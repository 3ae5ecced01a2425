#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("units"), |bytes: &[u8]| {
    retune_fuzz::hold("units", bytes);
});
