use crate::failure::Failure;
use chrono::{DateTime, Utc};
use console::style;
use serde::Serialize;
use std::io::{self, Write};

/// How something is printed: as kn and kubectl have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// JSON
    Json,
    /// YAML
    Yaml,
    /// Names or ids alone, a line each
    Name,
}

/// Flags of commands that print something.
#[derive(Debug, clap::Args)]
pub(crate) struct Look {
    /// Print for programs instead of people
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    output: Option<Format>,
    /// Leave out the line above a table
    #[arg(long)]
    no_headers: bool,
}

impl Look {
    /// Prints what there is: as a table, or whole, or by its names.
    pub(crate) fn print(
        &self,
        whole: &impl Serialize,
        names: impl IntoIterator<Item = String>,
        table: impl FnOnce() -> Vec<Table>,
    ) -> Result<(), Failure> {
        let text = match self.output {
            Some(Format::Json) => serde_json::to_string_pretty(whole)
                .map(|text| text + "\n")
                .map_err(unwritten)?,
            Some(Format::Yaml) => serde_saphyr::to_string(whole).map_err(unwritten)?,
            Some(Format::Name) => names.into_iter().map(|name| name + "\n").collect(),
            None => {
                let tables = table().into_iter();
                let tables: Vec<_> = tables.map(|table| table.text(!self.no_headers)).collect();
                tables.join("\n")
            }
        };
        // Whoever reads may have seen enough.
        let _reader_went = io::stdout().write_all(text.as_bytes());
        Ok(())
    }
}

/// Columns under headers, three blanks apart.
#[derive(Debug)]
pub(crate) struct Table {
    headers: &'static [&'static str],
    rows: Vec<Vec<String>>,
    /// What is said where there is no row.
    empty: &'static str,
}

impl Table {
    pub(crate) fn new(headers: &'static [&'static str], empty: &'static str) -> Self {
        Self {
            headers,
            rows: Vec::new(),
            empty,
        }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn text(&self, with_headers: bool) -> String {
        if self.rows.is_empty() {
            return format!("{}\n", self.empty);
        }
        let headers: Vec<String> = self
            .headers
            .iter()
            .map(|&header| header.to_owned())
            .collect();
        let rows = with_headers
            .then_some(&headers)
            .into_iter()
            .chain(&self.rows);
        let rows: Vec<_> = rows.collect();
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| console::measure_text_width(cell)).max()
        };
        let widths: Vec<_> = (0..self.headers.len()).map_while(width).collect();
        let line = |row: &&Vec<String>| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| {
                let blanks = width - console::measure_text_width(cell);
                format!("{}{}", colored(cell), " ".repeat(blanks + 3))
            });
            let line: String = cells.collect();
            format!("{}\n", line.trim_end())
        };
        rows.iter().map(line).collect()
    }
}

/// States are told apart at a glance, on a terminal alone.
fn colored(cell: &str) -> String {
    match cell.split([' ', ',']).next() {
        Some("ready" | "True") => style(cell).green().to_string(),
        Some("failed" | "False") => style(cell).red().to_string(),
        Some("converting" | "Unknown") => style(cell).yellow().to_string(),
        _ => cell.to_owned(),
    }
}

/// How long ago that was, as kubectl says it: `45s`, `3m`, `2h`, `5d`.
pub(crate) fn since(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - then).num_seconds().max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A size as people read it.
pub(crate) fn bytes(size: u64) -> String {
    bytesize::ByteSize(size).display().si().to_string()
}

fn unwritten(error: impl std::fmt::Display) -> Failure {
    Failure::passing("output", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_whatever_is_in_them() {
        let mut table = Table::new(&["ID", "TITLE", "STATE"], "none");
        for (id, title, state) in [("1", "Grüße 👋", "ready"), ("22", "x", "failed")] {
            table.row([id, title, state].map(str::to_owned));
        }
        let expected = "ID   TITLE      STATE\n1    Grüße 👋   ready\n22   x          failed\n";
        assert_eq!(table.text(true), expected);
        assert!(!table.text(false).contains("ID"));
        assert_eq!(
            Table::new(&["ID"], "No jobs yet.").text(true),
            "No jobs yet.\n"
        );
    }

    #[test]
    fn an_age_has_one_unit() {
        let now = DateTime::UNIX_EPOCH + chrono::Duration::days(9);
        let ago = |seconds| since(now - chrono::Duration::seconds(seconds), now);
        assert_eq!([ago(0), ago(119), ago(120)], ["0s", "119s", "2m"]);
        assert_eq!([ago(7_200), ago(172_800)], ["2h", "2d"]);
    }
}
