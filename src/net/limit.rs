//! The most connections that the server may have: a setting, bounded by the process's descriptors.

use std::os::fd::AsFd;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, getrlimit, setrlimit};

use super::StartError;
use crate::settings::Settings;

/// Descriptors of the process that are not connections: standard streams, the file of `-content`,
/// the report, signals, and some to spare.
const RESERVED: usize = 16;

/// Descriptors of a core that are not connections: its epoll, waker, timer, and a listener for each
/// address.
const RESERVED_PER_CORE: usize = 6;

/// The number of descriptors that the kernel's table has room for from the start: half a megabyte.
const TABLE: u64 = 65_536;

/// Makes room in the kernel's table of descriptors, by opening one with a high number for a moment.
/// The table doubles when it is full, and in a process with several threads the kernel then waits
/// until no CPU can be reading the old one: a core that accepts stalled for 10 to 40 ms. Call this
/// while the process has one thread.
pub fn grow_table(open: impl AsFd) {
    let most = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    // If it fails, the table grows later.
    let _ = fcntl_dupfd_cloexec(open, most.min(TABLE) as i32 - 1);
}

/// Raises the process's limit of descriptors to its maximum, if it can.
pub fn raise() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Returns the most connections that are wanted, or that the limit of descriptors leaves room for.
pub fn most_connections(settings: &Settings, cores: usize) -> Result<usize, StartError> {
    let descriptors = getrlimit(Resource::Nofile).current;
    let descriptors = descriptors.map_or(usize::MAX, |most| most as usize);
    let room = descriptors.saturating_sub(RESERVED + RESERVED_PER_CORE * cores);
    match settings.max_connections {
        Some(wanted) if wanted > room => Err(StartError::Usage(format!(
            "-max-connections: {wanted} is not allowed; at most {room}, which is what the limit of \
             {descriptors} descriptors leaves (ulimit -n)"
        ))),
        Some(wanted) => Ok(wanted),
        None => Ok(room.max(1)),
    }
}
