//! The started program, and a client simple enough to be trusted: what the socket tests share.
//! Every wait in here is bounded.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{fs, thread};

use mocker::settings::SETTINGS;
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::Value;

pub use crate::dialog::client::HEALTH;

/// How long anything may take before a test gives up. Far more than it takes, since nothing here
/// is about speed and the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait between two looks at something that changes by itself.
const GLANCE: Duration = Duration::from_millis(5);

/// A command that starts the program, untouched by what the variables around the tests set.
pub fn mocker(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mocker"));
    for setting in SETTINGS {
        command.env_remove(setting.variable());
    }
    command.args(args);
    command
}

/// Looks until `done`, for [`PATIENCE`].
pub fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(GLANCE);
    }
}

/// Lets this process open as many files as it may, since the tests open thousands of sockets and
/// most of them run in one process. Gives how many that is; None where there is no limit.
pub fn raise_descriptors() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("a process may have what it may have");
    getrlimit(Resource::Nofile).current
}

/// How many sockets a test may open: as many as it wants, or its share of what the machine allows
/// a process, since the other tests run in the same one.
pub fn affordable(wanted: usize) -> usize {
    raise_descriptors().map_or(wanted, |most| wanted.min(most as usize / 4))
}

/// A process that does not outlive its test.
pub struct Process(pub Child);

