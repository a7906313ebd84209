//! `-log-raw`: the bytes of requests and responses on standard error, each record whole.
//! Connections make the records, and a separate thread writes them.
//!
//! A record counts against a budget until it is written. Connections wait while the budget is used
//! up, so a slow reader of the log delays responses instead of growing memory or losing records.

#![expect(
    clippy::disallowed_methods,
    reason = "has a thread that writes, and a budget that cores share"
)]

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use crate::{Nanos, SECOND};

/// The most bytes that records which are not yet written may hold.
pub(crate) const BUDGET: u64 = 240 << 20;

/// The most bytes that they may hold together with requests that are not HTTP.
const REFUSED_BUDGET: u64 = 256 << 20;

/// The time after which a connection tries again to get room in the budget.
pub const RETRY: Nanos = SECOND / 50;

/// The bytes of a record besides what is logged: its three lines.
const LINES: u64 = 80;

/// The access of one core to the log.
#[derive(Clone, Debug)]
pub struct RawLog {
    records: Sender<Record>,
    held: Arc<AtomicU64>,
}

impl RawLog {
    /// Starts the log, and the thread that writes it. The thread ends once every [`RawLog`] is
    /// dropped and all is written.
    pub fn start() -> io::Result<(RawLog, JoinHandle<()>)> {
        let (records, written) = mpsc::channel();
        let write = move || write_all(&written);
        let thread = thread::Builder::new().name("raw-log".into()).spawn(write)?;
        let held = Arc::default();
        Ok((RawLog { records, held }, thread))
    }

    /// Begins a record of `bytes` bytes, or of up to `most` more: such records leave `most` bytes
    /// of the budget free, so that one at a time can always grow ([`Record::grow`]). Returns None
    /// if the budget is used up: the caller tries again after [`RETRY`].
    pub fn begin(&self, direction: Direction, bytes: u64, most: u64) -> Option<Record> {
        let lease = bytes + LINES;
        let limit = BUDGET.saturating_sub(most);
        take(&self.held, lease, limit).then(|| self.record(direction, lease))
    }

    /// Records a request that is not HTTP. Such a record does not wait for room: it is dropped if
    /// the budget is used up.
    pub fn refused(&self, bytes: &[u8]) {
        let lease = bytes.len() as u64 + LINES;
        if take(&self.held, lease, REFUSED_BUDGET) {
            let mut record = self.record(Direction::Request, lease);
            record.head(bytes);
            self.end(record);
        }
    }

    /// Hands a record over to be written.
    pub fn end(&self, mut record: Record) {
        record.body(format!("\n--- End {:?} ---\n", record.direction).as_bytes());
        debug_assert!(record.bytes.len() as u64 <= record.lease, "it had room");
        record.bytes.shrink_to_fit();
        let surplus = record.lease.saturating_sub(record.bytes.len() as u64);
        self.held.fetch_sub(surplus, Ordering::Relaxed);
        record.lease -= surplus;
        // The thread lives as long as anything can send to it.
        let _ = self.records.send(record);
    }

    fn record(&self, direction: Direction, lease: u64) -> Record {
        let mut bytes = Vec::with_capacity(lease as usize);
        bytes.extend_from_slice(format!("--- Raw {direction:?} ---\n").as_bytes());
        Record {
            direction,
            bytes,
            lease,
            held: self.held.clone(),
        }
    }
}

/// The direction of a logged message. The log names it as `Debug` does.
#[derive(Clone, Copy, Debug)]
pub enum Direction {
    /// From the client.
    Request,
    /// To the client.
    Response,
}

/// A request or response on its way to the log. It counts against the budget until it is dropped.
#[derive(Debug)]
pub struct Record {
    direction: Direction,
    bytes: Vec<u8>,
    lease: u64,
    held: Arc<AtomicU64>,
}

