#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| retune_fuzz::hold("configuration", bytes));
