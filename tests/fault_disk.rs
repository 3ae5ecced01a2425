//! A disk that fails, tears writes and loses power on demand, and knows what would be left.
//!
//! It stands before the real files of a store. What it lets pass happens to them: they are what a killed process leaves.
//! Beside them it keeps what was made durable: what is left when the power goes, with or without parts of what was
//! written since.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use retune::store::{Gate, Step};

/// The error of a disk that no longer answers.
pub(crate) const EIO: i32 = 5;
/// The error of a disk that is full.
pub(crate) const ENOSPC: i32 = 28;
/// Bytes that a disk writes as a whole.
const SECTOR: usize = 512;

/// What goes wrong at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The step fails with this error of the system, once. A failed sync also forgets what it should have made durable.
    Once(i32),
    /// The step and all that follow of its kind fail.
    Always(i32),
    /// The first half of a write is done, then it fails.
    Torn(i32),
}

impl Fault {
    pub(crate) fn errno(self) -> i32 {
        match self {
            Self::Once(errno) | Self::Always(errno) | Self::Torn(errno) => errno,
        }
    }
}

/// A kind of steps, to count and to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Read,
    Write,
    SetLength,
    Sync,
    /// Creating, renaming, linking, removing.
    Name,
    SyncDirectory,
}

impl Kind {
    pub(crate) fn of(step: Step<'_>) -> Self {
        match step {
            Step::Read => Self::Read,
            Step::Write { .. } => Self::Write,
            Step::SetLength(_) => Self::SetLength,
            Step::Sync => Self::Sync,
            Step::SyncDirectory => Self::SyncDirectory,
            _ => Self::Name,
        }
    }
}

/// What of the writes since the last sync has reached the disk when the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reached {
    Nothing,
    Everything,
    /// Every second write.
    SomeWrites(u64),
    /// Every second sector.
    SomeSectors(u64),
    /// All but what begins the file, where the engine says which commit counts.
    AllButTheHeader,
    /// Nothing but that.
    OnlyTheHeader,
}

impl Reached {
    /// Every way, drawn with a seed where it is drawn.
    pub(crate) fn all(seed: u64) -> [Self; 6] {
        [
            Self::Nothing,
            Self::Everything,
            Self::SomeWrites(seed),
            Self::SomeSectors(seed),
            Self::AllButTheHeader,
            Self::OnlyTheHeader,
        ]
    }
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    SetLength(usize),
}

/// A file's content, whatever names it has.
#[derive(Debug, Clone, Default)]
struct Content {
    durable: Vec<u8>,
    since: Vec<Change>,
    /// Whether a sync failed: then some of what can be read was never made durable.
    forgotten: bool,
}

type Names = BTreeMap<PathBuf, usize>;

#[derive(Debug, Default)]
struct State {
    names: Names,
    durable_names: Names,
    contents: Vec<Content>,
    steps: BTreeMap<Kind, u64>,
    fault: Option<(Kind, u64, Fault)>,
    /// Counts every step but reads; what `Fault::Cut` is at.
    changes: u64,
    cut_at: Option<u64>,
    dead: bool,
    hit: bool,
}

/// The disk under a store's directory.
#[derive(Debug, Default)]
pub(crate) struct FaultDisk {
    state: Mutex<State>,
}

impl FaultDisk {
    /// Takes over a directory as it is: all of it is durable.
    pub(crate) fn over(dir: &Path) -> Self {
        let mut state = State::default();
        for path in files_under(dir) {
            let durable = fs::read(&path).expect("readable");
            state.names.insert(path, state.contents.len());
            state.contents.push(Content { durable, ..Content::default() });
        }
        state.durable_names = state.names.clone();
        Self { state: Mutex::new(state) }
    }

    /// Cuts the power before the step of this number, reads not counted.
    pub(crate) fn cut_at(self, step: u64) -> Self {
        self.state.lock().expect("whole").cut_at = Some(step);
        self
    }

    /// Lets a step fail, counted among those of its kind.
    pub(crate) fn fail(self, kind: Kind, number: u64, fault: Fault) -> Self {
        self.state.lock().expect("whole").fault = Some((kind, number, fault));
        self
    }

    /// Lets everything pass from here on. Pages that could not be made durable stay readable, as in a page cache, or
    /// are dropped from it.
    pub(crate) fn heal(&self, dropped: bool) {
        let mut state = self.state.lock().expect("whole");
        (state.fault, state.cut_at, state.dead) = (None, None, false);
        for (path, content) in state.names.iter().filter(|_| dropped) {
            let content = &state.contents[*content];
            if content.forgotten {
                fs::write(path, content.left(Reached::Everything)).expect("writable");
            }
        }
    }

    /// Returns how many steps there were of each kind.
    pub(crate) fn steps(&self) -> BTreeMap<Kind, u64> {
        self.state.lock().expect("whole").steps.clone()
    }

    /// Returns how many steps there were that change something.
    pub(crate) fn changes(&self) -> u64 {
        self.state.lock().expect("whole").changes
    }

    /// Returns whether anything went wrong.
    pub(crate) fn hit(&self) -> bool {
        self.state.lock().expect("whole").hit
    }

