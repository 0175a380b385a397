//! Blocks as text: for a terminal with colours and within its width, for a pipe plain and one thing per line.

use std::fmt::Write;

use anstyle::{AnsiColor, Effects, Style};

use super::blocks::{Block, Column, Fit, Line, Span};
use super::escape::plain;
use super::table::{GAP, cut, fitted, width_of, wrapped};
use crate::model::Status;

/// Where the text goes decides how it looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TextStyle {
    /// Whether the reader shows colours.
    pub color: bool,
    /// How many cells a line has; `None`: as many as it takes, so that each thing is on one line.
    pub width: Option<usize>,
    /// Whether a status has its dot in front.
    pub dots: bool,
}

/// The blocks as text, which ends with a line break.
#[must_use]
pub fn text(blocks: &[Block], style: TextStyle) -> String {
    let mut writer = Writer {
        style,
        text: String::new(),
    };
    for (index, block) in blocks.iter().enumerate() {
        let follows_title = index > 0 && matches!(blocks[index - 1], Block::Title(_));
        let follows_heading = index > 0 && matches!(blocks[index - 1], Block::Heading(_));
        if index > 0 && !follows_title && !follows_heading {
            writer.text.push('\n');
        }
        writer.block(block);
    }
    writer.text
}

/// A piece of text without anything that is obeyed, and its look.
struct Piece {
    text: String,
    look: Style,
}

struct Writer {
    style: TextStyle,
    text: String,
}

impl Writer {
    fn block(&mut self, block: &Block) {
        match block {
            Block::Title(line) | Block::Paragraph(line) => self.line("", line),
            Block::Heading(heading) => {
                self.piece(&plain(heading), Style::new().effects(Effects::BOLD));
                self.text.push('\n');
            }
            Block::List(lines) => {
                for line in lines {
                    self.line("- ", line);
                }
            }
            Block::Table { columns, rows } => self.table(columns, rows),
        }
    }

    /// A line with what stands before it; what does not fit goes on below its beginning.
    fn line(&mut self, lead: &str, line: &Line) {
        let pieces = self.pieces(line);
        let room = self
            .style
            .width
            .map(|width| width.saturating_sub(lead.len()));
        for (index, row) in laid_out(&pieces, Fit::Wrap, room).iter().enumerate() {
            if index == 0 {
                self.text.push_str(lead);
            } else {
                self.blanks(lead.len());
            }
            for piece in row {
                self.piece(&piece.text, piece.look);
            }
            self.text.push('\n');
        }
    }

    fn table(&mut self, columns: &[Column], rows: &[Vec<Line>]) {
        let cells: Vec<Vec<Vec<Piece>>> = (rows.iter())
            .map(|row| row.iter().map(|cell| self.pieces(cell)).collect())
            .collect();
        let mut natural: Vec<usize> = (columns.iter())
            .map(|column| width_of(column.title))
            .collect();
        for row in &cells {
            for (width, cell) in natural.iter_mut().zip(row) {
                *width = (*width).max(pieces_width(cell));
            }
        }
        let widths = fitted(columns, &natural, self.style.width);
        let faint = Style::new().effects(Effects::DIMMED);
        let titles: Vec<Vec<Piece>> = (columns.iter())
            .map(|column| {
                vec![Piece {
                    text: column.title.to_owned(),
                    look: faint,
                }]
            })
            .collect();
        self.row(columns, &widths, &titles);
        for row in &cells {
            self.row(columns, &widths, row);
        }
    }

    fn row(&mut self, columns: &[Column], widths: &[usize], cells: &[Vec<Piece>]) {
        let laid: Vec<Vec<Vec<Piece>>> = (cells.iter().zip(columns).zip(widths))
            .map(|((cell, column), width)| laid_out(cell, column.fit, Some(*width)))
            .collect();
        let height = laid.iter().map(Vec::len).max().unwrap_or(0);
        for level in 0..height {
            let mut owed = 0;
            for (lines, width) in laid.iter().zip(widths) {
                let line = lines.get(level).map_or(&[][..], Vec::as_slice);
                if !line.is_empty() {
                    // Blanks are written only before something, so that no line ends with them.
                    self.blanks(owed);
                    owed = 0;
                }
                for piece in line {
                    self.piece(&piece.text, piece.look);
                }
                owed += width.saturating_sub(pieces_width(line)) + GAP;
            }
            self.text.push('\n');
        }
    }

