//! A log-linear histogram of times, with one writer.

use super::counters::{Counter, add_to, subtract};
use crate::Nanos;

/// The unit of the histogram in nanoseconds, as a power of two. At a microsecond, where the
/// promised precision begins, a unit is 3.2 %.
const UNIT_BITS: u32 = 5;

/// The number of buckets for each power of two, as a power of two. A time is reported as the middle
/// of its bucket, so it is off by at most 1.6 %, and by 16 ns below a microsecond.
const PARTS_BITS: u32 = 5;
/// The number of buckets for each power of two.
const PARTS: usize = 1 << PARTS_BITS;

/// The number of powers of two with buckets of their own beyond the first: up to 68 s. Longer times
/// are counted in the last bucket.
const POWERS: usize = 25;

/// The number of buckets.
const BUCKETS: usize = (POWERS + 2) * PARTS;

/// The longest time that has a bucket of its own.
const MOST: Nanos = ((2 * PARTS as Nanos) << POWERS << UNIT_BITS) - 1;

/// A histogram that one thread writes.
#[derive(Debug)]
pub struct Histogram {
    buckets: [Counter; BUCKETS],
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram {
            buckets: [const { Counter::new() }; BUCKETS],
        }
    }
}

impl Histogram {
    /// Counts a time that occurred `times` times.
    #[inline]
    pub fn record(&self, time: Nanos, times: u64) {
        self.buckets[bucket(time)].add(times);
    }

    /// Adds its counts to a tally.
    pub fn read(&self, tally: &mut Tally) {
        add_to(&mut tally.buckets, &self.buckets);
    }
}

/// The counts of histograms, at one moment or between two. Times have the precision of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    buckets: Vec<u64>,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally {
            buckets: vec![0; BUCKETS],
        }
    }
}

impl Tally {
    /// Returns the number of times.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Returns the sum of all times.
    pub fn sum(&self) -> Nanos {
        let buckets = self.buckets.iter().enumerate();
        buckets.map(|(at, count)| middle(at) * count).sum()
    }

    /// Returns the longest time; 0 if there is none.
    pub fn max(&self) -> Nanos {
        let last = self.buckets.iter().rposition(|&count| count > 0);
        last.map_or(0, middle)
    }

    /// Returns the time that a `share` of all times (0 to 1) does not exceed; 0 if there is none.
    pub fn quantile(&self, share: f64) -> Nanos {
        // At least 1: the quantile 0 is the shortest time.
        let rank = ((share * self.count() as f64).ceil() as u64).max(1);
        let mut below = 0;
        let reaches = |&count: &u64| {
            below += count;
            below >= rank
        };
        self.buckets.iter().position(reaches).map_or(0, middle)
    }

    /// Returns the end of each power of two, in nanoseconds, and the number of times below it. The
    /// longest times are beyond the last one.
    pub fn cumulative(&self) -> impl Iterator<Item = (Nanos, u64)> {
        let mut below = self.buckets[..PARTS].iter().sum::<u64>();
        let powers = self.buckets[PARTS..].chunks(PARTS).take(POWERS).enumerate();
        powers.map(move |(power, buckets)| {
            below += buckets.iter().sum::<u64>();
            // The first chunk ends at twice the parts.
            let end = (2 * PARTS as Nanos) << power << UNIT_BITS;
            (end, below)
        })
    }

    /// Adds another tally.
    pub fn add(&mut self, other: &Tally) {
        for (sum, count) in self.buckets.iter_mut().zip(&other.buckets) {
            *sum += count;
        }
    }

    /// Subtracts what was counted earlier.
    pub fn subtract(&mut self, earlier: &Tally) {
        subtract(&mut self.buckets, &earlier.buckets);
    }
}

#[inline]
fn bucket(time: Nanos) -> usize {
    let units = time.min(MOST) >> UNIT_BITS;
    let power = (units | PARTS as Nanos).ilog2() - PARTS_BITS;
    power as usize * PARTS + (units >> power) as usize
}

/// Returns the middle of a bucket, in nanoseconds.
fn middle(bucket: usize) -> Nanos {
    let power = (bucket / PARTS).saturating_sub(1);
    let first = ((bucket - power * PARTS) as Nanos) << power << UNIT_BITS;
    first + (1 << power << UNIT_BITS) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tally of these times.
    fn tally(times: &[Nanos]) -> Tally {
        let histogram = Histogram::default();
        times.iter().for_each(|&time| histogram.record(time, 1));
        let mut tally = Tally::default();
        histogram.read(&mut tally);
        tally
    }

    #[test]
    fn a_time_is_told_with_less_than_2_percent_of_error() {
        let mut time = 1_000;
        while time < 60_000_000_000 {
            let told = middle(bucket(time));
            let error = (told as f64 / time as f64 - 1.0).abs();
            assert!(error < 0.017, "{time} ns is told as {told}");
            time += time / 300 + 1;
        }
    }

    #[test]
    fn buckets_lie_side_by_side() {
        for index in 1..BUCKETS {
            let (before, this) = (middle(index - 1), middle(index));
            assert!(before < this);
            assert_eq!((bucket(before), bucket(this)), (index - 1, index));
        }
        assert_eq!((bucket(0), bucket(31), bucket(32)), (0, 0, 1));
        assert_eq!(bucket(MOST), BUCKETS - 1);
        assert_eq!(bucket(Nanos::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_times() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut times: Vec<Nanos> = (0..10_000).map(|_| rng.u64(1_000..10_000_000)).collect();
        let tally = tally(&times);
        times.sort();
        assert_eq!(tally.count(), 10_000);
        let sum = tally.sum() as f64 / times.iter().sum::<Nanos>() as f64;
        assert!((0.99..1.01).contains(&sum), "{sum}");
        for share in [0.0, 0.5, 0.9, 0.99, 0.999, 1.0] {
            let exact = times[((share * 10_000.0) as usize).saturating_sub(1)];
            let error = tally.quantile(share) as f64 / exact as f64 - 1.0;
            assert!(error.abs() < 0.02, "{share}: {error}");
        }
        assert_eq!(tally.max(), tally.quantile(1.0));
        assert_eq!(Tally::default().quantile(0.5), 0);
    }

    #[test]
    fn what_was_counted_between_two_moments_is_their_difference() {
        let (first, both) = (
            tally(&[5_000, 90_000]),
            tally(&[5_000, 90_000, 7_000, 9_000]),
        );
        let mut between = both.clone();
        between.subtract(&first);
        assert_eq!(between, tally(&[7_000, 9_000]));
        let mut sum = first.clone();
        sum.add(&between);
        assert_eq!(sum, both);
    }

    #[test]
    fn cumulative_counts_end_with_all() {
        let tally = tally(&[10, 2_047, 2_048, 5_000, 70_000_000_000]);
        let powers: Vec<_> = tally.cumulative().collect();
        assert_eq!(powers[0], (2_048, 2));
        assert_eq!(powers[1], (4_096, 3));
        assert_eq!(powers[2], (8_192, 4));
        assert_eq!(powers.last(), Some(&(1 << 35, 4)));
        assert_eq!(tally.count(), 5);
    }
}