    /// Writes what is left of `dir` when the power goes now to `to`.
    pub(crate) fn after_a_power_cut(&self, dir: &Path, to: &Path, reached: Reached) {
        let state = self.state.lock().expect("whole");
        let names = if reached == Reached::Nothing { &state.durable_names } else { &state.names };
        for (path, content) in names {
            let place = to.join(path.strip_prefix(dir).expect("a file of the store"));
            fs::create_dir_all(place.parent().expect("a folder")).expect("writable");
            fs::write(place, state.contents[*content].left(reached)).expect("writable");
        }
    }
}

fn files_under(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("readable").path());
    paths.flat_map(|path| if path.is_dir() { files_under(&path) } else { vec![path] }).collect()
}

impl Content {
    fn left(&self, reached: Reached) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for (number, change) in self.since.iter().enumerate() {
            let drawn = |seed: u64, part: usize| draw(seed, number as u64, part as u64);
            match (change, reached) {
                (_, Reached::Nothing) => {}
                (Change::SetLength(length), _) => bytes.resize(*length, 0),
                (Change::Write(at, written), _) => {
                    let header = *at == 0;
                    let skipped = match reached {
                        Reached::AllButTheHeader => header,
                        Reached::OnlyTheHeader => !header,
                        Reached::SomeWrites(seed) => drawn(seed, 0),
                        _ => false,
                    };
                    if skipped {
                        continue;
                    }
                    for (part, sector) in written.chunks(SECTOR).enumerate() {
                        let lost = matches!(reached, Reached::SomeSectors(seed) if drawn(seed, part));
                        if !lost {
                            put(&mut bytes, at + part * SECTOR, sector);
                        }
                    }
                }
            }
        }
        bytes
    }

    fn settle(&mut self) {
        self.durable = self.left(Reached::Everything);
        self.since.clear();
    }
}

fn put(bytes: &mut Vec<u8>, at: usize, written: &[u8]) {
    let end = at + written.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[at..end].copy_from_slice(written);
}

/// Heads or tails, the same for the same numbers.
fn draw(seed: u64, number: u64, part: u64) -> bool {
    let mut z = seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ part.wrapping_mul(0xD1B5_4A32_D192_ED03);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)) & 1 == 1
}

fn error(errno: i32) -> io::Error {
    io::Error::from_raw_os_error(errno)
}

impl Gate for FaultDisk {
    fn pass(&self, path: &Path, step: Step<'_>) -> io::Result<()> {
        let mut state = self.state.lock().expect("whole");
        let kind = Kind::of(step);
        let number = *state.steps.entry(kind).and_modify(|steps| *steps += 1).or_insert(1) - 1;
        if kind != Kind::Read {
            let change = state.changes;
            state.changes += 1;
            if state.cut_at.is_some_and(|at| change >= at) {
                (state.dead, state.hit) = (true, true);
            }
        }
        if state.dead {
            return Err(error(EIO));
        }
        if let Some((_, at, fault)) = state.fault.filter(|(failing, ..)| *failing == kind) {
            let now = number == at || (number > at && matches!(fault, Fault::Always(_)));
            if now {
                state.hit = true;
                return Err(state.fail(path, step, fault));
            }
        }
        state.carry_out(path, step);
        Ok(())
    }
}

impl State {
    /// Notes a change to a file; one that was removed while it is open is nobody's any more.
    fn note(&mut self, path: &Path, change: Change) {
        if let Some(content) = self.content(path) {
            content.since.push(change);
        }
    }

    fn content(&mut self, path: &Path) -> Option<&mut Content> {
        let content = *self.names.get(path)?;
        self.contents.get_mut(content)
    }

    /// Leaves behind what a failing step leaves behind.
    fn fail(&mut self, path: &Path, step: Step<'_>, fault: Fault) -> io::Error {
        match (step, fault) {
            (Step::Sync, _) => {
                // The system has reported the failure; it will not try these pages again.
                if let Some(content) = self.content(path) {
                    content.since.clear();
                    content.forgotten = true;
                }
            }
            (Step::Write { offset, bytes }, Fault::Torn(_)) => {
                use std::os::unix::fs::FileExt;
                let half = &bytes[..bytes.len() / 2];
                let file = fs::File::options().write(true).open(path).expect("it is being written");
                file.write_all_at(half, offset).expect("writable");
                self.carry_out(path, Step::Write { offset, bytes: half });
            }
            _ => {}
        }
        error(fault.errno())
    }

    fn carry_out(&mut self, path: &Path, step: Step<'_>) {
        match step {
            Step::Create => {
                self.names.insert(path.to_owned(), self.contents.len());
                self.contents.push(Content::default());
            }
            Step::Write { offset, bytes } => {
                let change = Change::Write(offset as usize, bytes.to_vec());
                self.note(path, change);
            }
            Step::SetLength(length) => {
                let change = Change::SetLength(length as usize);
                self.note(path, change);
            }
            Step::Sync => {
                if let Some(content) = self.content(path) {
                    content.settle();
                }
            }
            Step::Rename { to } => {
                let content = self.names.remove(path).expect("known");
                self.names.insert(to.to_owned(), content);
            }
            Step::Link { to } => {
                let content = self.names[path];
                self.names.insert(to.to_owned(), content);
            }
            Step::Remove => {
                self.names.remove(path);
            }
            Step::SyncDirectory => {
                let inside = |name: &PathBuf| name.parent() == Some(path);
                self.durable_names.retain(|name, _| !inside(name));
                let now = self.names.iter().filter(|(name, _)| inside(name));
                self.durable_names.extend(now.map(|(name, content)| (name.clone(), *content)));
            }
            _ => {}
        }
    }
}
