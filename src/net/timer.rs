//! The deadlines of one core, at most one for each connection.

use crate::Nanos;

/// The number of children of a node: four halve the depth of a binary heap, and their keys lie side
/// by side in one cache line.
const ARITY: usize = 4;

/// Means "has no deadline" in `places`.
const NO_PLACE: u32 = u32::MAX;

/// A heap of deadlines that knows the place of each owner's, so that it can be moved or removed.
#[derive(Debug, Default)]
pub struct Timer {
    heap: Vec<(Nanos, u32)>,
    /// The index in the heap of each owner's deadline.
    places: Vec<u32>,
}

impl Timer {
    /// Returns the earliest deadline.
    pub fn next(&self) -> Option<Nanos> {
        self.heap.first().map(|&(at, _)| at)
    }

    /// Sets or moves the deadline of `owner`, a small number.
    pub fn set(&mut self, owner: u32, at: Nanos) {
        let known = owner as usize;
        if known >= self.places.len() {
            self.places.resize(known + 1, NO_PLACE);
        }
        let place = match self.places[known] {
            NO_PLACE => {
                self.heap.push((at, owner));
                self.heap.len() - 1
            }
            place => {
                self.heap[place as usize].0 = at;
                place as usize
            }
        };
        self.sift(place);
    }

    /// Removes the deadline of `owner`, if it has one.
    pub fn remove(&mut self, owner: u32) {
        let known = self.places.get_mut(owner as usize);
        let place = known.map_or(NO_PLACE, |known| std::mem::replace(known, NO_PLACE));
        if place == NO_PLACE {
            return;
        }
        let place = place as usize;
        self.heap.swap_remove(place);
        if place < self.heap.len() {
            self.sift(place);
        }
    }

    /// Removes the earliest deadline if it is not after `now`, and returns its owner.
    pub fn due(&mut self, now: Nanos) -> Option<u32> {
        let &(_, owner) = self.heap.first().filter(|&&(at, _)| at <= now)?;
        self.remove(owner);
        Some(owner)
    }

    /// Moves the entry at `place` up or down until the heap is in order.
    fn sift(&mut self, mut place: usize) {
        let entry = self.heap[place];
        while place > 0 && entry < self.heap[(place - 1) / ARITY] {
            let parent = (place - 1) / ARITY;
            self.put(place, self.heap[parent]);
            place = parent;
        }
        while let Some(child) = self
            .least_child(place)
            .filter(|&child| self.heap[child] < entry)
        {
            self.put(place, self.heap[child]);
            place = child;
        }
        self.put(place, entry);
    }

    fn least_child(&self, place: usize) -> Option<usize> {
        let first = place * ARITY + 1;
        (first..(first + ARITY).min(self.heap.len())).min_by_key(|&child| self.heap[child])
    }

    fn put(&mut self, place: usize, entry: (Nanos, u32)) {
        self.heap[place] = entry;
        self.places[entry.1 as usize] = place as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// The same as a map of owners, which is obviously right.
    #[derive(Default)]
    struct Model(BTreeMap<u32, Nanos>);

    impl Model {
        fn due(&mut self, now: Nanos) -> Option<u32> {
            let (&owner, &at) = self.0.iter().min_by_key(|&(&owner, &at)| (at, owner))?;
            (at <= now).then(|| {
                self.0.remove(&owner);
                owner
            })
        }
    }

    #[test]
    fn it_does_what_a_map_does() {
        for seed in 0..200 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let (mut timer, mut model) = (Timer::default(), Model::default());
            for _ in 0..500 {
                let owner = rng.u32(0..60);
                match rng.u32(0..10) {
                    0..5 => {
                        let at = rng.u64(0..100);
                        timer.set(owner, at);
                        model.0.insert(owner, at);
                    }
                    5..7 => {
                        timer.remove(owner);
                        model.0.remove(&owner);
                    }
                    _ => {
                        let now = rng.u64(0..100);
                        assert_eq!(timer.due(now), model.due(now), "seed {seed}");
                    }
                }
                let next = model.0.values().min().copied();
                assert_eq!(timer.next(), next, "seed {seed}");
            }
        }
    }
}
