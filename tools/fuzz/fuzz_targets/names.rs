#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("names"), |bytes: &[u8]| {
    retune_fuzz::hold("names", bytes);
});
