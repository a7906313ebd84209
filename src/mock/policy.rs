//! Whether a request is answered as asked, and if not, why; and how. Knows no bytes, neither of the
//! request nor of the answer.

use std::ops::Range;
use std::time::Duration;

use fastrand::Rng;

use super::call::{Call, Treatment, Verdict};
use super::problem::Problem;
use super::route::Reach;
use crate::settings::Settings;
use crate::{Nanos, SECOND};

/// How many requests of a core share one draw of the failure jitter. Drawn for each request it
/// would average out, and no run would show the swing that was asked for.
pub const BATCH: u32 = 100;

/// What the settings ask for, and the chances of one core.
#[derive(Clone, Debug)]
pub struct Policy {
    /// When every request is over the rate limit.
    limited: Range<Nanos>,
    /// Whether that ends: then clients are told when.
    limit_ends: bool,
    retry_after: u32,
    failures: Failures,
    latency: Varied,
    /// When a stream's first token is due; None when that is the latency.
    ttft: Option<Varied>,
    itl: Varied,
    /// How many tokens a chunk of a stream carries.
    pub tokens_per_chunk: u32,
    /// Whether every request is answered, after the same delay: nothing to look at then.
    certain: bool,
    rng: Rng,
}

/// A time, and by how much it varies up or down.
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

    fn draw(self, rng: &mut Rng) -> Nanos {
        if self.jitter == 0 {
            return self.time;
        }
        let drawn = self.time + rng.u64(0..=2 * self.jitter);
        drawn.saturating_sub(self.jitter)
    }
}

impl Policy {
    /// The policy of a core whose choices come from `rng`.
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
                && settings.jitter.is_zero(),
            latency: Varied::new(settings.latency, settings.jitter),
            ttft: settings
                .ttft
                .map(|ttft| Varied::new(ttft, settings.ttft_jitter)),
            itl: Varied::new(settings.itl, settings.itl_jitter),
            tokens_per_chunk: settings.tokens_per_chunk,
            rng,
        }
    }

    /// Whether answers can be late.
    pub fn is_paced(&self) -> bool {
        !self.latency.is_zero()
            || !self.itl.is_zero()
            || self.ttft.is_some_and(|ttft| !ttft.is_zero())
    }

    /// When the first token of a stream is due, where an answer at once would be after `delay`.
    pub fn first_token(&mut self, delay: Nanos) -> Nanos {
        self.ttft.map_or(delay, |ttft| ttft.draw(&mut self.rng))
    }

    /// How long after one chunk of a stream the next one is due: a token's time for each token.
    pub fn gap(&mut self) -> Nanos {
        if self.itl.jitter == 0 {
            return self.itl.time * Nanos::from(self.tokens_per_chunk);
        }
        let tokens = 0..self.tokens_per_chunk;
        tokens.map(|_| self.itl.draw(&mut self.rng)).sum()
    }

    /// Route, OPTIONS, auth, method, rate limit, failure, the body's coding: the first that has
    /// something to say decides. `admitted` is what `admit` said, where that was asked before the
    /// body was read.
    #[inline]
    pub fn decide(&mut self, call: &Call, admitted: Option<Treatment>, now: Nanos) -> Verdict {
        let route = match call.route() {
            Ok(route) => route,
            Err(verdict) => return verdict,
        };
        // What is served to all is neither late nor ever failing.
        let open = route.reach == Reach::Bare;
        let treatment = match admitted {
            _ if open => Treatment::default(),
            Some(treatment) => treatment,
            None => match self.admit(now) {
                Ok(treatment) => treatment,
                Err(problem) => return Verdict::Refuse(problem),
            },
        };
        match call.encoded && !open {
            true => Verdict::Refuse(Problem::ENCODED),
            false => Verdict::Answer(treatment),
        }
    }

    /// Whether a request that is right by itself is answered, and how.
    pub fn admit(&mut self, now: Nanos) -> Result<Treatment, Problem> {
        if self.certain {
            let delay = self.latency.time;
            return Ok(Treatment { delay });
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
        let delay = self.latency.draw(&mut self.rng);
        Ok(Treatment { delay })
    }
}

/// The chance that a request fails. All shares are in millionths.
#[derive(Clone, Debug)]
struct Failures {
    percent: u32,
    jitter: u32,
    /// What was drawn for this batch.
    chance: u32,
    /// How many requests of this batch are to come.
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
