//! The frames of one connection that have not left yet, for measuring how late they leave.

use crate::Nanos;

/// The frames of one connection that are rendered and have not left. A frame is a response, or the
/// events of a stream that are due together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unsent {
    /// The time at which the first of them was due.
    pub due: Nanos,
    /// The number of frames that begin a response.
    pub answers: u32,
    /// The number of frames that continue a stream.
    pub chunks: u32,
}

impl Unsent {
    /// Adds a response that is due at `due`.
    #[inline]
    pub fn answer(&mut self, due: Nanos) {
        if self.is_empty() {
            self.due = due;
        }
        self.answers += 1;
    }

    /// Adds the next part of a stream, due at `due`, unless a frame is there that it leaves with.
    pub fn chunk(&mut self, due: Nanos) {
        if self.is_empty() {
            self.due = due;
            self.chunks = 1;
        }
    }

    /// Returns true if there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.answers | self.chunks == 0
    }
}
