//! Draws the outcome of each request: whether it succeeds, and when its response is due.

use std::{ops::Range, time::Duration};

use fastrand::Rng;

use super::Outcome;
use crate::api::{number::mix, problem::Problem};
use crate::settings::Settings;
use crate::{Nanos, SECOND};

/// The number of a core's requests that share one draw of the failure jitter. Drawn for each
/// request, it would average out, and no run would show the configured swing.
pub const BATCH: u32 = 100;

/// The settings that decide, and the random choices of one core.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The time in which every request exceeds the rate limit.
    limited: Range<Nanos>,
    /// True if that time ends: then `Retry-After` is the rest of it.
    limit_ends: bool,
    retry_after: u32,
    failures: Failures,
    latency: Varied,
    /// The time to a stream's first token; `None` if it is the latency.
    ttft: Option<Varied>,
    itl: Varied,
    /// The number of tokens in a chunk of a stream.
    pub tokens_per_chunk: u32,
    /// True if every request succeeds after the same delay: nothing is drawn then.
    certain: bool,
    rng: Rng,
}

/// A time that varies evenly by its jitter, up and down.
#[derive(Clone, Copy, Debug)]
struct Varied {
    time: Nanos,
    jitter: Nanos,
}

impl Varied {
    fn new(time: Duration, jitter: Duration) -> Varied {
        Varied {
            time: time.as_nanos() as Nanos,
            jitter: jitter.as_nanos() as Nanos,
        }
    }

    fn is_zero(self) -> bool {
        self.time == 0 && self.jitter == 0
    }

    /// Returns the time that follows from random bits.
    fn at(self, bits: u64) -> Nanos {
        if self.jitter == 0 {
            return self.time;
        }
        let range = u128::from(2 * self.jitter) + 1;
        let drawn = ((u128::from(bits) * range) >> 64) as Nanos;
        (self.time + drawn).saturating_sub(self.jitter)
    }
}

impl Policy {
    /// Makes the policy of a core whose random choices come from `rng`.
    pub fn new(settings: &Settings, rng: Rng) -> Policy {
        let from = match settings.tpm {
            0 => Nanos::MAX,
            seconds => Nanos::from(seconds) * SECOND,
        };
        let limit_ends = settings.tpm_duration > 0;
        let until = match limit_ends {
            true => from.saturating_add(Nanos::from(settings.tpm_duration) * SECOND),
            false => Nanos::MAX,
        };
        Policy {
            limited: from..until,
            limit_ends,
            retry_after: settings.retry_after,
            failures: Failures {
                percent: settings.failure_percent,
                jitter: settings.failure_jitter,
                chance: 0,
                left: 0,
            },
            certain: settings.tpm == 0
                && settings.failure_percent == 0
                && settings.failure_jitter == 0
                && settings.jitter.is_zero()
                && settings.ttft_jitter.is_zero()
                && settings.itl_jitter.is_zero(),
            latency: Varied::new(settings.latency, settings.jitter),
            ttft: settings
                .ttft
                .map(|ttft| Varied::new(ttft, settings.ttft_jitter)),
            itl: Varied::new(settings.itl, settings.itl_jitter),
            tokens_per_chunk: settings.tokens_per_chunk,
            rng,
        }
    }

    /// Returns true if responses can be delayed.
    pub fn is_paced(&self) -> bool {
        !self.latency.is_zero()
            || !self.itl.is_zero()
            || self.ttft.is_some_and(|ttft| !ttft.is_zero())
    }

    /// Returns the time from one chunk of a stream to the next: the sum of its tokens' times, each
    /// of which follows from the seed and the number of the token.
    #[inline]
    pub fn gap(&self, seed: u64, tokens: Range<u32>) -> Nanos {
        if self.itl.jitter == 0 {
            return self.itl.time * Nanos::from(self.tokens_per_chunk);
        }
        let times = tokens.map(|token| self.itl.at(mix(seed ^ u64::from(token))));
        times.sum()
    }

    /// Draws the outcome of a request that is right by itself, or the problem that it runs into.
    #[inline]
    pub fn draw(&mut self, streams: bool, now: Nanos) -> Result<Outcome, Problem> {
        let time = match self.ttft {
            Some(ttft) if streams => ttft,
            _ => self.latency,
        };
        if self.certain {
            return Ok(Outcome {
                due: now + time.time,
                delay: time.time,
                seed: 0,
            });
        }
        if self.limited.contains(&now) {
            let left = (self.limited.end - now).div_ceil(SECOND);
            let retry_after = if self.limit_ends {
                left as u32
            } else {
                self.retry_after
            };
            return Err(Problem {
                retry_after,
                ..Problem::LIMITED
            });
        }
        if self.failures.strike(&mut self.rng) {
            return Err(Problem::FAILED);
        }
        let seed = self.rng.u64(..);
        // The tokens' own numbers are 32 bits wide, so this one is none of them.
        let delay = time.at(mix(seed ^ u64::MAX));
        Ok(Outcome {
            due: now + delay,
            delay,
            seed,
        })
    }
}

/// The chance that a request fails. All shares are in millionths.
#[derive(Clone, Debug)]
struct Failures {
    percent: u32,
    jitter: u32,
    /// The chance that was drawn for this batch.
    chance: u32,
    /// The requests that are left in this batch.
    left: u32,
}

impl Failures {
    fn strike(&mut self, rng: &mut Rng) -> bool {
        if self.left == 0 {
            self.left = BATCH;
            let drawn = self.percent + rng.u32(0..=2 * self.jitter);
            self.chance = drawn.saturating_sub(self.jitter).min(1_000_000);
        }
        self.left -= 1;
        rng.u32(0..1_000_000) < self.chance
    }
}
