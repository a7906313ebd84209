//! The shapes of the answers given last. Knows nothing of what they are.

use std::rc::Rc;

use super::reply::Shape;

/// How many shapes a core remembers: a load asks in a few ways, over and over.
const SHAPES_KEPT: usize = 16;

/// The shapes given out last, so that equal ones are one and their memory is used again.
#[derive(Debug, Default)]
pub struct Shapes {
    kept: Vec<Rc<Shape>>,
    /// Which is to go next.
    oldest: usize,
}

impl Shapes {
    /// The shape that is equal to this one, shared by all who ask for it.
    pub fn share(&mut self, shape: Shape) -> Rc<Shape> {
        if let Some(known) = self.kept.iter().find(|known| ***known == shape) {
            return known.clone();
        }
        if self.kept.len() < SHAPES_KEPT {
            self.kept.push(Rc::new(shape));
            return self.kept[self.kept.len() - 1].clone();
        }
        let place = &mut self.kept[self.oldest];
        self.oldest = (self.oldest + 1) % SHAPES_KEPT;
        match Rc::get_mut(place) {
            Some(free) => *free = shape,
            None => *place = Rc::new(shape),
        }
        place.clone()
    }
}
