//! Numeric bounds and steps of a schema, exact for every `i64`, `u64` and `f64`, and candidate
//! numbers for them.

use std::cmp::Ordering;

use crate::json::Node;

/// The number of multiples that are tried next to a bound.
const NEAR: i128 = 64;

/// A number in JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// An integer, exactly.
    Integer(i128),
    /// Any other `f64`.
    Float(f64),
}

impl Number {
    /// Returns the number that a node is, if any. An `f64` without a fractional part is an integer.
    pub fn of(node: Node) -> Option<Number> {
        Some(match node {
            Node::Integer(number) => Number::Integer(number.into()),
            Node::Unsigned(number) => Number::Integer(number.into()),
            // Every integral f64 below 2^127 fits in an i128.
            Node::Float(number) if number.fract() == 0.0 && number.abs() < 1e38 => {
                Number::Integer(number as i128)
            }
            Node::Float(number) => Number::Float(number),
            _ => return None,
        })
    }

    /// Returns the node that is exactly this number, if there is one.
    pub fn node(self) -> Option<Node> {
        match self {
            Number::Integer(number) => match (i64::try_from(number), u64::try_from(number)) {
                (Ok(number), _) => Some(Node::Integer(number)),
                (_, Ok(number)) => Some(Node::Unsigned(number)),
                _ => Some(Node::Float(number as f64)).filter(|it| Number::of(*it) == Some(self)),
            },
            Number::Float(number) => number.is_finite().then_some(Node::Float(number)),
        }
    }

    fn double(self) -> f64 {
        match self {
            Number::Integer(number) => number as f64,
            Number::Float(number) => number,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        match (self, other) {
            (Number::Integer(one), Number::Integer(other)) => one.partial_cmp(other),
            // An f64 with a fractional part is below 2^53, where conversion is exact.
            (one, other) => one.double().partial_cmp(&other.double()),
        }
    }
}

/// An end of a range.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// The number.
    pub number: Number,
    /// True if the number itself is excluded.
    pub exclusive: bool,
}

/// The constraints on a number.
#[derive(Clone, Debug, Default)]
pub struct Range {
    low: Option<Bound>,
    high: Option<Bound>,
    steps: Vec<Number>,
}

impl Range {
    /// Raises the lower bound to at least `bound`.
    pub fn add_lower(&mut self, bound: Bound) {
        let looser = |old: Bound| (old.number, old.exclusive) < (bound.number, bound.exclusive);
        if self.low.is_none_or(looser) {
            self.low = Some(bound);
        }
    }

    /// Lowers the upper bound to at most `bound`.
    pub fn add_upper(&mut self, bound: Bound) {
        let looser = |old: Bound| (bound.number, old.exclusive) < (old.number, bound.exclusive);
        if self.high.is_none_or(looser) {
            self.high = Some(bound);
        }
    }

    /// Restricts the range to multiples of `step`.
    pub fn add_step(&mut self, step: Number) {
        self.steps.push(step);
    }

    /// Returns whether a number satisfies every constraint.
    pub fn contains(&self, number: Number) -> bool {
        let above = |low: Bound| low.number < number || low.number == number && !low.exclusive;
        let below = |high: Bound| number < high.number || high.number == number && !high.exclusive;
        let steps = &self.steps;
        self.low.is_none_or(above)
            && self.high.is_none_or(below)
            && steps.iter().all(|step| is_multiple(number, *step))
    }

    /// Returns candidate integer number `index`: first the simplest, then from the lower bound up.
    pub fn integer(&self, index: u32) -> Option<Number> {
        let index = i128::from(index);
        if let Some(plain) = [1, 0].get(index as usize) {
            return Some(Number::Integer(*plain));
        }
        let index = index - 2;
        let largest = Number::Integer(u64::MAX.into());
        if let Some(low) = self.low
            && (low.number > largest || low.number == largest && low.exclusive)
        {
            // Beyond 64 bits, the next representable number is the next f64.
            let next = (0..index).fold(low.number.double(), |number, _| number.next_up());
            return Number::of(Node::Float(next));
        }
        if let (None, Some(high)) = (self.low, self.high)
            && high.number < Number::Integer(i64::MIN.into())
        {
            let next = (0..index).fold(high.number.double(), |number, _| number.next_down());
            return Number::of(Node::Float(next));
        }
        let step = self.integer_step()?;
        let (low, high) = (self.low.map(min_integer), self.high.map(max_integer));
        let number = match (low, high) {
            (None, Some(high)) => floor_to(high, step)?.checked_sub(index.checked_mul(step)?)?,
            (None, None) if step == 1 => 2 + index,
            (low, _) => {
                let first = ceil_to(low.unwrap_or(1), step)?;
                first.checked_add(index.checked_mul(step)?)?
            }
        };
        let beyond = high.is_some_and(|high| number > high);
        (!beyond).then_some(Number::Integer(number))
    }

