//! The `optimizer` command.

/// Gives freed memory back to the system.
///
/// By default the allocator raises its threshold for memory of its own mapping to that of the largest block ever freed,
/// so that the buffers of a cold run stay with the process for good: 109 MiB instead of 72 for 7 symbols x 5 years.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn give_memory_back() {
    #[expect(unsafe_code, reason = "sets two numbers of the allocator before any thread is started")]
    // SAFETY: mallopt takes plain integers; a value that it does not like is ignored.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 20);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 1 << 17);
    }
}

/// Tells every allocation to the profile that is being recorded, if one is.
#[cfg(feature = "heap-profile")]
#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

fn main() -> std::process::ExitCode {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    give_memory_back();
    retune::cli::main()
}
