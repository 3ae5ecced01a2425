#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("rows"), |bytes: &[u8]| {
    retune_fuzz::hold("rows", bytes);
});
