//! A mock chat endpoint with hyper, tokio and one thread.

use std::convert::Infallible;
use std::error::Error;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use opponents::{Options, complete};
use tokio::net::TcpListener;

async fn respond(
    request: Request<Incoming>,
    options: Options,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let status = |status| {
        let mut response = Response::new(Full::default());
        *response.status_mut() = status;
        Ok(response)
    };
    if request.uri().path() != "/v1/chat/completions" {
        return status(StatusCode::NOT_FOUND);
    }
    let Ok(body) = request.into_body().collect().await else {
        return status(StatusCode::BAD_REQUEST);
    };
    let Ok(chat) = serde_json::from_slice(&body.to_bytes()) else {
        return status(StatusCode::BAD_REQUEST);
    };
    if !options.latency.is_zero() {
        tokio::time::sleep(options.latency).await;
    }
    let mut response = Response::new(Full::new(complete(&chat, &options.content).into()));
    let json = "application/json".parse().expect("it is a value");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Ok(response)
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::read()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on http://{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let options = options.clone();
            let serve = service_fn(move |request| respond(request, options.clone()));
            tokio::spawn(async move {
                let connection = http1::Builder::new()
                    .pipeline_flush(true)
                    .serve_connection(TokioIo::new(stream), serve);
                // A client that disconnects is no error of the server.
                let _ = connection.await;
            });
        }
    })
}
