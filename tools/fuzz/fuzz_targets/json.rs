#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("json"), |bytes: &[u8]| {
    retune_fuzz::hold("json", bytes);
});
