//! How the bytes of an answer come out of the templates: an opening, items, a closing; or the
//! events of a stream. Knows no connection and no framing.

pub mod event;
mod fields;
mod logprobs;

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use super::embedding::{Embeddings, VARIANTS};
use super::name::Name;
use super::number::{Note, digits, write_number};
use super::problem::Problem;
use super::reply::{Api, Generated, Own, Reply, Shape, View};
use super::template::{Slot, Template};
use super::text::{Source, Words};
use crate::watch::{PAGE, Watch};
use event::Events;

/// The templates and what fills them.
#[derive(Debug)]
pub struct Book {
    /// Where the words come from.
    pub words: Words,
    forms: [Form; 3],
    events: Events,
    choice_call: Template,
    message: Template,
    part: Template,
    call: Template,
    embeddings: (Template, Template),
    embedding: Template,
    moderation: (Template, Template),
    moderation_result: Template,
    models: (Template, Template),
    model: Template,
    problem: Template,
    health: Template,
    listed: Vec<Name>,
    cors: bool,
    watch: Arc<Watch>,
    vectors: Embeddings,
    scratch: Vec<u8>,
}

/// The templates of one form of text, in the order of [`Api`].
#[derive(Debug)]
struct Form {
    opening: Template,
    choice: Template,
    closing: Template,
    usage: Template,
}

/// What of a generated answer is being written.
struct Place<'a> {
    reply: &'a Reply,
    generated: &'a Generated,
    /// Unix time in seconds.
    created: i64,
    choice: u32,
    tokens: Range<u32>,
    sequence: u32,
    stage: Stage,
}

/// How far a generated answer is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No token has left.
    Begun,
    /// Tokens leave.
    Going,
    /// All have left, or leave at once.
    Done,
}

impl Book {
    /// Cuts the template files. `models` are those that are listed, `watch` is what the server
    /// tells of itself.
    pub fn new(words: Words, models: &[String], cors: bool, watch: Arc<Watch>) -> Book {
        let parse = Template::parse;
        let list = |json| parse(json).split(Slot::Items);
        let form = |(opening, closing), choice, usage| Form {
            opening,
            choice: parse(choice),
            closing,
            usage: parse(usage),
        };
        let chat_usage = include_str!("templates/chat.usage.json");
        Book {
            words,
            forms: [
                form(
                    list(include_str!("templates/chat.json")),
                    include_str!("templates/chat.choice.json"),
                    chat_usage,
                ),
                form(
                    (
                        parse(include_str!("templates/response.json")),
                        Template::default(),
                    ),
                    "null",
                    include_str!("templates/response.usage.json"),
                ),
                form(
                    list(include_str!("templates/completion.json")),
                    include_str!("templates/completion.choice.json"),
                    chat_usage,
                ),
            ],
            events: Events::new(),
            choice_call: parse(include_str!("templates/chat.choice.call.json")),
            message: parse(include_str!("templates/response.message.json")),
            part: parse(include_str!("templates/response.part.json")),
            call: parse(include_str!("templates/response.call.json")),
            embeddings: list(include_str!("templates/embeddings.json")),
            embedding: parse(include_str!("templates/embeddings.item.json")),
            moderation: list(include_str!("templates/moderation.json")),
            moderation_result: parse(include_str!("templates/moderation.result.json")),
            models: list(include_str!("templates/models.json")),
            model: parse(include_str!("templates/model.json")),
            problem: parse(include_str!("templates/error.json")),
            health: parse(include_str!("templates/health.json")),
            listed: models.iter().map(|name| Name::from_text(name)).collect(),
            cors,
            watch,
            vectors: Embeddings::default(),
            scratch: Vec::new(),
        }
    }

    /// How many items stand between opening and closing.
    pub fn items(&self, shape: &Shape) -> u32 {
        match shape {
            Shape::Generated(generated) if generated.api != Api::Responses => generated.choices,
            Shape::Embeddings { inputs, .. } | Shape::Moderation { inputs, .. } => {
                u32::from(*inputs)
            }
            Shape::Models => self.listed.len() as u32,
            _ => 0,
        }
    }

    /// Whether answers of one shape differ in their numbers only.
    pub fn repeats(&self, shape: &Shape) -> bool {
        match (shape, &self.words) {
            (Shape::Generated(generated), Words::Random) => generated.own.is_some(),
            (Shape::View(view), _) => *view == View::Page,
            _ => true,
        }
    }

