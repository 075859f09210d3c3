//! Fields of CSV (RFC 4180) that are written.

/// Appends a field behind the others of its row, in quotes where it would be read as
/// something else without them.
pub(crate) fn push_field(row: &mut Vec<u8>, delimiter: u8, field: &str) {
    row.push(delimiter);
    let is_plain = |byte: u8| byte != delimiter && !matches!(byte, b'"' | b'\n' | b'\r');
    if field.bytes().all(is_plain) {
        row.extend_from_slice(field.as_bytes());
        return;
    }
    row.push(b'"');
    row.extend_from_slice(field.replace('"', "\"\"").as_bytes());
    row.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The csv crate reads what was written, whatever divides the fields.
    #[test]
    fn every_field_is_read_back_as_it_was() {
        let fields = ["a", "0.5", "-1e-7", "a_count_1h", "a,b", "say \"x\"", "two\nlines", ""];
        for delimiter in [b',', b'\t', b';', b' ', b'.', b'_', b'1', b'-'] {
            let mut row = b"first".to_vec();
            for field in fields {
                push_field(&mut row, delimiter, field);
            }
            let mut reader = csv::ReaderBuilder::new();
            let mut reader = reader.delimiter(delimiter).has_headers(false).from_reader(&*row);
            let record = reader.records().next().unwrap().unwrap();
            assert_eq!(record.iter().skip(1).collect::<Vec<_>>(), fields);
        }
    }
}
