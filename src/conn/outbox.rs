//! The bytes that a connection is to send. Knows no syntax.

/// At this many waiting bytes an outbox is full: nothing more is answered on its connection until
/// some have left. Enough for one write to fill a socket's buffer at its usual size.
pub const OUTBOX_FULL: usize = 64 * 1024;

/// How many free outboxes a core keeps, as with receive buffers.
const FREE_MAX: usize = 64;

/// The largest free outbox that is kept, in bytes: a full one, what of it has left, and one item
/// more. One bigger than this came from an answer out of the ordinary.
const KEEP_MAX: usize = 4 * OUTBOX_FULL;

/// How much the free outboxes of a core take at most, in bytes.
const KEPT_MAX: usize = 4 << 20;

/// The free outboxes of one core.
#[derive(Debug, Default)]
pub struct Outboxes {
    free: Vec<Vec<u8>>,
    /// What they take, in bytes.
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

/// One connection's outbox. It holds memory only while there are bytes.
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    sent: usize,
}

impl Outbox {
    /// Where to append what is to be sent.
    pub fn end(&mut self, outboxes: &mut Outboxes) -> &mut Vec<u8> {
        if self.bytes.capacity() == 0 {
            self.bytes = outboxes.take();
        }
        // A long answer is topped up before all of it has left. What has left goes once it is the
        // larger part: so no more is moved than has left, and memory follows what waits.
        if self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
        &mut self.bytes
    }

    /// What was appended since the outbox had `at` bytes, sent ones included; panics beyond its
    /// end.
    pub fn written(&self, at: usize) -> &[u8] {
        &self.bytes[at..]
    }

    /// What waits to be sent.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// The first `len` bytes left. What holds no bytes any more is given back.
    pub fn sent(&mut self, len: usize, outboxes: &mut Outboxes) {
        self.sent += len;
        if self.sent == self.bytes.len() {
            self.clear(outboxes);
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// Whether so much waits that nothing is to be added.
    pub fn is_full(&self) -> bool {
        self.bytes().len() >= OUTBOX_FULL
    }

    /// Forgets what waits.
    pub fn clear(&mut self, outboxes: &mut Outboxes) {
        self.sent = 0;
        outboxes.give_back(std::mem::take(&mut self.bytes));
    }
}