/// How a process ended, and what it said.
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Process {
    /// Starts a command. What it writes is kept, unless the command says where it goes.
    pub fn start(command: &mut Command) -> Process {
        Process(command.spawn().expect("the program starts"))
    }

    /// Waits until it has ended.
    pub fn ended(mut self) -> Ended {
        let mut status = None;
        wait_for("the program's end", || {
            status = self.0.try_wait().expect("the child is ours");
            status.is_some()
        });
        let (mut stdout, mut stderr) = (String::new(), String::new());
        if let Some(mut pipe) = self.0.stdout.take() {
            pipe.read_to_string(&mut stdout).expect("it says UTF-8");
        }
        if let Some(mut pipe) = self.0.stderr.take() {
            pipe.read_to_string(&mut stderr).expect("it says UTF-8");
        }
        Ended {
            status: status.expect("the wait was for this"),
            stdout,
            stderr,
        }
    }

    /// Sends a signal, by its name.
    pub fn signal(&self, name: &str) {
        // std has no call for it; the shell has `kill` built in.
        let kill = format!("kill -{name} {}", self.0.id());
        let status = Command::new("sh").args(["-c", &kill]).status();
        assert!(status.expect("there is a shell").success(), "{kill}");
    }

    /// A size in its status, in KiB: `VmRSS`, what is resident, or `VmHWM`, the most that was.
    pub fn memory(&self, name: &str) -> u64 {
        let path = format!("/proc/{}/status", self.0.id());
        let status = fs::read_to_string(path).expect("it runs");
        let mut rows = status.lines().filter_map(|line| line.split_once(':'));
        let (_, size) = rows.find(|(known, _)| *known == name).expect("it says so");
        let kib = size.trim().strip_suffix(" kB").expect("it is in KiB");
        kib.parse().expect("it is a number")
    }

    /// How many descriptors it has open.
    pub fn descriptors(&self) -> usize {
        let path = format!("/proc/{}/fd", self.0.id());
        fs::read_dir(path).expect("it runs").count()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a command that is to end by itself, and waits until it has.
pub fn run(command: &mut Command) -> Ended {
    Process::start(command.stdout(Stdio::piped()).stderr(Stdio::piped())).ended()
}

/// A server that is ready.
pub struct Server {
    pub process: Process,
    /// The line that said so, with its newline.
    pub line: String,
    pub port: u16,
}

impl Server {
    /// Starts one on a free port that reports nothing at its end, unless it is told to.
    pub fn start(args: &[&str]) -> Server {
        Server::spawn(mocker(&["-port", "0", "-quiet"]).args(args))
    }

    /// Starts one by a command that says the port. Its standard error is kept.
    pub fn spawn(command: &mut Command) -> Server {
        Server::ready(Server::process(command))
            .unwrap_or_else(|ended| panic!("{}: {}", ended.status, ended.stderr))
    }

    /// Starts one that may as well fail; `ready` tells.
    pub fn process(command: &mut Command) -> Process {
        Process::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// Waits until the process says that it is ready, or ends.
    pub fn ready(mut process: Process) -> Result<Server, Ended> {
        let stdout = process.0.stdout.take().expect("it is a pipe");
        let (said, line) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            let _ = BufReader::new(stdout).read_line(&mut line);
            let _ = said.send(line);
        });
        let line = line.recv_timeout(PATIENCE).expect("it says that it serves");
        let port = line
            .rsplit_once(':')
            .and_then(|(_, rest)| rest.split_once(' '))
            .and_then(|(port, _)| port.parse().ok());
        match port {
            Some(port) => Ok(Server {
                process,
                line,
                port,
            }),
            None => Err(process.ended()),
        }
    }

    /// A new connection to it.
    pub fn connect(&self) -> Client {
        Client::to((Ipv4Addr::LOCALHOST, self.port).into())
    }

    /// Whether it still answers, on a new connection.
    pub fn assert_serves(&self) {
        assert_eq!(self.connect().ask(HEALTH).status(), 200);
    }
}

/// A request with a body. `fields` are whole lines.
pub fn post(path: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: mocker\r\n{fields}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// A chat request. Its model comes back, so that each answer tells which request it is for.
pub fn chat(model: &str) -> String {
    let body = format!(r#"{{"model":"{model}","messages":[]}}"#);
    post("/v1/chat/completions", "", &body)
}

/// A request for so many vectors: 45 KB each where they have 4096 numbers, and so more than the
/// kernel takes at once when they are hundreds.
pub fn embeddings(fields: &str, inputs: usize, dimensions: usize) -> String {
    let inputs = vec![r#""x""#; inputs].join(",");
    let body = format!(r#"{{"dimensions":{dimensions},"input":[{inputs}]}}"#);
    post("/v1/embeddings", fields, &body)
}

/// One connection of a client that waits, reads what the head says and nothing more.
pub struct Client(BufReader<TcpStream>);

/// One answer.
pub struct Answer {
    /// The status line and the fields.
    pub head: String,
    pub body: Vec<u8>,
}

impl Client {
    /// Connects.
    pub fn to(address: SocketAddr) -> Client {
        let stream = TcpStream::connect_timeout(&address, PATIENCE);
        Client::over(stream.unwrap_or_else(|error| panic!("{address}: {error}")))
    }

    /// Speaks over a connection.
    pub fn over(stream: TcpStream) -> Client {
        stream.set_nodelay(true).expect("it is open");
        stream.set_read_timeout(Some(PATIENCE)).expect("it is open");
        stream
            .set_write_timeout(Some(PATIENCE))
            .expect("it is open");
        Client(BufReader::new(stream))
    }

    /// The socket itself.
    pub fn stream(&self) -> &TcpStream {
        self.0.get_ref()
    }

    /// Sends in one write.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream().write_all(bytes.as_ref()).expect("it is read");
    }

    /// Says that nothing more will be sent.
    pub fn finish(&mut self) {
        self.stream().shutdown(Shutdown::Write).expect("it is open");
    }

    /// Ends the connection as a crash does: the server sees a reset.
    pub fn reset(self) {
        let socket = socket2::SockRef::from(self.stream());
        socket
            .set_linger(Some(Duration::ZERO))
            .expect("it is a socket");
    }

    /// Receives a head, with its empty line, and no body.
    pub fn head(&mut self) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let len = self.0.read_line(&mut head).expect("a head arrives");
            assert!(len > 0, "the connection ended after {head:?}");
        }
        let body = Vec::new();
        Answer { head, body }
    }

    /// Receives the body of a head, exactly as much as it says.
    pub fn body(&mut self, mut answer: Answer) -> Answer {
        answer.body = vec![0; answer.length()];
        self.0
            .read_exact(&mut answer.body)
            .expect("the whole of it arrives");
        answer
    }

    /// Receives one answer.
    pub fn answer(&mut self) -> Answer {
        let head = self.head();
        self.body(head)
    }

    /// Sends one request and receives its answer.
    pub fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request);
        self.answer()
    }

    /// Receives some bytes, as few as there are; none at the end.
    pub fn some(&mut self, space: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(space) {
                // As when the tests were stopped for a moment.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Receives until the connection ends; how it ended, or how many bytes came before.
    pub fn rest(&mut self) -> io::Result<usize> {
        Ok(io::copy(&mut self.0, &mut io::sink())? as usize)
    }

    /// The server has closed in order: there is nothing more, and no reset.
    pub fn assert_ends(&mut self) {
        let end = self.some(&mut [0]);
        assert!(matches!(end, Ok(0)), "{end:?} is not the end");
    }
}

impl Answer {
    pub fn status(&self) -> u16 {
        let code = self.head.get(9..12).and_then(|code| code.parse().ok());
        code.unwrap_or_else(|| panic!("no status in {:?}", self.head))
    }

    /// The value of a field, by its name in small letters.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            (known.to_ascii_lowercase() == name).then(|| value.trim())
        })
    }

    /// How long it says that its body is.
    pub fn length(&self) -> usize {
        let length = self.field("content-length").expect("it says its length");
        length.parse().expect("it is a number")
    }

    /// The body, for looking into it.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("it is UTF-8")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    /// It is the whole answer to `chat(model)`.
    pub fn assert_chat(&self, model: &str) {
        assert_eq!(self.status(), 200, "{}", self.text());
        assert_eq!(self.json()["model"], model);
    }
}

/// A file that is gone after its test.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Scratch {
        let name = format!("mocker-{}-{name}", std::process::id());
        Scratch(std::env::temp_dir().join(name))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn read(&self) -> Vec<u8> {
        fs::read(&self.0).expect("it was written")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.read()).expect("it is JSON")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It fails only where nothing was written.
        let _ = fs::remove_file(&self.0);
    }
}
