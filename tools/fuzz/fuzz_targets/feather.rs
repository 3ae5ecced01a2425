#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("feather"), |bytes: &[u8]| {
    retune_fuzz::hold("feather", bytes);
});
