//! Base64, as the docker CLI's configuration, the engine's headers and a page's policy have it.
//!
//! Knows nothing of what is in it.

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const FOR_URLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// With the standard alphabet, padded: what a content security policy takes.
pub fn encode(bytes: &[u8]) -> String {
    encoded(bytes, STANDARD)
}

/// With the alphabet for URLs, padded: what `X-Registry-Auth` takes.
pub fn encode_for_urls(bytes: &[u8]) -> String {
    encoded(bytes, FOR_URLS)
}

fn encoded(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) & 63;
            out.push(if digit <= group.len() { alphabet[value as usize] as char } else { '=' });
        }
    }
    out
}

/// With the standard alphabet, padded or not; none for what is no such text.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim().trim_end_matches('=');
    let mut out = Vec::with_capacity(digits.len() * 3 / 4);
    for group in digits.as_bytes().chunks(4) {
        let mut bits = 0;
        for digit in group {
            bits = bits << 6 | STANDARD.iter().position(|known| known == digit)?;
        }
        let bytes = match group.len() {
            4 => 3,
            3 => 2,
            2 => 1,
            _ => return None,
        };
        let bits = (bits << (6 * (4 - group.len()))) as u32;
        out.extend_from_slice(&bits.to_be_bytes()[1..=bytes]);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_length_are_written_and_read() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("{}", "e30=")]
        {
            assert_eq!(encode(plain.as_bytes()), coded);
            assert_eq!(encode_for_urls(plain.as_bytes()), coded);
            assert_eq!(decode(coded).unwrap(), plain.as_bytes());
            assert_eq!(decode(coded.trim_end_matches('=')).unwrap(), plain.as_bytes());
        }
    }

    #[test]
    fn the_alphabets_differ_in_two_digits() {
        let bytes = [0xfb, 0xff, 0xfe];
        assert_eq!(encode_for_urls(&bytes), "-__-");
        assert_eq!(encode(&bytes), "+//+");
        assert_eq!(decode("+//+").unwrap(), bytes);
        assert_eq!(decode("-__-"), None);
        assert_eq!(decode("Zm9vY"), None);
    }
}
