//! What is made for one request, since the server's own words won't do: the call of a function, a
//! JSON text, an echo. Reads what the request says of tools and formats; knows no bytes.

use serde_json::{Value, json};

use super::ask::{Facts, Field};
use super::name::Name;
use super::problem::Problem;
use super::reply::Own;
use super::route::Api;
use super::schema;
use super::text::Text;

/// What an object says where nothing else is asked of it.
const MESSAGE: &str = "This is a mocked response.";

/// What the request asks for, if it does. A call goes before a format, as it does at OpenAI, and
/// both before an echo.
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

/// Which functions may be called.
enum Wanted<'a> {
    /// The first that there is.
    Any,
    /// The first that has one of these names.
    Named(Vec<&'a str>),
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
    let mut functions = tools
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|tool| function(api, tool));
    let Some((name, function)) = functions.find(|(name, _)| wanted.allows(name)) else {
        return Err(match wanted {
            Wanted::Any => NO_FUNCTION,
            Wanted::Named(_) => UNKNOWN_FUNCTION,
        });
    };
    let parameters = function
        .get("parameters")
        .filter(|schema| !schema.is_null());
    let object = json!({"type": "object"});
    let arguments = schema::instance(parameters.unwrap_or(&object), &object)
        .map_err(|why| Problem::unfit("tools", why))?;
    Ok(Some(Own::Call {
        function: Name::from_text(name),
        arguments: Text::of_json(&arguments.to_string()),
    }))
}

impl Wanted<'_> {
    fn allows(&self, name: &str) -> bool {
        match self {
            Wanted::Any => true,
            Wanted::Named(names) => names.contains(&name),
        }
    }
}

/// Which functions `tool_choice` demands a call of; None where it leaves the choice.
fn wanted(api: Api, choice: &Value) -> Result<Option<Wanted<'_>>, Problem> {
    match choice.as_str() {
        Some("required") => return Ok(Some(Wanted::Any)),
        Some("auto" | "none") => return Ok(None),
        Some(_) => return Err(BAD_CHOICE),
        None => {}
    }
    if let Some((name, _)) = function(api, choice) {
        return Ok(Some(Wanted::Named(vec![name])));
    }
    if choice["type"] != "allowed_tools" {
        return Err(BAD_CHOICE);
    }
    // Chats have it one level further in.
    let allowed = match api {
        Api::Chat => &choice["allowed_tools"],
        _ => choice,
    };
    match (allowed["mode"].as_str(), allowed["tools"].as_array()) {
        (Some("auto"), Some(_)) => Ok(None),
        (Some("required"), Some(tools)) => {
            let names = tools.iter().filter_map(|tool| Some(function(api, tool)?.0));
            Ok(Some(Wanted::Named(names.collect())))
        }
        _ => Err(BAD_CHOICE),
    }
}

/// The name and the rest of a function, as `tools` and `tool_choice` have it; None for other tools.
fn function(api: Api, tool: &Value) -> Option<(&str, &Value)> {
    if tool["type"] != "function" {
        return None;
    }
    // Chats have it one level further in.
    let function = match api {
        Api::Chat => &tool["function"],
        _ => tool,
    };
    Some((function["name"].as_str()?, function))
}

/// The text that a format demands, if one does.
fn structured(api: Api, facts: &Facts) -> Result<Option<Own>, Problem> {
    let (field, param) = match api {
        Api::Responses => (Field::Text, "text"),
        _ => (Field::ResponseFormat, "response_format"),
    };
    let Some(format) = value(facts, field, param)? else {
        return Ok(None);
    };
    // Responses have the schema beside the type, and all of it in `text.format`.
    let (format, schema) = match api {
        Api::Responses => (&format["format"], &format["format"]["schema"]),
        _ => (&format, &format["json_schema"]["schema"]),
    };
    let value = match format["type"].as_str() {
        None if format.is_null() => return Ok(None),
        Some("text") => return Ok(None),
        Some("json_object") => json!({"message": MESSAGE}),
        Some("json_schema") => {
            let object = json!({"type": "object"});
            let schema = if schema.is_null() { &object } else { schema };
            let made = schema::instance(schema, &Value::Bool(true));
            made.map_err(|why| Problem::unfit(param, why))?
        }
        _ => return Err(Problem::field(param, BAD_FORMAT)),
    };
    Ok(Some(Own::Json {
        text: Text::of_json(&value.to_string()),
        format: format.to_string().into(),
    }))
}

fn value(facts: &Facts, field: Field, param: &'static str) -> Result<Option<Value>, Problem> {
    let value = facts.held.value(field);
    value.map_err(|why| Problem::unread(param, why))
}

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
