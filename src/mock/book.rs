//! How the bytes of an answer come out of the templates: an opening, items, a closing; or the
//! events of a stream. Knows no connection and no framing.

mod document;
mod events;
mod fields;
mod form;
mod logprobs;
mod place;
mod plan;
pub mod stream;

use std::io::Write;
use std::sync::Arc;

use super::embedding::{Embeddings, VARIANTS};
use super::name::Name;
use super::number::{Note, digits, noted};
use super::problem::Problem;
use super::reply::{Own, Reply, Shape};
use super::route::{Api, Endpoint, View};
use super::template::{Slot, Template};
use super::text::{Source, Words};
use crate::Nanos;
use crate::settings::Settings;
use crate::watch::{PAGE, Watch, page_policy};
use document::Document;
use events::Events;
use form::Form;
use place::{Place, Stage};

/// The templates and what fills them.
#[derive(Debug)]
pub struct Book {
    /// Where the words come from.
    pub words: Words,
    /// In the order of [`Api`].
    forms: [Form; Api::ALL.len()],
    events: Events,
    choice_call: Template,
    message: Template,
    part: Template,
    call: Template,
    /// Of each endpoint, in the order of their numbers; empty where it gives none.
    documents: Vec<Document>,
    problem: Template,
    listed: Vec<Name>,
    cors: bool,
    /// The Content-Security-Policy of the page.
    page_policy: String,
    /// How long the process had been running at the last request that can be for `/stats`.
    pub uptime: Nanos,
    watch: Arc<Watch>,
    vectors: Embeddings,
    scratch: Vec<u8>,
}

impl Book {
    /// Cuts the template files. `watch` is what the server tells of itself.
    pub fn new(settings: &Settings, words: Words, watch: Arc<Watch>) -> Book {
        let parse = Template::parse;
        Book {
            words,
            forms: Api::ALL.map(Form::of),
            events: Events::new(),
            choice_call: parse(include_str!("templates/chat.choice.call.json")),
            message: parse(include_str!("templates/response.message.json")),
            part: parse(include_str!("templates/response.part.json")),
            call: parse(include_str!("templates/response.call.json")),
            documents: Endpoint::all().map(Document::of).collect(),
            problem: parse(include_str!("templates/error.json")),
            listed: settings
                .models
                .iter()
                .map(|name| Name::from_text(name))
                .collect(),
            cors: settings.cors,
            page_policy: page_policy(),
            uptime: 0,
            watch,
            vectors: Embeddings::default(),
            scratch: Vec::new(),
        }
    }

    /// How many items stand between opening and closing.
    pub fn items(&self, reply: &Reply) -> u32 {
        match &*reply.shape {
            Shape::View(_) | Shape::Allowed(_) | Shape::Problem(_) => 0,
            _ if !self.document(reply).lists => 0,
            Shape::Generated(generated) => generated.choices,
            Shape::Embeddings { inputs, .. } => u32::from(*inputs),
            Shape::Document {
                endpoint, inputs, ..
            } => match endpoint {
                Endpoint::Models => self.listed.len() as u32,
                _ => u32::from(*inputs),
            },
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
    pub fn opening(
        &self,
        reply: &Reply,
        created: i64,
        out: &mut Vec<u8>,
        notes: Option<&mut Vec<Note>>,
    ) {
        match &*reply.shape {
            Shape::View(View::Page) => out.extend_from_slice(PAGE.as_bytes()),
            Shape::View(View::Metrics) => self.watch.write_metrics(out),
            Shape::View(View::Stats) => self.watch.write_stats(self.uptime, out),
            Shape::Allowed(_) => {}
            Shape::Problem(problem) => self.render_problem(problem, out),
            _ => self.frame(&self.document(reply).opening, reply, created, out, notes),
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
                    None => &self.document(reply).item,
                };
                self.render(template, &place, out, None);
            }
            Shape::Embeddings {
                dimensions,
                encoding,
                ..
            } => {
                let vectors = self.vectors.get(*dimensions, *encoding);
                let item = &self.documents[Endpoint::Embeddings as usize].item;
                item.render(out, |slot, out| match slot {
                    Slot::Index => write!(out, "{index}").expect("a Vec takes all"),
                    Slot::Embedding => out.extend_from_slice(&vectors[index as usize % VARIANTS]),
                    other => unreachable!("{other:?} is no slot of an embedding"),
                });
            }
            Shape::Document { .. } => {
                self.document(reply)
                    .item
                    .render(out, |slot, out| match slot {
                        Slot::Index => write!(out, "{index}").expect("a Vec takes all"),
                        Slot::Model => out.extend_from_slice(self.listed[index as usize].json()),
                        other => unreachable!("{other:?} is no slot of an item"),
                    });
            }
            _ => unreachable!("other shapes have no items"),
        }
    }

    /// Appends the content after the items.
    pub fn closing(
        &self,
        reply: &Reply,
        created: i64,
        out: &mut Vec<u8>,
        notes: Option<&mut Vec<Note>>,
    ) {
        match &*reply.shape {
            Shape::View(_) | Shape::Allowed(_) | Shape::Problem(_) => {}
            _ => self.frame(&self.document(reply).closing, reply, created, out, notes),
        }
    }

    /// How many bytes the whole content of an answer has that does not stream. Renders what it must
    /// measure.
    pub fn length(&mut self, reply: &Reply, created: i64) -> u64 {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        self.opening(reply, created, &mut scratch, None);
        self.closing(reply, created, &mut scratch, None);
        let mut length = scratch.len() as u64;
        // Choices and vectors differ in the digits of their index and, from one to the next four,
        // in the text; items of documents have no index, or names of their own.
        let is_document = matches!(&*reply.shape, Shape::Document { .. });
        let alike = self.repeats(&reply.shape) && !is_document;
        let mut kinds = [0; VARIANTS];
        for index in 0..self.items(reply) {
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

    /// The templates of an answer that has some.
    fn document(&self, reply: &Reply) -> &Document {
        &self.documents[usize::from(reply.endpoint)]
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
                noted(slot, &place.reply.numbers, out, notes);
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
                let template = &self.document(place.reply).opening;
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

    /// Renders what stands around the items.
    fn frame(
        &self,
        template: &Template,
        reply: &Reply,
        created: i64,
        out: &mut Vec<u8>,
        mut notes: Option<&mut Vec<Note>>,
    ) {
        if let Shape::Generated(generated) = &*reply.shape {
            let place = Place::whole(reply, generated, created);
            return self.render(template, &place, out, notes);
        }
        template.render(out, |slot, out| match slot {
            Slot::Model => {
                let model = reply.shape.model().expect("what has this slot names one");
                out.extend_from_slice(model.json());
            }
            slot => noted(slot, &reply.numbers, out, notes.as_deref_mut()),
        });
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
