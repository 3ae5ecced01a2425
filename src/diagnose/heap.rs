//! What a heap profile says, by allocation site, and how two of them differ.
//!
//! Read are the profiles that `--heap-profile` writes (the format of DHAT, version 2). A site is the innermost function of
//! this program that asked for memory; library code between it and the allocator counts for its caller.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::FOLDERS;

/// Version of the format that is read.
const VERSION: u64 = 2;
/// How names of this program's functions begin, where only symbols are known.
const OWN_NAMES: [&str; 2] = ["retune::", "<retune::"];

/// What one site held when the heap was largest, and asked for in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SiteBytes {
    /// Bytes at the peak of the whole heap.
    pub peak_bytes: u64,
    /// Blocks at that instant.
    pub peak_blocks: u64,
    /// Bytes ever asked for.
    pub total_bytes: u64,
}

/// The sites of a profile, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeapProfile {
    /// What each held.
    pub sites: BTreeMap<String, SiteBytes>,
}

/// One site in two profiles; nothing where it is in one only.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SiteChange {
    pub site: String,
    pub before: SiteBytes,
    pub after: SiteBytes,
}

impl SiteChange {
    /// Returns by how many bytes it grew at the peak.
    pub fn growth_bytes(&self) -> i64 {
        self.after.peak_bytes.cast_signed().saturating_sub(self.before.peak_bytes.cast_signed())
    }
}

/// Why a profile cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeapProfileError {
    /// Not the JSON of a profile.
    #[error("expected a heap profile, found {0}")]
    Format(String),
    /// Another version of the format.
    #[error("expected version {VERSION} of the heap profile format, found {0}")]
    Version(u64),
    /// A profile of something else than the heap.
    #[error("expected a heap profile, found one of mode {0:?}")]
    Mode(String),
    /// A site names a frame that is not there.
    #[error("expected frames 0 to {last}, found {found}: the profile is damaged")]
    Frame {
        /// Number of the last frame.
        last: usize,
        /// Number that a site names.
        found: usize,
    },
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "dhatFileVersion")]
    version: u64,
    mode: String,
    pps: Vec<HeapPoint>,
    ftbl: Vec<String>,
}

#[derive(Deserialize)]
struct HeapPoint {
    #[serde(rename = "tb")]
    total_bytes: u64,
    #[serde(rename = "gb")]
    peak_bytes: u64,
    #[serde(rename = "gbk")]
    peak_blocks: u64,
    #[serde(rename = "fs")]
    frames: Vec<usize>,
}

/// Returns whether a text claims to be a heap profile.
pub fn is_heap_profile(text: &str) -> bool {
    text.trim_start().starts_with('{') && text.contains("\"dhatFileVersion\"")
}

impl HeapProfile {
    /// Reads a profile.
    pub fn parse(text: &str) -> Result<Self, HeapProfileError> {
        let file: File =
            serde_json::from_str(text).map_err(|error| HeapProfileError::Format(error.to_string()))?;
        if file.version != VERSION {
            return Err(HeapProfileError::Version(file.version));
        }
        if file.mode != "rust-heap" {
            return Err(HeapProfileError::Mode(file.mode));
        }
        let mut profile = Self::default();
        for point in &file.pps {
            let frame = |index: &usize| {
                let last = file.ftbl.len().saturating_sub(1);
                file.ftbl.get(*index).ok_or(HeapProfileError::Frame { last, found: *index })
            };
            let frames = point.frames.iter().map(frame).collect::<Result<Vec<_>, _>>()?;
            let held = profile.sites.entry(site_of_frames(&frames)).or_default();
            held.peak_bytes += point.peak_bytes;
            held.peak_blocks += point.peak_blocks;
            held.total_bytes += point.total_bytes;
        }
        Ok(profile)
    }

    /// Returns what all sites held together.
    pub fn sum(&self) -> SiteBytes {
        self.sites.values().fold(SiteBytes::default(), |sum, held| SiteBytes {
            peak_bytes: sum.peak_bytes + held.peak_bytes,
            peak_blocks: sum.peak_blocks + held.peak_blocks,
            total_bytes: sum.total_bytes + held.total_bytes,
        })
    }
}

