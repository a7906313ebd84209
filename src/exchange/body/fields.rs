//! The fields of the body that is arriving: finds the row of each key and passes the values behind
//! it to that row.

use crate::api::field::{Accepts, FieldRow, FieldSet};
use crate::api::{facts::Facts, problem::Problem, provider::Endpoint, table::ENDPOINTS};
use crate::json::escapes::{NAME_MAX, resolved};
use crate::json::scanner::JsonEvent;

/// The fields of one body as read so far.
pub struct Fields {
    /// The facts that follow from them.
    pub facts: Facts,
    pub endpoint: &'static Endpoint,
    /// The set of the field of the top-level key read last alone; empty if the key is no field.
    field: FieldSet,
    /// The fields that are present, and those whose last value is not accepted.
    present: FieldSet,
    refused: FieldSet,
}

impl Fields {
    /// Creates the fields of an empty body.
    pub fn new() -> Fields {
        Fields {
            facts: Facts::new(),
            endpoint: &ENDPOINTS[0],
            field: 0,
            present: 0,
            refused: 0,
        }
    }

    /// Restores every default, for a body to `endpoint`.
    pub fn begin(&mut self, endpoint: &'static Endpoint) {
        self.field = 0;
        self.refused = 0;
        let present = std::mem::take(&mut self.present);
        for (_, row) in self.endpoint.fields(present) {
            row.accepts.clear(&mut self.facts);
        }
        self.endpoint = endpoint;
        self.facts.held.clear();
        self.facts.echo = None;
        self.facts.lacks = Default::default();
    }

    /// Returns the facts of the body once it is complete, or the first refusal in the order of
    /// the table.
    pub fn settled(&self) -> Result<&Facts, Problem> {
        if let Some((_, row)) = self.endpoint.fields(self.refused).next() {
            let message = row.accepts.message().or(self.facts.inputs.refusal);
            return Err(Problem::field(row.name, message.unwrap_or_default()));
        }
        Ok(&self.facts)
    }

    #[inline]
    fn row(&self) -> Option<&'static FieldRow> {
        let mut rows = self.endpoint.fields(self.field);
        rows.next().map(|(_, row)| row)
    }

    /// Returns the number of levels of containers to report: none behind a key that is no field,
    /// otherwise those that the field reads.
    pub fn watch(&self) -> u8 {
        match self.row().map(|row| &row.accepts) {
            None => 0,
            Some(_) if self.facts.inputs.inside() => 3,
            Some(Accepts::Other { depth, .. }) => *depth,
            Some(_) => 1,
        }
    }

    /// Takes a key. It voids all that an earlier one of the same name said.
    pub fn key_read(&mut self, raw: &[u8]) {
        let found = match self.endpoint.field(raw) {
            None if raw.contains(&b'\\') => self.endpoint.field(resolved(raw, &mut [0; NAME_MAX])),
            found => found,
        };
        let Some((bit, row)) = found else {
            return self.field = 0;
        };
        self.field = bit;
        if self.present & bit != 0 {
            row.accepts.clear(&mut self.facts);
            self.refused &= !bit;
        }
        self.present |= bit;
    }

    /// Begins to hold the value of the key that was just read, if it is one of a field that is
    /// kept whole. Returns true if it is.
    #[inline]
    pub fn hold(&mut self) -> bool {
        match self.row() {
            Some(row) if matches!(row.accepts, Accepts::Held { .. }) => {
                self.facts.held.begin(row.name);
                true
            }
            _ => false,
        }
    }

    /// Returns true if the current field is a prompt or a conversation.
    pub fn in_prompt(&self) -> bool {
        let accepts = self.row().map(|row| &row.accepts);
        matches!(accepts, Some(Accepts::Prompt | Accepts::Messages))
    }

    /// Takes a key in a field's value.
    pub fn inner_key_read(&mut self, raw: &[u8]) {
        if let Some(row) = self.row()
            && let Accepts::Other { depth, take, .. } = row.accepts
        {
            take(&mut self.facts, JsonEvent::Key, raw, depth);
        }
    }

    /// Takes a value behind the key read last, or in it, in `depth` containers. `text` is the raw
    /// text of a string or integer and empty for all other events.
    pub fn value_met(&mut self, event: JsonEvent, text: &[u8], depth: u8) {
        let Some(row) = self.row() else { return };
        // Null means the same as absent, and a list was read by its elements. Lists of inputs
        // have rules for both.
        let ignored = matches!(event, JsonEvent::Null | JsonEvent::ListEnded);
        if ignored && !self.facts.inputs.inside() {
            return;
        }
        if row
            .accepts
            .take(&mut self.facts, event, text, depth)
            .is_none()
        {
            self.refused |= self.field;
        }
    }
}
