//! Real Redis and Valkey servers, started by the tests themselves.
//!
//! Each [`Server`] listens on a loopback port of its own and keeps its files in a temporary folder. It
//! is gone when the value is dropped or when the test process dies, however it dies. A server that is
//! not installed is an error that says how to install it: a test never skips.

mod error;
mod kind;
mod process;
mod query;

use core::fmt;
use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tempfile::TempDir;

pub use error::ServerError;
pub use kind::Kind;
pub use query::{Inspector, Value};
pub use redlatch_model::Data;

use crate::pause::breathe;
use crate::port::Port;
use process::Process;

/// A server that is not ready by then has failed.
const START_DEADLINE: Duration = Duration::from_secs(20);
/// A server that has not followed SIGTERM by then gets SIGKILL.
const STOP_DEADLINE: Duration = Duration::from_secs(10);
/// One look whether a server is ready. Whoever took its port may accept and stay silent.
const PROBE_DEADLINE: Duration = Duration::from_secs(1);
/// A server that does not answer a test by then has failed it. Longer than any pause that a test makes.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);
/// Another process may take the free port that was found, so a few are tried.
const PORT_ATTEMPTS: usize = 10;

/// How a server is started. Made by [`Server::builder`].
#[derive(Clone)]
pub struct Builder {
    kind: Kind,
    password: Option<String>,
    unix_socket: bool,
    persistent: bool,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Builder {
    /// Sets the password of the default user (`requirepass`).
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Listens on a unix socket as well: see [`Server::unix_path`].
    #[must_use]
    pub fn unix_socket(mut self) -> Self {
        self.unix_socket = true;
        self
    }

    /// Writes every change to an append-only file before it is answered, so that data survives a stop and even a kill.
    #[must_use]
    pub fn persistent(mut self) -> Self {
        self.persistent = true;
        self
    }

    /// Adds arguments to the end of the command line, for example `["--maxmemory", "2mb"]`.
    #[must_use]
    pub fn arguments<I: IntoIterator<Item = S>, S: Into<String>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of its environment, for example `LD_PRELOAD`.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Errors
    /// [`ServerError::Missing`] where the server is not installed, [`ServerError::Start`] with the server's
    /// own log where it did not come up.
    pub fn start(self) -> Result<Server, ServerError> {
        let binary = self.kind.find()?;
        let folder = tempfile::Builder::new().prefix("redlatch-").tempdir()?;
        let mut last = None;
        for _ in 0..PORT_ATTEMPTS {
            let port = Port::claim()?;
            match launch(&self, &binary, folder.path(), port.number()) {
                Ok(process) => {
                    return Ok(Server {
                        options: self,
                        binary,
                        port,
                        process: Some(process),
                        folder,
                    });
                }
                Err(error) if error.is_port_taken() => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.expect("PORT_ATTEMPTS is not zero"))
    }
}

/// A running server. Dropping it kills it and removes its files.
pub struct Server {
    options: Builder,
    binary: PathBuf,
    port: Port,
    process: Option<Process>,
    folder: TempDir,
}

impl Server {
    /// Starts a server with no password, no persistence and `DEBUG` commands enabled.
    ///
    /// # Errors
    /// As [`Builder::start`].
    pub fn start(kind: Kind) -> Result<Self, ServerError> {
        Self::builder(kind).start()
    }

    /// Starts to describe a server.
    #[must_use]
    pub fn builder(kind: Kind) -> Builder {
        Builder {
            kind,
            password: None,
            unix_socket: false,
            persistent: false,
            arguments: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// Which server it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.options.kind
    }

    /// The loopback address it listens on. It stays the same over restarts.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port.number()))
    }

    /// `redis://[:password@]127.0.0.1:port`. The password is taken as it is, so it must not need escaping.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.options.password {
            Some(password) => format!("redis://:{password}@{}", self.address()),
            None => format!("redis://{}", self.address()),
        }
    }

    /// The path of its unix socket, where one was [asked for](Builder::unix_socket).
    #[must_use]
    pub fn unix_path(&self) -> Option<PathBuf> {
        self.options.unix_socket.then(|| socket_path(self.folder.path()))
    }

    /// The process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Stops it in order: SIGTERM, and SIGKILL where that is not followed in time. Does nothing when it does not run.
    ///
    /// # Errors
    /// The operating system refuses a signal or to wait.
    pub fn stop(&mut self) -> Result<(), ServerError> {
        if let Some(mut process) = self.process.take() {
            process.resume()?;
            process.terminate(STOP_DEADLINE)?;
        }
        Ok(())
    }

