//! `-log-raw`: requests and answers as they were, on standard error, each record whole. Knows bytes
//! only; the connections make the records, a thread of its own writes them.
//!
//! Connections hold what they log until it is written. Together they hold no more than a budget:
//! beyond it they wait, so a slow reader of the log slows the answers down instead of growing
//! memory or losing a record.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use crate::{Nanos, SECOND};

/// How many bytes all records may hold before they are written.
pub(crate) const BUDGET: u64 = 240 << 20;

/// The same where requests that are no HTTP count too.
const REFUSED_BUDGET: u64 = 256 << 20;

/// How long a connection waits before it asks again for room in the budget.
pub const RETRY: Nanos = SECOND / 50;

/// Bytes of a record beside what is logged: its three lines.
const LINES: u64 = 80;

/// One core's way to the log.
#[derive(Clone, Debug)]
pub struct RawLog {
    records: Sender<Record>,
    held: Arc<AtomicU64>,
}

/// The thread that writes; it ends when every [`RawLog`] is gone and all is written.
#[derive(Debug)]
pub struct Writer(JoinHandle<()>);

impl RawLog {
    /// Starts the log.
    pub fn start() -> io::Result<(RawLog, Writer)> {
        let (records, written) = mpsc::channel();
        let write = move || write_all(&written);
        let thread = thread::Builder::new().name("raw-log".into()).spawn(write)?;
        let held = Arc::default();
        Ok((RawLog { records, held }, Writer(thread)))
    }

    /// A record of a request, or an answer, of so many bytes at most. None when the log is behind
    /// and holds too much already: it is to be tried again after [`RETRY`].
    pub fn begin(&self, kind: Kind, bytes: u64) -> Option<Record> {
        self.begin_open(kind, bytes, 0)
    }

    /// A record of what may turn out to have up to `most` bytes more than these. So many
    /// stay free of such records, so that one at a time can always grow ([`Record::grow`]).
    pub fn begin_open(&self, kind: Kind, bytes: u64, most: u64) -> Option<Record> {
        let lease = bytes + LINES;
        let limit = BUDGET.saturating_sub(most);
        take(&self.held, lease, limit).then(|| self.record(kind, lease))
    }

    /// The record of a request whose head made no sense. It waits for no room, so it is left out
    /// when the log is so far behind that memory would grow.
    pub fn refused(&self, bytes: &[u8]) {
        let lease = bytes.len() as u64 + LINES;
        if take(&self.held, lease, REFUSED_BUDGET) {
            let mut record = self.record(Kind::Request, lease);
            record.head(bytes);
            self.end(record);
        }
    }

    /// Hands a record over to be written.
    pub fn end(&self, mut record: Record) {
        record.body(format!("\n--- End {} ---\n", record.kind.name()).as_bytes());
        debug_assert!(record.bytes.len() as u64 <= record.lease, "it had room");
        record.bytes.shrink_to_fit();
        record.shrink_to(record.bytes.len() as u64);
        // The writer lives as long as anyone can send to it.
        let _ = self.records.send(record);
    }

    fn record(&self, kind: Kind, lease: u64) -> Record {
        let mut bytes = Vec::with_capacity(lease as usize);
        bytes.extend_from_slice(format!("--- Raw {} ---\n", kind.name()).as_bytes());
        Record {
            kind,
            bytes,
            lease,
            held: self.held.clone(),
        }
    }
}

impl Writer {
    /// Waits until all is written.
    pub fn join(self) {
        self.0.join().expect("a panic ends the process");
    }
}

/// What a record tells of.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// What came in.
    Request,
    /// What went out.
    Response,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Request => "Request",
            Kind::Response => "Response",
        }
    }
}

/// A request or an answer on its way to the log. It counts against the budget until it is dropped.
#[derive(Debug)]
pub struct Record {
    kind: Kind,
    bytes: Vec<u8>,
    lease: u64,
    held: Arc<AtomicU64>,
}

impl Record {
    /// Adds a head, lines and empty line, and that a body begins. Lines end in LF in the log.
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

    /// Whether there is room for so many bytes more.
    pub fn has_room(&self, bytes: usize) -> bool {
        (self.bytes.len() + bytes) as u64 + LINES / 2 <= self.lease
    }

    /// Takes room for so many bytes more than it has. False when the log holds too much already.
    pub fn grow(&mut self, bytes: u64) -> bool {
        let grows = take(&self.held, bytes, BUDGET);
        self.lease += if grows { bytes } else { 0 };
        grows
    }

    fn shrink_to(&mut self, bytes: u64) {
        let surplus = self.lease.saturating_sub(bytes);
        self.held.fetch_sub(surplus, Ordering::Relaxed);
        self.lease -= surplus;
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.held.fetch_sub(self.lease, Ordering::Relaxed);
    }
}

/// Adds a lease to what is held, if that stays within the limit.
fn take(held: &AtomicU64, lease: u64, limit: u64) -> bool {
    let add = |held: u64| held.checked_add(lease).filter(|held| *held <= limit);
    held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
        .is_ok()
}

fn write_all(records: &Receiver<Record>) {
    for record in records {
        // When nobody reads any more, the records are dropped and the server goes on.
        let _ = io::stderr().lock().write_all(&record.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log that nobody writes.
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
        let mut record = log.begin(Kind::Request, 1000).unwrap();
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
        let one = log.begin(Kind::Request, half).unwrap();
        let two = log.begin(Kind::Response, half).unwrap();
        assert!(log.begin(Kind::Request, 0).is_none());
        // A record gives back what it did not need, and the rest once it is written.
        log.end(one);
        assert!(log.begin(Kind::Request, half).is_none());
        let three = log.begin(Kind::Request, half - LINES).unwrap();
        drop(written.recv().unwrap());
        drop(two);
        drop(three);
        assert_eq!(log.held.load(Ordering::Relaxed), 0);
        assert!(log.begin(Kind::Request, BUDGET - LINES).is_some());
        // Records of unknown length leave room for one of them to grow.
        let most = 50 << 20;
        let mut open = log.begin_open(Kind::Request, 1000, most).unwrap();
        let other = log
            .begin_open(Kind::Request, BUDGET - most - 1000 - 2 * LINES, most)
            .unwrap();
        assert!(log.begin_open(Kind::Request, 0, most).is_none());
        assert!(open.has_room(900) && !open.has_room(2000));
        assert!(open.grow(most) && open.has_room(2000));
        assert!(!open.grow(1));
        drop((open, other));
        assert!(log.begin(Kind::Request, BUDGET - LINES + 1).is_none());
    }
}
