//! The work budget of a schema, in steps of about 20 nanoseconds each.

use super::error::{Halt, Resumable, SchemaError};

/// The remaining steps of the current call, and of all calls together.
#[derive(Debug, Default)]
pub struct Fuel {
    call: i64,
    total: u64,
}

impl Fuel {
    /// Creates a budget of `total` steps; [`Fuel::begin_call`] must come before any are spent.
    pub fn new(total: u64) -> Fuel {
        Fuel { call: 0, total }
    }

    /// Begins a call of `steps` steps.
    pub fn begin_call(&mut self, steps: u32) {
        self.call = steps.into();
    }

    /// Returns the remaining steps in total.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Pauses if the call has no steps left. Work that has begun is finished first, so a call may
    /// spend slightly more than its steps.
    pub fn ready(&self) -> Resumable {
        if self.call <= 0 {
            Err(Halt::Paused)
        } else {
            Ok(())
        }
    }

    /// Gives back a step that was spent on work which a pause has interrupted, and which will be
    /// begun again: a value must not depend on the pauses.
    pub fn refund(&mut self) {
        self.call += 1;
        self.total += 1;
    }

    /// Spends steps. Returns an error if none are left in total.
    pub fn spend(&mut self, steps: u32) -> Result<(), SchemaError> {
        self.call -= i64::from(steps);
        self.total = self.total.saturating_sub(steps.into());
        SchemaError::TooLarge.when(self.total == 0)
    }
}
