//! What sets one form of text apart from the others, beside its files. Knows no answer.

use crate::mock::route::Api;
use crate::mock::template::Template;

/// One form of text.
#[derive(Debug)]
pub(super) struct Form {
    /// What its `$usage` tells.
    pub usage: Template,
    /// Whether a stream has a unit that opens each choice, one that ends each, and one after all.
    pub opening: bool,
    pub ending: bool,
    pub last: bool,
}

impl Form {
    pub fn of(api: Api) -> Form {
        let (usage, [opening, ending, last]) = match api {
            Api::Chat => (CHAT_USAGE, [true, true, true]),
            Api::Responses => (RESPONSE_USAGE, [true, true, false]),
            Api::Completions => (CHAT_USAGE, [false, true, true]),
        };
        Form {
            usage: Template::parse(usage),
            opening,
            ending,
            last,
        }
    }
}

const CHAT_USAGE: &str = include_str!("../templates/chat.usage.json");
const RESPONSE_USAGE: &str = include_str!("../templates/response.usage.json");
