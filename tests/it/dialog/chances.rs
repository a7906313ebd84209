//! Tests of the random choices of a core's policy. The seeds are fixed, so these tests are
//! deterministic, and the bounds follow from the distributions.

use std::time::Duration;

use fastrand::Rng;
use mocker::internals::api::text::Words;
use mocker::internals::exchange::{self, Mock};
use mocker::internals::scenario::policy::{BATCH, Policy};
use mocker::internals::settings::Settings;
use mocker::internals::{Nanos, SECOND};

use super::client::{Client, MILLI, START, chat};

const DRAWS: usize = 100_000;

/// The critical value of the Kolmogorov-Smirnov statistic at a significance of 0.001, times the
/// square root of the sample size.
const KS: f64 = 1.9495;

fn policy(settings: &Settings, seed: u64) -> Policy {
    Policy::new(settings, Rng::with_seed(seed))
}

fn waits(latency: u64, jitter: u64) -> Settings {
    Settings {
        latency: Duration::from_millis(latency),
        jitter: Duration::from_millis(jitter),
        ..Settings::default()
    }
}

fn fails(percent: f64, jitter: f64) -> Settings {
    let millionths = |percent: f64| (percent * 10_000.0) as u32;
    Settings {
        failure_percent: millionths(percent),
        failure_jitter: millionths(jitter),
        ..Settings::default()
    }
}

fn delays(settings: &Settings, seed: u64) -> Vec<Nanos> {
    let mut policy = policy(settings, seed);
    let draw = |_| policy.draw(false, SECOND).expect("nothing fails").delay;
    (0..DRAWS).map(draw).collect()
}

/// Returns the number of failures in each batch.
fn batches(settings: &Settings, seed: u64) -> Vec<u32> {
    let mut policy = policy(settings, seed);
    let mut batch = |_| {
        (0..BATCH)
            .map(|_| u32::from(policy.draw(false, SECOND).is_err()))
            .sum()
    };
    (0..DRAWS / BATCH as usize).map(&mut batch).collect()
}

fn mean_and_variance(counts: &[u32]) -> (f64, f64) {
    let len = counts.len() as f64;
    let mean = counts.iter().map(|&count| f64::from(count)).sum::<f64>() / len;
    let squares = counts
        .iter()
        .map(|&count| (f64::from(count) - mean).powi(2));
    (mean, squares.sum::<f64>() / (len - 1.0))
}

/// Asserts that a sample is uniformly distributed between two times in milliseconds.
fn assert_uniform(mut draws: Vec<Nanos>, least: u64, most: u64) {
    draws.sort_unstable();
    let (least, most) = (least * MILLI, most * MILLI);
    assert!(draws[0] >= least && draws[draws.len() - 1] <= most);
    let len = draws.len() as f64;
    let distance = draws.iter().enumerate().map(|(at, &draw)| {
        let expected = (draw - least) as f64 / (most - least) as f64;
        let at = at as f64;
        (expected - at / len).abs().max((at + 1.0) / len - expected)
    });
    let distance = distance.fold(0.0, f64::max);
    assert!(distance < KS / len.sqrt(), "{least}..{most}: {distance}");
}

#[test]
fn delays_are_uniform_around_the_latency() {
    for (seed, (latency, jitter)) in [
        (50, 20),
        (75, 25),
        (100, 1),
        (20, 20),
        (3_600_000, 3_600_000),
    ]
    .into_iter()
    .enumerate()
    {
        let drawn = delays(&waits(latency, jitter), seed as u64);
        let whole = drawn.iter().filter(|&&delay| delay % MILLI == 0).count();
        assert!(whole < 10, "{whole} draws are whole milliseconds");
        assert_uniform(drawn, latency - jitter, latency + jitter);
    }
    assert!(
        delays(&waits(100, 0), 1)
            .iter()
            .all(|&delay| delay == 100 * MILLI)
    );
}

#[test]
fn negative_delays_are_clamped_to_zero() {
    for (seed, (latency, jitter)) in [(0, 20), (10, 30), (1, 1000)].into_iter().enumerate() {
        let (rest, none): (Vec<_>, Vec<_>) = delays(&waits(latency, jitter), seed as u64)
            .into_iter()
            .partition(|&delay| delay > 0);
        let share = (jitter - latency) as f64 / (2 * jitter) as f64;
        assert_share(none.len(), share, "delays of 0");
        assert_uniform(rest, 0, latency + jitter);
    }
}

#[test]
fn a_response_reports_its_own_delay() {
    let mut client = Client::new(&waits(70, 70));
    for _ in 0..100 {
        client.send(chat("{}"));
        let delay = client.deadline() - (client.core.now - START);
        client.pass(SECOND);
        let said = (delay / MILLI).to_string();
        let answer = client.answers().remove(0);
        assert_eq!(answer.field("openai-processing-ms"), Some(said.as_str()));
    }
}

/// Asserts that a count is within 4 standard deviations of the expected share.
fn assert_share(count: usize, share: f64, name: &str) {
    let draws = DRAWS as f64;
    let sigma = (draws * share * (1.0 - share)).sqrt();
    let off = count as f64 - draws * share;
    assert!(
        off.abs() <= 4.0 * sigma,
        "{name}: {count} where {share} was asked for"
    );
}

