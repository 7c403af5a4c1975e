//! The negative list of mobile keys, as far as it concerns Nuki; `n1` to `n20` are its lines.
use crate::nuki_setup::{BY, act, checksum, encrypt, lock, nonce, pair, paired, random, summed};
use crate::support::{flipped, written};
use seam_ble::crypto::Secret;
use seam_ble::crypto::rustcrypto::RustCrypto;
use seam_ble::nuki::sim::SimLock;
use seam_ble::nuki::{self, Action, Client, DoorSensor, LockError, LockState, Mode, NukiError, Paired};

fn refused(code: u8, command: u16) -> NukiError {
    NukiError::Lock(LockError { code, command })
}

fn same(_: usize, message: Vec<u8>) -> Vec<u8> {
    message
}

#[test]
fn a_client_pairs_asks_and_acts() {
    let (mut lock, paired) = paired();
    assert!(!lock.pairing_mode, "one client for each press of the button");
    let mut client = Client::new(paired);
    let ask = |lock: &mut SimLock<RustCrypto>, client: &mut Client| {
        let (sent, asked) = written(|out| client.ask_states(nonce(), out)).unwrap();
        client.states(asked, &lock.user_data(&sent)[0]).unwrap()
    };
    let states = ask(&mut lock, &mut client);
    assert_eq!(
        (states.mode, states.lock, states.door, states.battery_critical),
        (Mode::Door, LockState::Locked, Some(DoorSensor::Closed), false)
    );
    for (action, ends) in [
        (Action::Unlock, LockState::Unlocked),
        (Action::Unlatch, LockState::Unlatched),
        (Action::LockNGo, LockState::UnlockedLockNGo),
        (Action::LockNGoUnlatch, LockState::Unlatched),
        (Action::FullLock, LockState::Locked),
        (Action::Lock, LockState::Locked),
    ] {
        act(&mut lock, &mut client, action, same).unwrap();
        assert_eq!(ask(&mut lock, &mut client).lock, ends);
    }
    assert_eq!(lock.actions().len(), 6);
}

// Line 1 for this curve: points of small order give a secret that everybody knows.
#[test]
fn n1_a_key_of_small_order_is_refused_by_both_sides() {
    let order_8 = {
        let mut bytes = [0; 32];
        let known = "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800";
        bytes.copy_from_slice(&crate::support::hex(known));
        bytes
    };
    let one = {
        let mut one = [0; 32];
        one[0] = 1;
        one
    };
    for weak in [[0; 32], one, order_8] {
        assert_eq!(nuki::shared_key(&Secret::new([0x42; 32]), &weak).unwrap_err(), NukiError::WeakKey);
        let (_, state) = written(|out| nuki::begin(Secret::new([0x42; 32]), out)).unwrap();
        let message = summed(&[&[3, 0], weak.as_slice()].concat());
        assert_eq!(written(|out| state.receive(&message, out)).unwrap_err(), NukiError::WeakKey);
        let mut lock = lock();
        lock.pairing_data(&summed(&[1, 0, 3, 0]));
        assert_eq!(lock.pairing_data(&message), summed(&[0x12, 0, 0x23, 3, 0]), "the lock's bad parameter");
    }
}

#[test]
fn n2_ones_own_key_echoed_is_refused() {
    let (_, state) = written(|out| nuki::begin(Secret::new([0x42; 32]), out)).unwrap();
    let own = nuki::public_key(&Secret::new([0x42; 32]));
    let refused = written(|out| state.receive(&summed(&[&[3, 0], own.as_slice()].concat()), out)).unwrap_err();
    assert_eq!(refused, NukiError::WeakKey);
}

#[test]
fn nobody_in_between_pairs() {
    // Somebody answers with a key of their own to each side: the proofs do not fit.
    let mallory = Secret::new([0x66; 32]);
    let swap = |at: usize| {
        let mallory = nuki::public_key(&mallory);
        move |index: usize, message: Vec<u8>| if index == at { summed(&[&[3, 0], mallory.as_slice()].concat()) } else { message }
    };
    assert_eq!(pair(&mut lock(), swap(1)).unwrap_err(), refused(0x11, 5));
    assert_eq!(pair(&mut lock(), swap(2)).unwrap_err(), refused(0x11, 5));
    let mut closed = lock();
    closed.pairing_mode = false;
    assert_eq!(pair(&mut closed, same).unwrap_err(), refused(0x10, 1));
}

#[test]
fn every_bit_of_every_message_of_a_pairing_counts() {
    for index in 0..10 {
        let mut length = 0;
        pair(&mut lock(), |at, message| {
            if at == index {
                length = message.len();
            }
            message
        })
        .unwrap();
        for bit in 0..length * 8 {
            let plain = pair(&mut lock(), |at, message| if at == index { flipped(&message, bit) } else { message });
            assert!(plain.is_err(), "bit {bit} of message {index}");
            // The same with the checksum made good again: then cryptography has to notice. What carries no meaning is the checksum itself.
            if bit < (length - 2) * 8 {
                let made_good = |at: usize, message: Vec<u8>| {
                    if at == index { summed(&flipped(&message, bit)[..length - 2]) } else { message }
                };
                let result = pair(&mut lock(), made_good);
                assert!(result.is_err(), "bit {bit} of message {index}, with a good checksum: {result:?}");
            }
        }
    }
}

