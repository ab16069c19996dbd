//! Replaces secrets in a stream of bytes, also where a read ends in the middle of one.
//!
//! Bytes in, bytes out: does not know lines or where the stream comes from.

const MASK: &[u8] = b"***";

/// A secret's single line shorter than this is not a secret of its own: replacing every `}` of
/// a printed JSON key helps nobody.
const SHORTEST_LINE: usize = 8;

/// Replaces every secret, the longest where several match, as the bytes come.
#[derive(Debug)]
pub struct Redactor {
    /// Longest first; none is empty.
    secrets: Vec<Vec<u8>>,
    /// Whether some secret starts with this byte.
    starts: [bool; 256],
    /// The end of what came so far, when it may be the beginning of a secret.
    held: Vec<u8>,
}

impl Redactor {
    /// Each value counts as given, without surrounding white space, and, when it has several
    /// lines (keys, certificates), line by line: tools indent and re-wrap what they print.
    pub fn new(values: &[String]) -> Self {
        let mut secrets: Vec<Vec<u8>> = Vec::new();
        for value in values {
            let lines = value.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE);
            for form in [value.as_str(), value.trim()].into_iter().chain(lines) {
                if !form.trim().is_empty() {
                    secrets.push(form.as_bytes().to_vec());
                }
            }
        }
        secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        secrets.dedup();
        let mut starts = [false; 256];
        for secret in &secrets {
            starts[usize::from(secret[0])] = true;
        }
        Self { secrets, starts, held: Vec::new() }
    }

    /// Whether there is nothing to replace, so that bytes need not pass through here.
    pub fn is_idle(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Appends to `out` what is certain; the rest waits for the next bytes.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.held.extend_from_slice(bytes);
        self.emit(out, false);
    }

    /// The stream has ended: appends what was held back.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.emit(out, true);
    }

    fn emit(&mut self, out: &mut Vec<u8>, ended: bool) {
        let mut at = 0;
        while at < self.held.len() {
            let rest = &self.held[at..];
            if !self.starts[usize::from(rest[0])] {
                let plain =
                    rest.iter().position(|&byte| self.starts[usize::from(byte)]).unwrap_or(rest.len());
                out.extend_from_slice(&rest[..plain]);
                at += plain;
                continue;
            }
            // Longest first: a secret that may still become whole outranks a shorter whole one.
            let mut found = 0;
            for secret in &self.secrets {
                if rest.starts_with(secret) {
                    found = secret.len();
                    break;
                }
                if !ended && secret.starts_with(rest) {
                    self.held.drain(..at);
                    return;
                }
            }
            if found > 0 {
                out.extend_from_slice(MASK);
                at += found;
            } else {
                out.push(rest[0]);
                at += 1;
            }
        }
        self.held.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redact(values: &[&str], chunks: &[&[u8]]) -> String {
        let values: Vec<String> = values.iter().map(|&value| value.to_owned()).collect();
        let mut redactor = Redactor::new(&values);
        let mut out = Vec::new();
        for chunk in chunks {
            redactor.feed(chunk, &mut out);
        }
        redactor.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_secret_split_over_reads_is_replaced() {
        let text = b"token=hunter2 hunter hunter2";
        for split in 0..text.len() {
            let (a, b) = text.split_at(split);
            assert_eq!(redact(&["hunter2"], &[a, b]), "token=*** hunter ***", "split at {split}");
        }
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(redact(&["hunter2"], &bytes), "token=*** hunter ***");
    }

    #[test]
    fn the_longest_of_several_wins() {
        assert_eq!(redact(&["abc", "abcdef"], &[b"abc", b"def abcde"]), "*** ***de");
    }

    #[test]
    fn lines_of_a_key_count_alone() {
        let key = "-----BEGIN-----\nMIIEvQIBADAN\n}\n";
        assert_eq!(redact(&[key], &[b"  MIIEvQIBADAN }"]), "  *** }");
        assert_eq!(redact(&[key], &[key.as_bytes()]), "***");
    }

    #[test]
    fn empty_values_replace_nothing() {
        assert_eq!(redact(&["", "\n"], &[b"a\nb"]), "a\nb");
    }

    proptest! {
        #[test]
        fn no_split_lets_a_secret_through(
            text in "[ab ]{0,40}", secret in "[ab]{1,4}", sizes in prop::collection::vec(1usize..5, 1..40),
        ) {
            let mut chunks: Vec<&[u8]> = Vec::new();
            let mut rest = text.as_bytes();
            for size in sizes {
                let (chunk, after) = rest.split_at(size.min(rest.len()));
                chunks.push(chunk);
                rest = after;
            }
            chunks.push(rest);
            prop_assert_eq!(redact(&[&secret], &chunks), text.replace(&secret, "***"));
        }
    }
}