    /// Appends the content before the items; all of it where there are none. `created` is Unix
    /// time in seconds. Where numbers were written is added to `notes`.
    pub fn opening(&self, reply: &Reply, created: i64, out: &mut Vec<u8>, notes: &mut Vec<Note>) {
        match &*reply.shape {
            Shape::Generated(generated) => {
                let place = Place::whole(reply, generated, created);
                let template = &self.form(&place).opening;
                self.render(template, &place, out, Some(notes));
            }
            Shape::Embeddings { model, .. } => {
                self.render_list(&self.embeddings.0, model, reply, out, notes);
            }
            Shape::Moderation { model, .. } => {
                self.render_list(&self.moderation.0, model, reply, out, notes);
            }
            Shape::Models => self.models.0.render(out, |_, _| {}),
            Shape::Model(name) => self.render_model(name, out),
            Shape::Health => self.health.render(out, |_, _| {}),
            Shape::View(View::Page) => out.extend_from_slice(PAGE.as_bytes()),
            Shape::View(View::Metrics) => self.watch.write_metrics(out),
            Shape::View(View::Stats) => self.watch.write_stats(created, out),
            Shape::Allowed(_) => {}
            Shape::Problem(problem) => self.render_problem(problem, out),
        }
    }

    /// Appends item `index`, with the comma that goes before it.
    pub fn item(&mut self, reply: &Reply, index: u32, out: &mut Vec<u8>) {
        if index > 0 {
            out.push(b',');
        }
        match &*reply.shape {
            Shape::Generated(generated) => {
                let place = Place {
                    choice: index,
                    ..Place::whole(reply, generated, 0)
                };
                let template = match generated.function() {
                    Some(_) => &self.choice_call,
                    None => &self.form(&place).choice,
                };
                self.render(template, &place, out, None);
            }
            Shape::Embeddings {
                dimensions,
                encoding,
                ..
            } => {
                let vectors = self.vectors.get(*dimensions, *encoding);
                self.embedding.render(out, |slot, out| match slot {
                    Slot::Index => write!(out, "{index}").expect("a Vec takes all"),
                    Slot::Embedding => out.extend_from_slice(&vectors[index as usize % VARIANTS]),
                    other => unreachable!("{other:?} is no slot of an embedding"),
                });
            }
            Shape::Moderation { .. } => self.moderation_result.render(out, |_, _| {}),
            Shape::Models => self.render_model(&self.listed[index as usize], out),
            _ => unreachable!("other shapes have no items"),
        }
    }

    /// Appends the content after the items.
    pub fn closing(&self, reply: &Reply, created: i64, out: &mut Vec<u8>, notes: &mut Vec<Note>) {
        match &*reply.shape {
            Shape::Generated(generated) => {
                let place = Place::whole(reply, generated, created);
                let template = &self.form(&place).closing;
                self.render(template, &place, out, Some(notes));
            }
            Shape::Embeddings { model, .. } => {
                self.render_list(&self.embeddings.1, model, reply, out, notes);
            }
            Shape::Moderation { model, .. } => {
                self.render_list(&self.moderation.1, model, reply, out, notes);
            }
            Shape::Models => self.models.1.render(out, |_, _| {}),
            _ => {}
        }
    }

    /// How many bytes the whole content of an answer has that does not stream. Renders what it must
    /// measure.
    pub fn length(&mut self, reply: &Reply, created: i64) -> u64 {
        let (mut notes, mut scratch) = (Vec::new(), std::mem::take(&mut self.scratch));
        scratch.clear();
        self.opening(reply, created, &mut scratch, &mut notes);
        self.closing(reply, created, &mut scratch, &mut notes);
        let mut length = scratch.len() as u64;
        // Most items differ in the digits of their index and, from one to the next four, in
        // vectors.
        let alike = self.repeats(&reply.shape) && !matches!(*reply.shape, Shape::Models);
        let mut kinds = [0; VARIANTS];
        for index in 0..self.items(&reply.shape) {
            let kind = &mut kinds[index as usize % VARIANTS];
            let others = digits(index) + u64::from(index > 0);
            if *kind == 0 || !alike {
                scratch.clear();
                self.item(reply, index, &mut scratch);
                *kind = scratch.len() as u64 - others;
            }
            length += *kind + others;
        }
        self.scratch = scratch;
        length
    }

    fn form(&self, place: &Place<'_>) -> &Form {
        &self.forms[place.generated.api as usize]
    }

    /// Where the words of a place come from.
    fn source<'a>(&'a self, place: &Place<'a>) -> Source<'a> {
        let own = place.generated.own.as_ref().map(Own::text);
        self.words.source(own, place.reply.numbers.id, place.choice)
    }

    fn render(
        &self,
        template: &Template,
        place: &Place<'_>,
        out: &mut Vec<u8>,
        mut notes: Option<&mut Vec<Note>>,
    ) {
        template.render(out, |slot, out| {
            self.fill(slot, place, out, notes.as_deref_mut());
        });
    }

