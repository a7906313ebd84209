//! Content made for a single request instead of the canned text: a function call, a JSON text or an
//! echo, as the tools and formats of the request require, or a view of the server. It is made in
//! pieces, since it can be much work.

use std::{collections::HashSet, rc::Rc, sync::Arc};

use crate::api::form::{Demand, FindFunction, Form, JsonDemand, Wanted};
use crate::api::text::{Cutter, Text};
use crate::api::{content::Custom, facts::Facts};
use crate::api::{json_string::JsonString, problem::Problem, route::View};
use crate::json::{JsonWriter, Tree};
use crate::meter::{self, Meter};
use crate::schema::{Generator, Progress, STEPS_PER_CALL};
use crate::watch::Watch;
use crate::watch::view::{ViewFormat, ViewText};

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
    purpose: Purpose,
    step: MakingStep,
}

/// The purpose of the content.
#[derive(Debug)]
enum Purpose {
    Echo,
    /// A call of this function, once it is known.
    Call(FindFunction, Option<JsonString>),
    /// A JSON text, in the format at a place of a tree.
    Json(Rc<Tree>, u32),
    /// A view of the server itself.
    View(View),
}

/// The step that is next.
#[derive(Debug)]
enum MakingStep {
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
    /// Begins the content that a request requires, if any; that takes precedence over an echo.
    pub fn begin(form: &Form, facts: &Facts) -> Result<Option<Making>, Problem> {
        let demand = match facts.held.is_empty() {
            true => None,
            false => (form.demand)(&facts.held)?,
        };
        Ok(match demand {
            Some(demand) => Some(Making::of_demand(form, demand)),
            None => facts.echo.as_ref().map(|said| Making {
                purpose: Purpose::Echo,
                step: MakingStep::Cut(Cutter::of_words(said.clone())),
            }),
        })
    }

    fn of_demand(form: &Form, demand: Demand) -> Making {
        let (purpose, step) = match demand {
            Demand::Call { tools, wanted } => {
                let step = match wanted {
                    Wanted::Any => find(tools, None),
                    Wanted::Named(name) => find(tools, Some(HashSet::from([name]))),
                    Wanted::Listed(choice, list) => MakingStep::Allow {
                        next: list + 1,
                        end: choice.end(list),
                        choice,
                        tools,
                        names: HashSet::new(),
                    },
                };
                (Purpose::Call(form.function, None), step)
            }
            Demand::Json {
                param,
                tree,
                format,
                value,
            } => {
                let step = match value {
                    JsonDemand::Constant(text) => MakingStep::Cut(Cutter::of_json(text.to_owned())),
                    JsonDemand::Schema(at) => fill(&tree, at, false, param),
                };
                (Purpose::Json(tree, format), step)
            }
        };
        Making { purpose, step }
    }

    /// Begins a view of the server itself.
    pub fn of_view(view: View, watch: Arc<Watch>, format: ViewFormat) -> Making {
        Making {
            purpose: Purpose::View(view),
            step: MakingStep::View(Box::new(ViewText::new(watch, format))),
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
            MakingStep::Allow { .. } | MakingStep::Find { .. } => {
                meter.charge(meter::TOOL);
                self.check_tool()?;
            }
            MakingStep::Fill { generator, param } => {
                let before = generator.steps_left();
                let progress = generator.run(STEPS_PER_CALL);
                let steps = before.saturating_sub(generator.steps_left()).max(1);
                meter.charge(meter::SCHEMA_STEP * steps as i64);
                match progress {
                    Progress::Done(text) => self.step = MakingStep::Cut(Cutter::of_json(text)),
                    Progress::More => {}
                    Progress::Failed(why) => return Err(Problem::unfit(param, why)),
                }
            }
            MakingStep::Cut(cutter) => {
                if let Some(text) = cutter.run(meter) {
                    return Ok(self.text_cut(text).map(Made::Custom));
                }
            }
            MakingStep::View(view) => {
                let before = view.written();
                let text = view.step();
                let len = text.as_ref().map_or(view.written(), Vec::len);
                meter.charge(meter::VIEW_PART + meter::VIEW_BYTE * (len - before) as i64);
                let (Purpose::View(view), Some(text)) = (&self.purpose, text) else {
                    return Ok(None);
                };
                return Ok(Some(Made::View(*view, text)));
            }
            MakingStep::Write {
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
                meter.charge(meter::JSON_BYTE * (format.len() - before) as i64);
                if !goes_on {
                    let text = std::mem::take(text);
                    let format = std::mem::take(format).into();
                    return Ok(Some(Made::Custom(Custom::Json { text, format })));
                }
            }
        }
        Ok(None)
    }

    /// Checks the next tool that is allowed, or that may be called.
    fn check_tool(&mut self) -> Result<(), Problem> {
        let Purpose::Call(find_function, called) = &mut self.purpose else {
            unreachable!("tools are checked for calls")
        };
        match &mut self.step {
            MakingStep::Allow {
                choice,
                tools,
                next,
                end,
                names,
            } => {
                if *next < *end {
                    let name = find_function(choice, *next).map(|(name, _)| name.to_owned());
                    names.extend(name);
                    *next = choice.end(*next);
                } else {
                    self.step = find(tools.clone(), Some(std::mem::take(names)));
                }
            }
            MakingStep::Find {
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
                let found = find_function(tools, *next).filter(|(name, _)| allows(name));
                let Some((name, parameters)) = found else {
                    *next = tools.end(*next);
                    return Ok(());
                };
                *called = Some(JsonString::from_text(name));
                self.step = match parameters {
                    Some(at) => fill(tools, at, true, "tools"),
                    None => MakingStep::Cut(Cutter::of_json("{}".to_owned())),
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
            Purpose::Call(_, function) => Some(Custom::Call {
                function: function.take().expect("a call has a function"),
                arguments: text,
            }),
            Purpose::Json(_, at) => {
                self.step = MakingStep::Write {
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

fn find(tools: Rc<Tree>, names: Option<HashSet<String>>) -> MakingStep {
    let end = if tools.is_empty() { 0 } else { tools.end(0) };
    MakingStep::Find {
        tools,
        next: 1,
        end,
        names,
    }
}

fn fill(tree: &Rc<Tree>, at: u32, object: bool, param: &'static str) -> MakingStep {
    MakingStep::Fill {
        generator: Box::new(Generator::new(tree.clone(), at, object)),
        param,
    }
}

const NO_FUNCTION: Problem = Problem::field(
    "tools",
    "'tool_choice' requires a call, so 'tools' must hold a function that has a name.",
);

const UNKNOWN_FUNCTION: Problem = Problem::field(
    "tool_choice",
    "'tool_choice' must name a function that is in 'tools'.",
);
