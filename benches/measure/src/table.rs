//! Tables in Markdown.

/// A table with these headings. The first column is text, the others are numbers.
#[derive(Debug)]
pub struct Table {
    columns: usize,
    text: String,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(headings: &[&str]) -> Self {
        let mut table = Self { columns: headings.len(), text: String::new() };
        table.row(headings);
        table.text.push_str("|---|");
        table.text.push_str(&"---:|".repeat(headings.len().saturating_sub(1)));
        table.text.push('\n');
        table
    }

    /// Adds a row, as long as the headings.
    pub fn row<T: AsRef<str>>(&mut self, cells: &[T]) {
        debug_assert_eq!(cells.len(), self.columns, "a row is as long as the headings");
        self.text.push('|');
        for cell in cells {
            self.text.push_str(&format!(" {} |", cell.as_ref()));
        }
        self.text.push('\n');
    }

    /// The table as text.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown() {
        let mut table = Table::new(&["what", "how fast"]);
        table.row(&["a", "1"]);
        assert_eq!(table.finish(), "| what | how fast |\n|---|---:|\n| a | 1 |\n");
    }
}
