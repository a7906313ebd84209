//! The bytes that a connection has received and not used yet, and the buffers that hold them.

/// The size of a buffer in bytes. It bounds a request head, and it fits the first-level cache of a
/// core while the bytes just read are parsed.
pub const BUFFER: usize = 16 * 1024;

/// The size in bytes of a small buffer, which holds most heads that arrive in pieces. Thousands of
/// clients that never complete theirs occupy little memory.
pub const REST: usize = 1024;

/// The most free buffers that a core keeps. A turn serves one connection at a time, so a few
/// circulate; those that a burst of half-read requests needed beyond them are freed.
const FREE_MAX: usize = 64;

/// The free buffers of one core.
#[derive(Debug, Default)]
pub struct Buffers {
    free: Vec<Box<[u8; BUFFER]>>,
    #[expect(
        clippy::vec_box,
        reason = "a box moves to an inbox and back without copying"
    )]
    free_rests: Vec<Box<[u8; REST]>>,
}

/// The receive buffer of one connection. It holds one of [`Buffers`] only while there are bytes: a
/// whole buffer or a small one, never both. The bytes from `start` to `end` are unused.
#[derive(Debug, Default)]
pub struct Inbox {
    buffer: Option<Box<[u8; BUFFER]>>,
    /// The small buffer, whose bytes begin at its front.
    rest: Option<Box<[u8; REST]>>,
    start: u32,
    end: u32,
}

impl Inbox {
    /// Returns the space for the next bytes. It is empty only if [`BUFFER`] bytes are unused.
    pub fn space(&mut self, buffers: &mut Buffers) -> &mut [u8] {
        let buffer = self
            .buffer
            .get_or_insert_with(|| buffers.free.pop().unwrap_or_else(|| Box::new([0; BUFFER])));
        if let Some(rest) = self.rest.take() {
            buffer[..self.end as usize].copy_from_slice(&rest[..self.end as usize]);
            buffers.free_rest(rest);
        }
        if self.start > 0 {
            buffer.copy_within(self.start as usize..self.end as usize, 0);
            self.end -= self.start;
            self.start = 0;
        }
        &mut buffer[self.end as usize..]
    }

    /// Accepts the `len` bytes that were written to the front of the space.
    pub fn received(&mut self, len: usize) {
        self.end += len as u32;
        debug_assert!(self.is_sound());
    }

    /// Returns the unused bytes.
    pub fn bytes(&self) -> &[u8] {
        let waiting = self.start as usize..self.end as usize;
        match (&self.buffer, &self.rest) {
            (Some(buffer), _) => &buffer[waiting],
            (None, Some(rest)) => &rest[waiting],
            (None, None) => &[],
        }
    }

    /// Drops the first `len` of the unused bytes.
    pub fn used(&mut self, len: usize) {
        self.start += len as u32;
        debug_assert!(self.is_sound());
    }

    /// Returns true if all bytes are used.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn is_sound(&self) -> bool {
        let holds = match (&self.buffer, &self.rest) {
            (Some(_), None) => BUFFER,
            (None, Some(_)) => REST,
            (None, None) => 0,
            (Some(_), Some(_)) => return false,
        };
        self.start <= self.end && self.end as usize <= holds
    }

    /// Returns the buffer to the core if few bytes or none are left in it: an idle connection holds
    /// none.
    pub fn release(&mut self, buffers: &mut Buffers) {
        let waiting = self.start as usize..self.end as usize;
        if waiting.len() > REST {
            return;
        }
        if waiting.is_empty() {
            self.start = 0;
            self.end = 0;
            if let Some(rest) = self.rest.take() {
                buffers.free_rest(rest);
            }
        }
        let Some(buffer) = self.buffer.take() else {
            return;
        };
        if !waiting.is_empty() {
            let rest = buffers.free_rests.pop();
            let mut rest = rest.unwrap_or_else(|| Box::new([0; REST]));
            self.start = 0;
            self.end = waiting.len() as u32;
            rest[..waiting.len()].copy_from_slice(&buffer[waiting]);
            self.rest = Some(rest);
        }
        if buffers.free.len() < FREE_MAX {
            buffers.free.push(buffer);
        }
    }

    /// Drops all unused bytes.
    pub fn clear(&mut self) {
        self.start = self.end;
    }
}

impl Buffers {
    fn free_rest(&mut self, rest: Box<[u8; REST]>) {
        if self.free_rests.len() < FREE_MAX {
            self.free_rests.push(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(inbox: &mut Inbox, buffers: &mut Buffers, bytes: &[u8]) {
        inbox.space(buffers)[..bytes.len()].copy_from_slice(bytes);
        inbox.received(bytes.len());
    }

    #[test]
    fn what_is_left_moves_to_the_front() {
        let (mut inbox, mut buffers) = (Inbox::default(), Buffers::default());
        put(&mut inbox, &mut buffers, b"abcdef");
        inbox.used(4);
        assert_eq!(inbox.space(&mut buffers).len(), BUFFER - 2);
        put(&mut inbox, &mut buffers, b"gh");
        assert_eq!(inbox.bytes(), b"efgh");
    }

    #[test]
    fn an_empty_inbox_holds_no_buffer_and_a_full_one_has_no_space() {
        let (mut inbox, mut buffers) = (Inbox::default(), Buffers::default());
        put(&mut inbox, &mut buffers, &[b'x'; BUFFER]);
        assert!(inbox.space(&mut buffers).is_empty());
        inbox.used(BUFFER);
        inbox.release(&mut buffers);
        assert!(inbox.buffer.is_none());
        assert_eq!(buffers.free.len(), 1);
    }

    #[test]
    fn a_small_rest_needs_no_buffer() {
        for (len, small) in [(1, true), (REST, true), (REST + 1, false)] {
            let (mut inbox, mut buffers) = (Inbox::default(), Buffers::default());
            put(&mut inbox, &mut buffers, b"used");
            inbox.used(4);
            let waiting: Vec<u8> = (0..len).map(|at| at as u8).collect();
            put(&mut inbox, &mut buffers, &waiting);
            for _ in 0..2 {
                inbox.release(&mut buffers);
                assert_eq!(inbox.bytes(), waiting);
                assert_eq!(
                    (inbox.buffer.is_none(), buffers.free.len()),
                    (small, small.into())
                );
            }
            inbox.used(1);
            put(&mut inbox, &mut buffers, b"more");
            assert_eq!(inbox.bytes(), [&waiting[1..], b"more"].concat());
            inbox.clear();
            inbox.release(&mut buffers);
            let free = (buffers.free.len(), buffers.free_rests.len());
            assert_eq!(free, (1, small.into()));
        }
    }

    #[test]
    fn few_free_buffers_are_kept() {
        let mut buffers = Buffers::default();
        let mut inboxes: Vec<Inbox> = (0..FREE_MAX + 5).map(|_| Inbox::default()).collect();
        inboxes
            .iter_mut()
            .for_each(|inbox| put(inbox, &mut buffers, b"x"));
        inboxes.iter_mut().for_each(|inbox| {
            inbox.clear();
            inbox.release(&mut buffers);
        });
        assert_eq!(buffers.free.len(), FREE_MAX);
    }
}
