//! The library's public interface: [`Server::start`] puts a server together from its parts, and a
//! [`Handle`] stands for it while it runs.

#![expect(
    clippy::disallowed_methods,
    reason = "reads the clocks that all cores count from"
)]

use std::hash::{BuildHasher, RandomState};
use std::time::{Instant, SystemTime};
use std::{fmt, net::SocketAddr, sync::Arc, thread::JoinHandle};

use crate::api::text::Words;
use crate::conn::core::Core;
use crate::exchange;
use crate::net::sampler::{Console, Sampler};
use crate::net::shutdown::{self, Shutdown};
use crate::net::threads::{self, ServeError, Threads};
use crate::net::{StartError, cpus, limit, listen, sleep::Time};
use crate::scenario::Scenario;
use crate::settings::{ContentMode, Pin, Settings};
use crate::watch::{Watch, rawlog::RawLog, report::Report};

/// A server that responds like the API of OpenAI.
///
/// ```
/// use std::time::Duration;
///
/// let mut options = mocker::ServerOptions::default();
/// options.settings.latency = Duration::from_millis(20);
/// let server = mocker::Server::start(options)?;
/// println!("{}/v1/chat/completions", server.base_url());
/// let report = server.shutdown()?;
/// println!("{}", report.table);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Server;

/// The settings of a server, and what it may do to the process around it: by default, nothing.
///
/// The default is one thread, not pinned to a CPU, on a free port of 127.0.0.1.
#[non_exhaustive]
pub struct ServerOptions {
    /// The settings, as the flags of the program set them.
    pub settings: Settings,
    /// The zero of the server's clock, by which the rate limit begins and the uptime counts.
    pub epoch: Instant,
    /// Raises the process's limit of descriptors, which bounds the number of connections.
    pub raise_limits: bool,
    /// Ends the server on SIGINT, SIGTERM and SIGHUP, and the process on a second such signal. The
    /// signals stay caught until the process exits.
    pub handle_signals: bool,
    /// The output on standard error while the server runs.
    pub console: Console,
}

impl Default for ServerOptions {
    fn default() -> ServerOptions {
        ServerOptions {
            settings: Settings {
                host: "127.0.0.1".into(),
                port: 0,
                threads: Some(1),
                pin: Pin::Off,
                ..Settings::default()
            },
            epoch: Instant::now(),
            raise_limits: false,
            handle_signals: false,
            console: Console::Silent,
        }
    }
}

impl Server {
    /// Starts a server. Every core of it accepts connections when this returns.
    pub fn start(options: ServerOptions) -> Result<Handle, StartError> {
        let settings = &options.settings;
        let words = Words::new(settings).map_err(|error| match &settings.content {
            // `{:?}` keeps a path with control characters on one line.
            ContentMode::File(path) => {
                StartError::Usage(format!("-content: can't read {path:?}: {error}"))
            }
            _ => unreachable!("the other contents are not read"),
        })?;
        let cpus = cpus::plan(settings)?;
        if options.raise_limits {
            limit::raise();
        }
        let most = limit::most_connections(settings, cpus.len())?;
        let listening = listen::listen(settings, cpus.len())?;
        if options.raise_limits {
            limit::grow_table(&listening.cores[0][0]);
        }
        // Before anything is served: a client that got a response may count on an orderly end.
        let signals = options
            .handle_signals
            .then(shutdown::catch_signals)
            .transpose()?;
        let log = settings.log_raw.then(RawLog::start).transpose();
        let (log, log_writer) = log
            .map_err(StartError::machine("-log-raw: can't start the log"))?
            .unzip();
        let time = Time::since(options.epoch);
        let started = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let watch = exchange::watch(cpus.len(), started.as_secs() as i64);
        let core = {
            let (watch, scenario) = (watch.clone(), Scenario::first(settings));
            let held = Arc::default();
            let seed = match settings.seed {
                // Of the system's randomness: fastrand would seed itself by the clock since the
                // machine's boot, and replicas whose seeds are near each other would produce the
                // same ids.
                0 => RandomState::new().hash_one(()),
                seed => seed,
            };
            move |core: usize| {
                let (scenario, words) = (scenario.clone(), words.clone());
                let mut core = Core::new(scenario, words, seed, core as u16, &watch);
                core.log = log.clone();
                core.held = Arc::clone(&held);
                core
            }
        };
        let threads = Threads::start(settings, &cpus, listening.cores, most, time, core)?;
        let ids = threads.ids.clone();
        let mut handle = Handle {
            address: listening.address,
            base_url: base_url(&settings.host, listening.address.port()),
            cpus,
            watch,
            time,
            shutdown: threads.shutdown.clone(),
            threads: Some(threads),
            sampler: None,
            log_writer,
        };
        // From here on, dropping the handle ends what was started.
        if let Some(signals) = signals {
            shutdown::handle_signals(signals, handle.shutdown.clone())?;
        }
        let (watch, shutdown) = (handle.watch.clone(), handle.shutdown.clone());
        let sampler = Sampler::start(settings, options.console, watch, time, ids, shutdown)?;
        handle.sampler = Some(sampler);
        Ok(handle)
    }
}

