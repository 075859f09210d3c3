//! The benchmarks that are workspaces of their own, so that nobody else compiles what they
//! are compared with or draw with. Each lies in a folder of its name in `benches`, with a
//! lock file and a list of licences of its own.

/// Such a workspace: its name, and what checking its format and its licences is called.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Apart {
    name: &'static str,
    pub(crate) fmt: &'static str,
    pub(crate) deny: &'static str,
}

/// The log beside other logs.
pub(crate) const LOGS: Apart = Apart { name: "logs", fmt: "fmt logs", deny: "deny logs" };

/// The storage engines beside their own interfaces.
pub(crate) const ENGINES: Apart =
    Apart { name: "engines", fmt: "fmt engines", deny: "deny engines" };

/// Rankings, with a chart.
pub(crate) const RANK: Apart = Apart { name: "rank", fmt: "fmt rank", deny: "deny rank" };

/// tidalDB beside other systems.
pub(crate) const PEERS: Apart = Apart { name: "peers", fmt: "fmt peers", deny: "deny peers" };

/// All of them.
pub(crate) const ALL: [Apart; 4] = [LOGS, ENGINES, RANK, PEERS];

impl Apart {
    /// Its folder in the main workspace's.
    pub(crate) fn folder(self) -> String {
        format!("benches/{}", self.name)
    }

    /// Its manifest, as an argument of cargo.
    pub(crate) fn manifest(self) -> String {
        format!("--manifest-path {}/Cargo.toml", self.folder())
    }
}
