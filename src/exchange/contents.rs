//! The contents of the last responses, so that equal ones share memory.

use std::rc::Rc;

use crate::api::content::Content;

/// The number of contents that a core remembers: a load makes a few kinds of requests, over and
/// over.
const KEPT: usize = 16;

/// The contents of the last responses.
#[derive(Debug, Default)]
pub struct Contents {
    kept: Vec<Rc<Content>>,
    /// The next one to be replaced.
    oldest: usize,
}

impl Contents {
    /// Returns the content that is equal to this one, shared by all responses with it.
    pub fn share(&mut self, content: Content) -> Rc<Content> {
        if let Some(known) = self.kept.iter().find(|known| ***known == content) {
            return known.clone();
        }
        if self.kept.len() < KEPT {
            self.kept.push(Rc::new(content));
            return self.kept[self.kept.len() - 1].clone();
        }
        let place = &mut self.kept[self.oldest];
        self.oldest = (self.oldest + 1) % KEPT;
        match Rc::get_mut(place) {
            Some(free) => *free = content,
            None => *place = Rc::new(content),
        }
        place.clone()
    }
}
