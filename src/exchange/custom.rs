//! Content made for a single request instead of the canned text: a function call, a JSON text or an
//! echo, as the tools and formats of the request require, or a view of the server. It is made in
//! pieces, since it can be much work.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use crate::api::content::Custom;
use crate::api::facts::Facts;
use crate::api::field::Field;
use crate::api::name::Name;
use crate::api::problem::Problem;
use crate::api::route::{Api, View};
use crate::api::text::{Cutter, Text};
use crate::json::{JsonWriter, Node, Tree};
use crate::meter::{self, Meter};
use crate::schema::{Generator, Progress, STEPS_PER_CALL};
use crate::watch::Watch;
use crate::watch::view::{ViewFormat, ViewText};

/// The response to a request for any JSON object.
const MESSAGE: &str = r#"{"message":"This is a mocked response."}"#;

/// The units for looking at a tool.
const TOOL: i64 = 200;

/// Content that was made.
#[derive(Debug)]
pub enum Made {
    /// For one request.
    Custom(Custom),
    /// A view of the server itself.
    View(View, Vec<u8>),
}

/// Content that is being made.
#[derive(Debug)]
pub struct Making {
    api: Api,
    purpose: Purpose,
    step: Step,
}

/// The purpose of the content.
#[derive(Debug)]
enum Purpose {
    Echo,
    /// A call of this function, once it is known.
    Call(Option<Name>),
    /// A JSON text, in the format at a place of a tree.
    Json(Rc<Tree>, u32),
    /// A view of the server itself.
    View(View),
}

/// The step that is next.
#[derive(Debug)]
enum Step {
    /// Collect the names of the functions that `tool_choice` allows, from its list of tools.
    Allow {
        choice: Rc<Tree>,
        tools: Rc<Tree>,
        next: u32,
        end: u32,
        names: HashSet<String>,
    },
    /// Find a function with one of these names, or any function.
    Find {
        tools: Rc<Tree>,
        next: u32,
        end: u32,
        names: Option<HashSet<String>>,
    },
    /// Make a value for a schema.
    Fill {
        generator: Box<Generator>,
        param: &'static str,
    },
    /// Cut the text into tokens.
    Cut(Cutter),
    /// Make the text of a view.
    View(Box<ViewText>),
    /// Write the format that a response repeats.
    Write {
        writer: JsonWriter,
        format: String,
        text: Text,
    },
}

impl Making {
    /// Begins the content that a request requires, if any. A call takes precedence over a format,
    /// as at OpenAI, and both over an echo.
    pub fn begin(api: Api, facts: &Facts) -> Result<Option<Making>, Problem> {
        if !facts.held.is_empty() {
            if let Some(making) = begin_call(api, facts)? {
                return Ok(Some(making));
            }
            if let Some(making) = begin_json(api, facts)? {
                return Ok(Some(making));
            }
        }
        Ok(facts.echo.as_ref().map(|said| Making {
            api,
            purpose: Purpose::Echo,
            step: Step::Cut(Cutter::of_words(said.clone())),
        }))
    }

    /// Begins a view of the server itself.
    pub fn of_view(view: View, watch: Arc<Watch>, format: ViewFormat) -> Making {
        Making {
            // It makes no difference.
            api: Api::Chat,
            purpose: Purpose::View(view),
            step: Step::View(Box::new(ViewText::new(watch, format))),
        }
    }

    /// Goes on until the content is complete or the units are spent; `None` if they are spent.
    pub fn run(&mut self, meter: &mut Meter) -> Option<Result<Made, Problem>> {
        while !meter.is_spent() {
            if let Some(made) = self.step(meter).transpose() {
                return Some(made);
            }
        }
        None
    }

    /// Does a piece of the work. Returns the content when it is complete.
    fn step(&mut self, meter: &mut Meter) -> Result<Option<Made>, Problem> {
        match &mut self.step {
            Step::Allow { .. } | Step::Find { .. } => {
                meter.charge(TOOL);
                self.look_at_tool()?;
            }
            Step::Fill { generator, param } => {
                meter.charge(meter::SCHEMA_STEP * i64::from(STEPS_PER_CALL));
                match generator.run(STEPS_PER_CALL) {
                    Progress::Done(text) => self.step = Step::Cut(Cutter::of_json(text)),
                    Progress::More => {}
                    Progress::Failed(why) => return Err(Problem::unfit(param, why)),
                }
            }
            Step::Cut(cutter) => {
                if let Some(text) = cutter.run(meter) {
                    return Ok(self.text_cut(text).map(Made::Custom));
                }
            }
            Step::View(view) => {
                let before = view.written();
                let text = view.step();
                let len = text.as_ref().map_or(view.written(), Vec::len);
                meter.charge(meter::VIEW_PART + meter::VIEW_BYTE * (len - before) as i64);
                let (Purpose::View(view), Some(text)) = (&self.purpose, text) else {
                    return Ok(None);
                };
                return Ok(Some(Made::View(*view, text)));
            }
            Step::Write {
                writer,
                format,
                text,
            } => {
                let Purpose::Json(tree, _) = &self.purpose else {
                    unreachable!("only formats are written")
                };
                let before = format.len();
                let goes_on = writer.step(tree, format);
                meter.charge(meter::SCHEMA_STEP);
                meter.charge_bytes(format.len() - before);
                if !goes_on {
                    let text = std::mem::take(text);
                    let format = std::mem::take(format).into();
                    return Ok(Some(Made::Custom(Custom::Json { text, format })));
                }
            }
        }
        Ok(None)
    }

