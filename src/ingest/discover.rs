//! Which files there are, what their names and first bytes say; nothing is decoded here but the lists of archives and
//! the coins of market snapshots.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::checksum::{self, Claimed};
use super::collector::{Collector, RowSelection};
use super::error::{IngestError, MarketConflict};
use super::format::{self, FileFormat, Packing, Promise, RowContext};
use super::freqtrade::{candle_files, freqtrade_folder};
use super::limits::HEAD_BYTES;
use super::lines::LineReader;
use super::name::MarketClaim;
use super::opening;
use super::opening::open_source;
use super::rejection::Rejection;
use super::source::{self, CandleSource, Container, Member, open_archive};
use super::{IngestOptions, OnConflict};
use super::{name, select, snapshot};
use crate::model::{MarketKind, Symbol};

/// What was found under the paths given; the same whatever their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalog {
    /// The sources of each symbol, ordered by symbol.
    pub symbols: Vec<SymbolSources>,
    /// Files and members that are not read, ordered by path; hidden files are not listed.
    pub passed_over: Vec<PassedOver>,
    /// Symbols with files of different markets, ordered by symbol; [`discover`] gives none.
    pub conflicts: Vec<MarketConflict>,
}

/// The sources of one symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolSources {
    /// The symbol in their names.
    pub symbol: Symbol,
    /// The sources, ordered by path and member: this is the file order.
    pub sources: Vec<CandleSource>,
}

impl SymbolSources {
    /// Returns about how many bytes its files decode to.
    pub fn decoded_bytes(&self) -> u64 {
        self.sources.iter().map(CandleSource::decoded_bytes).sum()
    }
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

/// Returns the candle files under the paths given, by symbol; all files of a symbol are of one market.
///
/// Errors: `IngestError::Markets` where they are not; those of [`survey`]
pub fn discover(paths: &[PathBuf], options: &IngestOptions) -> Result<Catalog, IngestError> {
    let mut catalog = survey(paths, options)?;
    match catalog.conflicts.is_empty() {
        true => Ok(catalog),
        false => Err(IngestError::Markets(Box::new(catalog.conflicts.swap_remove(0)))),
    }
}

/// Returns the candle files under the paths given, by symbol, whatever markets they are of: for a look at files, not for
/// computing on them.
///
/// Folders are walked recursively, but of `freqtrade:FOLDER` the candles of one exchange and market are read; hidden files and folders below the paths given are skipped; a folder that
/// links lead to twice is walked once. A file with a `.CHECKSUM` beside it is verified when it is read.
/// The first bytes of every file are looked at; market snapshots are read for the coins in them.
///
/// Errors: `IngestError::Missing` for a path that does not exist, `IngestError::Read` where the disk fails,
/// `IngestError::Freqtrade` where such a folder does not say which candles are meant.
pub fn survey(paths: &[PathBuf], options: &IngestOptions) -> Result<Catalog, IngestError> {
    let mut roots = paths.to_vec();
    roots.sort();
    let mut walk = FolderWalk::default();
    for root in &roots {
        match freqtrade_folder(root) {
            Some(folder) => candle_files(&folder, options)?.iter().try_for_each(|file| walk.root(file))?,
            None => walk.root(root)?,
        }
    }
    walk.files.sort();
    let mut finder = Finder { options, by_symbol: BTreeMap::new(), passed_over: Vec::new() };
    for path in &walk.files {
        finder.file(path)?;
    }
    walk.unopened.into_iter().for_each(|(path, reason)| finder.pass_over(&path, None, reason));
    Ok(finder.catalog())
}

#[derive(Default)]
struct FolderWalk {
    files: Vec<PathBuf>,
    /// What is not opened, and why.
    unopened: Vec<(PathBuf, Rejection)>,
    /// Folders walked and files listed, whatever links lead to their folders: each counts once.
    folders_seen: BTreeSet<Place>,
    files_seen: BTreeSet<(Place, OsString)>,
}

/// Where a folder lies on the disk: its device and its number there. To spell out its path without links would take
/// longer with every folder above it.
type Place = (u64, u64);

fn place_of(folder: &Path) -> Result<Place, IngestError> {
    let found = fs::metadata(folder);
    let found = found.map_err(|source| IngestError::Read { path: folder.to_owned(), source })?;
    Ok((found.dev(), found.ino()))
}

impl FolderWalk {
    fn root(&mut self, path: &Path) -> Result<(), IngestError> {
        let metadata = fs::metadata(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => IngestError::Missing { path: path.to_owned() },
            _ => IngestError::Read { path: path.to_owned(), source },
        })?;
        if metadata.is_dir() {
            return self.folders(path);
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        self.list(place_of(parent)?, path, &metadata);
        Ok(())
    }

