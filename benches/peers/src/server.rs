//! A server of another system: started with its data in a folder, asked until it answers,
//! stopped when it is dropped.
//!
//! V1. A server does not outlive this program, however that ends: the kernel kills it with
//!     the thread that started it, which waits for it all its life.
//! V2. A server that a killed program has left in the folder is ended before a new one
//!     starts.

use std::fs::{self, File, OpenOptions};
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use std::{env, io, thread};

use rustix::process::{Pid, Signal, getpid, getuid, kill_process};
use tidal_bench_measure::{Result, at, now};

/// The program that gives up being root and ties a process to the one that started it; of
/// util-linux, which every Debian has.
const SETPRIV: &str = "setpriv";

/// Loading and recovering what a killed one has left takes less.
const START_MAX: Duration = Duration::from_secs(600);

/// So long a stop may take that writes everything out.
const STOP_MAX: Duration = Duration::from_secs(120);

/// How long the kernel takes at most to end what was killed.
const KILL_MAX: Duration = Duration::from_secs(30);

/// Between two questions whether a server is there, at least; and a share of the time that
/// has passed, so that asking does not slow down what is asked for.
const PAUSE: Duration = Duration::from_millis(2);
const PAUSE_SHARE: u32 = 50;

/// How much of its log is told when a server does not start.
const TOLD: usize = 2000;

/// Somebody whom a server runs as, of `/etc/passwd`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// The user of this name when this program is root, who may not run every server;
    /// `None` when it is somebody else, whom the server then runs as too.
    pub(crate) fn instead_of_root(name: &str) -> Result<Option<Self>> {
        if !getuid().is_root() {
            return Ok(None);
        }
        let path = Path::new("/etc/passwd");
        let users = fs::read_to_string(path).map_err(|error| at(path, &error))?;
        let found = users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let is_found = fields.next() == Some(name);
            let mut id = fields.skip(1).map(|field| field.parse().ok());
            is_found.then(|| Some(Self { uid: id.next()??, gid: id.next()?? }))?
        });
        Ok(Some(found.ok_or_else(|| format!("/etc/passwd has no user `{name}`"))?))
    }

    /// Gives a folder to this user.
    pub(crate) fn own(self, dir: &Path) -> Result<()> {
        Ok(chown(dir, Some(self.uid), Some(self.gid)).map_err(|error| at(dir, &error))?)
    }
}

/// How a server is started.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    /// Its program, as [`find`] answers.
    pub(crate) program: &'a Path,
    pub(crate) arguments: Vec<String>,
    /// Its data and its log, `server.log`, are here. An absolute path.
    pub(crate) dir: &'a Path,
    pub(crate) user: Option<User>,
    /// Asks it to stop at once, but cleanly.
    pub(crate) stop: Signal,
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    program: PathBuf,
    dir: PathBuf,
    pid: Pid,
    stop: Signal,
    /// Told when it has ended.
    ended: Mutex<Receiver<io::Result<ExitStatus>>>,
}

impl Start<'_> {
    /// Starts the server and waits until `connect` succeeds.
    ///
    /// # Errors
    ///
    /// When the server ends, or does not answer in ten minutes: the end of its log and what
    /// `connect` said last.
    pub(crate) fn run<T>(self, mut connect: impl FnMut() -> Result<T>) -> Result<(Server, T)> {
        kill(self.program, self.dir)?;
        let log = self.dir.join("server.log");
        let mut command = command(self.program, self.user);
        command.args(&self.arguments).current_dir(self.dir);
        let output = append(&log)?;
        command.stdin(Stdio::null()).stderr(output.try_clone()?).stdout(output);
        let (pid, ended) = keep(command)?;
        let (program, dir) = (self.program.into(), self.dir.into());
        let server = Server { program, dir, pid, stop: self.stop, ended: Mutex::new(ended) };
        let since = now();
        loop {
            let error = match connect() {
                Ok(connected) => return Ok((server, connected)),
                Err(error) => error,
            };
            let pause = PAUSE.max(since.elapsed() / PAUSE_SHARE);
            if since.elapsed() > START_MAX || server.has_ended_within(pause) {
                let program = server.program.display();
                return Err(format!("{program} does not answer: {error}; {}", told(&log)).into());
            }
        }
    }
}

/// Starts a process on a thread that lives as long as it: the death of that thread kills
/// it.
fn keep(mut command: Command) -> Result<(Pid, Receiver<io::Result<ExitStatus>>)> {
    let (started, is_started) = channel();
    let (tell, ended) = channel();
    thread::spawn(move || match command.spawn() {
        Ok(mut child) => {
            // When nobody listens any more, nobody wants to know.
            started.send(Ok(child.id())).unwrap_or_default();
            tell.send(child.wait()).unwrap_or_default();
        }
        Err(error) => started.send(Err(error)).unwrap_or_default(),
    });
    let pid = is_started.recv()??;
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or("a process of no number")?;
    Ok((pid, ended))
}

impl Server {
    fn has_ended_within(&self, time: Duration) -> bool {
        let Ok(ended) = self.ended.lock() else { return true };
        !matches!(ended.recv_timeout(time), Err(RecvTimeoutError::Timeout))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.has_ended_within(Duration::ZERO) {
            return;
        }
        let is_asked = kill_process(self.pid, self.stop).is_ok();
        if !(is_asked && self.has_ended_within(STOP_MAX)) {
            // What cannot be killed is beyond help; its thread's end is a second try.
            kill(&self.program, &self.dir).unwrap_or_default();
        }
    }
}