    /// Looks at the next tool that is allowed, or that may be called.
    fn look_at_tool(&mut self) -> Result<(), Problem> {
        match &mut self.step {
            Step::Allow {
                choice,
                tools,
                next,
                end,
                names,
            } => {
                if *next < *end {
                    let name = function(self.api, choice, *next).map(|(name, _)| name.to_owned());
                    names.extend(name);
                    *next = choice.end(*next);
                } else {
                    self.step = find(tools.clone(), Some(std::mem::take(names)));
                }
            }
            Step::Find {
                tools,
                next,
                end,
                names,
            } => {
                if *next >= *end {
                    return Err(match names {
                        None => NO_FUNCTION,
                        Some(_) => UNKNOWN_FUNCTION,
                    });
                }
                let allows = |name: &str| names.as_ref().is_none_or(|names| names.contains(name));
                let found = function(self.api, tools, *next).filter(|(name, _)| allows(name));
                let Some((name, at)) = found else {
                    *next = tools.end(*next);
                    return Ok(());
                };
                self.purpose = Purpose::Call(Some(Name::from_text(name)));
                let parameters = tools.member(at, "parameters");
                let parameters = parameters.filter(|at| tools.node(*at) != Node::Null);
                self.step = match parameters {
                    Some(at) => fill(tools, at, true, "tools"),
                    None => Step::Cut(Cutter::of_json("{}".to_owned())),
                };
            }
            _ => unreachable!("the tools are known"),
        }
        Ok(())
    }

    /// Takes the text, cut into tokens. Returns the content if it is complete with it.
    fn text_cut(&mut self, text: Text) -> Option<Custom> {
        match &mut self.purpose {
            Purpose::Echo => Some(Custom::Echo(text)),
            Purpose::Call(function) => Some(Custom::Call {
                function: function.take().expect("a call has a function"),
                arguments: text,
            }),
            Purpose::Json(_, at) => {
                self.step = Step::Write {
                    writer: JsonWriter::new(*at),
                    format: String::new(),
                    text,
                };
                None
            }
            Purpose::View(_) => unreachable!("a view is not cut into tokens"),
        }
    }
}

/// Begins the call that `tool_choice` demands, if it demands one.
fn begin_call(api: Api, facts: &Facts) -> Result<Option<Making>, Problem> {
    let Some(choice) = value(facts, Field::ToolChoice)? else {
        return Ok(None);
    };
    let Some(wanted) = wanted(api, &choice)? else {
        return Ok(None);
    };
    let tools = value(facts, Field::Tools)?.unwrap_or_default();
    let step = match wanted {
        Wanted::Any => find(tools, None),
        Wanted::Named(name) => find(tools, Some(HashSet::from([name]))),
        Wanted::Listed(list) => Step::Allow {
            next: list + 1,
            end: choice.end(list),
            choice,
            tools,
            names: HashSet::new(),
        },
    };
    Ok(Some(Making {
        api,
        purpose: Purpose::Call(None),
        step,
    }))
}

fn find(tools: Rc<Tree>, names: Option<HashSet<String>>) -> Step {
    let end = if tools.is_empty() { 0 } else { tools.end(0) };
    Step::Find {
        tools,
        next: 1,
        end,
        names,
    }
}

fn fill(tree: &Rc<Tree>, at: u32, object: bool, param: &'static str) -> Step {
    Step::Fill {
        generator: Box::new(Generator::new(tree.clone(), at, object)),
        param,
    }
}

/// The functions of which one must be called.
enum Wanted {
    /// Any function.
    Any,
    /// The function with this name.
    Named(String),
    /// The functions in the list at this place of `tool_choice`.
    Listed(u32),
}

/// Returns the functions of which `tool_choice` requires one to be called; `None` if a call is
/// optional.
fn wanted(api: Api, choice: &Tree) -> Result<Option<Wanted>, Problem> {
    match choice.text(0) {
        Some("required") => return Ok(Some(Wanted::Any)),
        Some("auto" | "none") => return Ok(None),
        Some(_) => return Err(BAD_CHOICE),
        None => {}
    }
    if let Some((name, _)) = function(api, choice, 0) {
        return Ok(Some(Wanted::Named(name.to_owned())));
    }
    if choice.member_text(0, "type") != Some("allowed_tools") {
        return Err(BAD_CHOICE);
    }
    // Chat completions nest it one level deeper.
    let allowed = match api {
        Api::Chat => choice.member(0, "allowed_tools").ok_or(BAD_CHOICE)?,
        _ => 0,
    };
    let tools = choice.member(allowed, "tools");
    let tools = tools.filter(|at| matches!(choice.node(*at), Node::Array { .. }));
    match (choice.member_text(allowed, "mode"), tools) {
        (Some("auto"), Some(_)) => Ok(None),
        (Some("required"), Some(tools)) => Ok(Some(Wanted::Listed(tools))),
        _ => Err(BAD_CHOICE),
    }
}

