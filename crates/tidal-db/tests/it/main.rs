//! Integration tests of tidal-db, in one binary.

#[cfg(test)]
mod as_of;
#[cfg(test)]
mod attributes;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod budget;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod cursors;
#[cfg(test)]
mod deep;
#[cfg(test)]
mod diff;
#[cfg(test)]
mod dump;
#[cfg(test)]
mod durability;
#[cfg(test)]
mod engines;
#[cfg(test)]
mod explain;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod ext4;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod forget;
#[cfg(test)]
mod forwarding;
#[cfg(test)]
mod fuzzy;
#[cfg(test)]
mod history;
#[cfg(test)]
mod interrupted;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod late_events;
#[cfg(test)]
mod life;
#[cfg(test)]
mod metadata;
#[cfg(test)]
mod mismatch;
#[cfg(test)]
mod names;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod producers;
#[cfg(test)]
mod profiles;
#[cfg(test)]
mod rank;
#[cfg(test)]
mod reads;
#[cfg(test)]
mod real_data;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod salvage;
#[cfg(test)]
mod stepped;
#[cfg(test)]
mod uniques;
