//! The content that OpenAI's requests require: a call, by `tool_choice`, or a JSON text, by
//! `response_format` or `text.format`. A call takes precedence, as at OpenAI.

use std::rc::Rc;

use crate::api::form::{Demand, FindFunction, JsonDemand, Wanted};
use crate::api::{held::Held, problem::Problem};
use crate::json::{Node, Tree};

/// The response to a request for any JSON object.
const MESSAGE: &str = r#"{"message":"This is a mocked response."}"#;

/// Returns the content that a chat completion requires.
pub fn of_chat(held: &Held) -> Result<Option<Demand>, Problem> {
    // Chat completions nest functions and lists of allowed tools one level deeper.
    let call = call(held, nested_function, |choice| {
        choice.member(0, "allowed_tools")
    })?;
    if call.is_some() {
        return Ok(call);
    }
    let param = "response_format";
    let Some(tree) = value(held, param)? else {
        return Ok(None);
    };
    json(param, tree, 0, chat_schema)
}

/// Returns the content that a response of the Responses API requires.
pub fn of_response(held: &Held) -> Result<Option<Demand>, Problem> {
    let call = call(held, function, |_| Some(0))?;
    if call.is_some() {
        return Ok(call);
    }
    let Some(tree) = value(held, "text")? else {
        return Ok(None);
    };
    match tree.member(0, "format") {
        Some(format) if tree.node(format) != Node::Null => {
            json("text", tree, format, response_schema)
        }
        _ => Ok(None),
    }
}

/// Returns the name of a function in `tools` or `tool_choice`, and the place of its parameters.
pub fn function(tree: &Tree, tool: u32) -> Option<(&str, Option<u32>)> {
    is_function(tree, tool).then(|| definition(tree, tool))?
}

/// The same in a chat completion.
pub fn nested_function(tree: &Tree, tool: u32) -> Option<(&str, Option<u32>)> {
    is_function(tree, tool).then(|| definition(tree, tree.member(tool, "function")?))?
}

fn is_function(tree: &Tree, tool: u32) -> bool {
    tree.member_text(tool, "type") == Some("function")
}

fn definition(tree: &Tree, at: u32) -> Option<(&str, Option<u32>)> {
    let parameters = tree.member(at, "parameters");
    let parameters = parameters.filter(|at| tree.node(*at) != Node::Null);
    Some((tree.member_text(at, "name")?, parameters))
}

/// Returns the call that `tool_choice` requires; `None` if a call is optional. `allowed` returns
/// the place of a list of allowed tools.
fn call(
    held: &Held,
    function: FindFunction,
    allowed: fn(&Tree) -> Option<u32>,
) -> Result<Option<Demand>, Problem> {
    let Some(choice) = value(held, "tool_choice")? else {
        return Ok(None);
    };
    let wanted = match choice.text(0) {
        Some("required") => Wanted::Any,
        Some("auto" | "none") => return Ok(None),
        Some(_) => return Err(BAD_CHOICE),
        None => match function(&choice, 0) {
            Some((name, _)) => Wanted::Named(name.to_owned()),
            None => {
                if choice.member_text(0, "type") != Some("allowed_tools") {
                    return Err(BAD_CHOICE);
                }
                let allowed = allowed(&choice).ok_or(BAD_CHOICE)?;
                let tools = choice.member(allowed, "tools");
                let tools = tools.filter(|at| matches!(choice.node(*at), Node::Array { .. }));
                match (choice.member_text(allowed, "mode"), tools) {
                    (Some("auto"), Some(_)) => return Ok(None),
                    (Some("required"), Some(tools)) => Wanted::Listed(choice, tools),
                    _ => return Err(BAD_CHOICE),
                }
            }
        },
    };
    let tools = value(held, "tools")?.unwrap_or_default();
    Ok(Some(Demand::Call { tools, wanted }))
}

/// Returns the JSON text that a format requires, if it does.
fn json(
    param: &'static str,
    tree: Rc<Tree>,
    format: u32,
    schema: fn(&Tree, u32) -> Result<Option<u32>, Problem>,
) -> Result<Option<Demand>, Problem> {
    let value = match tree.member_text(format, "type") {
        Some("text") => return Ok(None),
        Some("json_object") => JsonDemand::Constant(MESSAGE),
        Some("json_schema") => match schema(&tree, format)? {
            Some(schema) => JsonDemand::Schema(schema),
            None => JsonDemand::Constant("{}"),
        },
        _ => return Err(Problem::field(param, BAD_FORMAT)),
    };
    Ok(Some(Demand::Json {
        param,
        tree,
        format,
        value,
    }))
}

/// Returns the place of a format's schema. A schema in another place would be ignored, so a missing
/// one is an error.
fn response_schema(tree: &Tree, format: u32) -> Result<Option<u32>, Problem> {
    let schema = tree.member(format, "schema");
    let schema = schema
        .filter(|at| tree.node(*at) != Node::Null)
        .ok_or(NO_TEXT_SCHEMA)?;
    tree.member_text(format, "name").ok_or(NO_TEXT_NAME)?;
    Ok(Some(schema))
}

/// The same of a chat completion, which may leave it out (`ResponseFormatJsonSchema`).
fn chat_schema(tree: &Tree, format: u32) -> Result<Option<u32>, Problem> {
    const KNOWN: [&str; 4] = ["name", "description", "schema", "strict"];
    let holder = tree.member(format, "json_schema");
    let holder = holder
        .filter(|at| tree.is_object(*at))
        .ok_or(NO_JSON_SCHEMA)?;
    let known = |name: u32| tree.text(name).is_some_and(|name| KNOWN.contains(&name));
    let schema = tree.member(holder, "schema");
    match schema.filter(|at| tree.node(*at) != Node::Null) {
        None if !tree.members(holder).all(|(name, _)| known(name)) => Err(NO_SCHEMA),
        schema => Ok(schema),
    }
}

fn value(held: &Held, field: &'static str) -> Result<Option<Rc<Tree>>, Problem> {
    let value = held.value(field);
    value.map_err(|why| Problem::unread(field, why))
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

const BAD_FORMAT: &str =
    "The type of the format in '{param}' must be \"text\", \"json_object\" or \"json_schema\".";
