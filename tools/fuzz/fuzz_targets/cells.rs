#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("cells"), |bytes: &[u8]| {
    retune_fuzz::hold("cells", bytes);
});
