//! Helpers of the socket tests: running the program, and a client that is simple enough to be
//! trusted. Every wait in here is bounded.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{fs, thread};

use mocker::internals::settings::SETTINGS;
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::Value;

pub use crate::dialog::client::HEALTH;

/// The timeout of every wait. It is far longer than necessary, since these tests are not about
/// speed and the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The interval for polling a condition.
const GLANCE: Duration = Duration::from_millis(5);

/// Returns a command that starts the program, without any setting from the environment of the
/// tests.
pub fn mocker(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mocker"));
    for setting in SETTINGS {
        command.env_remove(setting.variable());
    }
    command.args(args);
    command
}

/// Polls until `done` returns true, for at most [`PATIENCE`].
pub fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < PATIENCE, "timed out waiting for {what}");
        thread::sleep(GLANCE);
    }
}

/// Raises this process's limit of open files as far as possible, since the tests open thousands of
/// sockets in one process. Returns the limit, or `None` if there is none.
pub fn raise_descriptors() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("a process may raise its soft limit");
    getrlimit(Resource::Nofile).current
}

/// Returns the number of sockets that a test may open: `wanted`, or a quarter of the limit of the
/// process, since the other tests run in the same one.
pub fn affordable(wanted: usize) -> usize {
    raise_descriptors().map_or(wanted, |most| wanted.min(most as usize / 4))
}

/// A process that does not outlive its test.
pub struct Process(pub Child);

