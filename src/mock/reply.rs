//! What an answer is made of, and how its bytes come out of the templates: an opening, items, a
//! closing. Knows no connection and no framing.

use std::io::Write;
use std::rc::Rc;

use super::ask::Encoding;
use super::embedding::{Embeddings, VARIANTS};
use super::name::Name;
use super::problem::Problem;
use super::route::Methods;
use super::template::{Slot, Template};
use super::text::Text;
use crate::Nanos;

/// An answer that was decided on: small, since thousands may wait.
#[derive(Clone, Debug)]
pub struct Reply {
    /// All that its bytes follow from, but the numbers and the time. Answers to the same request
    /// share it.
    pub shape: Rc<Shape>,
    /// What differs from one answer to the next.
    pub numbers: Numbers,
    /// How long after the request's last byte it is due.
    pub delay: Nanos,
}

/// The kind of an answer and what the request chose of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `CreateChatCompletionResponse` with `n` choices; cut to so many tokens where a limit was
    /// asked for.
    Chat {
        /// The model's name.
        model: Name,
        /// 1 to 128.
        n: u8,
        /// How many tokens are sent; None when no limit was asked for.
        limit: Option<u32>,
    },
    /// `Response`
    Response {
        /// The model's name.
        model: Name,
        /// As in `Chat`.
        limit: Option<u32>,
    },
    /// `CreateEmbeddingResponse`
    Embeddings {
        /// The model's name.
        model: Name,
        /// 1 to 2048.
        inputs: u16,
        /// 1 to 4096.
        dimensions: u16,
        /// How each vector is written.
        encoding: Encoding,
    },
    /// The server lives.
    Health,
    /// The answer to OPTIONS: 204 with these methods.
    Allowed(Methods),
    /// `ErrorResponse`
    Problem(Problem),
}

/// How many kinds of shapes there are.
pub const SHAPES: usize = 6;

/// The numbers drawn for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Different for every answer of the process.
    pub id: u64,
    /// Tokens of the request.
    pub prompt: u32,
    /// Tokens of the answer.
    pub completion: u32,
}

/// Where in rendered bytes a number of [`Numbers`] stands, so that a copy can be given others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// The first byte.
    pub at: usize,
    /// How many bytes.
    pub len: usize,
    slot: Slot,
}

impl Reply {
    /// The delay as the answer tells it: in whole milliseconds.
    pub fn millis(&self) -> u64 {
        self.delay / 1_000_000
    }
}

impl Shape {
    /// Which kind of shape this is, below [`SHAPES`].
    pub fn kind(&self) -> usize {
        match self {
            Shape::Chat { .. } => 0,
            Shape::Response { .. } => 1,
            Shape::Embeddings { .. } => 2,
            Shape::Health => 3,
            Shape::Allowed(_) => 4,
            Shape::Problem(_) => 5,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Shape::Allowed(_) => 204,
            Shape::Problem(problem) => problem.status,
            _ => 200,
        }
    }

    /// How many items stand between opening and closing.
    pub fn items(&self) -> u32 {
        match *self {
            Shape::Chat { n, .. } => n.into(),
            Shape::Embeddings { inputs, .. } => inputs.into(),
            _ => 0,
        }
    }

    /// What the `Allow` field says, where there is one.
    pub fn allow(&self) -> Option<Methods> {
        match self {
            Shape::Allowed(methods) => Some(*methods),
            Shape::Problem(problem) => problem.allow,
            _ => None,
        }
    }
}

/// The templates and what fills them.
#[derive(Debug)]
pub struct Book {
    chat: (Template, Template),
    choice: Template,
    response: Template,
    embeddings: (Template, Template),
    embedding: Template,
    problem: Template,
    health: Template,
    /// The text that is "generated".
    pub text: Text,
    vectors: Embeddings,
}

impl Book {
    /// Cuts the template files.
    pub fn new(text: Text) -> Book {
        let parse = Template::parse;
        Book {
            chat: parse(include_str!("templates/chat.json")).split(Slot::Items),
            choice: parse(include_str!("templates/chat.choice.json")),
            response: parse(include_str!("templates/response.json")),
            embeddings: parse(include_str!("templates/embeddings.json")).split(Slot::Items),
            embedding: parse(include_str!("templates/embeddings.item.json")),
            problem: parse(include_str!("templates/error.json")),
            health: parse(include_str!("templates/health.json")),
            text,
            vectors: Embeddings::default(),
        }
    }

