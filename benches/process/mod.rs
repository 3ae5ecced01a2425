//! A command as its user meets it: wall time and peak memory of the whole process.

use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// What a process cost.
pub(crate) struct Cost {
    pub wall: Duration,
    pub cpu: Duration,
    /// What a run says itself; of other commands what the system says, which is never less than this process had when
    /// it started them.
    pub peak_mib: f64,
    pub status: i32,
}

/// Runs `optimizer` with arguments.
pub(crate) fn optimizer(arguments: &[&str]) -> Cost {
    let mut command = Command::new(env!("CARGO_BIN_EXE_optimizer"));
    // Other work on the machine, if any, is not to decide the figures alone.
    command.env("OPTIMIZER_LIMITS__PRIORITY", "normal");
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null());
    let clock = Instant::now();
    #[expect(
        clippy::zombie_processes,
        reason = "it is waited for below, where the system tells what it used"
    )]
    let mut child = command.spawn().expect("the program starts");
    let pid = libc::pid_t::try_from(child.id()).expect("a process id");
    let mut printed = String::new();
    let mut stdout = child.stdout.take().expect("it was piped");
    std::io::Read::read_to_string(&mut stdout, &mut printed).expect("text");
    let mut status = 0;
    #[expect(unsafe_code, reason = "the standard library does not tell what a child used")]
    // SAFETY: a zeroed rusage is a valid one, and both pointers are to locals that outlive the call.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert!(libc::wait4(pid, &raw mut status, 0, &raw mut usage) == pid, "the child is ours");
        usage
    };
    let wall = clock.elapsed();
    let own = printed.rsplit_once("peak_rss=").and_then(|(_, rest)| rest.split_once("MiB"));
    let time = |t: libc::timeval| Duration::from_micros(t.tv_sec as u64 * 1_000_000 + t.tv_usec as u64);
    Cost {
        wall,
        cpu: time(usage.ru_utime) + time(usage.ru_stime),
        peak_mib: own.and_then(|(mib, _)| mib.parse().ok()).unwrap_or(usage.ru_maxrss as f64 / 1024.0),
        status: exit_code(status),
    }
}

fn exit_code(status: i32) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    ExitStatus::from_raw(status).code().unwrap_or(-1)
}
