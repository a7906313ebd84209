//! Asks a server whether it is well, for a container's health check: an image without a shell has
//! no other program that could. Knows nothing of how this one serves.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::{Trouble, listen};
use crate::settings::Settings;

/// How long the whole of it may take, from the host's name to the last byte of the answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The server ends the connection after its answer, so the answer is all there is to read.
const REQUEST: &[u8] = b"GET /health HTTP/1.1\r\nHost: mocker\r\nConnection: close\r\n\r\n";

/// How the answer of a server that is well begins.
const WELL: &[u8] = b"HTTP/1.1 200 ";

/// What is longer is no answer to this.
const ANSWER_MAX: u64 = 64 * 1024;

/// Asks the server that the settings describe; an error unless it answers that it is well.
pub fn healthcheck(settings: &Settings) -> Result<(), Trouble> {
    let (host, port) = (settings.host.clone(), settings.port);
    let sick = |why: String| {
        let Settings { host, port, .. } = settings;
        Trouble::CannotRun(format!("-healthcheck: {host} port {port}: {why}"))
    };
    let (tell, told) = mpsc::channel();
    // std has a timeout for connecting, one for each read and none for a name's addresses. One
    // wait here bounds them all together: the process ends without the thread.
    let spawned = thread::Builder::new().spawn(move || tell.send(ask(&host, port)));
    spawned.map_err(|error| sick(error.to_string()))?;
    let answer = match told.recv_timeout(PATIENCE) {
        Ok(answer) => answer?.map_err(|error| sick(error.to_string()))?,
        Err(_) => return Err(sick(format!("no answer within {PATIENCE:?}"))),
    };
    match answer.starts_with(WELL) {
        true => Ok(()),
        false => Err(sick("something else than 200 was answered".into())),
    }
}

/// The answer; the outer error is a host without an address.
fn ask(host: &str, port: u16) -> Result<io::Result<Vec<u8>>, Trouble> {
    // Who listens at all of a host's addresses listens at the first.
    let addresses = near(listen::resolve(host)?[0]);
    let addresses = addresses.map(|address| SocketAddr::new(address, port));
    Ok(TcpStream::connect(&addresses[..]).and_then(|mut stream| {
        let mut answer = Vec::new();
        stream.write_all(REQUEST)?;
        stream.take(ANSWER_MAX).read_to_end(&mut answer)?;
        Ok(answer)
    }))
}

/// Where to ask a server that listens here, in turn: one that listens everywhere listens at the
/// loopback, and with `::` in both families, of which a container may lack IPv6's.
fn near(address: IpAddr) -> [IpAddr; 2] {
    const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
    match address {
        IpAddr::V4(any) if any.is_unspecified() => [V4, V4],
        IpAddr::V6(any) if any.is_unspecified() => [V6, V4],
        one => [one, one],
    }
}
