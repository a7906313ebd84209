//! The listening sockets, one for each core and address.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::StartError;
use crate::settings::Settings;

/// The number of connections that may wait at each listener to be accepted. Asynchronous clients
/// open a thousand at once; the kernel cuts this to its own limit (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;

/// The number of attempts to find a port that is free in both families.
const PORT_TRIES: usize = 16;

/// The listening sockets of every core, and their address.
#[derive(Debug)]
pub struct Listening {
    /// The sockets of each core, one for each address.
    pub cores: Vec<Vec<mio::net::TcpListener>>,
    /// The first address; the others have the same port.
    pub address: SocketAddr,
}

/// Listens on every address of the host, with a socket for each core.
pub fn listen(settings: &Settings, cores: usize) -> Result<Listening, StartError> {
    let addresses = resolve(&settings.host)?;
    let failed = |error: io::Error| failure(settings, &error);
    let first = first(&addresses, settings).map_err(failed)?;
    let address = address_of(&first[0]).map_err(failed)?;
    let mut listeners = Vec::new();
    let another = |first: &Socket| listening(address_of(first)?, true).map(to_mio);
    for _ in 1..cores {
        let sockets = first.iter().map(another);
        listeners.push(sockets.collect::<io::Result<_>>().map_err(failed)?);
    }
    listeners.push(first.into_iter().map(to_mio).collect());
    Ok(Listening {
        cores: listeners,
        address,
    })
}

/// Returns the addresses of a host, at least one. `localhost` is a constant: in an empty image
/// there is nothing that could resolve it. It includes ::1, which Node's clients try first.
pub fn resolve(host: &str) -> Result<Vec<IpAddr>, StartError> {
    if host.eq_ignore_ascii_case("localhost") {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let literal = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    if let Ok(address) = literal.parse() {
        return Ok(vec![address]);
    }
    let wrong = |why: String| StartError::Machine(format!("-host: {host:?} {why}"));
    let found = (host, 0).to_socket_addrs();
    let found = found.map_err(|error| wrong(format!("does not resolve to an address: {error}")))?;
    let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    addresses.sort();
    addresses.dedup();
    match addresses.is_empty() {
        true => Err(wrong("has no address".into())),
        false => Ok(addresses),
    }
}

/// Returns the first listener of each address. It takes the address for this process alone, and
/// then allows those of the other cores.
fn first(addresses: &[IpAddr], settings: &Settings) -> io::Result<Vec<Socket>> {
    let mut tries = if settings.port == 0 { PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        match first_once(addresses, settings) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries > 0 => {}
            result => return result,
        }
    }
}

fn first_once(addresses: &[IpAddr], settings: &Settings) -> io::Result<Vec<Socket>> {
    let mut listeners: Vec<Socket> = Vec::new();
    let mut port = settings.port;
    let optional = settings.host.eq_ignore_ascii_case("localhost");
    for &address in addresses {
        match first_at(SocketAddr::new(address, port)) {
            Ok(listener) => {
                port = address_of(&listener)?.port();
                listeners.push(listener);
            }
            Err(error) if optional && address.is_ipv6() && lacks_ipv6(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(listeners)
}

/// Returns the first listener of an address. With `SO_REUSEPORT` from the start, a second mocker on
/// the same port would share it and split the traffic. Without it the kernel lets one socket
/// listen, even of two that were bound at the same time; it is set afterwards, and only then may
/// other sockets of this user join.
fn first_at(address: SocketAddr) -> io::Result<Socket> {
    let socket = listening(address, false)?;
    socket.set_reuse_port(true)?;
    Ok(socket)
}

fn lacks_ipv6(error: &io::Error) -> bool {
    // Linux has no ErrorKind for EAFNOSUPPORT.
    const EAFNOSUPPORT: i32 = 97;
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(EAFNOSUPPORT)
}

fn listening(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM.nonblocking(),
        Some(Protocol::TCP),
    )?;
    // Connections of an earlier run in TIME_WAIT must not block the port.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    if let SocketAddr::V6(v6) = address {
        // `::` means both families; ::1 beside 127.0.0.1 means one.
        socket.set_only_v6(!v6.ip().is_unspecified())?;
    }
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

fn to_mio(socket: Socket) -> mio::net::TcpListener {
    mio::net::TcpListener::from_std(socket.into())
}

fn address_of(socket: &Socket) -> io::Result<SocketAddr> {
    let address = socket.local_addr()?.as_socket();
    Ok(address.expect("only internet addresses are bound"))
}

fn failure(settings: &Settings, error: &io::Error) -> StartError {
    let Settings { host, port, .. } = settings;
    StartError::Machine(match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "-port: port {port} on {host} is in use; choose another (-port 0 takes a free one), or \
             stop the program that has it (find it with: ss -ltnp 'sport = :{port}')"
        ),
        io::ErrorKind::AddrNotAvailable => {
            format!("-host: {host} is not an address of this machine")
        }
        io::ErrorKind::PermissionDenied => {
            format!("-port: this user may not listen on port {port}; choose one above 1023")
        }
        _ => format!("-host, -port: can't listen on {host} port {port}: {error}"),
    })
}
