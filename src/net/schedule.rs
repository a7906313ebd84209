//! What the kernel says of a thread: how long it ran, and how long it waited for a CPU. Knows
//! nothing of what the thread does.

use std::fs;

use crate::watch::window::Schedule;

/// The calling thread's id in this system.
pub fn this_thread() -> i32 {
    rustix::thread::gettid().as_raw_nonzero().get()
}

/// Reads the schedule of a thread of this process. None where the kernel keeps no account, or
/// doesn't show it.
pub fn read(thread: i32) -> Option<Schedule> {
    parse(&fs::read_to_string(format!("/proc/self/task/{thread}/schedstat")).ok()?)
}

/// The file has three numbers: the time run and the time waited, in nanoseconds, and how often.
fn parse(text: &str) -> Option<Schedule> {
    let mut numbers = text.split_whitespace().map(str::parse);
    let (cpu, wait) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    // A kernel that keeps no account shows zeros; a thread that asks has run.
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
