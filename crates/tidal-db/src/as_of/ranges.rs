//! Sums over ranges of moments: a weight is added to every moment in a range by adding
//! it to few nodes of a tree, and read at a moment by adding up the nodes above it.
//!
//! So nothing is ever subtracted: with a running sum, to which a weight is added where
//! its window begins and taken off where it ends, a large weight would leave its
//! rounding behind in everything later.
//!
//! The tree over n moments is an array of 2n nodes. Moment i is node n + i, and node
//! p/2 is above node p.
//!
//! N1. A node that is given a weight stands for a range of moments that lie inside the
//!     range it was given for, whatever n is; the nodes of a range are disjoint.

use std::ops::Range;

/// A node, and what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    /// Its place in the array.
    pub(super) place: usize,
    /// The last moment under it, if it is a node of N1.
    pub(super) last: usize,
}

impl Node {
    fn at(place: usize, level: u32, len: usize) -> Self {
        Self { place, last: ((place + 1) << level) - 1 - len }
    }
}

/// Visits the nodes that together stand for a range of `len` moments.
pub(super) fn cover(len: usize, range: Range<usize>, mut visit: impl FnMut(Node)) {
    let (mut from, mut to) = (range.start + len, range.end.min(len) + len);
    let mut level = 0;
    while from < to {
        if from % 2 == 1 {
            visit(Node::at(from, level, len));
            from += 1;
        }
        if to % 2 == 1 {
            to -= 1;
            visit(Node::at(to, level, len));
        }
        (from, to) = (from / 2, to / 2);
        level += 1;
    }
}

/// The nodes that stand for a moment, from its own upwards.
pub(super) fn above(len: usize, moment: usize) -> impl Iterator<Item = Node> {
    let levels = (len + moment).checked_ilog2().unwrap_or_default();
    (0..=levels).map(move |level| Node::at((len + moment) >> level, level, len))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// N1
    #[test]
    fn every_range_covers_its_moments_once_and_no_others() {
        for len in 1..40 {
            for start in 0..len {
                for end in start..=len {
                    let mut weights = vec![0; 2 * len];
                    cover(len, start..end, |node| {
                        assert!((start..end).contains(&node.last), "{len} {start}..{end}");
                        weights[node.place] += 1;
                    });
                    for moment in 0..len {
                        let above: Vec<Node> = above(len, moment).collect();
                        let seen: i32 = above.iter().map(|node| weights[node.place]).sum();
                        let expected = i32::from((start..end).contains(&moment));
                        assert_eq!(seen, expected, "{moment} of {len}, {start}..{end}");
                        let given = above.iter().filter(|node| weights[node.place] > 0);
                        assert!(given.clone().all(|node| (moment..end).contains(&node.last)));
                    }
                }
            }
        }
    }
}
