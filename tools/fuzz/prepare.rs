//! `prepare TARGET FOLDER` writes what a target begins with: `FOLDER/seeds/*` and `FOLDER/words.dict`.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [name, folder] = arguments.as_slice() else {
        return Err(io::Error::other("expected: prepare TARGET FOLDER"));
    };
    let Some(target) = retune::fuzz::named(name) else {
        let known: Vec<&str> = retune::fuzz::targets().map(|target| target.name).collect();
        let message = format!("expected a target ({}), found {name:?}", known.join(", "));
        return Err(io::Error::other(message));
    };
    let (seeds, words) = (Path::new(folder).join("seeds"), Path::new(folder).join("words.dict"));
    fs::create_dir_all(&seeds)?;
    for (number, bytes) in (target.seeds)().iter().enumerate() {
        fs::write(seeds.join(format!("seed-{number}")), bytes)?;
    }
    let escaped = |word: &&str| word.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
    let lines: Vec<String> = target.words.iter().map(|word| format!("\"{}\"\n", escaped(word))).collect();
    fs::write(words, lines.concat())
}
