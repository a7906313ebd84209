//! Tests of the pacing of streams, and of slow readers.

use std::time::Duration;

use mocker::internals::conn::Want;
use mocker::internals::conn::outbox::OUTBOX_FULL;
use mocker::internals::settings::Settings;
use serde_json::Value;

use super::client::{Client, End, HEALTH, MILLI, START, chat};
use super::streams::{SENTENCE, chunks, events, parts, text_of};

fn paced() -> Settings {
    Settings {
        ttft: Some(Duration::from_millis(200)),
        itl: Duration::from_millis(20),
        tokens: Some(5..=5),
        ..Settings::default()
    }
}

/// Returns the text of a complete stream.
fn data(out: &[u8]) -> Vec<Value> {
    let (_, content) = parts(out);
    events(&content).into_iter().map(|(_, data)| data).collect()
}

/// Returns the text of an incomplete stream, parsed as if its last chunk followed.
fn said(client: &Client) -> Vec<Value> {
    data(&[&client.out[..], b"0\r\n\r\n"].concat())
}

/// The head, the role and the first token are sent at the time to first token, and each further
/// token completely at its own time.
#[test]
fn each_token_is_sent_when_it_is_due_and_not_before() {
    let mut client = Client::new(&paced());
    client.send(chat(r#"{"stream":true}"#));
    client.pass(200 * MILLI - 1);
    assert!(client.out.is_empty());
    client.pass(1);
    for token in 0..5 {
        let words = SENTENCE
            .split(' ')
            .take(token + 1)
            .collect::<Vec<_>>()
            .join(" ");
        let said = if token < 4 {
            said(&client)
        } else {
            data(&client.out)
        };
        assert_eq!(text_of(&said, 0), words);
        assert_eq!(said.last().unwrap() == "[DONE]", token == 4);
        let before = client.out.len();
        if token < 4 {
            client.pass(20 * MILLI - 1);
            assert_eq!(
                client.out.len(),
                before,
                "token {token} is followed too early"
            );
            client.pass(1);
        }
    }
    // The connection stays open.
    client.out.clear();
    client.send(HEALTH);
    assert_eq!(client.answers().len(), 1);
}

/// A loop that wakes late writes everything that is due, and later tokens are on time.
#[test]
fn lateness_does_not_accumulate() {
    let mut client = Client::new(&paced());
    client.send(chat(r#"{"stream":true}"#));
    let said = |client: &Client| text_of(&said(client), 0);
    // The first token is 7 ms late; the second and third are sent together.
    client.oversleep(207 * MILLI);
    assert_eq!(said(&client), "This");
    assert_eq!(client.deadline(), 220 * MILLI);
    client.oversleep(38 * MILLI);
    assert_eq!(said(&client), "This is a");
    assert_eq!(client.deadline(), 260 * MILLI);
    client.pass(15 * MILLI);
    assert_eq!(said(&client), "This is a mocked");
    assert_eq!(client.deadline(), 280 * MILLI);
}

#[test]
fn all_choices_have_their_tokens_at_the_same_times() {
    let mut client = Client::new(&paced());
    client.send(chat(r#"{"stream":true,"n":3}"#));
    client.pass(220 * MILLI);
    let said = said(&client);
    for choice in 0..3 {
        assert_eq!(text_of(&said, choice), "This is");
    }
    assert_eq!(client.deadline(), 240 * MILLI);
}

#[test]
fn chunks_have_the_configured_tokens_and_are_sent_with_the_first() {
    let settings = Settings {
        tokens_per_chunk: 2,
        ..paced()
    };
    let mut client = Client::new(&settings);
    client.send(chat(r#"{"stream":true}"#));
    client.pass(200 * MILLI);
    assert_eq!(client.deadline(), 240 * MILLI);
    client.pass(80 * MILLI);
    let (_, content) = parts(&client.out);
    let chunks = chunks(&content);
    assert_eq!(chunks.len(), 1 + 3 + 1);
    let words = SENTENCE.split(' ').take(5).collect::<Vec<_>>().join(" ");
    assert_eq!(text_of(&chunks, 0), words);
}

#[test]
fn the_first_token_uses_the_latency_unless_ttft_is_set() {
    let latency = Duration::from_millis(50);
    for (ttft, due) in [(None, 50), (Some(Duration::from_millis(10)), 10)] {
        let settings = Settings {
            latency,
            ttft,
            ..Settings::default()
        };
        let mut client = Client::new(&settings);
        client.send(chat(r#"{"stream":true}"#));
        assert_eq!(client.deadline(), due * MILLI);
        // A response that is not streamed has the latency.
        let mut client = Client::new(&settings);
        client.send(chat("{}"));
        assert_eq!(client.deadline(), 50 * MILLI);
    }
}

#[test]
fn gaps_vary_uniformly_and_depend_on_the_seed() {
    let settings = Settings {
        itl: Duration::from_millis(20),
        itl_jitter: Duration::from_millis(5),
        tokens: Some(2000..=2000),
        ..Settings::default()
    };
    let run = || {
        let mut client = Client::new(&settings);
        client.send(chat(r#"{"stream":true}"#));
        let mut dues = vec![client.deadline()];
        while client.want() == Want::Wait {
            client.pass(START + client.deadline() - client.core.now);
            dues.push(client.deadline());
        }
        dues
    };
    let dues = run();
    let gaps: Vec<u64> = dues[..1998]
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .collect();
    assert!(
        gaps.iter()
            .all(|gap| (15 * MILLI..=25 * MILLI).contains(gap))
    );
    let mean = gaps.iter().sum::<u64>() / gaps.len() as u64;
    assert!((19_700_000..20_300_000).contains(&mean), "{mean}");
    assert!(gaps.iter().any(|gap| *gap < 16 * MILLI) && gaps.iter().any(|gap| *gap > 24 * MILLI));
    assert_eq!(dues, run());
}

/// A client that reads slowly, or not at all, takes no more than a full outbox, and loses nothing.
#[test]
fn a_slow_reader_loses_nothing() {
    let settings = Settings {
        tokens: Some(5000..=5000),
        ..Settings::default()
    };
    for sip in [1000, 70_000] {
        let mut client = Client::new(&settings);
        client.takes(0);
        client.send(chat(r#"{"stream":true}"#));
        assert!(client.waiting() >= OUTBOX_FULL);
        assert!(
            client.waiting() < OUTBOX_FULL + 2048,
            "{}",
            client.waiting()
        );
        while client.waiting() > 0 {
            client.take(sip);
            if client.want() == Want::Again {
                client.resume();
            }
        }
        let (_, content) = parts(&client.out);
        let text = text_of(&chunks(&content), 0);
        assert_eq!(text.split(' ').count(), 5000);
        assert!(client.most_waiting < OUTBOX_FULL + 2048);
    }
}

#[test]
fn a_stream_whose_client_reads_nothing_ends_with_the_write_timeout() {
    let settings = Settings {
        write_timeout: Duration::from_secs(3),
        tokens: Some(5000..=5000),
        ..Settings::default()
    };
    let mut client = Client::new(&settings);
    client.takes(0);
    client.send(chat(r#"{"stream":true}"#));
    client.pass(2000 * MILLI);
    // Reading a single byte restarts the timeout.
    client.take(1);
    client.pass(2999 * MILLI);
    assert_eq!(client.end, End::Open);
    client.pass(2 * MILLI);
    assert_eq!(client.end, End::Closed);
}
