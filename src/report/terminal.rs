//! How wide a terminal is.

use std::os::fd::AsFd;

/// Columns taken where nobody says how wide the screen is.
pub const DEFAULT_WIDTH: usize = 80;

/// Columns of the terminal behind `stream`; none when it is no terminal or hides its size.
pub fn width(stream: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}
