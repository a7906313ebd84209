//! The count of connections of the whole server, and their fair distribution over the cores.
//!
//! The kernel assigns a new connection to a listener by a hash of its addresses, so 8 connections
//! on 2 cores often end up as 6 and 2 (`scripts/measure balance`). A core that has more than its
//! share hands what it accepts to one that has less.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mio::net::TcpStream;

use super::mailbox::{Command, CommandSender};
use crate::{Nanos, SECOND};

/// A core keeps what it accepts while it exceeds its share by at most this part of the share.
const SLACK: usize = 32;

/// The number of connections that a core closes within [`CHURN_TIME`] before that counts as churn.
/// If connections come and go, handing one over costs more than it gains: it would soon be gone,
/// and the imbalance with it. Two such times in a row are needed; the end of one load and the
/// beginning of the next are not churn.
const CHURN: usize = 16;
/// See [`CHURN`].
const CHURN_TIME: Nanos = SECOND / 100;

/// Added to the count of a core that ends, so that no core hands it anything: more than the
/// connections of any machine, and far from an overflow.
const ENDED: usize = usize::MAX / 2;

/// The rate at which a core closes connections.
#[derive(Debug, Default)]
struct Churn {
    /// The start of the current period.
    since: Nanos,
    /// The number of connections closed in it.
    closed: usize,
    /// True when many were closed in the period before.
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

/// The counts that all cores share.
struct SharedCounts {
    /// The most connections that the server may have.
    most: usize,
    /// True when connections are distributed evenly.
    balance: bool,
    /// The number of connections of all cores.
    open: AtomicUsize,
    peers: Vec<PeerSlot>,
    senders: Arc<[CommandSender]>,
}

impl SharedCounts {
    /// Returns the number of connections of a core.
    fn of(&self, core: usize) -> &AtomicUsize {
        &self.peers[core].0
    }
}

/// The number of connections of one core, including those that were handed to it and have not been
/// received yet. It lies on cache lines of its own.
#[derive(Default)]
#[repr(align(128))]
struct PeerSlot(AtomicUsize);

/// One core's view of the shared counts.
pub struct Balancer {
    counts: Arc<SharedCounts>,
    core: usize,
    /// This core's connections as the shared counts have them.
    counted: usize,
    /// The cores that were handed something and have not been woken.
    unwoken: Vec<usize>,
    churn: Churn,
}

impl Balancer {
    /// Returns one for each core; together they allow at most `most` connections.
    pub fn of(most: usize, balance: bool, senders: &Arc<[CommandSender]>) -> Vec<Balancer> {
        let cores = senders.len();
        let counts = Arc::new(SharedCounts {
            most,
            balance: balance && cores > 1,
            open: AtomicUsize::new(0),
            peers: (0..cores).map(|_| PeerSlot::default()).collect(),
            senders: senders.clone(),
        });
        let one = |core| Balancer {
            counts: counts.clone(),
            core,
            counted: 0,
            unwoken: Vec::new(),
            churn: Churn::default(),
        };
        (0..cores).map(one).collect()
    }

