//! One run of the command line.

use std::process::Output;

use serde_json::Value;

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Run {
    command: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn new(command: String, output: Output) -> Self {
        Self {
            command,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// It must have ended with code 0.
    #[track_caller]
    pub fn success(self) -> Self {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }

    /// It must have ended with this code, which is not 0.
    #[track_caller]
    pub fn failure(self, code: i32) -> Self {
        assert_ne!(code, 0);
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// The only line of standard output.
    #[track_caller]
    pub fn line(&self) -> String {
        let mut lines = self.stdout.lines();
        match (lines.next(), lines.next()) {
            (Some(only), None) => only.to_owned(),
            _ => panic!("not one line: {self}"),
        }
    }

    /// Standard output as one JSON object.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.line()).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// Standard output as one JSON object a line.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self}"))
        };
        self.stdout.lines().map(parse).collect()
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "`{}` ended with {:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.command, self.code, self.stdout, self.stderr
        )
    }
}
