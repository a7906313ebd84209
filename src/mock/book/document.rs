//! The templates of a whole answer and of its items. Knows no answer.

use crate::mock::route::Endpoint;
use crate::mock::template::{Slot, Template};

/// The templates of what an endpoint gives.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub opening: Template,
    pub item: Template,
    pub closing: Template,
    /// Whether it has items.
    pub lists: bool,
}

impl Document {
    /// Cuts an endpoint's files; without any, all of it is empty.
    pub fn of(endpoint: Endpoint) -> Document {
        let Some((frame, item)) = endpoint.route().files else {
            return Document::default();
        };
        let frame = Template::parse(frame);
        let lists = frame.has(Slot::Items);
        let (opening, closing) = match lists {
            true => frame.split(Slot::Items),
            false => (frame, Template::default()),
        };
        Document {
            opening,
            item: Template::parse(item),
            closing,
            lists,
        }
    }
}