/// Returns the sites of two profiles that differ at the peak: the one that grew most first, the one that shrank most last.
pub fn heap_differences(before: &HeapProfile, after: &HeapProfile) -> Vec<SiteChange> {
    let names: std::collections::BTreeSet<&String> = before.sites.keys().chain(after.sites.keys()).collect();
    let held = |profile: &HeapProfile, name: &str| profile.sites.get(name).copied().unwrap_or_default();
    let change = |name: &String| SiteChange {
        site: name.clone(),
        before: held(before, name),
        after: held(after, name),
    };
    let differs = |change: &SiteChange| {
        let at_peak = |held: SiteBytes| (held.peak_bytes, held.peak_blocks);
        at_peak(change.before) != at_peak(change.after)
    };
    let mut changes: Vec<SiteChange> = names.into_iter().map(change).filter(differs).collect();
    // Stable: sites that changed alike stay in the order of their names.
    changes.sort_by_key(|change| std::cmp::Reverse(change.growth_bytes()));
    changes
}

/// Returns the name of the site with some frames, the innermost first.
fn site_of_frames(frames: &[&String]) -> String {
    let named: Vec<&str> = frames.iter().map(|frame| lasting_frame(frame)).collect();
    let own = named.iter().find(|name| is_own(name));
    own.or(named.first()).map_or_else(|| "unknown".to_owned(), |name| (*name).to_owned())
}

/// Returns whether a frame is one of this program. Names of library functions may hold ours, as their types.
fn is_own(name: &str) -> bool {
    let folder = name.rsplit_once("(src/").and_then(|(_, place)| place.split('/').next());
    OWN_NAMES.iter().any(|own| name.starts_with(own))
        || folder.is_some_and(|folder| FOLDERS.contains(&folder))
}

/// Returns a frame `0x55d0: name (file:line:column)` without what differs from run to run.
fn lasting_frame(frame: &str) -> &str {
    match frame.split_once(": ") {
        Some((address, rest)) if address.starts_with("0x") => rest,
        _ => frame,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(points: &str) -> String {
        format!(
            r#"{{"dhatFileVersion":2,"mode":"rust-heap","pps":[{points}],"ftbl":["[root]",
            "0x1: push<retune::run::Day> (src/vec/mod.rs:1:2)","0x2: add (src/run/a.rs:3:4)",
            "0x9: core::f","0xa: retune::run::add"]}}"#
        )
    }

    #[test]
    fn memory_counts_for_the_innermost_function_of_ours() {
        let text = profile(
            r#"{"tb":9,"gb":5,"gbk":1,"fs":[1,2]},{"tb":1,"gb":1,"gbk":1,"fs":[2]},{"tb":7,"gb":0,"gbk":0,"fs":[3,1]},
            {"tb":3,"gb":3,"gbk":1,"fs":[3,4,2]}"#,
        );
        assert!(is_heap_profile(&text));
        let read = HeapProfile::parse(&text).expect("a profile");
        let own = SiteBytes { peak_bytes: 6, peak_blocks: 2, total_bytes: 10 };
        assert_eq!(read.sites["add (src/run/a.rs:3:4)"], own);
        assert_eq!(read.sites["core::f"].total_bytes, 7, "nobody of ours is known to have called it");
        assert_eq!(read.sites["retune::run::add"].total_bytes, 3, "without lines");
        assert_eq!(read.sum(), SiteBytes { peak_bytes: 9, peak_blocks: 3, total_bytes: 20 });
    }

    #[test]
    fn growth_comes_first() {
        let read = |points| HeapProfile::parse(&profile(points)).expect("a profile");
        let before = read(r#"{"tb":9,"gb":5,"gbk":1,"fs":[2]},{"tb":9,"gb":9,"gbk":1,"fs":[3]}"#);
        let after = read(
            r#"{"tb":9,"gb":2,"gbk":1,"fs":[2]},{"tb":9,"gb":9,"gbk":1,"fs":[3]},{"tb":4,"gb":4,"gbk":2,"fs":[1]}"#,
        );
        let found = heap_differences(&before, &after);
        let growths: Vec<i64> = found.iter().map(SiteChange::growth_bytes).collect();
        assert_eq!(growths, [4, -3], "what is the same is left out");
        assert!(found[0].site.starts_with("push<"));
        assert!(heap_differences(&after, &after).is_empty());
    }

    #[test]
    fn what_is_no_heap_profile_is_refused() {
        let wrong = |text: &str| HeapProfile::parse(text).expect_err("refused").to_string();
        assert!(wrong("{}").contains("expected a heap profile, found"));
        assert!(wrong(&profile("").replace(":2,", ":3,")).contains("version 2"));
        assert!(wrong(&profile("").replace("rust-heap", "rust-ad-hoc")).contains("rust-ad-hoc"));
        assert!(wrong(&profile(r#"{"tb":1,"gb":1,"gbk":1,"fs":[9]}"#)).contains("found 9"));
        assert!(!is_heap_profile("{\"at\":\"2025-01-01\"}"));
    }
}