    /// Counts one more connection of this core. Returns false when there are as many as allowed.
    pub fn take(&mut self) -> bool {
        if self.counts.open.fetch_add(1, Ordering::Relaxed) >= self.counts.most {
            self.counts.open.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        self.counts.of(self.core).fetch_add(1, Ordering::Relaxed);
        self.counted += 1;
        true
    }

    /// Undoes the last `take`: there was no connection.
    pub fn give_back(&mut self) {
        self.counts.open.fetch_sub(1, Ordering::Relaxed);
        self.forget_one();
    }

    /// Hands the connection counted last to another core if this one has more than its share;
    /// returns it otherwise.
    pub fn hand_over(&mut self, stream: TcpStream, now: Nanos) -> Option<TcpStream> {
        let Some(core) = self.choose_core(now) else {
            return Some(stream);
        };
        let command = Command::Connection(stream);
        if let Err(command) = self.counts.senders[core].queue(command) {
            // That core has ended.
            self.counts.of(core).fetch_sub(1, Ordering::Relaxed);
            return match command {
                Command::Connection(stream) => Some(stream),
                _ => unreachable!("the command that was queued comes back"),
            };
        }
        self.forget_one();
        if !self.unwoken.contains(&core) {
            self.unwoken.push(core);
        }
        None
    }

    fn forget_one(&mut self) {
        self.counts.of(self.core).fetch_sub(1, Ordering::Relaxed);
        self.counted -= 1;
    }

    /// Returns the core to hand the connection counted last to, which now counts it; None when
    /// this core keeps it.
    fn choose_core(&mut self, now: Nanos) -> Option<usize> {
        let counts = &*self.counts;
        if !counts.balance || self.churn.goes_on(now) {
            return None;
        }
        let cores = counts.peers.len();
        let fair = counts.open.load(Ordering::Relaxed).div_ceil(cores);
        let open = |core: usize| counts.of(core).load(Ordering::Relaxed);
        if open(self.core) <= fair + fair / SLACK {
            return None;
        }
        let others = (1..cores).map(|step| (self.core + step) % cores);
        others.filter(|&core| open(core) < fair).find(|&core| {
            // Another core may have chosen the same one at the same time.
            let fits = counts.of(core).fetch_add(1, Ordering::Relaxed) < fair;
            if !fits {
                counts.of(core).fetch_sub(1, Ordering::Relaxed);
            }
            fits
        })
    }

    /// Wakes the cores that were handed something.
    pub fn wake(&mut self) {
        for core in self.unwoken.drain(..) {
            self.counts.senders[core].wake();
        }
    }

    /// Notes that a connection arrived that another core has handed over, and counted.
    pub fn received(&mut self) {
        self.counted += 1;
    }

    /// From now on no core hands this one a connection: it ends soon, and what its mailbox holds
    /// then is lost.
    pub fn end(&mut self) {
        let own = self.counts.of(self.core);
        own.fetch_add(ENDED, Ordering::Relaxed);
    }

    /// Sets the number of connections of this core. Returns true when it has shrunk, so that there
    /// is room for others.
    pub fn settle(&mut self, open: usize, now: Nanos) -> bool {
        self.churn.closed(self.counted.saturating_sub(open), now);
        let before = std::mem::replace(&mut self.counted, open);
        if before != open {
            for counter in [&self.counts.open, self.counts.of(self.core)] {
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

    use mio::Poll;

    use super::super::mailbox::{Mailbox, mailboxes};
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

    /// Cores and their mailboxes.
    fn cores(most: usize, balance: bool, number: usize) -> (Vec<Balancer>, Vec<Mailbox>) {
        let polls: Vec<Poll> = (0..number).map(|_| Poll::new().unwrap()).collect();
        let (senders, mailboxes) = mailboxes(&polls).unwrap();
        (Balancer::of(most, balance, &senders), mailboxes)
    }

    fn open(cores: &[Balancer]) -> Vec<usize> {
        let peers = cores[0].counts.peers.iter();
        peers.map(|peer| peer.0.load(Ordering::Relaxed)).collect()
    }

    #[test]
    fn the_limit_is_that_of_all_cores_together() {
        let (mut cores, _mailboxes) = cores(3, false, 2);
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

    /// The hash decides which core accepts a connection, but not which one serves it.
    #[test]
    fn every_core_has_its_share_whoever_accepts() {
        let connect = connections();
        for (number, connections, most) in [(2, 8, 4), (2, 64, 33), (3, 8, 3), (8, 64, 8)] {
            for seed in 0..10 {
                let mut rng = fastrand::Rng::with_seed(seed);
                let (mut cores, mailboxes) = cores(usize::MAX, true, number);
                let mut here = vec![0; number];
                for _ in 0..connections {
                    let accepts = rng.usize(..number);
                    assert!(cores[accepts].take());
                    let stream = cores[accepts].hand_over(connect(), 0);
                    here[accepts] += usize::from(stream.is_some());
                }
                let counted = open(&cores);
                for core in 0..number {
                    let received = std::iter::from_fn(|| mailboxes[core].try_recv().ok()).count();
                    (0..received).for_each(|_| cores[core].received());
                    assert_eq!(here[core] + received, counted[core]);
                    assert!(counted[core] <= most, "{counted:?}, seed {seed}");
                    assert!(
                        !cores[core].settle(counted[core], 0),
                        "it is counted already"
                    );
                }
                assert_eq!(counted.iter().sum::<usize>(), connections);
            }
        }
    }

    #[test]
    fn a_core_keeps_what_it_accepts_without_balance_or_another_core_that_goes_on() {
        let connect = connections();
        let four = |core: &mut Balancer| {
            for _ in 0..4 {
                assert!(core.take() && core.hand_over(connect(), 0).is_some());
            }
        };
        let (mut unbalanced, _mailboxes) = cores(usize::MAX, false, 2);
        four(&mut unbalanced[0]);
        assert_eq!(open(&unbalanced), [4, 0]);
        let (mut last, mut mailboxes) = cores(usize::MAX, true, 2);
        drop(mailboxes.pop());
        four(&mut last[0]);
        assert_eq!(open(&last), [4, 0]);
        let (mut draining, mailboxes) = cores(usize::MAX, true, 2);
        draining[1].end();
        four(&mut draining[0]);
        assert!(mailboxes[1].try_recv().is_err());
        assert_eq!(open(&draining), [4, ENDED]);
    }

    #[test]
    fn a_core_keeps_what_it_accepts_where_connections_come_and_go() {
        let connect = connections();
        let (mut cores, _mailboxes) = cores(usize::MAX, true, 2);
        let one = &mut cores[0];
        let mut kept = |now: Nanos| {
            // The first is its share, the second would be handed over.
            let kept = [(); 2].map(|()| one.take() && one.hand_over(connect(), now).is_some());
            let counts = one.counts.clone();
            while one.counted > 0 {
                one.settle(one.counted - 1, now);
            }
            counts.peers[1].0.store(0, Ordering::Relaxed);
            counts.open.store(0, Ordering::Relaxed);
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