#[test]
fn every_bit_of_every_message_of_an_action_counts() {
    let (mut lock, paired) = paired();
    for index in 0..7 {
        let mut length = 0;
        let mut client = Client::new(paired.clone());
        act(&mut lock, &mut client, Action::Lock, |at, message| {
            if at == index {
                length = message.len();
            }
            message
        })
        .unwrap();
        for bit in 0..length * 8 {
            let before = lock.actions().len();
            let changed =
                act(&mut lock, &mut client, Action::Unlock, |at, message| if at == index { flipped(&message, bit) } else { message });
            assert!(changed.is_err(), "bit {bit} of message {index}");
            assert!(index > 2 || lock.actions().len() == before, "the bolt moved by a changed message {index}, bit {bit}");
        }
    }
}

fn states_request(paired: &Paired, plain: &[u8], outside: u32, nonce: [u8; 24]) -> Result<(), NukiError> {
    let mut lock = SimLock::new(RustCrypto, random);
    lock.pairing_mode = true;
    let fresh = pair(&mut lock, same)?;
    assert_eq!(fresh.authorization, paired.authorization);
    let answers = lock.user_data(&encrypt(&fresh.key, outside, nonce, plain));
    let mut client = Client::new(fresh);
    let (_, asked) = written(|out| client.ask_states([0xEE; 24], out))?;
    client.states(asked, &answers[0]).map(|_| ())
}

#[test]
fn n18_a_good_checksum_does_not_make_a_bad_tag_good() {
    let (mut lock, paired) = paired();
    let good = encrypt(&paired.key, 1, nonce(), &summed(&[1, 0, 0, 0, 1, 0, 0x0C, 0]));
    let other_key = encrypt(&Secret::new([1; 32]), 1, nonce(), &summed(&[1, 0, 0, 0, 1, 0, 0x0C, 0]));
    let mut cut = good.clone();
    cut[30] ^= 1;
    for bad in [other_key, cut] {
        assert_eq!(lock.user_data(&bad), [summed(&[0x12, 0, 0x20, 0, 0])], "not authorized, in clear");
        let mut client = Client::new(paired.clone());
        let (_, asked) = written(|out| client.ask_states([0xEE; 24], out)).unwrap();
        assert_eq!(client.states(asked, &bad).unwrap_err(), NukiError::Tag);
    }
}

#[test]
fn n18_a_bad_checksum_inside_a_good_tag_is_refused() {
    let (_, paired) = paired();
    let mut plain = summed(&[1, 0, 0, 0, 1, 0, 0x0C, 0]);
    assert_eq!(states_request(&paired, &plain, 1, nonce()), Ok(()));
    plain[8] ^= 1;
    assert_eq!(states_request(&paired, &plain, 1, nonce()), Err(refused(0xFD, 0)));
    assert_eq!(checksum(&[]), [0xFF, 0xFF]);
}

#[test]
fn n18_the_user_outside_has_to_be_the_one_inside() {
    let (_, paired) = paired();
    let inside_2 = summed(&[2, 0, 0, 0, 1, 0, 0x0C, 0]);
    let good = summed(&[1, 0, 0, 0, 1, 0, 0x0C, 0]);
    // What the lock says in clear is no encrypted message: the client finds it too short.
    assert_eq!(states_request(&paired, &inside_2, 1, nonce()), Err(NukiError::Length));
    assert_eq!(states_request(&paired, &good, 2, nonce()), Err(NukiError::Length));
    let mut client = Client::new(paired.clone());
    for (outside, plain) in [(1, &inside_2), (2, &good)] {
        let (_, asked) = written(|out| client.ask_states(nonce(), out)).unwrap();
        assert_eq!(client.states(asked, &encrypt(&paired.key, outside, nonce(), plain)).unwrap_err(), NukiError::OtherUser);
    }
}

#[test]
fn n18_lengths_are_exact() {
    let (mut lock, paired) = paired();
    let good = encrypt(&paired.key, 1, nonce(), &summed(&[1, 0, 0, 0, 1, 0, 0x0C, 0]));
    for length in 0..good.len() {
        assert_eq!(lock.user_data(&good[..length]), [summed(&[0x12, 0, 0x20, 0, 0])]);
    }
    assert_eq!(lock.user_data(&[good.as_slice(), &[0]].concat()), [summed(&[0x12, 0, 0x20, 0, 0])]);
    let mut client = Client::new(paired.clone());
    for plain in [&[][..], &[1, 0, 0], &[1, 0, 0, 0], &[1, 0, 0, 0, 0x0C], &[1, 0, 0, 0, 0x0C, 0, 2, 1]] {
        let (_, asked) = written(|out| client.ask_states(nonce(), out)).unwrap();
        let answer = encrypt(&paired.key, 1, nonce(), &summed(plain));
        assert_eq!(client.states(asked, &answer).unwrap_err(), NukiError::Length, "{plain:?}");
    }
}

