//! Data in a form for people: tables, times, and text from elsewhere made harmless.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tieline_node::model::{AttemptView, Direction, DirectionState, MessageView, Via};
use tieline_wire::problem::Problem;

/// Text from another machine, safe to print: control characters and those that turn the reading
/// direction would let it rewrite what the terminal shows.
pub(crate) fn printable(text: &str) -> String {
    text.chars().flat_map(harmless).collect()
}

/// The same for text of several lines, which keeps its lines.
pub(crate) fn printable_lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(printable)
}

/// The same for a part of a text, whose lines go on in the next part.
pub(crate) fn printable_text(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| match line.strip_suffix('\n') {
            Some(line) => printable(line) + "\n",
            None => printable(line),
        })
        .collect()
}

fn harmless(c: char) -> Vec<char> {
    let turns_direction =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || turns_direction {
        c.escape_default().collect()
    } else {
        vec![c]
    }
}

/// An RFC 3339 time as this machine's wall clock shows it.
pub(crate) fn time(text: &str) -> String {
    match text.parse::<Timestamp>() {
        Ok(timestamp) => timestamp
            .to_zoned(TimeZone::system())
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string(),
        Err(_) => printable(text),
    }
}

/// Milliseconds with as many digits as they deserve.
pub(crate) fn millis(millis: f64) -> String {
    match millis {
        m if m < 10.0 => format!("{m:.1} ms"),
        m if m < 10_000.0 => format!("{m:.0} ms"),
        m => format!("{:.1} s", m / 1000.0),
    }
}

/// How far a peer's clock is off, for a person.
pub(crate) fn clock_offset(millis: i64) -> String {
    let (sign, size) = if millis < 0 {
        ("behind", millis.unsigned_abs())
    } else {
        ("ahead", millis.unsigned_abs())
    };
    match size {
        0..1_000 => "in step".to_owned(),
        1_000..120_000 => format!("{} s {sign}", size / 1_000),
        120_000..7_200_000 => format!("{} min {sign}", size / 60_000),
        _ => format!("{:.1} h {sign}", size as f64 / 3_600_000.0),
    }
}

/// `direct` or `held`.
pub(crate) fn via(via: Via) -> &'static str {
    match via {
        Via::Direct => "direct",
        Via::Held => "held",
    }
}

/// What failed and why; part of it may be a peer's own words.
pub(crate) fn reason(problem: &Problem) -> String {
    printable(&format!("{} {}", problem.summary, problem.cause))
}

/// One direction of a line in a few words.
pub(crate) fn direction(direction: &Direction) -> String {
    match (direction.state, direction.latency_ms, &direction.problem) {
        (DirectionState::Ok, Some(latency), _) => format!("ok, {}", millis(latency)),
        (DirectionState::Ok, None, _) => "ok".to_owned(),
        (DirectionState::Failed, _, Some(problem)) => printable(&problem.summary),
        (DirectionState::Failed, _, None) => "failed".to_owned(),
        (DirectionState::Unknown, _, _) => "not tried".to_owned(),
    }
}

/// The fingerprint as people compare it: four lines of four groups, then 24 words.
pub(crate) fn fingerprint(groups: &[String], words: &[String]) -> Vec<String> {
    let grid = groups.chunks(4).map(|row| format!("  {}", row.join(" ")));
    let words = words.chunks(8).map(|row| format!("  {}", row.join(" ")));
    grid.chain(words).collect()
}

/// A message on one line, then its further lines.
pub(crate) fn message(message: &MessageView) -> Vec<String> {
    let arrow = if message.direction == "in" {
        "from"
    } else {
        "to"
    };
    let head = format!(
        "{}  {arrow} {}  [{}]  {}",
        time(&message.created_at),
        printable(&message.peer),
        printable(&message.r#type),
        message.state,
    );
    let body = match (&message.text, &message.payload) {
        (Some(text), _) => printable_lines(text)
            .map(|line| format!("    {line}"))
            .collect(),
        (None, Some(payload)) => vec![format!("    {payload}")],
        (None, None) => vec!["    (content deleted after its retention time)".to_owned()],
    };
    let mut lines = vec![head];
    lines.extend(body);
    if let Some(problem) = &message.problem {
        lines.push(format!("    ! {}", reason(problem)));
    }
    lines.push(format!("    id {}", printable(&message.message_id)));
    lines
}

/// One try.
pub(crate) fn attempt(number: usize, attempt: &AttemptView) -> Vec<String> {
    let ordinal = attempt
        .ordinal
        .map_or_else(|| number.to_string(), |ordinal| ordinal.to_string());
    let mut head = format!("#{ordinal}  {}", attempt.route);
    if let Some(how) = attempt.via {
        head += &format!(" {}", via(how));
    }
    if let Some(address) = &attempt.address {
        head += &format!(" {}", printable(address));
    }
    head += &format!("  {}  {}", attempt.status, millis(attempt.latency_ms));
    if let Some(status) = &attempt.relay_status {
        head += &format!(" ({status})");
    }
    if let Some(started) = &attempt.started_at {
        head += &format!("  {}", time(started));
    }
    let mut lines = vec![head];
    match (&attempt.problem, &attempt.error) {
        (Some(problem), _) => {
            lines.push(format!("    {}", reason(problem)));
            lines.push(format!("    do: {}", printable(&problem.remedy)));
        }
        (None, Some(error)) => lines.push(format!("    {}", printable(error))),
        (None, None) => {}
    }
    lines
}

/// Rows under their titles, columns as wide as they need to be.
pub(crate) fn table(titles: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count());
        let title = titles.get(column).map_or(0, |title| title.chars().count());
        cells.max().unwrap_or(0).max(title)
    };
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    let render = |cells: Vec<&str>| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let head = render(titles.to_vec());
    let body = rows
        .iter()
        .map(|row| render(row.iter().map(String::as_str).collect()));
    std::iter::once(head).chain(body).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_elsewhere_cannot_drive_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(printable("\u{202e}txt.exe"), "\\u{202e}txt.exe");
        assert_eq!(printable("línea ✓"), "línea ✓");
        assert_eq!(printable("a\nb\r"), "a\\nb\\r");
        assert_eq!(printable_text("a\r\n\u{1b}b\n"), "a\\r\n\\u{1b}b\n");
        assert_eq!(printable_lines("a\nb").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(millis(0.42), "0.4 ms");
        assert_eq!(millis(123.4), "123 ms");
        assert_eq!(millis(12_340.0), "12.3 s");
        assert_eq!(clock_offset(-10_800_000), "3.0 h behind");
        assert_eq!(clock_offset(5_400), "5 s ahead");
        assert_eq!(clock_offset(-3), "in step");
    }

    #[test]
    fn tables_line_up() {
        let rows = [
            vec!["a".to_owned(), "1".to_owned()],
            vec!["long-name".to_owned(), "22".to_owned()],
        ];
        assert_eq!(
            table(&["NAME", "N"], &rows),
            ["NAME       N", "a          1", "long-name  22"]
        );
    }
}
