//! The templates of endpoints whose answers are the same but for a few slots. Knows no answer.

use crate::mock::route::{Endpoint, Gives};
use crate::mock::template::{Slot, Template};

/// The templates of an answer that is the same but for a few slots.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub opening: Template,
    pub item: Template,
    pub closing: Template,
    /// Whether it has items.
    pub lists: bool,
}

impl Document {
    /// The templates of what an endpoint gives.
    pub fn of(endpoint: Endpoint) -> Document {
        let (frame, item) = match endpoint.route().gives {
            Gives::Document { frame, item } => (frame, item),
            Gives::Embeddings => (
                include_str!("../templates/embeddings.json"),
                include_str!("../templates/embeddings.item.json"),
            ),
            Gives::Text(_) | Gives::View(_) => return Document::default(),
        };
        Document::cut(frame, item)
    }

    /// Cuts a frame at its `$items`, if it has them.
    pub fn cut(frame: &str, item: &str) -> Document {
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
