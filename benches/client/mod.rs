//! The parts that the clients share: connecting, waiting, checking responses, and quantiles of
//! times.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Poll, Token};

/// Not counted: the connections settle, the server warms up.
pub const WARM_UP: Duration = Duration::from_secs(1);

/// The time after which an overdue response, or the rest of a stream, is given up.
pub const PATIENCE: Duration = Duration::from_secs(5);

pub const ANSWER_BEGINS: &[u8] = b"HTTP/1.1 200 ";

/// Opens a connection, which the poll knows as `at`.
pub fn connect(address: SocketAddr, poll: &Poll, at: usize) -> io::Result<TcpStream> {
    let stream = std::net::TcpStream::connect(address)?;
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    let mut stream = TcpStream::from_std(stream);
    poll.registry()
        .register(&mut stream, Token(at), Interest::READABLE)?;
    Ok(stream)
}

/// A quantile of sorted nanoseconds, in microseconds; None where there are none.
pub fn quantile(sorted: &[i64], quantile: f64) -> Option<f64> {
    let at = (quantile * sorted.len() as f64) as usize;
    let ns = sorted.get(at.min(sorted.len().saturating_sub(1)))?;
    Some(*ns as f64 / 1e3)
}
