mod appending;
mod damage;
mod faults;
mod producers;
mod reading;
mod simulated;
