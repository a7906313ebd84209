//! What the cores have to do with each other: how many connections there may be in all, and that
//! each core has its fair share of them. Knows no event queue.
//!
//! The kernel gives a new connection to the listener that the hash of its addresses says, so 8
//! connections on 2 cores often lie as 6 and 2 (`scripts/balance`). A core that has more than its
//! share hands what it accepts to one that has less.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};

use mio::Waker;
use mio::net::TcpStream;

use crate::{Nanos, SECOND};

/// A core keeps what it accepted while it has at most its share and one part in so many more.
const SLACK: usize = 32;

/// Where connections come and go, handing one over costs more than it brings: it would soon be
/// gone, and so would what was uneven. They do when a core has closed more than so many in each of
/// two such times in a row; the end of one load and the beginning of the next are not that.
const CHURN: usize = 16;
/// See [`CHURN`].
const CHURN_TIME: Nanos = SECOND / 100;

/// How many connections a core has closed lately.
#[derive(Debug, Default)]
struct Churn {
    /// When the time began that is counted now.
    since: Nanos,
    /// How many were closed in it.
    closed: usize,
    /// Whether many were in the one before.
    before: bool,
}

impl Churn {
    fn closed(&mut self, number: usize, now: Nanos) {
        self.pass(now);
        self.closed += number;
    }

    fn goes_on(&mut self, now: Nanos) -> bool {
        self.pass(now);
        self.before
    }

    fn pass(&mut self, now: Nanos) {
        let time = now.saturating_sub(self.since);
        if time >= CHURN_TIME {
            self.before = time < 2 * CHURN_TIME && self.closed > CHURN;
            self.since = now;
            self.closed = 0;
        }
    }
}

/// What the cores know of each other.
struct All {
    /// How many connections there may be.
    most: usize,
    /// Whether they are shared out evenly.
    balance: bool,
    /// How many there are.
    open: AtomicUsize,
    doors: Vec<Door>,
}

/// One core as the others see it, on cache lines of its own.
#[repr(align(128))]
struct Door {
    /// How many connections it has, with those that were handed to it and not seen yet.
    open: AtomicUsize,
    inbox: Sender<TcpStream>,
    waker: Arc<Waker>,
}

/// One core among the others.
pub struct Neighbours {
    all: Arc<All>,
    core: usize,
    /// How many connections the others believe that this core has.
    told: usize,
    inbox: Receiver<TcpStream>,
    /// Who was given something and has not been woken.
    given: Vec<usize>,
    churn: Churn,
}

impl Neighbours {
    /// As many as there are wakers, one a core, with at most so many connections in all.
    pub fn of(most: usize, balance: bool, wakers: &[Arc<Waker>]) -> Vec<Neighbours> {
        let (doors, inboxes): (Vec<_>, Vec<_>) = wakers
            .iter()
            .map(|waker| {
                let (sender, inbox) = mpsc::channel();
                let door = Door {
                    open: AtomicUsize::new(0),
                    inbox: sender,
                    waker: waker.clone(),
                };
                (door, inbox)
            })
            .unzip();
        let all = Arc::new(All {
            most,
            balance: balance && wakers.len() > 1,
            open: AtomicUsize::new(0),
            doors,
        });
        let one = |(core, inbox)| Neighbours {
            all: all.clone(),
            core,
            told: 0,
            inbox,
            given: Vec::new(),
            churn: Churn::default(),
        };
        inboxes.into_iter().enumerate().map(one).collect()
    }

