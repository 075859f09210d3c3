mod appending;
mod faults;
mod producers;
mod reading;
