//! Asking the person at the terminal.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use tieline_wire::problem::{Code, Problem};

/// Whether somebody can be asked.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal()
}

/// Asks for a line.
pub(crate) fn line(question: &str) -> Result<String, Problem> {
    ask(question)?;
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(unreadable)?;
    Ok(answer)
}

/// Asks yes or no; anything but yes is no.
pub(crate) fn confirm(question: &str) -> Result<bool, Problem> {
    let answer = line(&format!("{question} [y/N] "))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Reads a secret: without echo from a terminal, else all of standard input without the newline
/// at its end.
pub(crate) fn secret(question: &str) -> Result<String, Problem> {
    if is_interactive() {
        return rpassword::prompt_password(question).map_err(unreadable);
    }
    let mut value = all_of_stdin()?;
    if value.ends_with('\n') {
        value.pop();
        if value.ends_with('\r') {
            value.pop();
        }
    }
    Ok(value)
}

/// Everything on standard input.
pub(crate) fn all_of_stdin() -> Result<String, Problem> {
    let mut text = String::new();
    io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    Ok(text)
}

fn ask(question: &str) -> Result<(), Problem> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "{question}")
        .and_then(|()| stderr.flush())
        .map_err(unreadable)
}

fn unreadable(error: io::Error) -> Problem {
    Problem::new(Code::InvalidRequest)
        .summary("Standard input could not be read.")
        .because(format!("{error}."))
}
