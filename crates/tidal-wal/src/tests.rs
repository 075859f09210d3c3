mod appending;
mod faults;
mod reading;
