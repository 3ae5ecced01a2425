#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("kept_rows"), |bytes: &[u8]| {
    retune_fuzz::hold("kept_rows", bytes);
});
