//! Which processor a thread, and those that it starts later, keep to.

/// Whether the main thread of a process, or this thread, was pinned to that processor.
#[cfg(target_os = "linux")]
pub(crate) fn keep(process: Option<u32>, processor: usize) -> bool {
    use rustix::process::Pid;
    use rustix::thread::{CpuSet, sched_setaffinity};

    let mut set = CpuSet::new();
    set.set(processor);
    let pid = process.and_then(|pid| Pid::from_raw(pid.cast_signed()));
    sched_setaffinity(pid, &set).is_ok()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn keep(_: Option<u32>, _: usize) -> bool {
    false
}