    /// Fills a slot of a generated answer.
    fn fill(
        &self,
        slot: Slot,
        place: &Place<'_>,
        out: &mut Vec<u8>,
        notes: Option<&mut Vec<Note>>,
    ) {
        let generated = place.generated;
        match slot {
            Slot::Id | Slot::Prompt | Slot::Completion | Slot::Total => {
                noted(slot, place.reply, out, notes);
            }
            Slot::Created => write!(out, "{}", place.created).expect("a Vec takes all"),
            Slot::Model => out.extend_from_slice(generated.model.json()),
            Slot::Content => self.source(place).append(place.tokens.clone(), out),
            Slot::Index => write!(out, "{}", place.choice).expect("a Vec takes all"),
            Slot::Sequence => write!(out, "{}", place.sequence).expect("a Vec takes all"),
            Slot::FinishReason | Slot::Status | Slot::IncompleteDetails => {
                out.extend_from_slice(place.ending(slot).as_bytes());
            }
            Slot::Function => {
                let function = generated.function().expect("calls have one");
                out.extend_from_slice(function.json());
            }
            Slot::Format => match &generated.own {
                Some(Own::Json { format, .. }) => out.extend_from_slice(format.as_bytes()),
                _ => out.extend_from_slice(b"{\"type\":\"text\"}"),
            },
            Slot::Usage => self.render(&self.form(place).usage, place, out, notes),
            Slot::UsageMember => self.usage_member(place, out, notes),
            Slot::Logprobs => self.logprobs(place, out),
            Slot::Delta => self.delta(place, out),
            Slot::Outputs if place.stage == Stage::Begun => {}
            Slot::Output | Slot::Outputs => {
                let template = match generated.function() {
                    Some(_) => &self.call,
                    None => &self.message,
                };
                self.render(template, place, out, notes);
            }
            Slot::Parts if place.stage == Stage::Begun => {}
            Slot::Part | Slot::Parts => self.render(&self.part, place, out, notes),
            Slot::Response => {
                let template = &self.form(place).opening;
                self.render(template, place, out, notes);
            }
            other => unreachable!("{other:?} stands in lists and errors only"),
        }
    }

    fn usage_member(&self, place: &Place<'_>, out: &mut Vec<u8>, notes: Option<&mut Vec<Note>>) {
        let told = match (place.generated.api, place.generated.stream) {
            (Api::Responses, _) => place.stage == Stage::Done,
            (_, Some(how)) if how.include_usage => {
                return out.extend_from_slice(b",\"usage\":null");
            }
            _ => false,
        };
        if told {
            out.extend_from_slice(b",\"usage\":");
            self.fill(Slot::Usage, place, out, notes);
        }
    }

    fn render_list(
        &self,
        template: &Template,
        model: &Name,
        reply: &Reply,
        out: &mut Vec<u8>,
        notes: &mut Vec<Note>,
    ) {
        template.render(out, |slot, out| match slot {
            Slot::Model => out.extend_from_slice(model.json()),
            slot => noted(slot, reply, out, Some(notes)),
        });
    }

    fn render_model(&self, name: &Name, out: &mut Vec<u8>) {
        self.model
            .render(out, |_, out| out.extend_from_slice(name.json()));
    }

    fn render_problem(&self, problem: &Problem, out: &mut Vec<u8>) {
        let string = |text: &str| serde_json::Value::from(text).to_string();
        self.problem.render(out, |slot, out| {
            let json = match slot {
                Slot::Type => string(problem.kind),
                Slot::Code => problem.code.map_or("null".into(), string),
                Slot::Message => string(&problem.text()),
                Slot::Param => problem.param.map_or("null".into(), string),
                other => unreachable!("{other:?} is no slot of an error"),
            };
            out.extend_from_slice(json.as_bytes());
        });
    }
}

impl<'a> Place<'a> {
    /// The whole of an answer at once.
    fn whole(reply: &'a Reply, generated: &'a Generated, created: i64) -> Place<'a> {
        Place {
            reply,
            generated,
            created,
            choice: 0,
            tokens: 0..reply.numbers.tokens,
            sequence: 0,
            stage: Stage::Done,
        }
    }

    /// What the slots say that tell how an answer ended.
    fn ending(&self, slot: Slot) -> &'static str {
        let cut = self.reply.numbers.cut;
        match (slot, self.stage) {
            (Slot::FinishReason, Stage::Done) => match self.generated.function() {
                _ if cut => "\"length\"",
                Some(_) => "\"tool_calls\"",
                None => "\"stop\"",
            },
            (Slot::Status, Stage::Done) if cut => "\"incomplete\"",
            (Slot::Status, Stage::Done) => "\"completed\"",
            (Slot::Status, _) => "\"in_progress\"",
            (Slot::IncompleteDetails, Stage::Done) if cut => "{\"reason\":\"max_output_tokens\"}",
            _ => "null",
        }
    }
}

/// Writes a number of an answer, and notes where.
fn noted(slot: Slot, reply: &Reply, out: &mut Vec<u8>, notes: Option<&mut Vec<Note>>) {
    let at = out.len();
    write_number(slot, &reply.numbers, out);
    if let Some(notes) = notes {
        notes.push(Note {
            at,
            len: out.len() - at,
            slot,
        });
    }
}