/// A running server. Dropping it ends the server like [`Handle::shutdown`].
pub struct Handle {
    address: SocketAddr,
    base_url: String,
    cpus: Vec<Option<usize>>,
    watch: Arc<Watch>,
    time: Time,
    shutdown: Arc<Shutdown>,
    /// None once their end was waited for.
    threads: Option<Threads>,
    sampler: Option<Sampler>,
    log_writer: Option<JoinHandle<()>>,
}

impl Handle {
    /// Returns the address that the server listens on; the first, if the host has several.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Returns the start of the server's URLs, such as `http://127.0.0.1:8000`, with the host as
    /// the settings name it.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns the CPU that each serving thread is pinned to; None where the kernel may choose.
    pub fn cpus(&self) -> &[Option<usize>] {
        &self.cpus
    }

    /// Returns the counters and the verdict so far: the JSON text that `/stats` responds with.
    pub fn stats(&self) -> String {
        let mut text = Vec::new();
        let totals = self.watch.totals();
        self.watch.write_stats(&totals, self.time.now(), &mut text);
        String::from_utf8(text).expect("JSON is UTF-8")
    }

    /// Ends the server and returns its report. Responses in flight get five seconds. Fails if a
    /// thread of the server panicked.
    pub fn shutdown(self) -> Result<Report, ServeError> {
        self.shutdown.begin();
        self.wait()
    }

    /// Waits until the server ends, by a signal or by `exit_after` of the settings, and returns its
    /// report. Fails if a thread of the server panicked, which ends it too.
    pub fn wait(mut self) -> Result<Report, ServeError> {
        self.finish()?;
        Ok(Report::new(&self.watch))
    }

    fn finish(&mut self) -> Result<(), ServeError> {
        let Some(threads) = self.threads.take() else {
            return Ok(());
        };
        threads.wait();
        // The kernel's accounts of the cores' threads are read before they go.
        let sampled = self.sampler.take().map_or(Ok(()), Sampler::end);
        let served = threads.join();
        let logged = self.log_writer.take().map_or(Ok(()), threads::join);
        served.and(sampled).and(logged)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shutdown.begin();
        // Nobody is there to be told of a panic, which has printed its message.
        let _ = self.finish();
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({})", self.base_url)
    }
}

/// Returns the start of URLs; the colons of an IPv6 address need brackets.
fn base_url(host: &str, port: u16) -> String {
    match host.contains(':') && !host.starts_with('[') {
        true => format!("http://[{host}]:{port}"),
        false => format!("http://{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;
    use crate::net::Command;

    #[test]
    fn a_panic_in_a_core_ends_the_server_with_an_error() {
        for core in 0..2 {
            let mut options = ServerOptions::default();
            options.settings.threads = Some(2);
            let server = Server::start(options).unwrap();
            let mut client = TcpStream::connect(server.addr()).unwrap();
            client
                .write_all(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
                .unwrap();
            assert!(client.read(&mut [0; 1024]).unwrap() > 0);
            server.shutdown.send(core, Command::Panic);
            // The other core is idle, and ends too.
            let error = server.wait().unwrap_err();
            assert_eq!(error.thread, format!("core-{core}"));
            assert_eq!(error.message, "told to");
            assert!(matches!(client.read(&mut [0; 1024]), Ok(0) | Err(_)));
        }
    }
}
