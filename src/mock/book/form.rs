//! What sets one form of text apart from the others: its templates, and what its streams are made
//! of. Knows no answer.

use super::document::Document;
use crate::mock::route::Api;
use crate::mock::template::Template;

/// One form of text.
#[derive(Debug)]
pub(super) struct Form {
    /// The whole, and a choice of it. Where it has no list of choices, one is part of the whole.
    pub document: Document,
    /// What its `$usage` tells.
    pub usage: Template,
    /// What its streams are made of beside chunks.
    pub units: Units,
}

/// Which units a stream has beside its chunks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Units {
    /// One that opens each choice.
    pub opening: bool,
    /// One that ends each choice.
    pub ending: bool,
    /// One after all choices.
    pub last: bool,
}

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../templates/", $name, ".json"))
    };
}

impl Form {
    pub fn of(api: Api) -> Form {
        let (frame, choice, usage, [opening, ending, last]) = match api {
            Api::Chat => (
                file!("chat"),
                file!("chat.choice"),
                file!("chat.usage"),
                [true, true, true],
            ),
            Api::Responses => (
                file!("response"),
                "null",
                file!("response.usage"),
                [true, true, false],
            ),
            Api::Completions => (
                file!("completion"),
                file!("completion.choice"),
                file!("chat.usage"),
                [false, true, true],
            ),
        };
        Form {
            document: Document::cut(frame, choice),
            usage: Template::parse(usage),
            units: Units {
                opening,
                ending,
                last,
            },
        }
    }
}
