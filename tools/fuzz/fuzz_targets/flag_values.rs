#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("flag_values"), |bytes: &[u8]| {
    retune_fuzz::hold("flag_values", bytes);
});
