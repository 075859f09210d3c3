//! PostgreSQL's server: where its programs are, whom it runs as, and its settings.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use postgres::{Client as Connection, Config, NoTls};
use rustix::process::Signal;
use tidal_bench_measure::{Result, at};

use crate::server::{self, Server, Start, User};

/// The superuser of the database, and root's stand-in.
const USER: &str = "postgres";
/// Of a socket, which has it in its name.
const PORT: u16 = 5432;
/// What the path of a socket may have, with the byte that ends it.
const SOCKET_BYTES_MAX: usize = 107;
/// Plans that go by index and are made once, however little a table holds when they are.
const PLANS: &str = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off \
                     -c plan_cache_mode=force_generic_plan";

/// The settings that a report prints.
pub(super) const TOLD: [&str; 15] = [
    "shared_buffers",
    "huge_pages",
    "effective_cache_size",
    "max_wal_size",
    "min_wal_size",
    "checkpoint_timeout",
    "wal_compression",
    "random_page_cost",
    "jit",
    "fsync",
    "synchronous_commit",
    "enable_seqscan",
    "enable_hashjoin",
    "enable_mergejoin",
    "plan_cache_mode",
];

/// Where a server listens.
#[derive(Debug, Clone)]
pub(super) enum Address {
    /// The folder of its socket.
    Socket(PathBuf),
    Port(u16),
}

impl Address {
    pub(super) fn connect(&self) -> Result<Connection> {
        let mut config = Config::new();
        config.user(USER).dbname("postgres").options(PLANS);
        match self {
            Self::Socket(dir) => config.host_path(dir).port(PORT),
            Self::Port(port) => config.host("127.0.0.1").port(*port),
        };
        Ok(config.connect(NoTls)?)
    }

    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Socket(_) => "a Unix socket",
            Self::Port(_) => "TCP",
        }
    }
}

pub(crate) fn missing() -> Option<String> {
    let is_there = program("initdb").is_some() && program("postgres").is_some();
    let reason = || "its server is missing: install Debian's package `postgresql`".to_owned();
    let root = || User::instead_of_root(USER).err().map(|error| error.to_string());
    server::missing().or_else(|| (!is_there).then(reason)).or_else(root)
}

/// Debian keeps the server's programs out of `PATH`, in a folder for each version.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<_> = versions.map(|entry| entry.path()).collect();
    versions.sort_by_key(|dir| dir.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    server::find(name, versions.into_iter().rev().map(|dir| dir.join("bin")))
}

/// Starts a server, with a new cluster in a folder that has none.
pub(super) fn start(dir: &Path) -> Result<(Server, Address, Connection)> {
    let find = |name| program(name).ok_or_else(|| missing().unwrap_or_default());
    let (initdb, postgres) = (find("initdb")?, find("postgres")?);
    let dir = dir.canonicalize()?;
    let user = User::instead_of_root(USER)?;
    let data = dir.join("data");
    if let Some(user) = user {
        user.own(&dir)?;
    }
    if !data.join("PG_VERSION").exists() {
        init(&initdb, &dir, user)?;
    }
    let socket = dir.join(format!(".s.PGSQL.{PORT}"));
    let address = if socket.as_os_str().len() <= SOCKET_BYTES_MAX {
        Address::Socket(dir.clone())
    } else {
        Address::Port(server::free_port()?)
    };
    let mut arguments = vec!["-D".into(), "data".into()];
    for setting in settings(&address)? {
        arguments.extend(["-c".into(), setting]);
    }
    // A killed one's number is taken until its parent has noted its end, and a lock file of
    // that number would still be respected.
    server::kill(&postgres, &dir)?;
    for lock in [data.join("postmaster.pid"), socket.with_added_extension("lock")] {
        if lock.exists() {
            fs::remove_file(&lock).map_err(|error| at(&lock, &error))?;
        }
    }
    // The signal of a stop that waits for no client.
    let start = Start { program: &postgres, arguments, dir: &dir, user, stop: Signal::INT };
    let (server, connection) = start.run(|| address.connect())?;
    Ok((server, address, connection))
}

fn init(initdb: &Path, dir: &Path, user: Option<User>) -> Result<()> {
    let mut command = server::command(initdb, user);
    command.args(["--pgdata=data", "--auth=trust", "--encoding=UTF8", "--no-locale"]);
    command.arg(format!("--username={USER}")).current_dir(dir).stdin(Stdio::null());
    let output = command.output()?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        let dir = dir.display();
        let advice = if user.is_some() {
            format!("; root cannot run it, so the user `{USER}` must be able to enter {dir}")
        } else {
            String::new()
        };
        return Err(format!("initdb in {dir}: {}{advice}", told.trim()).into());
    }
    Ok(())
}

fn settings(address: &Address) -> Result<Vec<String>> {
    let memory = memory_mib()?;
    let mut settings = vec![
        format!("shared_buffers={}MB", memory / 4),
        "huge_pages=try".into(),
        format!("effective_cache_size={}MB", memory / 4 * 3),
        "max_wal_size=8GB".into(),
        "min_wal_size=2GB".into(),
        "checkpoint_timeout=15min".into(),
        "wal_compression=lz4".into(),
        "random_page_cost=1.1".into(),
        "jit=off".into(),
    ];
    settings.extend(match address {
        // The folder of the data's folder, which it works in.
        Address::Socket(dir) => [
            "listen_addresses=".into(),
            format!("unix_socket_directories={}", quoted(dir)?),
            format!("port={PORT}"),
        ],
        Address::Port(port) => [
            "listen_addresses=127.0.0.1".into(),
            "unix_socket_directories=".into(),
            format!("port={port}"),
        ],
    });
    Ok(settings)
}

/// A path in a list of paths.
fn quoted(path: &Path) -> Result<String> {
    let path = path.to_str().ok_or("a path that is no text")?;
    Ok(format!("\"{}\"", path.replace('"', "\"\"")))
}

/// How much memory the machine has.
fn memory_mib() -> Result<u64> {
    let path = Path::new("/proc/meminfo");
    let text = fs::read_to_string(path).map_err(|error| at(path, &error))?;
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib: u64 =
        total.and_then(|rest| rest.split_whitespace().next()).ok_or("no MemTotal")?.parse()?;
    Ok(kib / 1024)
}
