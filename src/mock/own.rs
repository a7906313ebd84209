//! Content made for a single request instead of the canned text: a function call, a JSON text or an
//! echo, as the tools and formats of the request require.

use std::collections::HashSet;
use std::rc::Rc;

use super::ask::{Facts, Field};
use super::name::Name;
use super::problem::Problem;
use super::reply::Own;
use super::route::Api;
use super::text::Text;
use crate::json::{Node, Tree};
use crate::schema::{Generator, Progress, STEPS_PER_CALL};

/// The response to a request for any JSON object.
const MESSAGE: &str = r#"{"message":"This is a mocked response."}"#;

/// Returns the content that the request requires, if any. A call takes precedence over a format, as
/// at OpenAI, and both over an echo.
pub fn asked_for(api: Api, facts: &Facts) -> Result<Option<Own>, Problem> {
    if !facts.held.is_empty() {
        if let Some(called) = called(api, facts)? {
            return Ok(Some(called));
        }
        if let Some(structured) = structured(api, facts)? {
            return Ok(Some(structured));
        }
    }
    let echo = facts.echo.as_deref();
    Ok(echo.map(|said| Own::Echo(Text::of_words(said))))
}

/// The functions of which one must be called.
enum Wanted<'a> {
    /// Any of them.
    Any,
    /// Those with one of these names.
    Named(HashSet<&'a str>),
}

/// The call that `tool_choice` demands, if it demands one.
fn called(api: Api, facts: &Facts) -> Result<Option<Own>, Problem> {
    let Some(choice) = value(facts, Field::ToolChoice, "tool_choice")? else {
        return Ok(None);
    };
    let Some(wanted) = wanted(api, &choice)? else {
        return Ok(None);
    };
    let tools = value(facts, Field::Tools, "tools")?.unwrap_or_default();
    let items = if tools.is_empty() {
        None
    } else {
        Some(tools.items(0))
    };
    let mut functions = items
        .into_iter()
        .flatten()
        .filter_map(|at| function(api, &tools, at));
    let Some((name, function)) = functions.find(|(name, _)| wanted.allows(name)) else {
        return Err(match wanted {
            Wanted::Any => NO_FUNCTION,
            Wanted::Named(_) => UNKNOWN_FUNCTION,
        });
    };
    let parameters = tools.member(function, "parameters");
    let parameters = parameters.filter(|at| tools.node(*at) != Node::Null);
    let arguments = match parameters {
        Some(at) => instance("tools", &tools, at, true)?,
        None => "{}".to_owned(),
    };
    Ok(Some(Own::Call {
        function: Name::from_text(name),
        arguments: Text::of_json(&arguments),
    }))
}

/// A value for the schema at a place, as JSON text.
fn instance(
    param: &'static str,
    tree: &Rc<Tree>,
    at: u32,
    object: bool,
) -> Result<String, Problem> {
    let mut generator = Generator::new(tree.clone(), at, object);
    loop {
        match generator.run(STEPS_PER_CALL) {
            Progress::Done(text) => return Ok(text),
            Progress::More => {}
            Progress::Failed(why) => return Err(Problem::unfit(param, why)),
        }
    }
}

impl Wanted<'_> {
    fn allows(&self, name: &str) -> bool {
        match self {
            Wanted::Any => true,
            Wanted::Named(names) => names.contains(name),
        }
    }
}

/// Returns the functions of which `tool_choice` requires one to be called; `None` if a call is
/// optional.
fn wanted(api: Api, choice: &Tree) -> Result<Option<Wanted<'_>>, Problem> {
    match choice.text(0) {
        Some("required") => return Ok(Some(Wanted::Any)),
        Some("auto" | "none") => return Ok(None),
        Some(_) => return Err(BAD_CHOICE),
        None => {}
    }
    if let Some((name, _)) = function(api, choice, 0) {
        return Ok(Some(Wanted::Named(HashSet::from([name]))));
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
        (Some("required"), Some(tools)) => {
            let tools = choice.items(tools);
            let names = tools.filter_map(|at| Some(function(api, choice, at)?.0));
            Ok(Some(Wanted::Named(names.collect())))
        }
        _ => Err(BAD_CHOICE),
    }
}

/// The name of a function and the place of the rest, as `tools` and `tool_choice` have it; None for
/// other tools.
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

/// The text that a format demands, if one does.
fn structured(api: Api, facts: &Facts) -> Result<Option<Own>, Problem> {
    let (field, param) = match api {
        Api::Responses => (Field::Text, "text"),
        _ => (Field::ResponseFormat, "response_format"),
    };
    let Some(tree) = value(facts, field, param)? else {
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
    let text = match tree.member_text(format, "type") {
        Some("text") => return Ok(None),
        Some("json_object") => MESSAGE.to_owned(),
        Some("json_schema") => match format_schema(api, &tree, format)? {
            Some(schema) => instance(param, &tree, schema, false)?,
            None => "{}".to_owned(),
        },
        _ => return Err(Problem::field(param, BAD_FORMAT)),
    };
    let mut said = String::new();
    tree.write(format, &mut said);
    Ok(Some(Own::Json {
        text: Text::of_json(&text),
        format: said.into(),
    }))
}

/// The place of a format's schema. Only chats may leave it out (`ResponseFormatJsonSchema`). A
/// schema in another place would be ignored, so what is missing is an error.
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

fn value(facts: &Facts, field: Field, param: &'static str) -> Result<Option<Rc<Tree>>, Problem> {
    let value = facts.held.value(field);
    value.map_err(|why| Problem::unread(param, why))
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
