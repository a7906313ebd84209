//! How many connections the server may have: a setting, bounded by the process's descriptors.
//! Knows no sockets.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, getrlimit, setrlimit};

use super::Trouble;
use crate::settings::Settings;

/// Descriptors that are no connections: standard streams, the text's file, the report, signals, and
/// room.
const RESERVED: usize = 16;

/// Descriptors of a core: its epoll, waker, timer, a listener for each address.
const RESERVED_A_CORE: usize = 6;

/// For how many descriptors there is room in the kernel's table from the start: half a megabyte.
const TABLE: u64 = 65_536;

/// Makes room in the kernel's table of descriptors, by having one with a high number for a moment.
/// The table doubles when it is full, and for a process with several threads the kernel waits then
/// until no CPU can be reading the old one: a core that accepts stood still for 10 to 40 ms. This
/// is to be called while there is one thread.
pub fn grow_table(open: impl AsFd) {
    let most = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    // It may fail as it likes: the table grows later then.
    let _ = fcntl_dupfd_cloexec(open, most.min(TABLE) as i32 - 1);
}

/// Raises the limit of descriptors as far as it goes; how many connections fit then, or are wanted.
pub fn most_connections(settings: &Settings, cores: usize) -> Result<usize, Trouble> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // What can't be raised is what there is.
    let _ = setrlimit(Resource::Nofile, limit);
    let descriptors = getrlimit(Resource::Nofile).current;
    let descriptors = descriptors.map_or(usize::MAX, |most| most as usize);
    let room = descriptors.saturating_sub(RESERVED + RESERVED_A_CORE * cores);
    match settings.max_connections {
        Some(wanted) if wanted > room => Err(Trouble::Usage(format!(
            "-max-connections: {wanted} is not allowed; at most {room}, which is what the limit of \
             {descriptors} descriptors leaves (ulimit -n)"
        ))),
        Some(wanted) => Ok(wanted),
        None => Ok(room.max(1)),
    }
}

/// One core's part in the connections that the server may have.
pub struct Share {
    /// How many there are on all cores.
    open: Arc<AtomicUsize>,
    most: usize,
    /// How many of them this core has told of.
    told: usize,
}

impl Share {
    /// A part for each core.
    pub fn of(most: usize, cores: usize) -> Vec<Share> {
        let open = Arc::new(AtomicUsize::new(0));
        let share = |_| Share {
            open: open.clone(),
            most,
            told: 0,
        };
        (0..cores).map(share).collect()
    }

    /// Takes one more, if there may be one.
    pub fn take(&mut self) -> bool {
        if self.open.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.open.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        self.told += 1;
        true
    }

    /// Gives back what was taken last: there was no connection.
    pub fn give_back(&mut self) {
        self.told -= 1;
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// This core has so many connections now. Whether there is more room than before.
    pub fn settle(&mut self, open: usize) -> bool {
        let before = std::mem::replace(&mut self.told, open);
        if before < open {
            self.open.fetch_add(open - before, Ordering::Relaxed);
        } else if before > open {
            self.open.fetch_sub(before - open, Ordering::Relaxed);
        }
        before > open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_cores_together_have_at_most_so_many() {
        let mut shares = Share::of(3, 2);
        let [one, other] = &mut shares[..] else {
            unreachable!("there are two");
        };
        assert!(one.take() && other.take() && one.take());
        assert!(!one.take() && !other.take());
        other.give_back();
        assert!(one.take() && !other.take());
        // Three were one's, and two of them have ended.
        assert!(one.settle(1) && !one.settle(1));
        assert!(other.take() && other.take() && !other.take());
        assert!(
            !one.settle(2),
            "more than there may be, as when the server ends"
        );
        assert!(!one.take() && one.settle(0) && !one.settle(0) && one.take());
    }
}