    fn pieces(&self, line: &Line) -> Vec<Piece> {
        line.iter()
            .map(|span| {
                let text = plain(span.text());
                Piece {
                    text: match span.status() {
                        Some(status) if self.style.dots => format!("{} {text}", status.dot()),
                        _ => text.into_owned(),
                    },
                    look: look(span),
                }
            })
            .collect()
    }

    fn piece(&mut self, text: &str, look: Style) {
        if self.style.color && look != Style::new() {
            // Writing to a `String` cannot fail.
            if write!(self.text, "{look}{text}{look:#}").is_ok() {
                return;
            }
        }
        self.text.push_str(text);
    }

    fn blanks(&mut self, count: usize) {
        self.text.extend(std::iter::repeat_n(' ', count));
    }
}

fn look(span: &Span) -> Style {
    match span {
        Span::Text(_) | Span::Link(_) => Style::new(),
        Span::Strong(_) => Style::new().effects(Effects::BOLD),
        Span::Faint(_) => Style::new().effects(Effects::DIMMED),
        Span::Status(status) | Span::Toned(_, status) => {
            let color = match status {
                Status::Green => AnsiColor::Green,
                Status::Unknown => AnsiColor::Cyan,
                Status::Yellow => AnsiColor::Yellow,
                Status::Red => AnsiColor::Red,
            };
            let effects = match status {
                Status::Green | Status::Unknown => Effects::new(),
                Status::Yellow | Status::Red => Effects::BOLD,
            };
            Style::new().fg_color(Some(color.into())).effects(effects)
        }
    }
}

fn pieces_width(pieces: &[Piece]) -> usize {
    pieces.iter().map(|piece| width_of(&piece.text)).sum()
}

/// The pieces over as many lines as it takes.
fn laid_out(pieces: &[Piece], fit: Fit, room: Option<usize>) -> Vec<Vec<Piece>> {
    let whole: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
    let lines = match (fit, room) {
        (Fit::Wrap, Some(width)) => wrapped(&whole, width),
        (Fit::Cut, Some(width)) => vec![cut(&whole, width)],
        _ => vec![whole],
    };
    let mut looks = pieces
        .iter()
        .flat_map(|piece| piece.text.chars().map(|character| (character, piece.look)))
        .peekable();
    lines
        .iter()
        .map(|line| with_looks(line, &mut looks))
        .collect()
}

