//! The bytes that a connection is to send.

/// The number of waiting bytes at which an outbox is full: its connection writes nothing more until
/// some have left. It is enough for one write to fill a socket's buffer of the usual size.
pub const OUTBOX_FULL: usize = 64 * 1024;

/// The number of free outboxes that a core keeps, as of receive buffers.
const FREE_MAX: usize = 64;

/// The largest free outbox that is kept, in bytes: a full one, its sent part, and a piece more. A
/// larger one came from an unusual response.
const KEEP_MAX: usize = 4 * OUTBOX_FULL;

/// The most memory that the free outboxes of a core take, in bytes.
const KEPT_MAX: usize = 4 << 20;

/// The free outboxes of one core.
#[derive(Debug, Default)]
pub struct Outboxes {
    free: Vec<Vec<u8>>,
    /// The memory that they take, in bytes.
    kept: usize,
}

impl Outboxes {
    fn take(&mut self) -> Vec<u8> {
        let bytes = self.free.pop().unwrap_or_default();
        self.kept -= bytes.capacity();
        bytes
    }

    fn give_back(&mut self, mut bytes: Vec<u8>) {
        let size = bytes.capacity();
        let fits = size <= KEEP_MAX && self.kept + size <= KEPT_MAX;
        if size > 0 && fits && self.free.len() < FREE_MAX {
            bytes.clear();
            self.kept += size;
            self.free.push(bytes);
        }
    }
}

/// The outbox of a connection. It holds memory only while there are bytes.
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    sent: usize,
}

impl Outbox {
    /// Returns the buffer to append to.
    pub fn end(&mut self, outboxes: &mut Outboxes) -> &mut Vec<u8> {
        if self.bytes.capacity() == 0 {
            self.bytes = outboxes.take();
        }
        // A long response is topped up before all of it has left. The sent part is removed once it
        // is the larger one: so no more bytes are moved than were sent, and the memory follows the
        // waiting bytes.
        if self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
        &mut self.bytes
    }

    /// Returns the bytes that were appended since the outbox had `at` bytes, sent ones included.
    /// Panics beyond the end.
    pub fn written(&self, at: usize) -> &[u8] {
        &self.bytes[at..]
    }

    /// The bytes that wait to be sent.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// Notes that the first `len` bytes left. An empty outbox returns its memory.
    pub fn sent(&mut self, len: usize, outboxes: &mut Outboxes) {
        self.sent += len;
        if self.sent == self.bytes.len() {
            self.clear(outboxes);
        }
    }

    /// Returns true if no bytes wait.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// Returns true if nothing is to be added.
    pub fn is_full(&self) -> bool {
        self.bytes().len() >= OUTBOX_FULL
    }

    /// Drops the waiting bytes.
    pub fn clear(&mut self, outboxes: &mut Outboxes) {
        self.sent = 0;
        outboxes.give_back(std::mem::take(&mut self.bytes));
    }
}
