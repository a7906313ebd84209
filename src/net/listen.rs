//! From a host and a port to listening sockets, one for each core and address. Knows no threads.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::{Trouble, holder};
use crate::settings::Settings;

/// How many connections may wait to be accepted, at each listener. Asynchronous clients open a
/// thousand at once; the kernel cuts this to its own limit (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;

/// How often a free port is tried that must be free in both families.
const PORT_TRIES: usize = 16;

/// The listening sockets of every core, and where they listen.
#[derive(Debug)]
pub struct Listening {
    /// The sockets of each core, one an address.
    pub cores: Vec<Vec<mio::net::TcpListener>>,
    /// The port; the same for every address.
    pub port: u16,
}

/// Listens on every address of the host with as many sockets as there are cores.
pub fn listen(settings: &Settings, cores: usize) -> Result<Listening, Trouble> {
    let addresses = resolve(&settings.host)?;
    let failed = |error: io::Error| failure(settings, &error);
    let first = first(&addresses, settings).map_err(failed)?;
    let port = port_of(&first[0]).map_err(failed)?;
    let mut listeners = Vec::new();
    for _ in 1..cores {
        let sockets = first.iter().map(|first| another(first).map(to_mio));
        listeners.push(sockets.collect::<io::Result<_>>().map_err(failed)?);
    }
    listeners.push(first.into_iter().map(to_mio).collect());
    Ok(Listening {
        cores: listeners,
        port,
    })
}

/// `localhost` is a constant: in an empty image there is nothing that could resolve it. Node's
/// clients try ::1 first, so it is listened on too. There is at least one address.
pub fn resolve(host: &str) -> Result<Vec<IpAddr>, Trouble> {
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
    let found = (host, 0).to_socket_addrs().map_err(|error| {
        Trouble::CannotRun(format!(
            "-host: {host:?} does not resolve to an address: {error}"
        ))
    })?;
    let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    addresses.sort();
    addresses.dedup();
    match addresses.is_empty() {
        true => Err(Trouble::CannotRun(format!(
            "-host: {host:?} has no address"
        ))),
        false => Ok(addresses),
    }
}

/// The first listener of each address. It takes the address for this process alone, and then lets
/// the other cores' in.
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
                port = port_of(&listener)?;
                listeners.push(listener);
            }
            Err(error) if optional && address.is_ipv6() && lacks_ipv6(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(listeners)
}

/// With `SO_REUSEPORT` from the start a second mocker on the same port would share it and split the
/// traffic. Without it the kernel lets one socket listen, also of two that were bound at the same
/// time; it is set when that is decided, and others of this user may join only then.
fn first_at(address: SocketAddr) -> io::Result<Socket> {
    let socket = bound(address, false)?;
    socket.listen(BACKLOG)?;
    socket.set_reuse_port(true)?;
    Ok(socket)
}

/// One more listener where `first` listens.
fn another(first: &Socket) -> io::Result<Socket> {
    let socket = bound(address_of(first)?, true)?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

fn lacks_ipv6(error: &io::Error) -> bool {
    // Linux has no ErrorKind for EAFNOSUPPORT.
    const EAFNOSUPPORT: i32 = 97;
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(EAFNOSUPPORT)
}

fn bound(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM.nonblocking(),
        Some(Protocol::TCP),
    )?;
    // Connections of an earlier run in TIME_WAIT must not keep the port.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    if let SocketAddr::V6(v6) = address {
        // `::` means both families; ::1 beside 127.0.0.1 means one.
        socket.set_only_v6(!v6.ip().is_unspecified())?;
    }
    socket.bind(&SockAddr::from(address))?;
    Ok(socket)
}

fn to_mio(socket: Socket) -> mio::net::TcpListener {
    mio::net::TcpListener::from_std(socket.into())
}

fn address_of(socket: &Socket) -> io::Result<SocketAddr> {
    let address = socket.local_addr()?.as_socket();
    Ok(address.expect("only internet addresses are bound"))
}

fn port_of(socket: &Socket) -> io::Result<u16> {
    Ok(address_of(socket)?.port())
}

fn failure(settings: &Settings, error: &io::Error) -> Trouble {
    let Settings { host, port, .. } = settings;
    Trouble::CannotRun(match error.kind() {
        io::ErrorKind::AddrInUse => {
            let by = match holder::holders(*port) {
                none if none.is_empty() => "another program".into(),
                found => found,
            };
            format!(
                "-port: port {port} on {host} is in use by {by}; stop that, or choose another \
                 (-port 0 takes a free one)"
            )
        }
        io::ErrorKind::AddrNotAvailable => {
            format!("-host: {host} is not an address of this machine")
        }
        io::ErrorKind::PermissionDenied => {
            format!("-port: this user may not listen on port {port}; choose one above 1023")
        }
        _ => format!("-host, -port: can't listen on {host} port {port}: {error}"),
    })
}
