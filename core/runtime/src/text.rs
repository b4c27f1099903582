//! Text from outside, made fit for a message: one line of bounded length. A request of ten megabytes
//! must not fill a log, and its control characters must not reach a terminal.

/// At most `chars_max` characters of a text, control characters as spaces; `...` where it was cut.
pub(crate) fn one_line(text: &str, chars_max: usize) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut line: String = text.chars().take(chars_max).map(clean).collect();
    if text.chars().nth(chars_max).is_some() {
        line.push_str("...");
    }
    line
}