    /// Appends the header fields that are the mock's own.
    pub fn fields(&self, reply: &Reply, out: &mut Vec<u8>, notes: &mut Vec<Note>) {
        if !matches!(*reply.shape, Shape::Allowed(_)) {
            out.extend_from_slice(b"Content-Type: application/json\r\n");
        }
        if let Some(methods) = reply.shape.allow() {
            write!(out, "Allow: {}\r\n", methods.allow()).expect("a Vec takes all");
        }
        out.extend_from_slice(b"x-request-id: req_mock");
        let at = out.len();
        write_number(Slot::Id, &reply.numbers, out);
        notes.push(Note {
            at,
            len: out.len() - at,
            slot: Slot::Id,
        });
        out.extend_from_slice(b"\r\n");
        match &*reply.shape {
            Shape::Chat { .. } | Shape::Response { .. } | Shape::Embeddings { .. } => {
                let millis = reply.millis();
                write!(out, "openai-processing-ms: {millis}\r\n").expect("a Vec takes all");
            }
            Shape::Problem(problem) if problem.retry_after > 0 => {
                let seconds = problem.retry_after;
                write!(out, "Retry-After: {seconds}\r\n").expect("a Vec takes all");
            }
            _ => {}
        }
    }

    /// Appends the content before the items; all of it where there are none. `created` is Unix
    /// time in seconds. Where numbers were written is added to `notes`.
    pub fn opening(&self, reply: &Reply, created: i64, out: &mut Vec<u8>, notes: &mut Vec<Note>) {
        let template = match &*reply.shape {
            Shape::Chat { .. } => &self.chat.0,
            Shape::Response { .. } => &self.response,
            Shape::Embeddings { .. } => &self.embeddings.0,
            Shape::Health => &self.health,
            Shape::Allowed(_) => return,
            Shape::Problem(problem) => return self.render_problem(problem, out),
        };
        self.render(template, reply, created, out, notes);
    }

    /// Appends item `index`, with the comma that goes before it.
    pub fn item(&mut self, reply: &Reply, index: u32, out: &mut Vec<u8>) {
        if index > 0 {
            out.push(b',');
        }
        let write_index = |out: &mut Vec<u8>| out.extend_from_slice(index.to_string().as_bytes());
        match *reply.shape {
            Shape::Embeddings {
                dimensions,
                encoding,
                ..
            } => {
                let vectors = self.vectors.get(dimensions, encoding);
                self.embedding.render(out, |slot, out| match slot {
                    Slot::Index => write_index(out),
                    Slot::Embedding => out.extend_from_slice(&vectors[index as usize % VARIANTS]),
                    other => unreachable!("{other:?} is no slot of an embedding"),
                });
            }
            Shape::Chat { limit, .. } => self.choice.render(out, |slot, out| match slot {
                Slot::Index => write_index(out),
                Slot::Content => out.extend_from_slice(self.text.cut(limit)),
                Slot::FinishReason => out.extend_from_slice(match self.text.is_cut(limit) {
                    true => b"\"length\"".as_slice(),
                    false => b"\"stop\"",
                }),
                other => unreachable!("{other:?} is no slot of a choice"),
            }),
            _ => unreachable!("other shapes have no items"),
        }
    }

    /// Appends the content after the items.
    pub fn closing(&self, reply: &Reply, created: i64, out: &mut Vec<u8>, notes: &mut Vec<Note>) {
        let template = match &*reply.shape {
            Shape::Chat { .. } => &self.chat.1,
            Shape::Embeddings { .. } => &self.embeddings.1,
            _ => return,
        };
        self.render(template, reply, created, out, notes);
    }

    /// How many bytes the whole content has. Renders what it must measure into `scratch`.
    pub fn length(&mut self, reply: &Reply, created: i64, scratch: &mut Vec<u8>) -> u64 {
        let mut notes = Vec::new();
        scratch.clear();
        self.opening(reply, created, scratch, &mut notes);
        self.closing(reply, created, scratch, &mut notes);
        let mut length = scratch.len() as u64;
        // Items differ in the digits of their index and, from one to the next four, in vectors.
        let mut kinds = [0; VARIANTS];
        for index in 0..reply.shape.items() {
            let kind = &mut kinds[index as usize % VARIANTS];
            if *kind == 0 {
                scratch.clear();
                self.item(reply, index, scratch);
                *kind = scratch.len() as u64 - digits(index) - u64::from(index > 0);
            }
            length += *kind + digits(index) + u64::from(index > 0);
        }
        length
    }

    fn render(
        &self,
        template: &Template,
        reply: &Reply,
        created: i64,
        out: &mut Vec<u8>,
        notes: &mut Vec<Note>,
    ) {
        template.render(out, |slot, out| {
            let at = out.len();
            if self.fill(slot, reply, created, out) {
                notes.push(Note {
                    at,
                    len: out.len() - at,
                    slot,
                });
            }
        });
    }

