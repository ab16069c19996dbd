//! Plain tables: columns as wide as their widest cell, two spaces between them, no lines.

use crate::report::colour::Palette;
use crate::report::text::{broken, pad, width};

/// Which side of its column a cell stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// A narrower last column would be a ribbon; then the terminal may break lines where it likes.
const LEAST: usize = 20;

/// A table under construction. Cells hold no escape sequences.
pub struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(columns: impl IntoIterator<Item = (&'static str, Align)>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// Cells that are missing at the end are empty; those beyond the last column are not shown.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Heads in dim type, a line's end after every row, nothing trailing.
    pub fn text(&self, palette: Palette) -> String {
        self.text_within(None, palette)
    }

    /// As [`Self::text`], the last column broken between words so that lines end within `columns`.
    pub fn text_within(&self, columns: Option<usize>, palette: Palette) -> String {
        let heads: Vec<String> = self.columns.iter().map(|(head, _)| (*head).to_owned()).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|at| {
                let cells = self.rows.iter().filter_map(|row| row.get(at)).chain(heads.get(at));
                cells.map(|cell| width(cell)).max().unwrap_or(0)
            })
            .collect();
        let last = self.columns.len().saturating_sub(1);
        let before: usize = widths[..last].iter().map(|width| width + 2).sum();
        let line = |cells: &[String]| {
            let mut line = String::new();
            for (at, (_, align)) in self.columns.iter().enumerate() {
                let cell = cells.get(at).map_or("", String::as_str);
                match align {
                    Align::Left => line.push_str(&pad(cell, widths[at])),
                    Align::Right => {
                        line.push_str(&" ".repeat(widths[at].saturating_sub(width(cell))));
                        line.push_str(cell);
                    }
                }
                line.push_str("  ");
            }
            line.truncate(line.trim_end().len());
            line
        };
        let mut out = format!("{}\n", palette.dim(line(&heads)));
        for row in &self.rows {
            let room = columns.map_or(usize::MAX, |columns| columns.saturating_sub(before).max(LEAST));
            let mut parts = row.get(last).map_or_else(Vec::new, |cell| broken(cell, room)).into_iter();
            let mut row = row.clone();
            if let (Some(cell), Some(first)) = (row.get_mut(last), parts.next()) {
                *cell = first;
            }
            out.push_str(&line(&row));
            out.push('\n');
            for part in parts {
                out.push_str(&format!("{}{part}\n", " ".repeat(before)));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_their_cells() {
        let mut table = Table::new([("id", Align::Right), ("name", Align::Left), ("x", Align::Left)]);
        table.row(["1".into(), "größe".into(), "y".into()]);
        table.row(["100".into(), "日本".into()]);
        assert_eq!(table.text(Palette::PLAIN), " id  name   x\n  1  größe  y\n100  日本\n");
    }

    #[test]
    fn the_last_column_is_broken_between_words_where_lines_are_short() {
        let mut table = Table::new([("node", Align::Left), ("cause", Align::Left)]);
        table.row(["a".into(), "`source` changed: `index.html` modified".into()]);
        table.row(["b".into(), "never built".into()]);
        let within = |columns| table.text_within(columns, Palette::PLAIN);
        assert_eq!(within(Some(100)), within(None));
        assert_eq!(
            within(Some(30)),
            "node  cause\na     `source` changed:\n      `index.html` modified\nb     never built\n"
        );
        assert_eq!(within(Some(3)), within(Some(26)), "not to a ribbon");
    }
}
