//! Whether the engine's disk is likely to hold what is to be built. Pure: numbers in, a warning out.

use bytesize::ByteSize;

/// With less than this, a build of any image may fail.
const LEAST: u64 = 2 << 30;

/// A warning, if `free` bytes may not do. `last` is how large the node's image was when it was last
/// built, layers of its base included.
pub fn scarce(free: u64, last: Option<u64>, root: &str) -> Option<String> {
    if free >= LEAST.max(last.unwrap_or(0)) {
        return None;
    }
    let size = |bytes: u64| ByteSize(bytes).display().iec();
    let last = last.map(|bytes| format!(", and its last image has {}", size(bytes))).unwrap_or_default();
    Some(format!("only {} are free in the engine's `{root}`{last}: the build may fail", size(free)))
}

/// What makes room.
pub const HELP: &str =
    "`osgraph gc` and `docker builder prune` make room; `docker system df` shows what takes it";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room_is_warned_of_with_numbers() {
        assert_eq!(scarce(2 << 30, None, "/r"), None);
        assert_eq!(scarce(5 << 30, Some(5 << 30), "/r"), None);
        assert_eq!(
            scarce(1 << 30, None, "/r").unwrap(),
            "only 1.0 GiB are free in the engine's `/r`: the build may fail"
        );
        assert_eq!(
            scarce(4 << 30, Some(5 << 30), "/r").unwrap(),
            "only 4.0 GiB are free in the engine's `/r`, and its last image has 5.0 GiB: the build may fail"
        );
    }
}
