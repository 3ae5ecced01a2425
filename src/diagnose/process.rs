//! The memory of a process as the system tells it, and whether it grows.

use std::io::ErrorKind;

/// Fewest samples of which a trend is said.
const SAMPLES_MIN: usize = 5;
/// Share of the spread that a straight line has to explain before growth counts as steady.
const EXPLAINED_MIN: f64 = 0.6;

/// The memory of a process at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemorySample {
    /// When; UTC ms.
    pub at_ms: i64,
    /// Resident bytes.
    pub rss_bytes: u64,
    /// The most that were ever resident.
    pub peak_rss_bytes: u64,
    /// Of the resident bytes, those without a file behind them: heap and stacks.
    pub anonymous_bytes: u64,
    /// Of the resident bytes, those of files: the program, mapped data.
    pub file_bytes: u64,
    /// Bytes moved out to swap.
    pub swap_bytes: u64,
    /// Threads.
    pub threads: u64,
}

/// Why nothing is known about a process.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// There is no such process, or it has ended.
    #[error("expected a running process, found none with id {pid}")]
    NoProcess {
        /// The id asked for.
        pid: u32,
    },
    /// This system does not say, or not to us.
    #[error("not available here: the memory of process {pid} cannot be read from /proc: {reason}")]
    NotAvailable {
        /// The id asked for.
        pid: u32,
        /// What the system said.
        reason: String,
    },
}

/// Returns the memory of a process.
///
/// Errors: [`ProcessError`]; on systems without `/proc` always `NotAvailable`
pub fn sample(pid: u32, at_ms: i64) -> Result<MemorySample, ProcessError> {
    if !std::path::Path::new("/proc/self/status").exists() {
        return Err(ProcessError::NotAvailable { pid, reason: "this system has none".to_owned() });
    }
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).map_err(|error| {
        // A process that ends while it is read gives the second.
        let gone = error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH);
        match gone {
            true => ProcessError::NoProcess { pid },
            false => ProcessError::NotAvailable { pid, reason: error.to_string() },
        }
    })?;
    // One that has ended and was not waited for yet has no memory.
    parse_status(&text, at_ms).ok_or(ProcessError::NoProcess { pid })
}

fn parse_status(status: &str, at_ms: i64) -> Option<MemorySample> {
    let number = |key: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse().ok()
    };
    let bytes = |key: &str| number(key).map(|kib| kib * 1024);
    let rss_bytes = bytes("VmRSS")?;
    Some(MemorySample {
        at_ms,
        rss_bytes,
        peak_rss_bytes: bytes("VmHWM").unwrap_or(rss_bytes),
        anonymous_bytes: bytes("RssAnon").unwrap_or(0),
        file_bytes: bytes("RssFile").unwrap_or(0) + bytes("RssShmem").unwrap_or(0),
        swap_bytes: bytes("VmSwap").unwrap_or(0),
        threads: number("Threads").unwrap_or(0),
    })
}

/// Whether memory grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryGrowth {
    /// Too few samples to say.
    TooShort,
    /// It does not grow by as much as would matter.
    Steady,
    /// It grows, but by leaps: work that comes and goes.
    Uneven,
    /// It grows along a line: a leak, if it goes on.
    Leak,
}

impl MemoryGrowth {
    /// Returns the word used in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::Steady => "steady",
            Self::Uneven => "uneven",
            Self::Leak => "leak",
        }
    }
}

/// The straight line through samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemoryTrend {
    /// Slope of least squares; resident bytes per hour.
    pub bytes_per_hour: f64,
    /// Share of the spread that the line explains, in [0, 1].
    pub explained: f64,
    /// What that means.
    pub growth: MemoryGrowth,
}

/// Returns the trend of resident memory over time.
///
/// Shape:     samples by time; `limit` is the growth in bytes per hour from which it matters
pub fn memory_trend(samples: &[MemorySample], limit: f64) -> MemoryTrend {
    let count = samples.len() as f64;
    let first_ms = samples.first().map_or(0, |sample| sample.at_ms);
    let points = || {
        samples.iter().map(|sample| ((sample.at_ms - first_ms) as f64 / 3_600_000.0, sample.rss_bytes as f64))
    };
    let (sum_x, sum_y) = points().fold((0.0, 0.0), |(x, y), (px, py)| (x + px, y + py));
    let (mean_x, mean_y) = (sum_x / count.max(1.0), sum_y / count.max(1.0));
    let spread = points().fold((0.0, 0.0, 0.0), |(xx, xy, yy), (x, y)| {
        let (x, y) = (x - mean_x, y - mean_y);
        (xx + x * x, xy + x * y, yy + y * y)
    });
    let (xx, xy, yy) = spread;
    let slope = if xx > 0.0 { xy / xx } else { 0.0 };
    let explained = if xx > 0.0 && yy > 0.0 { xy * xy / (xx * yy) } else { 0.0 };
    let growth = if samples.len() < SAMPLES_MIN {
        MemoryGrowth::TooShort
    } else if slope < limit {
        MemoryGrowth::Steady
    } else if explained < EXPLAINED_MIN {
        MemoryGrowth::Uneven
    } else {
        MemoryGrowth::Leak
    };
    MemoryTrend { bytes_per_hour: slope, explained, growth }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn series(mib: &[u64]) -> Vec<MemorySample> {
        let sample = |(second, mib): (usize, &u64)| MemorySample {
            at_ms: 1_000_000 + second as i64 * 1000,
            rss_bytes: mib * MIB,
            ..MemorySample::default()
        };
        mib.iter().enumerate().map(sample).collect()
    }

    #[test]
    fn a_leak_is_told_from_work_that_comes_and_goes() {
        let limit = 16.0 * MIB as f64;
        let line = memory_trend(&series(&[10, 11, 12, 13, 14, 15]), limit);
        assert!((line.bytes_per_hour / (3600.0 * MIB as f64) - 1.0).abs() < 1e-9, "{line:?}");
        assert_eq!((line.growth, line.explained > 0.999), (MemoryGrowth::Leak, true));
        assert_eq!(memory_trend(&series(&[10, 30, 10, 30, 10, 31]), limit).growth, MemoryGrowth::Uneven);
        assert_eq!(memory_trend(&series(&[10, 10, 10, 10, 10]), limit).growth, MemoryGrowth::Steady);
        assert_eq!(memory_trend(&series(&[30, 20, 10, 10, 10]), limit).growth, MemoryGrowth::Steady);
        assert_eq!(memory_trend(&series(&[10, 20, 30, 40]), limit).growth, MemoryGrowth::TooShort);
        assert_eq!(memory_trend(&[], limit).bytes_per_hour, 0.0);
    }

    #[test]
    fn what_the_system_says_is_read() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nRssAnon:\t 700 kB\nRssFile:\t 300 kB\n\
                      RssShmem:\t 24 kB\nVmSwap:\t 0 kB\nThreads:\t3\n";
        let found = parse_status(status, 7).expect("a sample");
        assert_eq!((found.rss_bytes, found.peak_rss_bytes), (MIB, 2 * MIB));
        assert_eq!((found.anonymous_bytes, found.file_bytes, found.threads), (700 << 10, 324 << 10, 3));
        assert!(parse_status("Name:\tkthread\nThreads:\t1\n", 7).is_none());
        assert!(parse_status("VmRSS:\t lots kB\n", 7).is_none());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_memory_and_one_that_is_not_there_has_none() {
        assert!(sample(std::process::id(), 0).expect("this process").rss_bytes > MIB);
        assert!(matches!(sample(u32::MAX, 0), Err(ProcessError::NoProcess { .. })));
    }
}
