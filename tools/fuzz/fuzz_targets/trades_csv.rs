#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("trades_csv"), |bytes: &[u8]| {
    retune_fuzz::hold("trades_csv", bytes);
});
