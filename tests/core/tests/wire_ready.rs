//! Commands that are written ready-made are, byte for byte, what their arguments give (R15), and leave
//! all other bytes alone.

use redlatch_core::resp::{Arguments, encode, encoded_len};
use redlatch_core::{Command, Form, Token, Ttl};

const MARK: u8 = 0xaa;

/// The same arguments, without a way of their own to be written.
struct Plain<'a>(Command<'a>);

impl Arguments for Plain<'_> {
    fn visit(&self, put: &mut dyn FnMut(&[u8])) {
        self.0.visit(put);
    }
}

fn written(arguments: &impl Arguments, room: usize) -> (Option<usize>, Vec<u8>) {
    let mut out = vec![MARK; room];
    (encode(arguments, &mut out), out)
}

fn check(command: Command<'_>) {
    let len = encoded_len(&command);
    for room in [0, 1, len / 2, len - 1, len, len + 9] {
        let (used, out) = written(&command, room);
        assert_eq!(used, (room >= len).then_some(len), "{command:?} of {len} in {room}");
        assert_eq!((used, out), written(&Plain(command), room), "{command:?} of {len} in {room}");
    }
    assert!(written(&command, len - 1).1.iter().all(|byte| *byte == MARK), "all or nothing");
}

#[test]
fn r15_what_is_ready_made_is_what_is_visited() {
    let token = &Token::from_random(core::array::from_fn(|i| i as u8 * 13)).expect("not constant");
    let lengths = (0..=120).chain([998, 999, 1_000, 1_001, 70_000]);
    for key in lengths.map(|len| vec![b'k'; len]) {
        let key = key.as_slice();
        check(Command::Read { key });
        for form in [Form::Digest, Form::Source] {
            check(Command::Release { key, token, form });
        }
        for millis in [1, 9, 10, 99, 100, 999, 30_000, 99_999_999_999] {
            let ttl = Ttl::from_millis(millis).expect("good");
            check(Command::Claim { key, token, ttl });
            for form in [Form::Digest, Form::Source] {
                check(Command::Extend { key, token, ttl, form });
            }
        }
    }
}
