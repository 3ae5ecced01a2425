#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("signals"), |bytes: &[u8]| {
    retune_fuzz::hold("signals", bytes);
});
