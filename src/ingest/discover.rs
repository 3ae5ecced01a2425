//! Which files there are and what their names say; nothing is decoded here but the lists of archives.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::IngestOptions;
use super::error::IngestError;
use super::name;
use super::rejection::Rejection;
use super::sniff::{self, FEATHER_ADVICE, HEAD_BYTES, JSON_ADVICE, PARQUET_ADVICE};
use super::source::{Container, Source, open, open_archive};
use crate::model::Symbol;

/// What was found under the paths given; the same whatever their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalog {
    /// The sources of each symbol, ordered by symbol.
    pub symbols: Vec<SymbolSources>,
    /// Files and members that are not read, ordered by path; hidden files are not listed.
    pub passed_over: Vec<PassedOver>,
}

/// The sources of one symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolSources {
    /// The symbol in their names.
    pub symbol: Symbol,
    /// The sources, ordered by path and member: this is the file order.
    pub sources: Vec<Source>,
}

/// A file, or a member of an archive, that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// The file.
    pub path: PathBuf,
    /// The member, if the file is an archive.
    pub entry: Option<String>,
    /// Why.
    pub reason: Rejection,
}

impl Catalog {
    /// Leaves out a file that is known to be no candles, wherever it lies; one that cannot be found leaves all as it is.
    pub fn leave_out(&mut self, file: &Path) {
        let Ok(known) = file.canonicalize() else { return };
        let is_other = |path: &PathBuf| path.canonicalize().ok().as_ref() != Some(&known);
        self.passed_over.retain(|passed| is_other(&passed.path));
        self.symbols.iter_mut().for_each(|symbol| symbol.sources.retain(|source| is_other(&source.path)));
        self.symbols.retain(|symbol| !symbol.sources.is_empty());
    }
}

/// Returns the candle files under the paths given, by symbol.
///
/// Folders are walked recursively; hidden files and folders below the paths given are skipped; a folder that
/// links lead to twice is walked once. Files named `.CHECKSUM` are not candles and are not used to verify
/// anything: zip and gzip carry checksums of their own.
///
/// Errors: `IngestError::Missing` for a path that does not exist, `IngestError::Read` where the disk fails.
pub fn discover(paths: &[PathBuf], options: &IngestOptions) -> Result<Catalog, IngestError> {
    let mut roots = paths.to_vec();
    roots.sort();
    let mut walk = Walk::default();
    for root in &roots {
        walk.root(root)?;
    }
    walk.files.sort();
    let mut finder = Finder { options, by_symbol: BTreeMap::new(), passed_over: Vec::new() };
    for path in &walk.files {
        finder.file(path)?;
    }
    walk.broken_links.iter().for_each(|path| finder.pass_over(path, None, Rejection::BrokenLink));
    Ok(finder.catalog())
}

#[derive(Default)]
struct Walk {
    files: Vec<PathBuf>,
    broken_links: Vec<PathBuf>,
    /// Folders walked and files listed, without links in their folders: each counts once.
    folders_seen: BTreeSet<PathBuf>,
    files_seen: BTreeSet<(PathBuf, OsString)>,
}

impl Walk {
    fn root(&mut self, path: &Path) -> Result<(), IngestError> {
        let metadata = fs::metadata(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => IngestError::Missing { path: path.to_owned() },
            _ => IngestError::Read { path: path.to_owned(), source },
        })?;
        if metadata.is_dir() {
            return self.folders(path);
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let parent = canonical(parent)?;
        self.list(&parent, path, &metadata);
        Ok(())
    }

    fn folders(&mut self, root: &Path) -> Result<(), IngestError> {
        let mut waiting = vec![root.to_owned()];
        while let Some(folder) = waiting.pop() {
            let real = canonical(&folder)?;
            if !self.folders_seen.insert(real.clone()) {
                continue;
            }
            let mut below = self.entries(&folder, &real)?;
            below.sort_by(|a, b| b.cmp(a));
            waiting.append(&mut below);
        }
        Ok(())
    }

