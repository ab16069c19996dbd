//! Plain tables: columns as wide as their widest cell, two spaces between them, no lines.

use crate::report::colour::Palette;
use crate::report::text::{pad, width};

/// Which side of its column a cell stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

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
        let heads: Vec<String> = self.columns.iter().map(|(head, _)| (*head).to_owned()).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|at| {
                let cells = self.rows.iter().filter_map(|row| row.get(at)).chain(heads.get(at));
                cells.map(|cell| width(cell)).max().unwrap_or(0)
            })
            .collect();
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
            out.push_str(&line(row));
            out.push('\n');
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
}