#[test]
fn the_share_of_failures_is_as_configured() {
    for (seed, percent) in [0.01, 0.5, 5.0, 10.0, 33.3333, 50.0, 99.0, 99.99]
        .into_iter()
        .enumerate()
    {
        let count: u32 = batches(&fails(percent, 0.0), seed as u64).iter().sum();
        assert_share(
            count as usize,
            percent / 100.0,
            &format!("{percent} percent"),
        );
    }
}

#[test]
fn all_fail_at_100_percent_and_none_at_0() {
    assert!(
        batches(&fails(100.0, 0.0), 1)
            .iter()
            .all(|&count| count == BATCH)
    );
    assert!(batches(&fails(0.0, 0.0), 1).iter().all(|&count| count == 0));
    // Also with another random choice.
    let late = Settings {
        jitter: Duration::from_millis(5),
        ..fails(0.0, 0.0)
    };
    assert!(batches(&late, 1).iter().all(|&count| count == 0));
}

/// Returns the moments of a batch's probability, which is uniform in [percent - jitter, percent +
/// jitter] and clamped to [0, 1]. Integrates numerically.
fn chance(percent: f64, jitter: f64) -> (f64, f64) {
    const STEPS: u32 = 100_000;
    let at = |step: u32| {
        let share = (f64::from(step) + 0.5) / f64::from(STEPS);
        ((percent + jitter * (2.0 * share - 1.0)) / 100.0).clamp(0.0, 1.0)
    };
    let mean = |of: &dyn Fn(f64) -> f64| {
        (0..STEPS).map(|step| of(at(step))).sum::<f64>() / f64::from(STEPS)
    };
    let average = mean(&|chance| chance);
    (average, mean(&|chance| (chance - average).powi(2)))
}

#[test]
fn batches_vary_within_the_jitter() {
    let cases = [
        (10.0, 5.0),
        (5.0, 2.0),
        (50.0, 30.0),
        (0.0, 5.0),
        (3.0, 10.0),
        (95.0, 20.0),
    ];
    for (seed, (percent, jitter)) in cases.into_iter().enumerate() {
        let counts = batches(&fails(percent, jitter), seed as u64);
        let (mean, variance) = mean_and_variance(&counts);
        let (average, spread) = chance(percent, jitter);
        let (n, batches) = (f64::from(BATCH), counts.len() as f64);
        // The variance of a mixture: within a batch, plus that of the batches' probabilities.
        let within = n * (average * (1.0 - average) - spread);
        let expected = within + n * n * spread;
        let sigma = (expected / batches).sqrt();
        let name = format!("{percent} +- {jitter}: mean {mean}, variance {variance}");
        assert!(
            (mean - n * average).abs() <= 4.0 * sigma,
            "{name} for {}",
            n * average
        );
        let fourth = counts
            .iter()
            .map(|&count| (f64::from(count) - mean).powi(4))
            .sum::<f64>()
            / batches;
        let sigma = ((fourth - variance * variance) / batches).sqrt();
        assert!(
            (variance - expected).abs() <= 4.0 * sigma,
            "{name} for {expected}"
        );
        let binomial = n * average * (1.0 - average);
        assert!(
            variance > binomial + 2.0 * sigma,
            "{name}: as if drawn each time"
        );
    }
}

/// Returns the ids, token counts, failures and delays of a core.
fn run(settings: &Settings, seed: u64, core: u16) -> Vec<(u16, String, Nanos)> {
    let mut client = Client::new(settings);
    client.core.mock = Mock::new(
        settings,
        Words::new(settings).unwrap(),
        seed,
        core,
        exchange::watch(1, 0),
    );
    let mut seen = Vec::new();
    for _ in 0..500 {
        client.send(chat("{}"));
        let due = client.deadline();
        client.pass(SECOND);
        let answer = client.answers().remove(0);
        let text = String::from_utf8(answer.content.clone()).expect("it is UTF-8");
        seen.push((answer.status, answer.id().to_owned() + &text, due));
    }
    seen
}

#[test]
fn a_seed_makes_a_run_repeatable() {
    let settings = Settings {
        latency: Duration::from_millis(50),
        jitter: Duration::from_millis(20),
        ..fails(20.0, 10.0)
    };
    let first = run(&settings, 7, 0);
    assert_eq!(first, run(&settings, 7, 0));
    for (seed, core) in [(8, 0), (7, 1), (u64::MAX, 0)] {
        let other = run(&settings, seed, core);
        let pairs = || first.iter().zip(&other);
        assert!(pairs().all(|(one, other)| one.1 != other.1), "other ids");
        assert!(
            pairs().any(|(one, other)| one.0 != other.0),
            "other failures"
        );
        let late = |one: &&(u16, String, Nanos)| one.0 == 200;
        assert!(
            pairs()
                .filter(|(one, _)| late(one))
                .all(|(one, other)| one.2 != other.2)
        );
    }
}

#[test]
fn the_cores_of_a_process_draw_independently() {
    let settings = fails(50.0, 0.0);
    let failures = |core| -> Vec<bool> {
        let mut mock = Mock::new(
            &settings,
            Words::new(&settings).unwrap(),
            7,
            core,
            exchange::watch(1, 0),
        );
        (0..1000)
            .map(|_| mock.policy.draw(false, SECOND).is_err())
            .collect()
    };
    let (first, second) = (failures(0), failures(1));
    let same = first
        .iter()
        .zip(&second)
        .filter(|(one, other)| one == other)
        .count();
    assert!((437..=563).contains(&same), "{same} of 1000 are the same");
}