    /// Lists the files of a folder; returns the folders in it.
    fn entries(&mut self, folder: &Path, real: &Path) -> Result<Vec<PathBuf>, IngestError> {
        let read_error = |source| IngestError::Read { path: folder.to_owned(), source };
        let mut below = Vec::new();
        for entry in fs::read_dir(folder).map_err(read_error)? {
            let entry = entry.map_err(read_error)?;
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => below.push(path),
                Ok(metadata) => self.list(real, &path, &metadata),
                Err(_) if path.is_symlink() => self.broken_links.push(path),
                Err(source) if source.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(IngestError::Read { path, source }),
            }
        }
        Ok(below)
    }

    /// Pipes and devices are left out: opening one may wait for ever.
    fn list(&mut self, real_folder: &Path, path: &Path, metadata: &Metadata) {
        let name = path.file_name().unwrap_or_default().to_owned();
        if metadata.is_file() && self.files_seen.insert((real_folder.to_owned(), name)) {
            self.files.push(path.to_owned());
        }
    }
}

fn canonical(path: &Path) -> Result<PathBuf, IngestError> {
    fs::canonicalize(path).map_err(|source| IngestError::Read { path: path.to_owned(), source })
}

/// What an extension promises.
enum Promise {
    Csv,
    CsvGzip,
    Zip,
    Not(Rejection),
}

fn promise(name: &str) -> Promise {
    let lower = name.to_ascii_lowercase();
    let ends = |extensions: &[&str]| extensions.iter().any(|extension| lower.ends_with(extension));
    let unsupported = |format, advice| Promise::Not(Rejection::Unsupported { format, advice });
    if ends(&[".csv", ".tsv", ".txt"]) {
        Promise::Csv
    } else if ends(&[".csv.gz", ".tsv.gz", ".txt.gz"]) {
        Promise::CsvGzip
    } else if ends(&[".zip"]) {
        Promise::Zip
    } else if ends(&[".feather", ".arrow", ".ipc"]) {
        unsupported("freqtrade feather", FEATHER_ADVICE)
    } else if ends(&[".parquet"]) {
        unsupported("Parquet", PARQUET_ADVICE)
    } else if ends(&[".json", ".jsonl", ".json.gz"]) {
        unsupported("JSON", JSON_ADVICE)
    } else if ends(&[".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar"]) {
        unsupported("compression or archive", "use plain CSV, `.csv.gz` or `.zip`")
    } else if ends(&[".h5", ".hdf5", ".xls", ".xlsx", ".pkl", ".pickle", ".npy", ".npz", ".db", ".sqlite"]) {
        unsupported("binary table", "export it to CSV")
    } else if ends(&[".checksum"]) {
        Promise::Not(Rejection::NotCandles { what: "a checksum".to_owned() })
    } else {
        let extension = Path::new(name).extension().map(|e| format!("extension `.{}`", e.to_string_lossy()));
        Promise::Not(Rejection::NotCandles { what: extension.unwrap_or_else(|| "no extension".to_owned()) })
    }
}

struct Finder<'a> {
    options: &'a IngestOptions,
    by_symbol: BTreeMap<Symbol, Vec<Source>>,
    passed_over: Vec<PassedOver>,
}

