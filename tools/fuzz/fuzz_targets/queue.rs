#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("queue"), |bytes: &[u8]| {
    retune_fuzz::hold("queue", bytes);
});
