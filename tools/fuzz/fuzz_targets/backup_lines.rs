#![no_main]

libfuzzer_sys::fuzz_target!(init: retune_fuzz::prepare("backup_lines"), |bytes: &[u8]| {
    retune_fuzz::hold("backup_lines", bytes);
});
