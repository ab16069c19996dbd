//! How wide and how high a terminal is.

use std::os::fd::AsFd;

/// Columns taken where nobody says how wide the screen is.
pub const DEFAULT_WIDTH: usize = 80;

/// Rows, likewise.
pub const DEFAULT_HEIGHT: usize = 24;

/// Columns of the terminal behind `stream`; none when it is no terminal or hides its size.
pub fn width(stream: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

/// Its rows.
pub fn height(stream: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    (size.ws_row > 0).then_some(usize::from(size.ws_row))
}
