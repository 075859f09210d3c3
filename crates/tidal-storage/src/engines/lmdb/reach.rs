//! Whether a data file has every page that its newest transaction can reach.
//!
//! Asked of a file that is shorter than it says, since what is missing may be a
//! page of a tree, or a part of a value, which LMDB would read as zeros or end the
//! process over. Nothing is changed, and nothing is read but what is asked for: a
//! tree is a few pages beside its values. The fields are in the byte order of the
//! machine.
//!
//! | page   | size | field                                                         |
//! |--------|------|---------------------------------------------------------------|
//! | 0      | 8    | number of the page                                            |
//! | 10     | 2    | flags: 0x01 branch, 0x02 leaf, 0x20 keys of one size only     |
//! | 12     | 2    | end of the list of nodes                                      |
//! | 16     | 2 each | where each node is in the page                              |
//!
//! | node   | size | field                                                         |
//! |--------|------|---------------------------------------------------------------|
//! | 0      | 4    | bytes of the value; in a branch, the page below, with the flags above it |
//! | 4      | 2    | flags: 0x01 the value is in pages of its own, 0x02 it is a tree |
//! | 6      | 2    | bytes of the key, which follows                               |
//!
//! Behind the key of a leaf is the value, or the number of its first page, or the
//! 48 bytes of a tree, the last 8 of which are its root.
//!
//! P1. As many pages are looked at as the file has, at most, so a damaged tree
//!     that leads back to itself ends.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
const LEAF_OF_ONE_SIZE: u16 = 0x20;
const VALUE_IN_PAGES: u16 = 0x01;
const VALUE_IS_TREE: u16 = 0x02;

const PAGE_HEAD_BYTES: u16 = 16;
const NODE_HEAD_BYTES: usize = 8;
const ROOT_OFFSET: usize = 40;

/// The root of a tree that is empty.
const NO_PAGE: u64 = u64::MAX;

/// Looks at every page of the trees with these roots.
pub(super) fn is_whole(
    file: &mut File,
    length: u64,
    page_bytes: u32,
    roots: [u64; 2],
) -> io::Result<bool> {
    let mut reach = Reach { length, page_bytes: page_bytes.into(), left: Vec::new() };
    let mut page = vec![0; usize::try_from(page_bytes).unwrap_or(usize::MAX)];
    if roots.into_iter().any(|root| reach.tree(root).is_none()) {
        return Ok(false);
    }
    let mut looked_at = 0;
    while let Some(number) = reach.left.pop() {
        looked_at += 1;
        // P1.
        if looked_at > length / reach.page_bytes {
            return Ok(false);
        }
        file.seek(SeekFrom::Start(number * reach.page_bytes))?;
        file.read_exact(&mut page)?;
        if reach.look_at(&page, number).is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

struct Reach {
    length: u64,
    page_bytes: u64,
    /// The pages that are there and have not been looked at.
    left: Vec<u64>,
}

/// `None` stands for what is not there, or cannot be.
impl Reach {
    fn tree(&mut self, root: u64) -> Option<()> {
        if root == NO_PAGE { Some(()) } else { self.page(root) }
    }

    fn page(&mut self, number: u64) -> Option<()> {
        self.bytes(number, self.page_bytes)?;
        self.left.push(number);
        Some(())
    }

    /// Bytes from the beginning of a page on.
    fn bytes(&self, number: u64, bytes: u64) -> Option<()> {
        let end = number.checked_mul(self.page_bytes)?.checked_add(bytes)?;
        (end <= self.length).then_some(())
    }

    fn look_at(&mut self, page: &[u8], number: u64) -> Option<()> {
        let flags = u16::from_ne_bytes(field(page, 10)?);
        if u64::from_ne_bytes(field(page, 0)?) != number || flags & (BRANCH | LEAF) == 0 {
            return None;
        }
        if flags & LEAF_OF_ONE_SIZE != 0 {
            return Some(());
        }
        let end = u16::from_ne_bytes(field(page, 12)?);
        for place in (PAGE_HEAD_BYTES..end).step_by(2) {
            let node = page.get(usize::from(u16::from_ne_bytes(field(page, place.into())?))..)?;
            if flags & BRANCH == 0 { self.leaf_node(node)? } else { self.branch_node(node)? }
        }
        Some(())
    }

    fn branch_node(&mut self, node: &[u8]) -> Option<()> {
        let low = u64::from(u32::from_ne_bytes(field(node, 0)?));
        let high = u64::from(u16::from_ne_bytes(field(node, 4)?));
        self.page(high << 32 | low)
    }

    fn leaf_node(&mut self, node: &[u8]) -> Option<()> {
        let bytes = u64::from(u32::from_ne_bytes(field(node, 0)?));
        let flags = u16::from_ne_bytes(field(node, 4)?);
        let value = NODE_HEAD_BYTES + usize::from(u16::from_ne_bytes(field(node, 6)?));
        if flags & VALUE_IN_PAGES != 0 {
            let first = u64::from_ne_bytes(field(node, value)?);
            self.bytes(first, bytes + u64::from(PAGE_HEAD_BYTES))
        } else if flags & VALUE_IS_TREE != 0 {
            self.tree(u64::from_ne_bytes(field(node, value + ROOT_OFFSET)?))
        } else {
            Some(())
        }
    }
}

fn field<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk().copied()
}