impl Record {
    /// Adds a head with its empty line, and the line that introduces the body. In the log, lines
    /// end in LF.
    pub fn head(&mut self, head: &[u8]) {
        let lines = head.strip_suffix(b"\r\n").unwrap_or(head);
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            match line.strip_suffix(b"\r\n") {
                Some(line) => {
                    self.bytes.extend_from_slice(line);
                    self.bytes.push(b'\n');
                }
                None => self.bytes.extend_from_slice(line),
            }
        }
        self.bytes.extend_from_slice(b"--- Body ---\n");
    }

    /// Adds content, without its framing.
    pub fn body(&mut self, content: &[u8]) {
        self.bytes.extend_from_slice(content);
    }

    /// Returns true if it has room for this number of bytes.
    pub fn has_room(&self, bytes: usize) -> bool {
        (self.bytes.len() + bytes) as u64 + LINES / 2 <= self.lease
    }

    /// Takes room for this number of additional bytes. Returns false if the budget is used up.
    pub fn grow(&mut self, bytes: u64) -> bool {
        let grows = take(&self.held, bytes, BUDGET);
        self.lease += if grows { bytes } else { 0 };
        grows
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.held.fetch_sub(self.lease, Ordering::Relaxed);
    }
}

/// Adds a lease to the bytes held if they stay within the limit. Returns whether they do.
fn take(held: &AtomicU64, lease: u64, limit: u64) -> bool {
    let add = |held: u64| held.checked_add(lease).filter(|held| *held <= limit);
    held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
        .is_ok()
}

fn write_all(records: &Receiver<Record>) {
    for record in records {
        // If nothing reads the log any more, the records are dropped and the server continues.
        let _ = io::stderr().lock().write_all(&record.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log whose records are not written.
    fn stalled() -> (RawLog, Receiver<Record>) {
        let (records, written) = mpsc::channel();
        (
            RawLog {
                records,
                held: Arc::default(),
            },
            written,
        )
    }

    #[test]
    fn a_record_has_the_form_that_the_readme_shows() {
        let (log, written) = stalled();
        let mut record = log.begin(Direction::Request, 1000, 0).unwrap();
        record.head(b"POST / HTTP/1.1\r\nHost: a\r\n\r\n");
        record.body(b"{}");
        log.end(record);
        let record = written.recv().unwrap();
        let want = "--- Raw Request ---\nPOST / HTTP/1.1\nHost: a\n--- Body ---\n{}\n\
                    --- End Request ---\n";
        assert_eq!(std::str::from_utf8(&record.bytes).unwrap(), want);
    }

    #[test]
    fn records_hold_no_more_than_the_budget_until_they_are_written() {
        let (log, written) = stalled();
        let half = BUDGET / 2 - LINES;
        let one = log.begin(Direction::Request, half, 0).unwrap();
        let two = log.begin(Direction::Response, half, 0).unwrap();
        assert!(log.begin(Direction::Request, 0, 0).is_none());
        // A record returns the room that it did not need, and the rest once it is written.
        log.end(one);
        assert!(log.begin(Direction::Request, half, 0).is_none());
        let three = log.begin(Direction::Request, half - LINES, 0).unwrap();
        drop(written.recv().unwrap());
        drop(two);
        drop(three);
        assert_eq!(log.held.load(Ordering::Relaxed), 0);
        assert!(log.begin(Direction::Request, BUDGET - LINES, 0).is_some());
        // Records of unknown length leave room for one of them to grow.
        let most = 50 << 20;
        let mut open = log.begin(Direction::Request, 1000, most).unwrap();
        let other = log
            .begin(Direction::Request, BUDGET - most - 1000 - 2 * LINES, most)
            .unwrap();
        assert!(log.begin(Direction::Request, 0, most).is_none());
        assert!(open.has_room(900) && !open.has_room(2000));
        assert!(open.grow(most) && open.has_room(2000));
        assert!(!open.grow(1));
        drop((open, other));
        assert!(
            log.begin(Direction::Request, BUDGET - LINES + 1, 0)
                .is_none()
        );
    }
}
