//! What every part of the program needs of its process: errors, settings from the environment, peak memory.

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A variable of the environment that has to be set.
pub(crate) fn variable(name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|_| format!("set {name}").into())
}

/// The most memory that this process has had, in MB; 0 if the system doesn't say.
pub(crate) fn peak_megabytes() -> u64 {
    kilobytes("VmHWM:") / 1024
}

/// The memory that this process has now; 0 if the system doesn't say.
pub(crate) fn resident_kilobytes() -> u64 {
    kilobytes("VmRSS:")
}

fn kilobytes(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or_default()
}
