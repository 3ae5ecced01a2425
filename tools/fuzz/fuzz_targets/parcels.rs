#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("parcels"), |bytes: &[u8]| {
    retune_fuzz::hold("parcels", bytes);
});