    /// Fills a slot that stands outside of items. True when it holds one of the numbers.
    fn fill(&self, slot: Slot, reply: &Reply, created: i64, out: &mut Vec<u8>) -> bool {
        let (model, limit) = match &*reply.shape {
            Shape::Chat { model, limit, .. } | Shape::Response { model, limit } => (model, *limit),
            Shape::Embeddings { model, .. } => (model, None),
            other => unreachable!("{other:?} has no slots here"),
        };
        let cut = self.text.is_cut(limit);
        match slot {
            Slot::Id | Slot::Prompt | Slot::Completion | Slot::Total => {
                write_number(slot, &reply.numbers, out);
                return true;
            }
            Slot::Created => write!(out, "{created}").expect("a Vec takes all"),
            Slot::Model => out.extend_from_slice(model.json()),
            Slot::Content => out.extend_from_slice(self.text.cut(limit)),
            Slot::Status => out.extend_from_slice(match cut {
                true => b"\"incomplete\"".as_slice(),
                false => b"\"completed\"",
            }),
            Slot::IncompleteDetails => out.extend_from_slice(match cut {
                true => b"{\"reason\":\"max_output_tokens\"}".as_slice(),
                false => b"null",
            }),
            other => unreachable!("{other:?} stands in items and errors only"),
        }
        false
    }

    fn render_problem(&self, problem: &Problem, out: &mut Vec<u8>) {
        let string = |text: &str| serde_json::Value::from(text).to_string();
        self.problem.render(out, |slot, out| {
            let json = match slot {
                Slot::Type => string(problem.kind),
                Slot::Code => string(problem.code),
                Slot::Message => {
                    string(&problem.message.replace("{}", &problem.number.to_string()))
                }
                Slot::Param => problem.param.map_or("null".into(), string),
                other => unreachable!("{other:?} is no slot of an error"),
            };
            out.extend_from_slice(json.as_bytes());
        });
    }
}

/// Writes other numbers over those in rendered bytes. They must have as many digits.
pub fn patch(numbers: &Numbers, notes: &[Note], bytes: &mut [u8]) {
    let id = hex(numbers.id);
    for note in notes {
        let place = &mut bytes[note.at..note.at + note.len];
        match note.slot {
            Slot::Id => place.copy_from_slice(&id),
            slot => write_digits(numbers.of(slot), place),
        }
    }
}

/// Writes a number that has as many digits as there is room for.
fn write_digits(mut number: u32, place: &mut [u8]) {
    // Numbers that are drawn have three (bench `micro`, `turn_same`).
    if let [hundreds, tens, ones] = place {
        *hundreds = b'0' + (number / 100) as u8;
        *tens = b'0' + (number / 10 % 10) as u8;
        *ones = b'0' + (number % 10) as u8;
        return;
    }
    for byte in place.iter_mut().rev() {
        *byte = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

impl Numbers {
    fn of(&self, slot: Slot) -> u32 {
        match slot {
            Slot::Prompt => self.prompt,
            Slot::Completion => self.completion,
            Slot::Total => self.prompt + self.completion,
            other => unreachable!("{other:?} is no number"),
        }
    }
}

fn write_number(slot: Slot, numbers: &Numbers, out: &mut Vec<u8>) {
    match slot {
        Slot::Id => out.extend_from_slice(&hex(numbers.id)),
        slot => write!(out, "{}", numbers.of(slot)).expect("a Vec takes all"),
    }
}

/// Sixteen hexadecimal digits, eight at a time: each byte of a word becomes one digit (bench
/// `micro`, `decide_and_render_small`).
fn hex(number: u64) -> [u8; 16] {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let digits = |half: u64| {
        let spread = (half | half << 16) & 0x0000_ffff_0000_ffff;
        let spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff;
        let nibbles = (spread | spread << 4) & (0x0f * ONES);
        let letters = (nibbles + 6 * ONES) >> 4 & ONES;
        nibbles + u64::from(b'0') * ONES + letters * u64::from(b'a' - b'0' - 10)
    };
    let both = u128::from(digits(number >> 32)) << 64 | u128::from(digits(number & 0xffff_ffff));
    both.to_be_bytes()
}

fn digits(number: u32) -> u64 {
    u64::from(number.checked_ilog10().unwrap_or(0)) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_those_of_the_standard_library() {
        let mut rng = fastrand::Rng::with_seed(1);
        for number in [0, 1, 0x0123_4567_89ab_cdef, u64::MAX]
            .into_iter()
            .chain((0..1000).map(|_| rng.u64(..)))
        {
            assert_eq!(hex(number), format!("{number:016x}").as_bytes());
        }
    }

    #[test]
    fn a_copy_is_patched_to_other_numbers() {
        let one = Numbers {
            id: 1,
            prompt: 123,
            completion: 456,
        };
        let other = Numbers {
            id: u64::MAX,
            prompt: 400,
            completion: 100,
        };
        let slots = [Slot::Id, Slot::Prompt, Slot::Completion, Slot::Total];
        let render = |numbers: &Numbers| {
            let (mut out, mut notes) = (Vec::new(), Vec::new());
            for slot in slots {
                let at = out.len();
                write_number(slot, numbers, &mut out);
                notes.push(Note {
                    at,
                    len: out.len() - at,
                    slot,
                });
                out.push(b' ');
            }
            (out, notes)
        };
        let (mut bytes, notes) = render(&one);
        patch(&other, &notes, &mut bytes);
        assert_eq!(bytes, render(&other).0);
    }
}
