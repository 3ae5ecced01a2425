//! Idle priority: a run lowers its own priority, so that a bot on the same machine does not notice it.
//!
//! Threads started afterwards inherit it. Without privileges there is no way back up, and none is needed: the process ends
//! with its run.

use crate::config::Priority;

#[cfg(target_os = "linux")]
mod system {
    use std::io;

    /// Lowest nice value but the very last, and the last.
    pub(super) const NICE_LOW: i32 = 10;
    pub(super) const NICE_IDLE: i32 = 19;
    /// Class and level of disk access as the kernel packs them.
    pub(super) const IO_LOWEST: libc::c_long = (2 << 13) | 7;
    pub(super) const IO_IDLE: libc::c_long = 3 << 13;
    const IO_WHO_PROCESS: libc::c_long = 1;

    pub(super) fn nice(value: i32) -> io::Result<()> {
        Ok(rustix::process::setpriority_process(None, value)?)
    }

    pub(super) fn schedule(policy: libc::c_int) -> io::Result<()> {
        let parameters = libc::sched_param { sched_priority: 0 };
        #[expect(unsafe_code, reason = "no safe call for it among the crates used")]
        // SAFETY: 0 is the calling thread, and the parameters outlive the call.
        let done = unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    pub(super) fn disk(class_and_level: libc::c_long) -> io::Result<()> {
        let own: libc::c_long = 0;
        #[expect(unsafe_code, reason = "the C library has no function for this call")]
        // SAFETY: three plain integers; the kernel checks them.
        let done = unsafe { libc::syscall(libc::SYS_ioprio_set, IO_WHO_PROCESS, own, class_and_level) };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

/// Lowers the priority of this thread and those it will start. What the system refuses is noted in the log, and no error.
#[cfg(target_os = "linux")]
pub(crate) fn lower(priority: Priority) {
    use system::{IO_IDLE, IO_LOWEST, NICE_IDLE, NICE_LOW, disk, nice, schedule};
    let (value, policy, class) = match priority {
        Priority::Idle => (NICE_IDLE, libc::SCHED_IDLE, IO_IDLE),
        Priority::Low => (NICE_LOW, libc::SCHED_BATCH, IO_LOWEST),
        Priority::Normal => return,
    };
    // The nice value first: in the idle class it may no longer be changed.
    let tried = [("nice", nice(value)), ("schedule", schedule(policy)), ("disk", disk(class))];
    for (what, done) in tried {
        match done {
            Ok(()) => tracing::debug!(what, ?priority, "priority lowered"),
            Err(error) => tracing::debug!(what, ?priority, %error, "priority not lowered"),
        }
    }
}

/// Lowers nothing: only Linux is known here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn lower(priority: Priority) {
    tracing::debug!(?priority, "priority not lowered: not available on this system");
}