/// The exit status and the output of a process.
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Process {
    /// Starts a command, whose output is captured unless the command redirects it.
    pub fn start(command: &mut Command) -> Process {
        Process(command.spawn().expect("the program starts"))
    }

    /// Waits until it has exited.
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

    /// Sends the signal called `name`.
    pub fn signal(&self, name: &str) {
        // std has no function for this, but `kill` is built into the shell.
        let kill = format!("kill -{name} {}", self.0.id());
        let status = Command::new("sh").args(["-c", &kill]).status();
        assert!(status.expect("there is a shell").success(), "{kill}");
    }

    /// Returns a size from its status in KiB, such as `VmRSS` (resident) or `VmHWM` (peak
    /// resident).
    pub fn memory(&self, name: &str) -> u64 {
        let path = format!("/proc/{}/status", self.0.id());
        let status = fs::read_to_string(path).expect("it runs");
        let mut rows = status.lines().filter_map(|line| line.split_once(':'));
        let (_, size) = rows.find(|(known, _)| *known == name).expect("it says so");
        let kib = size.trim().strip_suffix(" kB").expect("it is in KiB");
        kib.parse().expect("it is a number")
    }

    /// Returns its number of open file descriptors.
    pub fn descriptors(&self) -> usize {
        let path = format!("/proc/{}/fd", self.0.id());
        fs::read_dir(path).expect("it runs").count()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if the process has already exited.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a command that exits on its own, and waits until it has.
pub fn run(command: &mut Command) -> Ended {
    Process::start(command.stdout(Stdio::piped()).stderr(Stdio::piped())).ended()
}

/// A server that is ready.
pub struct Server {
    pub process: Process,
    /// The startup message, with its newline.
    pub line: String,
    pub port: u16,
}

impl Server {
    /// Starts a server on a free port, with `-quiet`.
    pub fn start(args: &[&str]) -> Server {
        Server::spawn(mocker(&["-port", "0", "-quiet"]).args(args))
    }

    /// Starts a server with a command that includes the port. Its standard error is captured.
    pub fn spawn(command: &mut Command) -> Server {
        Server::ready(Server::process(command))
            .unwrap_or_else(|ended| panic!("{}: {}", ended.status, ended.stderr))
    }

    /// Starts a server that may fail to start; see [`Server::ready`].
    pub fn process(command: &mut Command) -> Process {
        Process::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// Waits until the process is ready or has exited.
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

    /// Opens a connection to it.
    pub fn connect(&self) -> Client {
        Client::to((Ipv4Addr::LOCALHOST, self.port).into())
    }

    /// Asserts that it still responds on a new connection.
    pub fn assert_serves(&self) {
        assert_eq!(self.connect().ask(HEALTH).status(), 200);
    }
}

/// Returns a request with a body. `fields` are complete lines.
pub fn post(path: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: mocker\r\n{fields}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// Returns a chat request. The response has the same model, which identifies the request.
pub fn chat(model: &str) -> String {
    let body = format!(r#"{{"model":"{model}","messages":[]}}"#);
    post("/v1/chat/completions", "", &body)
}

/// Returns a request for `inputs` vectors. With 4096 numbers, each takes 45 KB, so a few hundred
/// exceed the kernel's socket buffers.
pub fn embeddings(fields: &str, inputs: usize, dimensions: usize) -> String {
    let inputs = vec![r#""x""#; inputs].join(",");
    let body = format!(r#"{{"dimensions":{dimensions},"input":[{inputs}]}}"#);
    post("/v1/embeddings", fields, &body)
}

/// A connection of a blocking client, which reads exactly the length that the head announces.
pub struct Client(BufReader<TcpStream>);

/// A response.
pub struct Answer {
    /// The status line and the fields.
    pub head: String,
    pub body: Vec<u8>,
}

impl Client {
    /// Opens a connection.
    pub fn to(address: SocketAddr) -> Client {
        let stream = TcpStream::connect_timeout(&address, PATIENCE);
        Client::over(stream.unwrap_or_else(|error| panic!("{address}: {error}")))
    }

    /// Creates a client for an open connection.
    pub fn over(stream: TcpStream) -> Client {
        stream.set_nodelay(true).expect("it is open");
        stream.set_read_timeout(Some(PATIENCE)).expect("it is open");
        stream
            .set_write_timeout(Some(PATIENCE))
            .expect("it is open");
        Client(BufReader::new(stream))
    }

    /// Returns the socket.
    pub fn stream(&self) -> &TcpStream {
        self.0.get_ref()
    }

    /// Sends in one write.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream().write_all(bytes.as_ref()).expect("it is read");
    }

    /// Closes the sending side.
    pub fn finish(&mut self) {
        self.stream().shutdown(Shutdown::Write).expect("it is open");
    }

    /// Resets the connection, as after a crash.
    pub fn reset(self) {
        let socket = socket2::SockRef::from(self.stream());
        socket
            .set_linger(Some(Duration::ZERO))
            .expect("it is a socket");
    }

    /// Receives a head up to its empty line, without the body.
    pub fn head(&mut self) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let len = self.0.read_line(&mut head).expect("a head arrives");
            assert!(len > 0, "the connection ended after {head:?}");
        }
        let body = Vec::new();
        Answer { head, body }
    }

    /// Receives the body that a head announces.
    pub fn body(&mut self, mut answer: Answer) -> Answer {
        answer.body = vec![0; answer.length()];
        self.0
            .read_exact(&mut answer.body)
            .expect("the whole of it arrives");
        answer
    }

    /// Receives one response.
    pub fn answer(&mut self) -> Answer {
        let head = self.head();
        self.body(head)
    }

    /// Sends one request and receives its response.
    pub fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request);
        self.answer()
    }

    /// Receives the bytes that are available; none at the end.
    pub fn some(&mut self, space: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(space) {
                // For example, because the tests were paused.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Receives until the connection ends. Returns the number of bytes, or the error.
    pub fn rest(&mut self) -> io::Result<usize> {
        Ok(io::copy(&mut self.0, &mut io::sink())? as usize)
    }

    /// Asserts that the server has closed the connection cleanly: no more bytes, and no reset.
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

    /// Returns the value of the field called `name`, which is in lower case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            (known.to_ascii_lowercase() == name).then(|| value.trim())
        })
    }

    /// Returns the announced length of the body.
    pub fn length(&self) -> usize {
        let length = self.field("content-length").expect("it says its length");
        length.parse().expect("it is a number")
    }

    /// Returns the body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("it is UTF-8")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    /// Asserts that this is the complete response to `chat(model)`.
    pub fn assert_chat(&self, model: &str) {
        assert_eq!(self.status(), 200, "{}", self.text());
        assert_eq!(self.json()["model"], model);
    }
}

/// A file that is removed after its test.
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
        // This fails only if the file was never written.
        let _ = fs::remove_file(&self.0);
    }
}
