//! A mock chat endpoint with axum and one thread.

use std::error::Error;

use axum::extract::{Json, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::serve::ListenerExt;
use axum::{Router, serve};
use opponents::{ChatRequest, Options, complete};
use tokio::net::TcpListener;

async fn respond(
    State(options): State<Options>,
    Json(request): Json<ChatRequest>,
) -> impl IntoResponse {
    if !options.latency.is_zero() {
        tokio::time::sleep(options.latency).await;
    }
    let json = [(CONTENT_TYPE, "application/json")];
    (json, complete(&request, &options.content))
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::read()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on http://{}", listener.local_addr()?);
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let router = Router::new().route("/v1/chat/completions", post(respond));
        serve(listener, router.with_state(options)).await?;
        Ok(())
    })
}