    /// Returns candidate number `index`, which may be a fraction, or `None` after the last.
    pub fn number(&self, index: u32) -> Option<Number> {
        let plain = [Number::Float(1.5), Number::Integer(1), Number::Integer(0)];
        if let Some(plain) = plain.get(index as usize) {
            return Some(*plain);
        }
        let index = index - plain.len() as u32;
        if let Some(fraction) = self.fraction(index / 2).filter(|_| index % 2 == 1) {
            return Some(fraction);
        }
        let last = if index % 2 == 1 { index } else { index / 2 };
        let integer = self.integer(2 + index / 2);
        integer.or_else(|| self.fraction(last))
    }

    /// Returns the bounds as doubles.
    fn bounds(&self) -> (Option<f64>, Option<f64>) {
        let double = |bound: Bound| bound.number.double();
        (self.low.map(double), self.high.map(double))
    }

    fn fraction(&self, index: u32) -> Option<Number> {
        if let Some(step) = self.steps.first() {
            return self.multiple(*step, index);
        }
        let number = match self.bounds() {
            (Some(low), Some(high)) => {
                // The half first, then ever smaller fractions: 1/2, 1/3, 2/3, 1/4, ...
                let (mut parts, mut part) = (2, index);
                while part >= parts - 1 {
                    part -= parts - 1;
                    parts += 1;
                }
                let share = f64::from(part + 1) / f64::from(parts);
                match share == 0.5 {
                    true => f64::midpoint(low, high),
                    false => low + (high - low) * share,
                }
            }
            (Some(low), None) => low + 0.5 * f64::from(index + 1),
            (None, Some(high)) => high - 0.5 * f64::from(index + 1),
            (None, None) => 2.5 + f64::from(index),
        };
        Number::of(Node::Float(number))
    }

    /// Returns multiple number `index` of a step, counted up from the lower bound or down from the
    /// upper one. Those without a remainder in floating-point division come first, since most
    /// validators check it that way.
    fn multiple(&self, step: Number, index: u32) -> Option<Number> {
        let size = step.double();
        let (first, direction) = match self.bounds() {
            (Some(low), _) => ((low / size).ceil(), 1),
            (None, Some(high)) => ((high / size).floor(), -1),
            (None, None) => (1.0, 1),
        };
        let first = (first.abs() < 1e18).then_some(first as i128)?;
        let (above, below) = decimal(step)?;
        let times = |count: i128| {
            let exact = count.checked_mul(above)?;
            let number = exact as f64 / below as f64;
            Number::of(Node::Float(number))
        };
        let clean = |number: &Number| (number.double() / size).fract() == 0.0;
        let around = (-1..NEAR).map(|at| first + direction * at);
        let numbers: Vec<Number> = around.filter_map(times).collect();
        let (first, then): (Vec<_>, Vec<_>) = numbers.into_iter().partition(clean);
        first.into_iter().chain(then).nth(index as usize)
    }

    /// Returns the smallest integer that is a multiple of every step; `None` if it overflows.
    fn integer_step(&self) -> Option<i128> {
        self.steps.iter().try_fold(1i128, |all, step| {
            let (above, below) = decimal(*step)?;
            let own = above / gcd(above, below);
            all.checked_mul(own / gcd(all, own))
        })
    }
}

fn min_integer(bound: Bound) -> i128 {
    match bound.number {
        Number::Integer(number) => number.saturating_add(bound.exclusive.into()),
        Number::Float(number) => number.ceil() as i128,
    }
}