    fn folders(&mut self, root: &Path) -> Result<(), IngestError> {
        let mut waiting = vec![root.to_owned()];
        while let Some(folder) = waiting.pop() {
            let place = place_of(&folder)?;
            if !self.folders_seen.insert(place) {
                continue;
            }
            let mut below = self.entries(&folder, place)?;
            below.sort_by(|a, b| b.cmp(a));
            waiting.append(&mut below);
        }
        Ok(())
    }

    /// Lists the files of a folder; returns the folders in it.
    fn entries(&mut self, folder: &Path, place: Place) -> Result<Vec<PathBuf>, IngestError> {
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
                Ok(metadata) => self.list(place, &path, &metadata),
                Err(_) if path.is_symlink() => self.unopened.push((path, Rejection::BrokenLink)),
                Err(source) if source.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(IngestError::Read { path, source }),
            }
        }
        Ok(below)
    }

    /// Pipes and devices are named and not opened.
    fn list(&mut self, folder: Place, path: &Path, metadata: &Metadata) {
        let name = path.file_name().unwrap_or_default().to_owned();
        if !self.files_seen.insert((folder, name)) {
            return;
        }
        match opening::not_regular(metadata) {
            None => self.files.push(path.to_owned()),
            Some(found) => {
                self.unopened.push((path.to_owned(), Rejection::NotRegular { found: found.into() }))
            }
        }
    }
}

struct Finder<'a> {
    options: &'a IngestOptions,
    by_symbol: BTreeMap<Symbol, Vec<CandleSource>>,
    passed_over: Vec<PassedOver>,
}

