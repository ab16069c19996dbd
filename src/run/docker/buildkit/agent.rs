//! Which of an ssh agent's requests a build may make: list the keys, and sign.
//!
//! Anything else (adding, removing, locking) is refused on the agent's behalf, as the docker CLI
//! does. A request is a length in four bytes, a type, and the rest. Pure.

/// The first byte of the requests that pass.
const LIST: u8 = 11;
const SIGN: u8 = 13;
/// The agent's protocol allows no longer message.
const LONGEST: usize = 256 << 10;

/// A whole answer: "failure".
pub(super) const REFUSAL: &[u8] = &[0, 0, 0, 1, 5];

/// What becomes of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Passage {
    Pass(Vec<u8>),
    Refuse,
    /// No agent's protocol at all.
    Hang,
}

/// Cuts a stream of bytes into requests.
#[derive(Default)]
pub(super) struct Gate(Vec<u8>);

impl Gate {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next whole request, if there is one.
    pub(super) fn next(&mut self) -> Option<Passage> {
        let length = u32::from_be_bytes(*self.0.first_chunk::<4>()?) as usize;
        if length == 0 || length > LONGEST {
            return Some(Passage::Hang);
        }
        if self.0.len() < 4 + length {
            return None;
        }
        let request: Vec<u8> = self.0.drain(..4 + length).collect();
        Some(match request[4] {
            LIST | SIGN => Passage::Pass(request),
            _ => Passage::Refuse,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listing_and_signing_pass_in_whatever_pieces_they_come() {
        let mut gate = Gate::default();
        gate.push(&[0, 0, 0]);
        assert_eq!(gate.next(), None);
        gate.push(&[1, 11, 0, 0, 0, 2, 13]);
        assert_eq!(gate.next(), Some(Passage::Pass(vec![0, 0, 0, 1, 11])));
        assert_eq!(gate.next(), None);
        gate.push(&[7]);
        assert_eq!(gate.next(), Some(Passage::Pass(vec![0, 0, 0, 2, 13, 7])));
    }

    #[test]
    fn changing_the_agent_is_refused() {
        for kind in [17, 18, 19, 20, 21, 22, 23, 25, 26, 27] {
            let mut gate = Gate::default();
            gate.push(&[0, 0, 0, 2, kind, 0]);
            assert_eq!(gate.next(), Some(Passage::Refuse), "{kind}");
        }
    }

    #[test]
    fn what_is_no_request_ends_the_conversation() {
        let mut gate = Gate::default();
        gate.push(b"GET / HTTP/1.1");
        assert_eq!(gate.next(), Some(Passage::Hang));
    }
}
