//! The kernel's account of a thread: the time it ran, and the time it waited for a CPU.

use std::fs;

use crate::watch::window::Schedule;

/// Returns the kernel's id of the calling thread.
pub fn this_thread() -> i32 {
    rustix::thread::gettid().as_raw_nonzero().get()
}

/// Reads the account of a thread of this process. Returns None where the kernel keeps none or does
/// not show it.
pub fn read(thread: i32) -> Option<Schedule> {
    parse(&fs::read_to_string(format!("/proc/self/task/{thread}/schedstat")).ok()?)
}

/// Parses three numbers: the time run and the time waited, in nanoseconds, and the number of times.
fn parse(text: &str) -> Option<Schedule> {
    let mut numbers = text.split_whitespace().map(str::parse);
    let (cpu, wait) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    // A kernel that keeps no account shows zeros, though every thread has run.
    (cpu > 0).then_some(Schedule { cpu, wait })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedstat_is_two_times_and_a_count() {
        let schedule = Schedule { cpu: 12, wait: 3 };
        assert_eq!(parse("12 3 4\n"), Some(schedule));
        assert_eq!(parse("0 0 0\n"), None);
        assert_eq!(parse("12\n"), None);
        assert_eq!(parse(""), None);
    }
}
