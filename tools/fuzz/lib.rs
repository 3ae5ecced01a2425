//! What the programs of this package share.

use std::path::Path;
use std::{env, fs, io, process};

use retune::fuzz::{Target, named};

/// Names the folder that a program fills, instead of fuzzing, with what its target begins with.
const PREPARE: &str = "RETUNE_FUZZ_PREPARE";

fn target(name: &str) -> &'static Target {
    named(name).expect("every program has its target")
}

/// Tries bytes on a target; a failure is a panic, which ends the program.
pub fn hold(name: &str, bytes: &[u8]) {
    target(name).hold(bytes);
}

/// Writes the seeds of a target and the words of its format (`seeds/*`, `words.dict`) and ends the program, where that is
/// asked for.
pub fn prepare(name: &str) {
    let Some(folder) = env::var_os(PREPARE) else { return };
    let written = write(target(name), Path::new(&folder));
    if let Err(error) = &written {
        eprintln!("{}: {error}", Path::new(&folder).display());
    }
    process::exit(i32::from(written.is_err()));
}

fn write(target: &Target, folder: &Path) -> io::Result<()> {
    let seeds = folder.join("seeds");
    fs::create_dir_all(&seeds)?;
    for (number, bytes) in (target.seeds)().iter().enumerate() {
        fs::write(seeds.join(format!("seed-{number}")), bytes)?;
    }
    let escaped = |word: &&str| word.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
    let lines: Vec<String> = target.words.iter().map(|word| format!("\"{}\"\n", escaped(word))).collect();
    fs::write(folder.join("words.dict"), lines.concat())
}
