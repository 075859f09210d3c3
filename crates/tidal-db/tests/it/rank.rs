//! Rankings, seen from outside: every answer is what evaluating the expression for each
//! entity, and sorting, gives.

#[cfg(test)]
mod asked;
#[cfg(test)]
mod beside;
#[cfg(test)]
mod draw;
#[cfg(test)]
mod expected;
#[cfg(test)]
mod mathoverflow;
#[cfg(test)]
mod model;
#[cfg(test)]
mod movies;
#[cfg(test)]
mod naive;
#[cfg(test)]
mod passing;
#[cfg(test)]
mod random;
#[cfg(test)]
mod schemas;
#[cfg(test)]
mod step;
#[cfg(test)]
mod tally;
#[cfg(test)]
mod world;
