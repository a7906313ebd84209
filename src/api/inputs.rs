//! The values of `input` and `prompt`: one text, or a list of texts, of token numbers or of lists
//! of token numbers. They are counted and checked.

use crate::json::scanner::JsonEvent;

/// The most inputs of one request, as OpenAI allows.
pub const INPUTS_MAX: u16 = 2048;

/// The values that a field allows besides texts and tokens.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    /// Empty texts, which prompts may be.
    pub empty: bool,
    /// Objects: texts and images, which are moderated together.
    pub objects: bool,
}

/// The position of the next value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// In the top-level object.
    Member,
    /// In the list that is `input`.
    Element,
    /// In a list in that list.
    Token,
}

/// The kind of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ElementKind {
    Text,
    Number,
    List,
    Object,
}

/// Nothing, or the message about a value that is refused.
type Taken = Result<(), &'static str>;

/// The inputs as read so far.
#[derive(Debug)]
pub struct Inputs {
    /// The number of inputs, 1 to 2048.
    pub count: u16,
    /// The first fault.
    pub refusal: Option<&'static str>,
    level: Level,
    /// The kind of the first element, which all others must have.
    kind: Option<ElementKind>,
    /// The current list of tokens holds a number.
    filled: bool,
}

impl Default for Inputs {
    /// Creates the inputs of an absent field, which counts as one.
    fn default() -> Inputs {
        Inputs {
            count: 1,
            refusal: None,
            level: Level::Member,
            kind: None,
            filled: false,
        }
    }
}

impl Inputs {
    /// Returns true if the next value is in a list of inputs.
    pub fn inside(&self) -> bool {
        self.level != Level::Member
    }

    /// Takes what the scanner reports where `depth` containers are open; `text` is the raw text of
    /// a string. Returns `None` if it is refused; nothing more is read of such inputs.
    pub fn met(
        &mut self,
        event: JsonEvent,
        text: &[u8],
        depth: u8,
        allowed: Allowed,
    ) -> Option<()> {
        let taken = match self.level {
            Level::Member => self.value_met(event, text, allowed),
            Level::Element => self.element_met(event, text, depth, allowed),
            Level::Token => self.token_met(event),
        };
        if let Err(why) = taken {
            self.level = Level::Member;
            self.refusal.get_or_insert(why);
        }
        taken.ok()
    }

    fn value_met(&mut self, event: JsonEvent, text: &[u8], allowed: Allowed) -> Taken {
        match event {
            JsonEvent::Text if text.is_empty() && !allowed.empty => Err(INPUT_EMPTY_TEXT),
            JsonEvent::Text => Ok(()),
            JsonEvent::ListBegan => {
                self.level = Level::Element;
                self.kind = None;
                self.count = 0;
                Ok(())
            }
            _ => Err(INPUT_TYPE),
        }
    }

    fn element_met(&mut self, event: JsonEvent, text: &[u8], depth: u8, allowed: Allowed) -> Taken {
        let own = match event {
            JsonEvent::ListBegan | JsonEvent::ObjectBegan => 3,
            JsonEvent::ListEnded => 1,
            _ => 2,
        };
        match event {
            // It is within an object, whose members do not matter.
            _ if depth != own => Ok(()),
            JsonEvent::Text => {
                self.element_began(ElementKind::Text)?;
                match text.is_empty() && !allowed.empty {
                    true => Err(INPUT_EMPTY_ELEMENT),
                    false => Ok(()),
                }
            }
            JsonEvent::Numbers => self.element_began(ElementKind::Number),
            JsonEvent::ListBegan => {
                self.level = Level::Token;
                self.filled = false;
                self.element_began(ElementKind::List)
            }
            JsonEvent::ObjectBegan if allowed.objects => self.element_began(ElementKind::Object),
            JsonEvent::ListEnded if self.kind.is_none() => Err(INPUT_EMPTY_LIST),
            JsonEvent::ListEnded => {
                self.level = Level::Member;
                Ok(())
            }
            _ => Err(INPUT_ELEMENT),
        }
    }

    /// Counts an element. All numbers of a flat list are one input, so only the first one counts.
    fn element_began(&mut self, kind: ElementKind) -> Taken {
        match self.kind {
            Some(first) if first != kind => return Err(INPUT_MIXED),
            Some(ElementKind::Number | ElementKind::Object) => {}
            _ if self.count == INPUTS_MAX => return Err(INPUT_TOO_MANY),
            _ => {
                self.kind = Some(kind);
                self.count += 1;
            }
        }
        Ok(())
    }

    fn token_met(&mut self, event: JsonEvent) -> Taken {
        match event {
            JsonEvent::Numbers => self.filled = true,
            JsonEvent::ListEnded if self.filled => self.level = Level::Element,
            JsonEvent::ListEnded => return Err(INPUT_EMPTY_ELEMENT),
            _ => return Err(INPUT_TOKEN),
        }
        Ok(())
    }
}

/// The message about a value that is neither a string nor a list.
pub const INPUT_TYPE: &str = "'{param}' must be a string, a list of strings, \
    a list of token numbers or a list of lists of token numbers.";
/// The message about an empty string.
pub const INPUT_EMPTY_TEXT: &str = "'{param}' must not be an empty string.";
/// The message about an empty list.
pub const INPUT_EMPTY_LIST: &str = "'{param}' must not be an empty list.";
/// The message about an empty string or an empty list in a list.
pub const INPUT_EMPTY_ELEMENT: &str = "'{param}' must contain no empty string and no empty list.";
/// The message about an element of another kind than the first one.
pub const INPUT_MIXED: &str = "'{param}' must hold elements of one kind: \
    only strings, only token numbers or only lists of token numbers.";
/// The message about an element that is true, false, null or an object.
pub const INPUT_ELEMENT: &str =
    "'{param}' must hold only strings, token numbers or lists of token numbers.";
/// The message about a list in a list that holds something other than numbers.
pub const INPUT_TOKEN: &str = "Each list in '{param}' must hold only token numbers.";
/// The message about more strings or lists than `INPUTS_MAX`.
pub const INPUT_TOO_MANY: &str = "'{param}' must hold at most 2048 strings or lists.";