fn max_integer(bound: Bound) -> i128 {
    match bound.number {
        Number::Integer(number) => number.saturating_sub(bound.exclusive.into()),
        Number::Float(number) => number.floor() as i128,
    }
}

fn ceil_to(number: i128, step: i128) -> Option<i128> {
    match number.rem_euclid(step) {
        0 => Some(number),
        rest => number.checked_add(step - rest),
    }
}

fn floor_to(number: i128, step: i128) -> Option<i128> {
    number.checked_sub(number.rem_euclid(step))
}

fn gcd(mut one: i128, mut other: i128) -> i128 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one.max(1)
}

/// Converts the absolute value of a number to a fraction, from its shortest decimal representation.
fn decimal(number: Number) -> Option<(i128, i128)> {
    let number = match number {
        Number::Integer(number) => return Some((number.checked_abs()?, 1)),
        Number::Float(number) => number.abs(),
    };
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let above: i128 = format!("{whole}{part}").parse().ok()?;
    let power = |exponent: i32| 10i128.checked_pow(exponent.try_into().ok()?);
    match exponent - part.len() as i32 {
        shift @ 0.. => Some((above.checked_mul(power(shift)?)?, 1)),
        shift => Some((above, power(-shift)?)),
    }
}

/// Returns whether a number is a multiple of a step, either exactly as decimals or by
/// floating-point division.
fn is_multiple(number: Number, step: Number) -> bool {
    let exactly = || {
        let (above, below) = decimal(number)?;
        let (step_above, step_below) = decimal(step)?;
        let one = above.checked_mul(step_below)?;
        let other = below.checked_mul(step_above)?;
        Some(one % other == 0)
    };
    let quotient = number.double() / step.double();
    let integers = matches!((number, step), (Number::Integer(_), Number::Integer(_)));
    exactly() == Some(true) || !integers && quotient.is_finite() && quotient.fract() == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        let float = || Node::Float(text.parse().unwrap());
        Number::of(text.parse().map_or_else(|_| float(), Node::Integer)).unwrap()
    }

    #[test]
    fn multiples_are_checked_as_decimals_and_as_doubles() {
        for (value, step, expected) in [
            ("10", "5", true),
            ("11", "5", false),
            ("0", "0.1", true),
            ("0.3", "0.1", true),
            ("0.7", "0.01", true),
            ("19.99", "0.01", true),
            ("4.5", "1.5", true),
            ("4.6", "1.5", false),
            ("-4.5", "1.5", true),
            ("9007199254740993", "2", false),
            ("9223372036854775807", "9223372036854775807", true),
            ("1", "0.3333333333333333", true),
            ("1e300", "1e-300", false),
        ] {
            assert_eq!(
                is_multiple(number(value), number(step)),
                expected,
                "{value} {step}"
            );
        }
    }

    #[test]
    fn ranges_yield_numbers_within_their_constraints() {
        let mut range = Range::default();
        range.add_lower(Bound {
            number: number("2.1"),
            exclusive: false,
        });
        range.add_upper(Bound {
            number: number("2.4"),
            exclusive: false,
        });
        range.add_step(number("0.25"));
        let found = (0..20)
            .filter_map(|at| range.number(at))
            .find(|it| range.contains(*it));
        assert_eq!(found, Some(Number::Float(2.25)));
    }

    #[test]
    fn large_integers_are_exact() {
        let mut range = Range::default();
        range.add_lower(Bound {
            number: number("9223372036854775806"),
            exclusive: true,
        });
        let found = (0..9)
            .filter_map(|at| range.integer(at))
            .find(|it| range.contains(*it));
        assert_eq!(found, Some(Number::Integer(9_223_372_036_854_775_807)));
        let mut range = Range::default();
        range.add_lower(Bound {
            number: number("9007199254740992"),
            exclusive: true,
        });
        range.add_upper(Bound {
            number: number("9007199254740994"),
            exclusive: true,
        });
        let found = (0..9)
            .filter_map(|at| range.integer(at))
            .find(|it| range.contains(*it));
        assert_eq!(found, Some(Number::Integer(9_007_199_254_740_993)));
    }
}