    /// Kills it with SIGKILL, as a crash or the out-of-memory killer would, and waits until it is gone.
    ///
    /// # Errors
    /// The operating system refuses the signal or to wait.
    pub fn kill9(&mut self) -> Result<(), ServerError> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
        }
        Ok(())
    }

    /// Starts it again on the same port after [`stop`](Self::stop) or [`kill9`](Self::kill9). Stops it
    /// first when it runs.
    ///
    /// # Errors
    /// As [`Builder::start`], and when another process has taken the port meanwhile.
    pub fn restart(&mut self, data: Data) -> Result<(), ServerError> {
        self.stop()?;
        if data == Data::Lose {
            self.folder = tempfile::Builder::new().prefix("redlatch-").tempdir()?;
        }
        self.process =
            Some(launch(&self.options, &self.binary, self.folder.path(), self.port.number())?);
        Ok(())
    }

    /// Freezes it with SIGSTOP: it keeps its connections and answers nothing.
    ///
    /// # Errors
    /// It does not run.
    pub fn pause(&self) -> Result<(), ServerError> {
        Ok(self.running()?.pause()?)
    }

    /// Thaws it with SIGCONT.
    ///
    /// # Errors
    /// It does not run.
    pub fn resume(&self) -> Result<(), ServerError> {
        Ok(self.running()?.resume()?)
    }

    /// A connection of its own to look into the server, logged in. It shares no code with the crates under test.
    ///
    /// # Errors
    /// The server does not accept or refuses the password.
    pub fn inspect(&self) -> Result<Inspector, ServerError> {
        let password = self.options.password.as_deref();
        Ok(Inspector::connect(self.address(), password, ANSWER_DEADLINE)?)
    }

    /// Asks one question over a fresh connection, for example `server.command(&["GET", "key"])`.
    ///
    /// # Errors
    /// The connection fails. An error reply is a [`Value::Error`], not an `Err`.
    pub fn command<A: AsRef<[u8]>>(&self, arguments: &[A]) -> Result<Value, ServerError> {
        Ok(self.inspect()?.command(arguments)?)
    }

    /// What the server has logged since its files were made.
    #[must_use]
    pub fn log(&self) -> String {
        read_log(self.folder.path())
    }

    fn running(&self) -> Result<&Process, ServerError> {
        self.process.as_ref().ok_or(ServerError::NotRunning(self.options.kind))
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("kind", &self.options.kind)
            .field("port", &self.port.number())
            .field("pid", &self.pid())
            .finish_non_exhaustive()
    }
}

/// Starts the process and returns it once it answers. A process that fails is gone when this returns.
fn launch(
    options: &Builder,
    binary: &Path,
    folder: &Path,
    port: u16,
) -> Result<Process, ServerError> {
    let arguments = command_line(options, folder, port);
    let logged_before = read_log(folder).len();
    let mut process = Process::spawn(binary, &arguments, &options.environment)?;
    let deadline = Instant::now() + START_DEADLINE;
    let failed = |reason: String| {
        let log = read_log(folder).get(logged_before..).unwrap_or_default().to_owned();
        ServerError::Start { kind: options.kind, reason, log }
    };
    loop {
        if let Some(status) = process.exited()? {
            return Err(failed(format!("it ended with {status}")));
        }
        match answers(options, port, process.id()) {
            Ok(()) => return Ok(process),
            Err(reason) if Instant::now() > deadline => {
                return Err(failed(format!("not ready after {START_DEADLINE:?}: {reason}")));
            }
            Err(_) => breathe(),
        }
    }
}

/// Whether this very process answers on the port: another server may have taken it.
fn answers(options: &Builder, port: u16, pid: u32) -> io::Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut inspector = Inspector::connect(address, options.password.as_deref(), PROBE_DEADLINE)?;
    match inspector.command(&["PING"])? {
        Value::Simple(pong) if pong == "PONG" => {}
        other => {
            return Err(io::Error::other(format!("PING was answered with {other:?}")));
        }
    }
    let info = inspector.command(&["INFO", "server"])?.text();
    if info.lines().any(|line| line.strip_prefix("process_id:") == Some(&pid.to_string())) {
        Ok(())
    } else {
        Err(io::Error::other("another process answers on this port"))
    }
}

fn command_line(options: &Builder, folder: &Path, port: u16) -> Vec<String> {
    let folder_text = folder.display().to_string();
    let mut line: Vec<String> = [
        "--port",
        &port.to_string(),
        "--bind",
        "127.0.0.1",
        "--daemonize",
        "no",
        "--save",
        "",
        "--dir",
        &folder_text,
        "--logfile",
        &log_path(folder).display().to_string(),
    ]
    .map(str::to_owned)
    .to_vec();
    let mut set = |name: &str, value: &str| line.extend([name.to_owned(), value.to_owned()]);
    if options.kind.guards_debug_command() {
        set("--enable-debug-command", "yes");
    }
    if options.persistent {
        set("--appendonly", "yes");
        set("--appendfsync", "always");
    }
    if let Some(password) = &options.password {
        set("--requirepass", password);
    }
    if options.unix_socket {
        set("--unixsocket", &socket_path(folder).display().to_string());
        set("--unixsocketperm", "700");
    }
    line.extend(options.arguments.iter().cloned());
    line
}

fn log_path(folder: &Path) -> PathBuf {
    folder.join("log")
}

fn socket_path(folder: &Path) -> PathBuf {
    folder.join("socket")
}

fn read_log(folder: &Path) -> String {
    std::fs::read(log_path(folder))
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_taken_port_is_told_from_other_failures_so_that_another_is_tried() {
        for kind in Kind::ALL {
            let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
            let port = holder.local_addr().expect("an address").port();
            let binary = kind.find().expect("an installed server");
            let folder = tempfile::tempdir().expect("a folder");
            let error = launch(&Server::builder(kind), &binary, folder.path(), port)
                .err()
                .expect("the port is taken");
            assert!(error.is_port_taken(), "{kind}: {error}");
        }
    }
}