/// Gives a broken or cut line its looks back. Breaking drops blanks and cutting adds `…`, nothing else.
fn with_looks(
    line: &str,
    looks: &mut std::iter::Peekable<impl Iterator<Item = (char, Style)>>,
) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for character in line.chars() {
        while character != ' ' && looks.next_if(|(next, _)| *next == ' ').is_some() {}
        let look = looks.next().map_or_else(
            || pieces.last().map_or_else(Style::new, |last| last.look),
            |(_, look)| look,
        );
        match pieces.last_mut() {
            Some(last) if last.look == look => last.text.push(character),
            _ => pieces.push(Piece {
                text: character.to_string(),
                look,
            }),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::digest::digest;
    use crate::render::samples::mixed;
    use proptest::prelude::*;

    #[test]
    fn piped_text_has_one_thing_per_line() {
        insta::assert_snapshot!(text(&digest(&mixed()), TextStyle::default()), @r#"
        unhealthy: 4 targets, 1 RED · 1 YELLOW · 1 UNKNOWN · 1 GREEN
        round of 2026-11-21 09:00:00 UTC, took 812 ms

        Problems
        STATUS   TARGET             PROBLEM                                                SINCE
        RED      db                 could not connect to 192.0.2.7:22: connection refused  2026-11-21 03:00 UTC (5 h 59 min)
        YELLOW   vps_servers/web    disk_free_percent of / is 17.2 < 20                    this round
        UNKNOWN  vps_servers/web    cpu_percent could not be measured: permission denied   this round
        UNKNOWN  api_endpoints/web  cpu_percent could not be measured: permission denied   this round

        What to do
        - db: start sshd
        - vps_servers/web: find what grows with `du -x`
        - vps_servers/web: let `monitor` read /proc
        - vps_servers/web: follow the runbook https://wiki.example/disk

        Changes since the last report
        - vps_servers/web: GREEN → YELLOW
        - api_endpoints/web: new, UNKNOWN
        - cache: new, GREEN
        - old: no longer watched, was GREEN

        Well
        STATUS  TARGET  KIND         SUMMARY
        GREEN   cache   vps_servers  cpu 3.1 % · disk free 58 % (/)

        next round at 2026-11-21 15:00:00 UTC
        "#);
    }

    #[test]
    fn on_a_terminal_nothing_is_wider_than_it() {
        let style = TextStyle {
            color: false,
            width: Some(72),
            dots: true,
        };
        let shown = text(&digest(&mixed()), style);
        insta::assert_snapshot!(shown, @r#"
        🔴 unhealthy: 4 targets, 1 🔴 RED · 1 🟡 YELLOW · 1 ⚪ UNKNOWN · 1 🟢
        GREEN
        round of 2026-11-21 09:00:00 UTC, took 812 ms

        Problems
        STATUS      TARGET             PROBLEM               SINCE
        🔴 RED      db                 could not connect to  2026-11-21 03:00
                                       192.0.2.7:22:         UTC (5 h 59 min)
                                       connection refused
        🟡 YELLOW   vps_servers/web    disk_free_percent of  this round
                                       / is 17.2 < 20
        ⚪ UNKNOWN  vps_servers/web    cpu_percent could     this round
                                       not be measured:
                                       permission denied
        ⚪ UNKNOWN  api_endpoints/web  cpu_percent could     this round
                                       not be measured:
                                       permission denied

        What to do
        - db: start sshd
        - vps_servers/web: find what grows with `du -x`
        - vps_servers/web: let `monitor` read /proc
        - vps_servers/web: follow the runbook https://wiki.example/disk

        Changes since the last report
        - vps_servers/web: 🟢 GREEN → 🟡 YELLOW
        - api_endpoints/web: new, ⚪ UNKNOWN
        - cache: new, 🟢 GREEN
        - old: no longer watched, was 🟢 GREEN

        Well
        STATUS    TARGET  KIND         SUMMARY
        🟢 GREEN  cache   vps_servers  cpu 3.1 % · disk free 58 % (/)

        next round at 2026-11-21 15:00:00 UTC
        "#);
        for width in [60, 72, 80, 100, 200] {
            let shown = text(
                &digest(&mixed()),
                TextStyle {
                    width: Some(width),
                    ..style
                },
            );
            for line in shown.lines() {
                assert!(width_of(line) <= width, "wider than {width}: {line}");
            }
        }
    }

    #[test]
    fn colours_go_with_the_text_over_line_breaks() {
        let blocks = [Block::Paragraph(vec![
            Span::Status(Status::Red),
            Span::Strong(" one two".to_owned()),
            Span::Text(" three".to_owned()),
        ])];
        let style = TextStyle {
            color: true,
            width: Some(8),
            dots: false,
        };
        let shown = text(&blocks, style).replace('\u{1b}', "^");
        insta::assert_snapshot!(shown, @r#"
        ^[1m^[31mRED^[0m^[1m one^[0m
        ^[1mtwo^[0m
        three
        "#);
    }

    proptest! {
        #[test]
        fn breaking_lines_loses_nothing_but_blanks(
            texts in prop::collection::vec("[a-c東 ]{0,12}", 1..4),
            width in 4_usize..30,
        ) {
            let spans = texts.iter().enumerate().map(|(index, text)| match index % 2 {
                0 => Span::Strong(text.clone()),
                _ => Span::Text(text.clone()),
            });
            let blocks = [Block::Paragraph(spans.collect())];
            let style = TextStyle { color: false, width: Some(width), dots: false };
            let shown = text(&blocks, style);
            let seen = |text: &str| text.replace([' ', '\n'], "");
            prop_assert_eq!(seen(&shown), seen(&texts.concat()));
            prop_assert!(shown.lines().all(|line| width_of(line) <= width), "{}", shown);
            let coloured = text(&blocks, TextStyle { color: true, ..style });
            let bare = coloured.replace("\u{1b}[1m", "").replace("\u{1b}[0m", "");
            prop_assert_eq!(bare, shown);
        }
    }
}
