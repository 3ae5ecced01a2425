#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("csv"), |bytes: &[u8]| {
    retune_fuzz::hold("csv", bytes);
});
