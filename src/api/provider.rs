//! A provider of APIs as data, and its endpoints.

use super::field::{Accepts, FieldRow, FieldSet};
use super::route::{DefaultModel, Route};
use super::{problem::Problem, template::Template};
use crate::json::escapes::NAME_MAX;

/// A provider of APIs.
#[derive(Debug)]
pub struct Provider {
    /// Its routes.
    pub routes: &'static [Route],
    /// The fields of its requests, in the order in which refusals are reported.
    pub fields: &'static [FieldRow],
    /// True if its requests need credentials (if some are configured), and can fail or be delayed.
    pub is_api: bool,
    /// Makes the body of an error.
    pub error: fn() -> Template,
    /// Returns the type of an error.
    pub error_type: fn(&Problem) -> &'static str,
    /// The header field with the id of a response, up to the id.
    pub id_field: &'static str,
    /// The header field with the delay of a response in milliseconds, up to the number.
    pub delay_field: Option<&'static str>,
}

/// A route of a provider.
#[derive(Debug)]
pub struct Endpoint {
    /// Its number among all endpoints, by which requests are counted.
    pub index: u8,
    /// Its provider.
    pub provider: &'static Provider,
    /// Its route.
    pub route: &'static Route,
    /// Its bit in the sets of endpoints of its provider's fields.
    bit: u32,
    /// The fields that it reads, by the length of their names. It leaves one or two of them to be
    /// compared with a name.
    by_length: [FieldSet; NAME_MAX + 1],
}

impl Endpoint {
    /// Creates the endpoint of a provider's route.
    pub const fn new(provider: &'static Provider, row: usize, index: usize) -> Endpoint {
        assert!(
            index < u8::MAX as usize,
            "the last number counts requests without a route"
        );
        assert!(
            row < u32::BITS as usize,
            "a set has a bit for each endpoint"
        );
        let bit = 1 << row;
        let mut by_length = [0; NAME_MAX + 1];
        let mut at = 0;
        while at < provider.fields.len() {
            let field = &provider.fields[at];
            if field.on & bit != 0 {
                by_length[field.name.len()] |= 1 << at;
            }
            at += 1;
        }
        Endpoint {
            index: index as u8,
            provider,
            route: &provider.routes[row],
            bit,
            by_length,
        }
    }

    /// Returns the field of this name that it reads, and the set of this field alone.
    pub fn field(&self, name: &[u8]) -> Option<(FieldSet, &'static FieldRow)> {
        let set = self.by_length.get(name.len())?;
        self.fields(*set)
            .find(|(_, row)| row.name.as_bytes() == name)
    }

    /// Returns the field of this name whose type is checked.
    pub fn checked(&self, name: &[u8]) -> Option<&'static FieldRow> {
        let mut rows = self.provider.fields.iter();
        rows.find(|row| row.name.as_bytes() == name && row.types.on & self.bit != 0)
    }

    /// Returns true if requests must name a model, which is checked with `-strict`.
    pub fn needs_model(&self) -> bool {
        matches!(self.route.model, DefaultModel::Required(_))
    }

    /// Returns the field that is the subject of requests.
    pub fn subject(&self) -> Option<&'static FieldRow> {
        let mut rows = self.provider.fields.iter();
        rows.find(|row| {
            row.on & self.bit != 0
                && matches!(
                    row.accepts,
                    Accepts::Inputs(_) | Accepts::Prompt | Accepts::Messages
                )
        })
    }

    /// Returns the fields of a set, in the order of the table, and the set of each alone.
    pub fn fields(&self, mut set: FieldSet) -> impl Iterator<Item = (FieldSet, &'static FieldRow)> {
        let rows = self.provider.fields;
        std::iter::from_fn(move || {
            let first = (set != 0).then(|| set.trailing_zeros());
            set &= set.wrapping_sub(1);
            first.map(|at| (1 << at, &rows[at as usize]))
        })
    }
}
