//! Columns on a terminal: Go's `text/tabwriter` with podman's settings.

/// No column is narrower than this, padding included.
const LEAST_WIDTH: usize = 12;
/// Spaces between a column's longest cell and the next column.
const PADDING: usize = 2;

/// Aligns lines of tab-separated cells.
///
/// A column reaches over consecutive lines that have a cell in it which a tab ends, so the last cell of a line is never
/// padded; see <https://pkg.go.dev/text/tabwriter>.
pub(crate) fn align(text: &str) -> String {
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let mut aligner =
        Aligner { lines: &lines, widths: Vec::new(), out: String::with_capacity(text.len() * 2) };
    aligner.block(0, lines.len());
    aligner.out
}

struct Aligner<'a> {
    lines: &'a [Vec<&'a str>],
    /// Widths of the columns to the left of the one at hand.
    widths: Vec<usize>,
    out: String,
}

impl Aligner<'_> {
    /// Lays out lines `from..to`, whose first `self.widths.len()` columns are settled.
    fn block(&mut self, mut from: usize, to: usize) {
        let lines = self.lines;
        let column = self.widths.len();
        let in_column = |line: usize| column + 1 < lines[line].len();
        let mut this = from;
        while this < to {
            if !in_column(this) {
                this += 1;
                continue;
            }
            self.write(from, this);
            from = this;
            let mut width = LEAST_WIDTH;
            while this < to && in_column(this) {
                width = width.max(lines[this][column].chars().count() + PADDING);
                this += 1;
            }
            self.widths.push(width);
            self.block(from, this);
            self.widths.pop();
            from = this;
        }
        self.write(from, to);
    }

    fn write(&mut self, from: usize, to: usize) {
        for line in &self.lines[from..to] {
            let last = line.len() - 1;
            for (index, cell) in line.iter().enumerate() {
                self.out.push_str(cell);
                // Go pads the last cell too when a settled column covers it.
                if let Some(&width) = self.widths.get(index).filter(|_| index < last) {
                    let padding = width.saturating_sub(cell.chars().count());
                    self.out.extend(std::iter::repeat_n(' ', padding));
                }
            }
            self.out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_podman_prints_them() {
        let text = "CONTAINER ID\tIMAGE\tSTATUS\tPORTS\tNAMES\n\
                    1ae3b7884b7f\tdocker.io/library/alpine:latest\tUp 1 second\t0.0.0.0:8080->80/tcp\tc1\n\
                    1821439f1d81\tdocker.io/library/alpine:latest\tExited (3) 1 second ago\t\tc2\n";
        let expected = [
            "CONTAINER ID  IMAGE                            STATUS                   PORTS                 NAMES",
            "1ae3b7884b7f  docker.io/library/alpine:latest  Up 1 second              0.0.0.0:8080->80/tcp  c1",
            "1821439f1d81  docker.io/library/alpine:latest  Exited (3) 1 second ago                        c2",
            "",
        ];
        assert_eq!(align(text), expected.join("\n"));
    }

    #[test]
    fn an_empty_table_has_columns_of_twelve() {
        let text = "CONTAINER ID\tIMAGE\tCOMMAND\tCREATED\tSTATUS\tPORTS\tNAMES\n";
        let expected = "CONTAINER ID  IMAGE       COMMAND     CREATED     STATUS      PORTS       NAMES\n";
        assert_eq!(align(text), expected);
    }

    #[test]
    fn characters_count_and_not_bytes() {
        assert_eq!(align("größe-größe-x\ta\nb\tc\n"), "größe-größe-x  a\nb              c\n");
    }

    #[test]
    fn a_line_without_tabs_ends_the_columns_above_it() {
        assert_eq!(
            align("a-long-first-cell\tx\nplain\nb\ty\n"),
            "a-long-first-cell  x\nplain\nb           y\n"
        );
        assert_eq!(align(""), "");
    }
}
