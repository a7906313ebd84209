//! What of one connection's answers is on its way out. Knows no connection and no clock.

use crate::Nanos;

/// Frames of one connection that were rendered and have not left. A frame is what leaves in one
/// piece: an answer, or what of a stream is due together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frames {
    /// When the first of them was due.
    pub due: Nanos,
    /// How many begin an answer.
    pub answers: u32,
    /// How many go on with one.
    pub chunks: u32,
}

impl Frames {
    /// An answer begins that is due at `due`.
    #[inline]
    pub fn answer(&mut self, due: Nanos) {
        if self.is_empty() {
            self.due = due;
        }
        self.answers += 1;
    }

    /// More of a stream is due at `due`; it leaves with what is there already.
    pub fn chunk(&mut self, due: Nanos) {
        if self.is_empty() {
            *self = Frames {
                due,
                answers: 0,
                chunks: 1,
            };
        }
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.answers | self.chunks == 0
    }
}
