//! `-healthcheck`: requests `/health` of a running server. It is for containers, whose images have
//! no shell and no other program that could.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::{fmt::Display, sync::mpsc, thread, time::Duration};

use crate::net::{StartError, listen};
use crate::settings::Settings;

/// The time limit of the whole check, from resolving the host to the last byte of the response; the
/// `Dockerfile` gives it three seconds.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// The request. The server closes the connection after its response, so reading ends there.
const REQUEST: &[u8] = b"GET /health HTTP/1.1\r\nHost: mocker\r\nConnection: close\r\n\r\n";

/// The beginning of the response of a healthy server.
const HEALTHY: &[u8] = b"HTTP/1.1 200 ";

/// The most bytes read of a response, several times as many as a healthy server sends.
const RESPONSE_MAX: u64 = 64 * 1024;

/// Requests `/health` of the server that the settings describe. Fails unless it responds with 200.
pub fn healthcheck(settings: &Settings) -> Result<(), StartError> {
    let server = settings.clone();
    let (done, outcome) = mpsc::channel();
    // std has a timeout for connecting, one for each read and none for resolving a name. One wait
    // here bounds them all together: the process exits without the thread.
    let spawned = thread::Builder::new().spawn(move || done.send(check(&server)));
    spawned.map_err(|error| unhealthy(settings, error))?;
    let outcome = outcome.recv_timeout(CHECK_TIMEOUT);
    let late = format!("no response within {CHECK_TIMEOUT:?}");
    outcome.unwrap_or_else(|_| Err(unhealthy(settings, late)))
}

fn unhealthy(settings: &Settings, why: impl Display) -> StartError {
    let Settings { host, port, .. } = settings;
    StartError::Machine(format!("-healthcheck: {host} port {port}: {why}"))
}

fn check(settings: &Settings) -> Result<(), StartError> {
    // A server that listens on all addresses of a host listens on the first.
    let addresses = reachable(listen::resolve(&settings.host)?[0]);
    let addresses = addresses.map(|address| SocketAddr::new(address, settings.port));
    let response = request(&addresses).map_err(|error| unhealthy(settings, error))?;
    let why = "the server responded with a status other than 200";
    match response.starts_with(HEALTHY) {
        true => Ok(()),
        false => Err(unhealthy(settings, why)),
    }
}

fn request(addresses: &[SocketAddr]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(addresses)?;
    let mut response = Vec::new();
    stream.write_all(REQUEST)?;
    stream.take(RESPONSE_MAX).read_to_end(&mut response)?;
    Ok(response)
}

/// Returns the addresses at which to try a server that listens on this one. A server that listens
/// everywhere listens on the loopback address, and with `::` in both families, of which a container
/// may lack IPv6.
fn reachable(address: IpAddr) -> [IpAddr; 2] {
    const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
    match address {
        IpAddr::V4(any) if any.is_unspecified() => [V4, V4],
        IpAddr::V6(any) if any.is_unspecified() => [V6, V4],
        one => [one, one],
    }
}
