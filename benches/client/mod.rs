//! The parts that the clients share: connections, times to wait, and quantiles.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Poll, Token};

/// The time before the measurement starts, in which connections settle and the server warms up.
pub const WARM_UP: Duration = Duration::from_secs(1);

/// The time by which a response, or the rest of a stream, may be late before the client gives up.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// The start of every response that is not an error.
pub const OK: &[u8] = b"HTTP/1.1 200 ";

/// Opens a connection and registers it with the poll under the token `at`.
pub fn connect(address: SocketAddr, poll: &Poll, at: usize) -> io::Result<TcpStream> {
    let stream = std::net::TcpStream::connect(address)?;
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    let mut stream = TcpStream::from_std(stream);
    poll.registry()
        .register(&mut stream, Token(at), Interest::READABLE)?;
    Ok(stream)
}

/// Returns a quantile of sorted nanoseconds in microseconds, or `None` if there are none.
pub fn quantile(sorted: &[i64], quantile: f64) -> Option<f64> {
    let at = (quantile * sorted.len() as f64) as usize;
    let ns = sorted.get(at.min(sorted.len().saturating_sub(1)))?;
    Some(*ns as f64 / 1e3)
}