impl Finder<'_> {
    fn file(&mut self, path: &Path) -> Result<(), IngestError> {
        if let Some(glob) = self.options.selection.excludes(path, None) {
            let reason = Rejection::Excluded { glob: glob.as_str().to_owned() };
            self.pass_over(path, None, reason);
            return Ok(());
        }
        let metadata =
            fs::metadata(path).map_err(|source| IngestError::Read { path: path.to_owned(), source })?;
        let promise = format::format_by_name(&path.file_name().unwrap_or_default().to_string_lossy());
        let head = match (read_head(path), &promise) {
            // What is not expected to hold candles need not be readable.
            (Err(_), Promise::Not(reason)) => {
                self.pass_over(path, None, reason.clone());
                return Ok(());
            }
            (head, _) => head?,
        };
        let content = format::recognise_format(&head);
        let found = match (promise, format::packing_of(&head), content) {
            (
                _,
                _,
                Err(reason @ (Rejection::Empty | Rejection::LfsPointer | Rejection::LegacyOpportunities)),
            ) => Err(reason),
            (Promise::Archive, ..) | (Promise::Table { .. }, Packing::Zip, _) => Ok(None),
            (Promise::Table { format, .. }, Packing::Gzip, _) => Ok(Some((format, Container::Gzip))),
            (Promise::Table { .. }, Packing::None, content) => content
                .and_then(|format| check_size(format, metadata.len()))
                .map(|f| Some((f, Container::Plain))),
            // A name that says nothing does not hide what only candles begin with.
            (Promise::Not(_), _, Ok(format @ (FileFormat::Feather | FileFormat::Parquet))) => {
                check_size(format, metadata.len()).map(|format| Some((format, Container::Plain)))
            }
            (Promise::Not(reason), ..) => Err(reason),
        };
        let checksum = if found.is_ok() { checksum::beside(path)? } else { Ok(None) };
        match (found, checksum) {
            (Err(reason), _) | (_, Err(reason)) => self.pass_over(path, None, reason),
            (Ok(None), Ok(checksum)) => return self.archive(path, metadata.len(), checksum),
            (Ok(Some((format, container))), Ok(checksum)) => {
                let source = CandleSource {
                    path: path.to_owned(),
                    entry: None,
                    interval: None,
                    market: MarketClaim::default(),
                    bytes: metadata.len(),
                    container,
                    format,
                    rows: RowSelection::Named,
                    symbols: 1,
                    checksum,
                    left_out: 0..0,
                };
                return self.source(source);
            }
        }
        Ok(())
    }

    fn archive(
        &mut self,
        path: &Path,
        archive_bytes: u64,
        checksum: Option<Claimed>,
    ) -> Result<(), IngestError> {
        let mut archive = match open_archive(path)? {
            Ok(archive) => archive,
            Err(reason) => {
                self.pass_over(path, None, reason);
                return Ok(());
            }
        };
        let (mut stored, mut members) = (0_u64, Vec::new());
        for index in 0..archive.len() {
            match archive.by_index_raw(index) {
                Ok(member) if member.is_dir() => {}
                Ok(member) => {
                    stored = stored.saturating_add(member.compressed_size());
                    let name = String::from_utf8_lossy(member.name_raw()).into_owned();
                    members.push((name, member.compressed_size(), Member::of(&member)));
                }
                Err(error) => {
                    let reason = Rejection::Damaged { detail: error.to_string() };
                    self.pass_over(path, Some(format!("member {index}")), reason);
                }
            }
        }
        let names: Vec<&str> = members.iter().map(|(name, ..)| name.as_str()).collect();
        if let Some(reason) = format::document_of_archive(&names) {
            self.pass_over(path, None, reason);
            return Ok(());
        }
        if stored > archive_bytes {
            self.passed_over.retain(|file| file.path != path);
            let detail = "its members overlap".to_owned();
            self.pass_over(path, None, Rejection::Damaged { detail });
            return Ok(());
        }
        for (name, bytes, place) in members {
            match self.member(path, &name, place) {
                Some(Ok((format, place))) => self.source(CandleSource {
                    path: path.to_owned(),
                    entry: Some(name),
                    interval: None,
                    market: MarketClaim::default(),
                    bytes,
                    container: Container::Zip(place),
                    format,
                    rows: RowSelection::Named,
                    symbols: 1,
                    checksum: checksum.clone(),
                    left_out: 0..0,
                })?,
                Some(Err(reason)) => self.pass_over(path, Some(name), reason),
                None => {}
            }
        }
        Ok(())
    }

    /// Returns what a member of an archive is taken for, by its name; `None` for one that is hidden.
    fn member(
        &self,
        path: &Path,
        name: &str,
        place: Result<Member, Rejection>,
    ) -> Option<Result<(FileFormat, Member), Rejection>> {
        let file_name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        if file_name.starts_with('.') || name.starts_with("__MACOSX") {
            return None;
        }
        if let Some(glob) = self.options.selection.excludes(path, Some(name)) {
            return Some(Err(Rejection::Excluded { glob: glob.as_str().to_owned() }));
        }
        Some(match format::format_by_name(file_name) {
            Promise::Table { format, gzip: false } => place.map(|place| (format, place)),
            Promise::Table { .. } | Promise::Archive => {
                let (format, advice) = ("archive within an archive", "unpack the outer one");
                Err(Rejection::unsupported(format, advice))
            }
            Promise::Not(reason) => Err(reason),
        })
    }

    /// Finds out of which symbols a source is.
    fn source(&mut self, source: CandleSource) -> Result<(), IngestError> {
        let claim = name::claim(&source.path, source.entry.as_deref());
        let of_all = match (source.format, &claim.symbol, source.container) {
            (FileFormat::Snapshots, ..) => true,
            // Unpacked for a look only where the name does not say what it is.
            (_, None, Container::Gzip | Container::Zip(_)) => match self.look(&source)? {
                Ok(format) => format == FileFormat::Snapshots,
                Err(Rejection::Damaged { .. }) => false,
                Err(reason) => {
                    self.pass_over(&source.path, source.entry, reason);
                    return Ok(());
                }
            },
            _ => false,
        };
        if of_all {
            return self.snapshots(&source);
        }
        let reason = match (claim.symbol, claim.other_data) {
            (_, _) if let Some(reason) = claim.unclear => reason,
            (Some(_), Some(word)) => Rejection::NotCandles { what: format!("`{word}` in the name") },
            (None, Some(_)) => Rejection::NoSymbol,
            (None, None) => {
                return self.table(&CandleSource {
                    interval: claim.interval,
                    market: claim.market,
                    ..source
                });
            }
            (Some(symbol), None) if self.is_selected(&symbol) => {
                let source = CandleSource { interval: claim.interval, market: claim.market, ..source };
                self.by_symbol.entry(symbol).or_default().push(source);
                return Ok(());
            }
            (Some(symbol), None) => Rejection::NotSelected { symbol },
        };
        self.pass_over(&source.path, source.entry, reason);
        Ok(())
    }

    /// Returns the format of a packed source by its content.
    fn look(&self, source: &CandleSource) -> Result<Result<FileFormat, Rejection>, IngestError> {
        let head = source::read_decoded(source, |stream, bytes_max| {
            LineReader::new(stream, bytes_max).peek().map(format::recognise_format)
        })?;
        Ok(head.and_then(|format| format))
    }

    /// Adds snapshots to the sources of every coin in them.
    fn snapshots(&mut self, source: &CandleSource) -> Result<(), IngestError> {
        match source::read_decoded(source, snapshot::markets_of_stream)?.and_then(|markets| markets) {
            Ok(markets) => {
                let (interval, format) = (Some(snapshot::INTERVAL), FileFormat::Snapshots);
                self.of_each(CandleSource { interval, format, ..source.clone() }, markets);
            }
            Err(reason) => self.pass_over(&source.path, source.entry.clone(), reason),
        }
        Ok(())
    }

    /// Adds a table to the sources of every symbol in its symbol column: the name says nothing.
    fn table(&mut self, source: &CandleSource) -> Result<(), IngestError> {
        // What a column is called may depend on the symbol, but not which column holds symbols.
        let any = Symbol::parse("ANY").expect("letters");
        let survey = Collector::new(&any, 0)
            .taking(RowSelection::Survey)
            .keeping(OnConflict::Refuse, self.options.room_bytes);
        let frame = RowContext { reading: self.options.reading.clone(), ..RowContext::default() };
        let read = source::read_decoded(source, |stream, bytes_max| {
            format::parse_stream(stream, bytes_max, survey, &frame)
        })?;
        let symbols = match read {
            Ok(parsed) => match parsed.rejected {
                None => parsed.symbols,
                Some(Rejection::NoRoom) => {
                    return Err(source.too_many(&any, self.options.room_bytes));
                }
                Some(reason @ Rejection::TooLarge { .. }) => {
                    self.pass_over(&source.path, source.entry.clone(), reason);
                    return Ok(());
                }
                Some(_) => BTreeSet::new(),
            },
            Err(_) => BTreeSet::new(),
        };
        if symbols.is_empty() {
            self.pass_over(&source.path, source.entry.clone(), Rejection::NoSymbol);
        } else {
            let (rows, count) = (RowSelection::OfTable, symbols.len() as u64);
            self.of_each(CandleSource { rows, symbols: count, ..source.clone() }, symbols);
        }
        Ok(())
    }

    /// Adds a file to the sources of every symbol in it that is asked for.
    fn of_each(&mut self, source: CandleSource, symbols: BTreeSet<Symbol>) {
        let (selected, others): (Vec<Symbol>, Vec<Symbol>) =
            symbols.into_iter().partition(|symbol| self.is_selected(symbol));
        if selected.is_empty() {
            let first = others.into_iter().next();
            let reason = first.map_or(Rejection::NoRows, |symbol| Rejection::NotSelected { symbol });
            self.pass_over(&source.path, source.entry.clone(), reason);
        }
        for symbol in selected {
            let mut source = source.clone();
            if symbol.expiry().is_some() {
                source.market.kind = Some(MarketKind::Dated);
            }
            self.by_symbol.entry(symbol).or_default().push(source);
        }
    }

    fn is_selected(&self, symbol: &Symbol) -> bool {
        self.options.symbols.as_ref().is_none_or(|symbols| symbols.contains(symbol))
    }

    fn pass_over(&mut self, path: &Path, entry: Option<String>, reason: Rejection) {
        self.passed_over.push(PassedOver { path: path.to_owned(), entry, reason });
    }

    fn catalog(mut self) -> Catalog {
        let mut symbols = Vec::new();
        for (symbol, mut sources) in std::mem::take(&mut self.by_symbol) {
            for (source, reason) in self.options.selection.choose(&mut sources) {
                self.pass_over(&source.path, source.entry, reason);
            }
            sources.sort_by(|a, b| (&a.path, &a.entry).cmp(&(&b.path, &b.entry)));
            if !sources.is_empty() {
                symbols.push(SymbolSources { symbol, sources });
            }
        }
        let conflicts = symbols.iter().filter_map(select::market_conflict).collect();
        let mut passed_over = self.passed_over;
        passed_over.sort_by(|a, b| (&a.path, &a.entry).cmp(&(&b.path, &b.entry)));
        Catalog { symbols, passed_over, conflicts }
    }
}

/// Refuses a plain file by its size alone, before gigabytes of it are read for nothing.
fn check_size(format: FileFormat, bytes: u64) -> Result<FileFormat, Rejection> {
    let limit = format.bytes_max();
    if bytes > limit { Err(Rejection::TooLarge { limit, unit: "bytes".into() }) } else { Ok(format) }
}

/// Returns how a file begins.
fn read_head(path: &Path) -> Result<Vec<u8>, IngestError> {
    let mut head = Vec::new();
    let read = open_source(path)?.take(HEAD_BYTES as u64).read_to_end(&mut head);
    read.map_err(|source| IngestError::Read { path: path.to_owned(), source })?;
    Ok(head)
}
