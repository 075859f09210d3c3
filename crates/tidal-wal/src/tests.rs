mod appending;
mod damage;
mod faults;
mod power_cuts;
mod producers;
mod reading;
mod simulated;
mod spares;