#[test]
fn n18_a_generator_that_repeats_itself_is_noticed() {
    let (mut lock, paired) = paired();
    let mut client = Client::new(paired);
    let (sent, _) = written(|out| client.ask_states([7; 24], out)).unwrap();
    assert_eq!(written(|out| client.ask_states([7; 24], out)).unwrap_err(), NukiError::NonceRepeated);
    assert_eq!(written(|out| client.ask_challenge([7; 24], out)).unwrap_err(), NukiError::NonceRepeated);
    // The lock too does not take a message twice.
    let mut check = |sent: &[u8]| {
        let (_, asked) = written(|out| client.ask_states(nonce(), out)).unwrap();
        client.states(asked, &lock.user_data(sent)[0]).map(|_| ())
    };
    assert_eq!(check(&sent), Ok(()));
    assert_eq!(check(&sent), Err(refused(0x22, 1)));
}

#[test]
fn a_challenge_is_good_for_one_action_of_one_user_on_one_connection() {
    let (mut lock, paired) = paired();
    let mut client = Client::new(paired);
    let challenge = |lock: &mut SimLock<RustCrypto>, client: &mut Client| {
        let (sent, _) = written(|out| client.ask_challenge(nonce(), out)).unwrap();
        lock.user_data(&sent)[0].clone()
    };
    // `asked` stands for a question that was asked: here it is the answer that counts.
    let send = |lock: &mut SimLock<RustCrypto>, client: &mut Client, answer: &[u8]| {
        let (_, asked) = written(|out| client.ask_challenge(nonce(), out)).unwrap();
        let (action, waiting) = written(|out| client.act(asked, answer, Action::Unlock, BY, nonce(), out)).unwrap();
        client.progress(waiting, &lock.user_data(&action)[0]).map(|_| ())
    };
    let first = challenge(&mut lock, &mut client);
    assert_eq!(send(&mut lock, &mut client, &first), Ok(()));
    assert_eq!(send(&mut lock, &mut client, &first), Err(refused(0x22, 0x0D)), "used");
    let old = challenge(&mut lock, &mut client);
    challenge(&mut lock, &mut client);
    assert_eq!(send(&mut lock, &mut client, &old), Err(refused(0x22, 0x0D)), "a later one was given");
    let before = challenge(&mut lock, &mut client);
    lock.disconnect();
    assert_eq!(send(&mut lock, &mut client, &before), Err(refused(0x22, 0x0D)), "of an earlier connection");
    assert_eq!(lock.actions().len(), 1);
}

#[test]
fn a_removed_user_opens_no_more() {
    let (mut lock, paired) = paired();
    let authorization = paired.authorization;
    let mut client = Client::new(paired);
    act(&mut lock, &mut client, Action::Unlock, same).unwrap();
    lock.remove(authorization);
    assert_eq!(act(&mut lock, &mut client, Action::Unlock, same).unwrap_err(), NukiError::Length, "the refusal comes in clear");
    assert_eq!(lock.actions().len(), 1);
}

#[test]
fn n19_every_message_in_every_state_of_a_pairing() {
    let mut messages = Vec::new();
    pair(&mut lock(), |_, message| {
        messages.push(message.clone());
        message
    })
    .unwrap();
    for given in 0..10 {
        for place in 0..10 {
            let result = pair(&mut lock(), |at, message| if at == place { messages[given].clone() } else { message });
            // The request is the same in every pairing; all others hold something of their own.
            let fits = given == place && matches!(given, 0 | 2 | 9);
            assert_eq!(result.is_ok(), fits, "message {given} in the place of {place}: {result:?}");
        }
    }
}

#[test]
fn n16_no_key_is_printed() {
    let (lock, paired) = paired();
    let (_, state) = written(|out| nuki::begin(Secret::new([0xAB; 32]), out)).unwrap();
    let printed = format!("{state:?} {paired:?} {:?} {lock:?}", Client::new(paired.clone()));
    assert_eq!(printed, "AwaitLockKey(..) Paired(..) Client { authorization: 1 } SimLock { lock: Locked, users: 1 }");
}

proptest::proptest! {
    #[test]
    fn n20_no_bytes_make_a_side_panic(bytes in proptest::collection::vec(0_u8.., 0..300)) {
        let (mut lock, paired) = paired();
        lock.pairing_mode = true;
        lock.pairing_data(&bytes);
        lock.pairing_data(&summed(&bytes));
        lock.user_data(&bytes);
        lock.user_data(&encrypt(&paired.key, 1, nonce(), &summed(&[&[1, 0, 0, 0], bytes.as_slice()].concat()[..bytes.len().min(100)])));
        let mut client = Client::new(paired.clone());
        let (_, asked) = written(|out| client.ask_states(nonce(), out)).unwrap();
        let _ = client.states(asked, &bytes);
        let (_, asked) = written(|out| client.ask_states(nonce(), out)).unwrap();
        let inside = summed(&[&[1, 0, 0, 0], &bytes[..bytes.len().min(100)]].concat());
        let _ = client.states(asked, &encrypt(&paired.key, 1, nonce(), &inside));
    }
}
