//! The probabilities of tokens, in the form of each API. They are made up, and the same for the
//! same answer; a token's is the highest of those told beside it. Knows no stream.

use serde_json::{Map, Value, json};

use super::Book;
use super::place::Place;
use crate::mock::number::mix;
use crate::mock::route::Api;

impl Book {
    /// Fills the slot: what was asked for, or what stands there when nothing was.
    pub(super) fn logprobs(&self, place: &Place<'_>, out: &mut Vec<u8>) {
        // The tokens of a call have none, streamed or not.
        let without = place.tokens.is_empty() || place.generated.function().is_some();
        let told = place.generated.logprobs.filter(|_| !without);
        let value = match (place.generated.api, told) {
            (Api::Responses, None) => return out.extend_from_slice(b"[]"),
            (_, None) => return out.extend_from_slice(b"null"),
            (Api::Responses, Some(others)) => self.listed_tokens(place, others),
            (Api::Completions, Some(others)) => self.parallel_lists(place, others),
            (_, Some(others)) => json!({
                "content": self.listed_tokens(place, others),
                "refusal": null,
            }),
        };
        serde_json::to_writer(out, &value).expect("a Vec takes all");
    }

    /// `ChatCompletionTokenLogprob`, and `LogProb` of the Responses API.
    fn listed_tokens(&self, place: &Place<'_>, others: u8) -> Value {
        let entry = |(token, logprob): (String, f64)| {
            let bytes = token.as_bytes().to_vec();
            json!({ "token": token, "logprob": logprob, "bytes": bytes })
        };
        let tokens = place.tokens.clone().map(|at| {
            let token = self.token(place, at);
            let mut of_token = entry((token.clone(), logprob(place, at, 0)));
            let top = (0..others).map(|rank| entry(other(place, at, rank, &token)));
            of_token["top_logprobs"] = top.collect();
            of_token
        });
        tokens.collect()
    }

    /// `CreateCompletionResponse`: a list for each kind of fact.
    fn parallel_lists(&self, place: &Place<'_>, others: u8) -> Value {
        let mut before = Vec::new();
        self.source(place)
            .append(0..place.tokens.start, &mut before);
        let mut offset = unescaped(&before).chars().count();
        let (mut tokens, mut logprobs) = (Vec::new(), Vec::new());
        let (mut tops, mut offsets) = (Vec::new(), Vec::new());
        for at in place.tokens.clone() {
            let token = self.token(place, at);
            let top: Map<String, Value> = (0..others)
                .map(|rank| other(place, at, rank, &token))
                .map(|(token, logprob)| (token, logprob.into()))
                .collect();
            tops.push(top);
            logprobs.push(logprob(place, at, 0));
            offsets.push(offset);
            offset += token.chars().count();
            tokens.push(token);
        }
        json!({
            "tokens": tokens,
            "token_logprobs": logprobs,
            "top_logprobs": tops,
            "text_offset": offsets,
        })
    }

    fn token(&self, place: &Place<'_>, at: u32) -> String {
        let mut json = Vec::new();
        self.source(place).append(at..at + 1, &mut json);
        unescaped(&json)
    }
}

/// The token of a rank (0 is the one that was given) and its probability.
fn other(place: &Place<'_>, at: u32, rank: u8, token: &str) -> (String, f64) {
    let token = match rank {
        0 => token.to_owned(),
        _ => format!(" other{rank}"),
    };
    (token, logprob(place, at, rank))
}

/// The natural logarithm of a probability: the more negative the higher the rank.
fn logprob(place: &Place<'_>, at: u32, rank: u8) -> f64 {
    let drawn = mix(place.reply.numbers.id ^ u64::from(at) << 8) % 1000;
    -(drawn as f64 / 1000.0) - f64::from(rank)
}

/// The text that the inside of a JSON string stands for.
fn unescaped(json: &[u8]) -> String {
    let string = [b"\"", json, b"\""].concat();
    serde_json::from_slice(&string).expect("tokens end where characters do")
}
