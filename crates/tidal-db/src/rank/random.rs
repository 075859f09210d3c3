//! Draws for exploration, which can be repeated.
//!
//! The numbers are those of splitmix64 (Steele, Lea and Flood, "Fast splittable
//! pseudorandom number generators", OOPSLA 2014, with the constants of Vigna's
//! reference code). Where it begins is mixed, by the same function, from the three
//! numbers of a [`Draw`]. They are no secret to whoever knows these.
//!
//! D1. A draw follows from the seed of the request, the entity and the number of the
//!     call in the expression alone: not from the order in which entities are looked
//!     at, and not from the machine.
//! D2. A draw of a distribution is a number in its range, whatever its parameters.

use tidal_types::EntityId;

/// What a draw follows from (D1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Draw {
    seed: u64,
    entity: EntityId,
    call: u32,
}

impl Draw {
    /// The draw for an entity, in a request with this seed, at the call of a drawing
    /// function that has this number in the expression, from 0.
    pub(crate) const fn new(seed: u64, entity: EntityId, call: u32) -> Self {
        Self { seed, entity, call }
    }

    /// Its numbers.
    pub(crate) const fn numbers(self) -> Numbers {
        let state = mixed(self.seed);
        let state = mixed(state ^ self.entity.get());
        Numbers { state: mixed(state ^ self.call as u64) }
    }
}

/// The step of splitmix64: the golden ratio, odd.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The first number of splitmix64 from this state, a permutation of all states.
const fn mixed(state: u64) -> u64 {
    let z = state.wrapping_add(STEP);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The random numbers of one draw.
#[derive(Debug, Clone)]
pub(crate) struct Numbers {
    state: u64,
}

impl Numbers {
    /// The next 64 bits.
    const fn bits(&mut self) -> u64 {
        let bits = mixed(self.state);
        self.state = self.state.wrapping_add(STEP);
        bits
    }

    /// A number between 0 and 1, and neither of them: the middles of 2^52 parts.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// A number of the normal distribution with mean 0 and variance 1, by the polar
    /// method (Marsaglia and Bray, SIAM Review 6, 1964).
    pub(crate) fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square > 0.0 {
                return x * (-2.0 * libm::log(square) / square).sqrt();
            }
        }
    }

    /// The natural logarithm of a number of the gamma distribution with this shape,
    /// which is above 0, and the scale 1 (Marsaglia and Tsang, "A simple method for
    /// generating gamma variables", ACM TOMS 26, 2000). For small shapes the number
    /// itself would mostly underflow.
    fn gamma_log(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.gamma_log(shape + 1.0) + libm::log(self.uniform()) / shape;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let root = 1.0 + c * x;
            if root <= 0.0 {
                continue;
            }
            let v = root * root * root;
            let bound = 0.5 * x * x + d - d * v + d * libm::log(v);
            if libm::log(self.uniform()) < bound {
                return libm::log(d) + libm::log(v);
            }
        }
    }

    /// A number of the beta distribution, from 0 to 1. Both parameters are above 0.
    pub(crate) fn beta(&mut self, alpha: f64, beta: f64) -> f64 {
        let (for_one, for_zero) = (self.gamma_log(alpha), self.gamma_log(beta));
        1.0 / (1.0 + libm::exp(for_zero - for_one))
    }
}

#[cfg(test)]
mod tests;