/// Returns the name of a function and the place of its definition, as `tools` and `tool_choice`
/// have it; `None` for other tools.
fn function(api: Api, tree: &Tree, tool: u32) -> Option<(&str, u32)> {
    if tree.member_text(tool, "type") != Some("function") {
        return None;
    }
    // Chat completions nest it one level deeper.
    let function = match api {
        Api::Chat => tree.member(tool, "function")?,
        _ => tool,
    };
    Some((tree.member_text(function, "name")?, function))
}

/// Begins the text that a format demands, if one does.
fn begin_json(api: Api, facts: &Facts) -> Result<Option<Making>, Problem> {
    let field = match api {
        Api::Responses => Field::Text,
        _ => Field::ResponseFormat,
    };
    let Some(tree) = value(facts, field)? else {
        return Ok(None);
    };
    // Responses have it in `text.format`.
    let format = match api {
        Api::Responses => match tree.member(0, "format") {
            Some(at) if tree.node(at) != Node::Null => at,
            _ => return Ok(None),
        },
        _ => 0,
    };
    let constant = |text: &str| Step::Cut(Cutter::of_json(text.to_owned()));
    let step = match tree.member_text(format, "type") {
        Some("text") => return Ok(None),
        Some("json_object") => constant(MESSAGE),
        Some("json_schema") => match format_schema(api, &tree, format)? {
            Some(schema) => fill(&tree, schema, false, field.name()),
            None => constant("{}"),
        },
        _ => return Err(Problem::field(field.name(), BAD_FORMAT)),
    };
    Ok(Some(Making {
        api,
        purpose: Purpose::Json(tree, format),
        step,
    }))
}

/// Returns the place of a format's schema. Only chats may leave it out
/// (`ResponseFormatJsonSchema`). A schema in another place would be ignored, so a missing one is an
/// error.
fn format_schema(api: Api, tree: &Tree, format: u32) -> Result<Option<u32>, Problem> {
    let present = |at: &u32| tree.node(*at) != Node::Null;
    if api == Api::Responses {
        let schema = tree
            .member(format, "schema")
            .filter(present)
            .ok_or(NO_TEXT_SCHEMA)?;
        tree.member_text(format, "name").ok_or(NO_TEXT_NAME)?;
        return Ok(Some(schema));
    }
    const KNOWN: [&str; 4] = ["name", "description", "schema", "strict"];
    let holder = tree.member(format, "json_schema");
    let holder = holder
        .filter(|at| tree.is_object(*at))
        .ok_or(NO_JSON_SCHEMA)?;
    let known = |name: u32| tree.text(name).is_some_and(|name| KNOWN.contains(&name));
    match tree.member(holder, "schema").filter(present) {
        None if !tree.members(holder).all(|(name, _)| known(name)) => Err(NO_SCHEMA),
        schema => Ok(schema),
    }
}

fn value(facts: &Facts, field: Field) -> Result<Option<Rc<Tree>>, Problem> {
    let value = facts.held.value(field.name());
    value.map_err(|why| Problem::unread(field.name(), why))
}

const NO_JSON_SCHEMA: Problem = Problem::field(
    "response_format.json_schema",
    "Missing required parameter: '{param}', an object with the 'name' and the 'schema' of the \
     response.",
);

const NO_SCHEMA: Problem = Problem::field(
    "response_format.json_schema.schema",
    "Missing required parameter: '{param}'. The schema belongs there, not in \
     'response_format.json_schema' itself.",
);

const NO_TEXT_NAME: Problem =
    Problem::field("text.format.name", "Missing required parameter: '{param}'.");

const NO_TEXT_SCHEMA: Problem = Problem::field(
    "text.format.schema",
    "Missing required parameter: '{param}'. It belongs next to 'text.format.name', not inside \
     'json_schema'.",
);

const BAD_CHOICE: Problem = Problem::field(
    "tool_choice",
    "'tool_choice' must be \"none\", \"auto\" or \"required\", name a function, or list allowed \
     tools that are functions: this server calls no other tools.",
);

const NO_FUNCTION: Problem = Problem::field(
    "tools",
    "'tool_choice' requires a call, so 'tools' must hold a function that has a name.",
);

const UNKNOWN_FUNCTION: Problem = Problem::field(
    "tool_choice",
    "'tool_choice' must name a function that is in 'tools'.",
);

const BAD_FORMAT: &str =
    "The type of the format in '{param}' must be \"text\", \"json_object\" or \"json_schema\".";
