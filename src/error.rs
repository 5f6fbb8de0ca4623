//! The one error type: a plain sentence, a hint, and whose fault it was (which decides the exit code).

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something could not be done, as a sentence for a person.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: Kind,
    message: String,
    hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Input,
    Failed,
    Diverged,
    Lost,
    Memory,
    Interrupted,
}

/// Bytes of a message about input.
const LONGEST: usize = 500;

impl Error {
    /// Wrong usage or input: exit code 2. Of what a foreign file says, the beginning is enough.
    pub fn input(message: impl Into<String>) -> Self {
        let mut error = Self::new(Kind::Input, message.into());
        if error.message.len() > LONGEST {
            let end = (0..LONGEST).rev().find(|i| error.message.is_char_boundary(*i)).unwrap_or(0);
            error.message.truncate(end);
            error.message.push_str("..");
        }
        error
    }

    /// The work itself failed (a check missed, a driver refused): exit code 1.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message.into())
    }

    /// Training or chains left all bounds: exit code 1.
    pub fn diverged(message: impl Into<String>) -> Self {
        Self::new(Kind::Diverged, message.into())
    }

    /// A device was lost, and another may do the work: exit code 1.
    pub fn lost(message: impl Into<String>) -> Self {
        Self::new(Kind::Lost, message.into())
    }

    /// A device has no memory for what is asked of it: exit code 1.
    pub fn memory(message: impl Into<String>) -> Self {
        Self::new(Kind::Memory, message.into())
    }

    /// A message is one line: control characters, which foreign files and names may hold, are written as escapes, and the lines
    /// of what a driver says follow each other.
    fn new(kind: Kind, message: String) -> Self {
        let message = match kind {
            Kind::Failed | Kind::Lost => {
                message.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
            }
            _ => message,
        };
        let escapes = char::is_control;
        let plain = |c: char| if escapes(c) { c.escape_default().to_string() } else { c.to_string() };
        let is_plain = !message.contains(escapes);
        Self { kind, message: if is_plain { message } else { message.chars().map(plain).collect() }, hint: None }
    }

    /// Someone asked the work to stop before its end: exit code 130.
    pub fn interrupted(message: impl Into<String>) -> Self {
        Self { kind: Kind::Interrupted, message: message.into(), hint: None }
    }

    /// Whether it was stopped, and nothing is wrong.
    pub fn is_interruption(&self) -> bool {
        self.kind == Kind::Interrupted
    }

    /// Whether what was computed left all bounds, so that doing it again would end as it did.
    pub fn is_divergence(&self) -> bool {
        self.kind == Kind::Diverged
    }

    /// Whether the device was lost on which it was computed.
    pub fn is_loss(&self) -> bool {
        self.kind == Kind::Lost
    }

    /// Whether the device had no memory for it.
    pub fn is_memory(&self) -> bool {
        self.kind == Kind::Memory
    }

    /// The same error with advice, printed on a line of its own after `hint:`.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error, said of `subject`.
    #[must_use]
    pub fn of(mut self, subject: impl std::fmt::Display) -> Self {
        self.message = format!("{subject}: {}", self.message);
        self
    }

    /// The advice, if there is any.
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The exit code of a program that ends with this error.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Input => 2,
            Kind::Failed | Kind::Diverged | Kind::Lost | Kind::Memory => 1,
            Kind::Interrupted => 130,
        }
    }
}

/// The name in `known` nearest to `name`, if one is near enough to be a likely typing slip.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|k| (strsim::normalized_damerau_levenshtein(&name.to_lowercase(), k), k))
        .filter(|(likeness, _)| *likeness > 0.4)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, k)| k)
}

/// An input error for a name that is not one of `known`, hinting at the nearest valid one and listing all.
pub fn unknown_name(what: &str, name: &str, known: &[&str]) -> Error {
    let all = known.join(", ");
    let many = if what.ends_with('s') { format!("{what}es") } else { format!("{what}s") };
    let hint = match nearest(name, known.iter().copied()) {
        Some(k) => format!("did you mean `{k}`? The {many} are: {all}"),
        None => format!("the {many} are: {all}"),
    };
    Error::input(format!("there is no {what} called `{name}`")).hint(hint)
}
