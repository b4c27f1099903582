//! Plain text tables: columns as wide as their widest cell.

/// Where a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Lays out rows under a header, two spaces between columns, no trailing spaces.
///
/// `minimum` gives widths that hold even when every cell is shorter, for rows that come one by one.
pub(crate) fn layout<const N: usize>(columns: [(&str, Align, usize); N], rows: &[[String; N]]) -> String {
    let mut widths = columns.map(|(header, _, minimum)| minimum.max(header.chars().count()));
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = line(&columns.map(|(header, ..)| header.to_owned()), &columns, &widths);
    for row in rows {
        text.push_str(&line(row, &columns, &widths));
    }
    text
}

/// One row in the widths that [`layout`] uses for an empty table.
pub(crate) fn row<const N: usize>(columns: [(&str, Align, usize); N], cells: &[String; N]) -> String {
    let widths = columns.map(|(header, _, minimum)| minimum.max(header.chars().count()));
    line(cells, &columns, &widths)
}

fn line<const N: usize>(
    cells: &[String; N],
    columns: &[(&str, Align, usize); N],
    widths: &[usize; N],
) -> String {
    let mut text = String::new();
    for ((cell, (_, align, _)), &width) in cells.iter().zip(columns).zip(widths) {
        // A cell may hold the name of a record, which is input: no line ends or escape sequences from there.
        let cell = cell.replace(char::is_control, " ");
        text.push_str(&match align {
            Align::Left => format!("{cell:<width$}  "),
            Align::Right => format!("{cell:>width$}  "),
        });
    }
    format!("{}\n", text.trim_end())
}

/// A number for people: six significant digits, whole numbers without a point.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() || (value == value.trunc() && value.abs() < 1e15) {
        return format!("{value}");
    }
    let magnitude = value.abs();
    if !(1e-4..1e9).contains(&magnitude) {
        return format!("{value:.5e}");
    }
    let digits_before = if magnitude >= 1.0 { magnitude.log10().floor() as usize + 1 } else { 1 };
    format!("{value:.*}", 6_usize.saturating_sub(digits_before))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards: columns stay aligned whatever the lengths, and no line ends in spaces.
    #[test]
    fn columns_are_aligned() {
        let columns = [("name", Align::Left, 0), ("value", Align::Right, 0)];
        let rows = [["a".to_owned(), "1".to_owned()], ["longer".to_owned(), "100000".to_owned()]];
        assert_eq!(layout(columns, &rows), "name     value\na            1\nlonger  100000\n");
    }

    /// Guards the terminal: what a name holds neither makes rows nor commands.
    #[test]
    fn control_characters_become_spaces() {
        let columns = [("name", Align::Left, 0)];
        assert_eq!(row(columns, &["a\n\u{1b}[31mb".to_owned()]), "a  [31mb\n");
    }

    /// Guards: numbers keep six digits and never look like another number.
    #[test]
    fn numbers_are_short_and_right() {
        assert_eq!(number(0.0), "0");
        assert_eq!(number(-70.0), "-70");
        assert_eq!(number(1.584_962_5), "1.58496");
        assert_eq!(number(-69.906_746_59), "-69.9067");
        assert_eq!(number(0.000_012_345_678), "1.23457e-5");
        assert_eq!(number(f64::NAN), "NaN");
        assert_eq!(number(f64::INFINITY), "inf");
    }
}