    /// Takes one more, if there may be one.
    pub fn take(&mut self) -> bool {
        if self.all.open.fetch_add(1, Ordering::Relaxed) >= self.all.most {
            self.all.open.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        self.all.doors[self.core]
            .open
            .fetch_add(1, Ordering::Relaxed);
        self.told += 1;
        true
    }

    /// Gives back what was taken last: there was no connection.
    pub fn give_back(&mut self) {
        self.all.open.fetch_sub(1, Ordering::Relaxed);
        self.all.doors[self.core]
            .open
            .fetch_sub(1, Ordering::Relaxed);
        self.told -= 1;
    }

    /// Hands what was taken last to another core, if that one is to have it; else it comes back.
    pub fn hand_over(&mut self, stream: TcpStream, now: Nanos) -> Option<TcpStream> {
        let Some(core) = self.who_is_to_have_it(now) else {
            return Some(stream);
        };
        let (here, there) = (&self.all.doors[self.core], &self.all.doors[core]);
        if let Err(mpsc::SendError(stream)) = there.inbox.send(stream) {
            // That core has ended.
            there.open.fetch_sub(1, Ordering::Relaxed);
            return Some(stream);
        }
        here.open.fetch_sub(1, Ordering::Relaxed);
        self.told -= 1;
        if !self.given.contains(&core) {
            self.given.push(core);
        }
        None
    }

    /// The core that is to have what was taken last, already counted as its own; None: this one.
    fn who_is_to_have_it(&mut self, now: Nanos) -> Option<usize> {
        let all = &*self.all;
        if !all.balance || self.churn.goes_on(now) {
            return None;
        }
        let cores = all.doors.len();
        let fair = all.open.load(Ordering::Relaxed).div_ceil(cores);
        let open = |core: usize| all.doors[core].open.load(Ordering::Relaxed);
        if open(self.core) <= fair + fair / SLACK {
            return None;
        }
        let others = (1..cores).map(|step| (self.core + step) % cores);
        others.filter(|&core| open(core) < fair).find(|&core| {
            // Another may have found the same core at the same time.
            let counted = &all.doors[core].open;
            let fits = counted.fetch_add(1, Ordering::Relaxed) < fair;
            if !fits {
                counted.fetch_sub(1, Ordering::Relaxed);
            }
            fits
        })
    }

    /// Wakes those who were given something.
    pub fn wake(&mut self) {
        for core in self.given.drain(..) {
            // It fails only when the core has ended already.
            let _ = self.all.doors[core].waker.wake();
        }
    }

    /// What another core has handed to this one.
    pub fn given(&mut self) -> Option<TcpStream> {
        let stream = self.inbox.try_recv().ok()?;
        self.told += 1;
        Some(stream)
    }

    /// This core has so many connections now. Whether there is more room than before.
    pub fn settle(&mut self, open: usize, now: Nanos) -> bool {
        self.churn.closed(self.told.saturating_sub(open), now);
        let before = std::mem::replace(&mut self.told, open);
        if before != open {
            for counter in [&self.all.open, &self.all.doors[self.core].open] {
                match before < open {
                    true => counter.fetch_add(open - before, Ordering::Relaxed),
                    false => counter.fetch_sub(before - open, Ordering::Relaxed),
                };
            }
        }
        before > open
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use mio::{Poll, Token};

    use super::*;

    /// Connections from nobody to nobody.
    fn connections() -> impl Fn() -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        move || {
            let stream = std::net::TcpStream::connect(listener.local_addr().unwrap());
            listener.accept().unwrap();
            TcpStream::from_std(stream.unwrap())
        }
    }

    /// So many cores, and the polls that their wakers belong to.
    fn cores(most: usize, balance: bool, number: usize) -> (Vec<Neighbours>, Vec<Poll>) {
        let polls: Vec<Poll> = (0..number).map(|_| Poll::new().unwrap()).collect();
        let waker = |poll: &Poll| Arc::new(Waker::new(poll.registry(), Token(0)).unwrap());
        let wakers: Vec<_> = polls.iter().map(waker).collect();
        (Neighbours::of(most, balance, &wakers), polls)
    }

    fn open(cores: &[Neighbours]) -> Vec<usize> {
        let doors = &cores[0].all.doors;
        doors
            .iter()
            .map(|door| door.open.load(Ordering::Relaxed))
            .collect()
    }

    #[test]
    fn all_cores_together_have_at_most_so_many() {
        let (mut cores, _polls) = cores(3, false, 2);
        let [one, other] = &mut cores[..] else {
            unreachable!("there are two");
        };
        assert!(one.take() && other.take() && one.take());
        assert!(!one.take() && !other.take());
        other.give_back();
        assert!(one.take() && !other.take());
        // Three were one's, and two of them have ended.
        assert!(one.settle(1, 0) && !one.settle(1, 0));
        assert!(other.take() && other.take() && !other.take());
        assert!(
            !one.settle(2, 0),
            "more than there may be, as when the server ends"
        );
        assert!(!one.take() && one.settle(0, 0) && !one.settle(0, 0) && one.take());
    }

    /// Who accepts is as the hash says; who has them at the end is not.
    #[test]
    fn every_core_has_its_share_whoever_accepts() {
        let connect = connections();
        for (number, connections, most) in [(2, 8, 4), (2, 64, 33), (3, 8, 3), (8, 64, 8)] {
            for seed in 0..10 {
                let mut rng = fastrand::Rng::with_seed(seed);
                let (mut cores, _polls) = cores(usize::MAX, true, number);
                let mut here = vec![0; number];
                for _ in 0..connections {
                    let accepts = rng.usize(..number);
                    assert!(cores[accepts].take());
                    let stream = cores[accepts].hand_over(connect(), 0);
                    here[accepts] += usize::from(stream.is_some());
                }
                let counted = open(&cores);
                let given = |core: &mut Neighbours| std::iter::from_fn(|| core.given()).count();
                let given: Vec<usize> = cores.iter_mut().map(given).collect();
                for core in 0..number {
                    assert_eq!(here[core] + given[core], counted[core]);
                    assert!(counted[core] <= most, "{counted:?}, seed {seed}");
                    assert!(!cores[core].settle(counted[core], 0), "it was told already");
                }
                assert_eq!(counted.iter().sum::<usize>(), connections);
            }
        }
    }

    #[test]
    fn without_balance_or_a_core_that_lives_who_accepts_keeps() {
        let connect = connections();
        let (mut raw, _polls) = cores(usize::MAX, false, 2);
        for _ in 0..4 {
            assert!(raw[0].take() && raw[0].hand_over(connect(), 0).is_some());
        }
        assert_eq!(open(&raw), [4, 0]);
        let (mut last, _polls) = cores(usize::MAX, true, 2);
        drop(last.pop());
        for _ in 0..4 {
            assert!(last[0].take() && last[0].hand_over(connect(), 0).is_some());
        }
        assert_eq!(open(&last), [4, 0]);
    }

    #[test]
    fn where_connections_come_and_go_who_accepts_keeps() {
        let connect = connections();
        let (mut cores, _polls) = cores(usize::MAX, true, 2);
        let one = &mut cores[0];
        let mut kept = |now: Nanos| {
            // The first is its share, the second would be handed over.
            let kept = [(); 2].map(|()| one.take() && one.hand_over(connect(), now).is_some());
            let all = one.all.clone();
            while one.told > 0 {
                one.settle(one.told - 1, now);
            }
            all.doors[1].open.store(0, Ordering::Relaxed);
            all.open.store(0, Ordering::Relaxed);
            assert!(kept[0]);
            kept[1]
        };
        assert!(!kept(0));
        // Many close at once, as at the end of a load, and another begins.
        for _ in 0..20 {
            assert!(!kept(SECOND));
        }
        assert!(!kept(2 * SECOND));
        // Many close for a while.
        let mut now = 3 * SECOND;
        for _ in 0..30 {
            for _ in 0..20 {
                kept(now);
            }
            now += CHURN_TIME;
        }
        assert!(kept(now));
        // They don't any more.
        assert!(!kept(now + SECOND));
    }
}
