#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("file_memory"), |bytes: &[u8]| {
    retune_fuzz::hold("file_memory", bytes);
});
