//! Aligned columns.

/// Which side of its column a cell leans on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Rows under a header, two spaces between columns.
#[derive(Debug)]
pub(crate) struct Table {
    aligns: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column titles. A table whose titles are all empty
    /// shows no header.
    pub(crate) fn new(columns: &[(&str, Align)]) -> Self {
        let titles = columns.iter().map(|(title, _)| (*title).to_owned()).collect();
        Self { aligns: columns.iter().map(|(_, align)| *align).collect(), rows: vec![titles] }
    }

    /// Adds a row, one cell for each column.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The table as text, each line indented by `indent` spaces.
    pub(crate) fn render(&self, indent: usize) -> String {
        let widths = self.widths();
        let mut text = String::new();
        for row in self.rows.iter().filter(|row| row.iter().any(|cell| !cell.is_empty())) {
            let cells = row.iter().zip(&self.aligns).zip(&widths).map(|((cell, align), width)| {
                let width = *width;
                match align {
                    Align::Left => format!("{cell:<width$}"),
                    Align::Right => format!("{cell:>width$}"),
                }
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            text.push_str(&" ".repeat(indent));
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    fn widths(&self) -> Vec<usize> {
        let column = |place: usize| {
            let cells = self.rows.iter().filter_map(move |row| row.get(place));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        (0..self.aligns.len()).map(column).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_leans_left_and_numbers_right() {
        let mut table = Table::new(&[("name", Align::Left), ("score", Align::Right)]);
        table.row(vec!["otter".into(), "1".into()]);
        table.row(vec!["caf\u{e9}".into(), "12,345".into()]);
        assert_eq!(table.render(1), " name    score\n otter       1\n caf\u{e9}   12,345\n");
    }

    #[test]
    fn a_table_without_titles_has_no_header() {
        let mut table = Table::new(&[("", Align::Left), ("", Align::Right)]);
        table.row(vec!["rows".into(), "7".into()]);
        assert_eq!(table.render(0), "rows  7\n");
    }
}
