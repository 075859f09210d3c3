mod appending;
mod faults;
mod producers;
mod reading;
mod simulated;
