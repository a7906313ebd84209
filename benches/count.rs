//! Serves a number of turns of a connection and does nothing else, for tools that count
//! instructions: `scripts/measure instructions` runs it twice under callgrind and subtracts.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "no part of the product"
)]

mod turn;

use mocker::internals::settings::Settings;
use turn::{CHAT, Turn};

/// The number of distinct requests. No head or body is identical to that of the previous request,
/// so none is recognised without parsing.
const DIFFERENT: usize = 512;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let numbers: Vec<usize> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    let &[depth, turns] = &numbers[..] else {
        return println!(
            "usage: count DEPTH TURNS [different]; run by `scripts/measure instructions`"
        );
    };
    let different = args.iter().any(|arg| arg == "different");
    let inputs: Vec<Vec<u8>> = match different {
        true => (0..DIFFERENT).map(|at| request(at).into_bytes()).collect(),
        false => vec![CHAT.repeat(depth).into_bytes()],
    };
    let mut turn = Turn::new(&Settings::default());
    let served = inputs.iter().cycle().take(turns);
    let sent: usize = served.map(|input| turn.serve(input)).sum();
    println!("{turns} turns of {depth}: {sent} bytes sent");
}

/// Returns a request like those of a gateway: fresh identifiers in the head, one of four models,
/// and a body of 150 to 500 bytes.
fn request(at: usize) -> String {
    let model = ["gpt-4o-mini", "gpt-4o", "o3", "my-org/fine-tuned-model"][at % 4];
    let words = "What do you make of this? ".repeat(2 + at * 7 % 13);
    let system = r#"{"role":"system","content":"Be brief."}"#;
    let user = format!(r#"{{"role":"user","content":"{at}: {words}"}}"#);
    let body = format!(
        r#"{{"model":"{model}","messages":[{system},{user}],"temperature":0.{}}}"#,
        at % 10
    );
    let ids = format!(
        "x-request-id: {:032x}\r\ntraceparent: 00-{:032x}-{:016x}-01\r\nContent-Length: {}\r\n",
        at * 7919,
        at * 104_729,
        at * 1_299_709,
        body.len()
    );
    let (head, _) = CHAT.split_once("Content-Length").expect("it has a length");
    format!("{head}{ids}\r\n{body}")
}