impl Finder<'_> {
    fn file(&mut self, path: &Path) -> Result<(), IngestError> {
        let metadata =
            fs::metadata(path).map_err(|source| IngestError::Read { path: path.to_owned(), source })?;
        let promise = promise(&path.file_name().unwrap_or_default().to_string_lossy());
        if metadata.len() <= HEAD_BYTES as u64
            && let Some(reason) = small_file(path)?
        {
            self.pass_over(path, None, reason);
            return Ok(());
        }
        match promise {
            Promise::Not(reason) => self.pass_over(path, None, reason),
            Promise::Zip => return self.archive(path, metadata.len()),
            Promise::Csv => self.source(path, None, metadata.len(), Container::Plain),
            Promise::CsvGzip => self.source(path, None, metadata.len(), Container::Gzip),
        }
        Ok(())
    }

    fn archive(&mut self, path: &Path, archive_bytes: u64) -> Result<(), IngestError> {
        let mut archive = match open_archive(path)? {
            Ok(archive) => archive,
            Err(reason) => {
                self.pass_over(path, None, reason);
                return Ok(());
            }
        };
        let mut stored = 0_u64;
        for index in 0..archive.len() {
            match archive.by_index_raw(index) {
                Ok(member) if member.is_dir() => {}
                Ok(member) => {
                    stored = stored.saturating_add(member.compressed_size());
                    let (name, bytes) =
                        (String::from_utf8_lossy(member.name_raw()), member.compressed_size());
                    self.member(path, &name, index, bytes, member.encrypted());
                }
                Err(error) => {
                    let reason = Rejection::Damaged { detail: error.to_string() };
                    self.pass_over(path, Some(format!("member {index}")), reason);
                }
            }
        }
        if stored > archive_bytes {
            self.forget(path);
            let detail = "its members overlap".to_owned();
            self.pass_over(path, None, Rejection::Damaged { detail });
        }
        Ok(())
    }

    /// Takes back all members of an archive.
    fn forget(&mut self, path: &Path) {
        self.by_symbol.values_mut().for_each(|sources| sources.retain(|source| source.path != path));
        self.by_symbol.retain(|_, sources| !sources.is_empty());
        self.passed_over.retain(|file| file.path != path);
    }

    fn member(&mut self, path: &Path, name: &str, index: usize, bytes: u64, encrypted: bool) {
        let file_name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        if file_name.starts_with('.') || name.starts_with("__MACOSX") {
            return;
        }
        let entry = Some(name.to_owned());
        match promise(file_name) {
            Promise::Csv if encrypted => {
                let detail = "the member is encrypted".to_owned();
                self.pass_over(path, entry, Rejection::Damaged { detail });
            }
            Promise::Csv => self.source(path, entry, bytes, Container::Zip(index)),
            Promise::CsvGzip | Promise::Zip => {
                let (format, advice) = ("archive within an archive", "unpack the outer one");
                self.pass_over(path, entry, Rejection::Unsupported { format, advice });
            }
            Promise::Not(reason) => self.pass_over(path, entry, reason),
        }
    }

    fn source(&mut self, path: &Path, entry: Option<String>, bytes: u64, container: Container) {
        let claim = name::claim(path, entry.as_deref());
        let reason = match (claim.symbol, claim.other_data) {
            (Some(_), Some(word)) => Rejection::NotCandles { what: format!("`{word}` in the name") },
            (None, _) => Rejection::NoSymbol,
            (Some(symbol), None) if self.is_selected(&symbol) => {
                let source = Source {
                    path: path.to_owned(),
                    entry,
                    interval: claim.interval,
                    bytes,
                    container,
                    left_out: 0..0,
                };
                self.by_symbol.entry(symbol).or_default().push(source);
                return;
            }
            (Some(symbol), None) => Rejection::NotSelected { symbol },
        };
        self.pass_over(path, entry, reason);
    }

    fn is_selected(&self, symbol: &Symbol) -> bool {
        self.options.symbols.as_ref().is_none_or(|symbols| symbols.contains(symbol))
    }

    fn pass_over(&mut self, path: &Path, entry: Option<String>, reason: Rejection) {
        self.passed_over.push(PassedOver { path: path.to_owned(), entry, reason });
    }

    fn catalog(self) -> Catalog {
        let sources = |(symbol, mut sources): (Symbol, Vec<Source>)| {
            sources.sort_by(|a, b| (&a.path, &a.entry).cmp(&(&b.path, &b.entry)));
            SymbolSources { symbol, sources }
        };
        let mut passed_over = self.passed_over;
        passed_over.sort_by(|a, b| (&a.path, &a.entry).cmp(&(&b.path, &b.entry)));
        Catalog { symbols: self.by_symbol.into_iter().map(sources).collect(), passed_over }
    }
}

/// Returns why a file of a few bytes is no data: empty, an empty list, a pointer to data kept elsewhere.
fn small_file(path: &Path) -> Result<Option<Rejection>, IngestError> {
    let mut head = Vec::new();
    let read = open(path)?.take(HEAD_BYTES as u64).read_to_end(&mut head);
    read.map_err(|source| IngestError::Read { path: path.to_owned(), source })?;
    Ok(sniff::reject(&head).filter(|reason| matches!(reason, Rejection::Empty | Rejection::LfsPointer)))
}