/// A command that runs a program as a user, and dies with the thread that starts it.
pub(crate) fn command(program: &Path, user: Option<User>) -> Command {
    let mut command = Command::new(SETPRIV);
    command.args(["--pdeathsig", "KILL"]);
    if let Some(User { uid, gid }) = user {
        command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).arg("--clear-groups");
    }
    command.arg(program);
    command
}

/// A command that runs a program, which dies with the thread that starts it where that can
/// be had.
pub(crate) fn dependent(program: &Path) -> Command {
    if missing().is_none() { command(program, None) } else { Command::new(program) }
}

/// The program of this name, in these folders or else in those of `PATH`.
pub(crate) fn find(name: &str, dirs: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut files = dirs.into_iter().chain(env::split_paths(&path)).map(|dir| dir.join(name));
    files.find(|file| file.is_file())
}

/// Why no server can be started, if that is so.
pub(crate) fn missing() -> Option<String> {
    let is_there = find(SETPRIV, []).is_some();
    (!is_there).then(|| format!("`{SETPRIV}` is missing: install Debian's package `util-linux`"))
}

/// A port of the loopback interface that nobody listens on.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Kills all processes of a program that work in a folder, and waits until they are gone.
pub(crate) fn kill(program: &Path, dir: &Path) -> Result<()> {
    let (program, dir) = (program.canonicalize()?, dir.canonicalize()?);
    let since = now();
    loop {
        let pids = working_in(&program, &dir)?;
        if pids.is_empty() {
            return Ok(());
        }
        for pid in pids {
            // One that has just ended is no error.
            kill_process(pid, Signal::KILL).unwrap_or_default();
        }
        if since.elapsed() > KILL_MAX {
            return Err(
                format!("a process that works in {} cannot be killed", dir.display()).into()
            );
        }
        pause();
    }
}

fn working_in(program: &Path, dir: &Path) -> Result<Vec<Pid>> {
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let process = entry?.path();
        let number = process.file_name().and_then(|name| name.to_str()?.parse().ok());
        let Some(pid) = number.and_then(Pid::from_raw) else { continue };
        // The links of one that has ended, or is another user's, cannot be read.
        let is = |link: &str, wanted: &dyn Fn(&Path) -> bool| {
            fs::read_link(process.join(link)).is_ok_and(|path| wanted(&path))
        };
        if pid != getpid()
            && is("exe", &|exe| exe == program)
            && is("cwd", &|cwd| cwd.starts_with(dir))
        {
            pids.push(pid);
        }
    }
    Ok(pids)
}

/// The end of a process that is not this one's child is no event that can be waited for.
fn pause() {
    thread::park_timeout(PAUSE);
}

fn append(path: &Path) -> Result<File> {
    Ok(OpenOptions::new().create(true).append(true).open(path).map_err(|error| at(path, &error))?)
}

/// The end of a log.
fn told(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.unwrap_or_else(|error| error.to_string());
    let first = text.ceil_char_boundary(text.len().saturating_sub(TOLD));
    format!("{} ends with: {}", log.display(), text.get(first..).unwrap_or_default().trim())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Child;

    use super::*;

    /// A process that ends by itself in a minute.
    fn sleeper(dir: &Path) -> (PathBuf, Child) {
        let program = find("sleep", []).unwrap();
        let child = command(&program, None).arg("60").current_dir(dir).spawn().unwrap();
        // Until it has become that program, and is tied to this thread.
        while working_in(&program.canonicalize().unwrap(), dir).unwrap().is_empty() {
            pause();
        }
        (program, child)
    }

    fn signal(mut child: Child) -> Option<i32> {
        child.wait().unwrap().signal()
    }

    #[test]
    fn v1_a_process_dies_with_the_thread_that_started_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_owned();
        let (_, child) = thread::spawn(move || sleeper(&path)).join().unwrap();
        assert_eq!(signal(child), Some(Signal::KILL.as_raw()));
    }

    #[test]
    fn v2_what_is_left_in_a_folder_is_killed_and_nothing_else() {
        let [dir, other] = [(), ()].map(|()| tempfile::tempdir().unwrap());
        let ((program, left), (_, mut spared)) = (sleeper(dir.path()), sleeper(other.path()));
        // Only a parent can take note of an end; until then it is no process that works.
        kill(&program, dir.path()).unwrap();
        assert_eq!(signal(left), Some(Signal::KILL.as_raw()));
        assert!(spared.try_wait().unwrap().is_none());
        spared.kill().unwrap();
        spared.wait().unwrap();
    }

    #[test]
    fn a_server_that_ends_is_told_of_with_its_log() {
        let dir = tempfile::tempdir().unwrap();
        let program = find("ls", []).unwrap();
        let arguments = vec!["no-such-file".into()];
        let start =
            Start { program: &program, arguments, dir: dir.path(), user: None, stop: Signal::TERM };
        let error = start.run(|| -> Result<()> { Err("nobody is there".into()) }).unwrap_err();
        for part in ["nobody is there", "server.log", "no-such-file"] {
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn a_dropped_server_has_ended() {
        let dir = tempfile::tempdir().unwrap();
        let program = find("sleep", []).unwrap();
        let arguments = vec!["60".into()];
        let start =
            Start { program: &program, arguments, dir: dir.path(), user: None, stop: Signal::TERM };
        let (server, ()) = start.run(|| Ok(())).unwrap();
        let pid = server.pid;
        drop(server);
        assert!(rustix::process::test_kill_process(pid).is_err());
    }
}
