//! The program as scripts and people meet it: every test runs the real binary.

#[cfg(test)]
mod again;
#[cfg(test)]
mod attributes;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod features;
#[cfg(test)]
mod forget;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod history;
#[cfg(test)]
mod init;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod numeric;
#[cfg(test)]
mod pipes;
#[cfg(test)]
mod rank;
#[cfg(test)]
mod ranking_page;
#[cfg(test)]
mod real_data;
#[cfg(test)]
mod rejects;
#[cfg(test)]
mod runner;
#[cfg(test)]
mod times;
#[cfg(test)]
mod usage;
#[cfg(test)]
mod users;
#[cfg(test)]
mod wal;
