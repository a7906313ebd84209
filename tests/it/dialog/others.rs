//! What has no file of its own: the endpoints besides completions and embeddings, and pages of
//! other origins.

use mocker::settings::Settings;

use super::client::{Client, chat, post, request};

#[test]
fn models_and_moderations_are_answered() {
    let mut client = Client::plain();
    let list = client.ask(request("GET", "/v1/models", &[], "")).json();
    assert_eq!(list["data"][0]["id"], "gpt-4o-mini");
    let one = client
        .ask(request("GET", "/openai/v1/models/a%2Fb", &[], ""))
        .json();
    assert_eq!(
        (&one["id"], &one["object"]),
        (&"a/b".into(), &"model".into())
    );
    for (input, results) in [
        (r#""x""#, 1),
        (r#"["x","y","z"]"#, 3),
        (r#"[{"type":"text","text":"x"},{"type":"image_url"}]"#, 1),
    ] {
        let body = format!(r#"{{"input":{input}}}"#);
        let json = client.ask(post("/v1/moderations", &body)).json();
        assert_eq!(
            json["results"].as_array().unwrap().len(),
            results,
            "{input}"
        );
        assert_eq!(json["results"][0]["flagged"], false);
    }
}

#[test]
fn a_page_may_read_only_where_it_was_allowed() {
    let options = request(
        "OPTIONS",
        "/v1/chat/completions",
        &["Origin: https://a.example"],
        "",
    );
    for cors in [false, true] {
        let mut client = Client::new(&Settings {
            cors,
            ..Settings::default()
        });
        for request in [&options, &chat("{}")] {
            client.send(request);
            let out = String::from_utf8(std::mem::take(&mut client.out)).unwrap();
            assert_eq!(
                out.contains("\r\nAccess-Control-Allow-Origin: *\r\n"),
                cors,
                "{out}"
            );
        }
    }
}
