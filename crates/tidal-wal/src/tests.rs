mod appending;
mod checkpoints;
mod child;
mod copying;
mod cursors;
mod damage;
#[cfg(target_os = "linux")]
mod ext4;
mod faults;
mod keys;
mod killed;
mod looking;
mod power_cuts;
mod producers;
mod reading;
mod simulated;
mod spares;
mod waiting;
