//! What `input` and `prompt` hold: one text, or a list of texts, of token numbers or of lists of
//! them. It counts them and says what is wrong. Knows no JSON.

use super::field::{
    INPUT_ELEMENT, INPUT_EMPTY_ELEMENT, INPUT_EMPTY_LIST, INPUT_EMPTY_TEXT, INPUT_MIXED,
    INPUT_TOKEN, INPUT_TOO_MANY, INPUT_TYPE,
};
use super::json::Event;

/// Inputs of one embeddings request, as OpenAI allows.
pub const INPUTS_MAX: u16 = 2048;

/// What a field allows beside texts and tokens.
#[derive(Clone, Copy)]
pub struct Allowed {
    /// Empty texts, as prompts may be.
    pub empty: bool,
    /// Objects: texts and images, which are judged together.
    pub objects: bool,
}

/// Where the next value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the top-level object.
    Member,
    /// In the list that is `input`.
    Element,
    /// In a list in that list.
    Token,
}

/// What the elements are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    List,
    Object,
}

/// The inputs as read so far.
pub struct Inputs {
    /// How many there are: 1 to 2048.
    pub count: u16,
    place: Place,
    /// The kind of the first element, which the others must have too.
    kind: Option<Kind>,
    /// The list of tokens under way holds a number.
    filled: bool,
}

impl Inputs {
    /// None read: that counts as one.
    pub fn new() -> Inputs {
        Inputs {
            count: 1,
            place: Place::Member,
            kind: None,
            filled: false,
        }
    }

    /// Whether what is met stands in a list of inputs.
    pub fn inside(&self) -> bool {
        self.place != Place::Member
    }

    /// Takes what is met, which ends or begins where `depth` containers are open; `text` is the
    /// raw text of a string. Of inputs that are refused nothing more is read.
    pub fn met(
        &mut self,
        event: Event,
        text: &[u8],
        depth: u8,
        allowed: Allowed,
    ) -> Result<(), &'static str> {
        let taken = match self.place {
            Place::Member => self.value_met(event, text, allowed),
            Place::Element => self.element_met(event, text, depth, allowed),
            Place::Token => self.token_met(event),
        };
        if taken.is_err() {
            self.place = Place::Member;
        }
        taken
    }

    fn value_met(
        &mut self,
        event: Event,
        text: &[u8],
        allowed: Allowed,
    ) -> Result<(), &'static str> {
        match event {
            Event::Text if text.is_empty() && !allowed.empty => Err(INPUT_EMPTY_TEXT),
            Event::Text => Ok(()),
            Event::ListBegan => {
                self.place = Place::Element;
                self.kind = None;
                self.count = 0;
                Ok(())
            }
            _ => Err(INPUT_TYPE),
        }
    }

    fn element_met(
        &mut self,
        event: Event,
        text: &[u8],
        depth: u8,
        allowed: Allowed,
    ) -> Result<(), &'static str> {
        let own = match event {
            Event::ListBegan | Event::ObjectBegan => 3,
            Event::ListEnded => 1,
            _ => 2,
        };
        match event {
            // It stands within an object that was met.
            _ if depth != own => Ok(()),
            Event::Text => {
                self.element_began(Kind::Text)?;
                match text.is_empty() && !allowed.empty {
                    true => Err(INPUT_EMPTY_ELEMENT),
                    false => Ok(()),
                }
            }
            Event::Numbers => self.element_began(Kind::Number),
            Event::ListBegan => {
                self.place = Place::Token;
                self.filled = false;
                self.element_began(Kind::List)
            }
            Event::ObjectBegan if allowed.objects => self.element_began(Kind::Object),
            Event::ListEnded if self.kind.is_none() => Err(INPUT_EMPTY_LIST),
            Event::ListEnded => {
                self.place = Place::Member;
                Ok(())
            }
            _ => Err(INPUT_ELEMENT),
        }
    }

    /// All numbers of a flat list are one input, so only the first of them counts.
    fn element_began(&mut self, kind: Kind) -> Result<(), &'static str> {
        match self.kind {
            Some(first) if first != kind => return Err(INPUT_MIXED),
            Some(Kind::Number | Kind::Object) => {}
            _ if self.count == INPUTS_MAX => return Err(INPUT_TOO_MANY),
            _ => {
                self.kind = Some(kind);
                self.count += 1;
            }
        }
        Ok(())
    }

    fn token_met(&mut self, event: Event) -> Result<(), &'static str> {
        match event {
            Event::Numbers => self.filled = true,
            Event::ListEnded if self.filled => self.place = Place::Element,
            Event::ListEnded => return Err(INPUT_EMPTY_ELEMENT),
            _ => return Err(INPUT_TOKEN),
        }
        Ok(())
    }
}
