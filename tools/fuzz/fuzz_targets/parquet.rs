#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("parquet"), |bytes: &[u8]| {
    retune_fuzz::hold("parquet", bytes);
});
