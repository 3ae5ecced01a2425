#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("envelopes"), |bytes: &[u8]| {
    retune_fuzz::hold("envelopes", bytes);
});
