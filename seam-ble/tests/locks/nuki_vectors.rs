//! The worked examples of Nuki's API document (Smart Lock API 2.x, "Command usage examples"), with the misprint of one corrected after thread 25615
//! of developer.nuki.io. All of them were recomputed with other libraries.
use crate::nuki_setup::NAME;
use crate::support::{hex, hex_n, written};
use seam_ble::crypto::rustcrypto::RustCrypto;
use seam_ble::crypto::{Crypto, Secret};
use seam_ble::nuki::{self, Client, Identity, Paired, public_key, shared_key};

const CLIENT_PRIVATE: &str = "8caa54672307bffdf5ea183fc607158d2011d008eca6a1088614ff0853a5aa07";
const CLIENT_PUBLIC: &str = "f88127ccf48023b5cbe9101d24baa8a368da94e8c2e3cde2ded29ce96ab50c15";
const LOCK_PUBLIC: &str = "2fe57da347cd62431528daac5fbb290730fff684afc4cfc2ed90995f58cb3b74";
const DH1: &str = "0de40b998e0e330376f2d2fc4892a6931e25055fd09f054f99e93fecd9ba611e";
const SHARED: &str = "217fcb0f18caf284e9bdea0b94b83b8d10867ed706bfdedbd2381f4cb3b8f730";
const APP_NONCE: &str = "52afe0a664b4e9b56dc6bd4cb718a6c9fed6be17a7411072aa0d315378140577";
const WIRE_REQUEST_PUBLIC_KEY: &str = "0100030027a7";
const WIRE_SL_PUBLIC_KEY: &str = "03002fe57da347cd62431528daac5fbb290730fff684afc4cfc2ed90995f58cb3b749db9";
const WIRE_CL_PUBLIC_KEY: &str = "0300f88127ccf48023b5cbe9101d24baa8a368da94e8c2e3cde2ded29ce96ab50c159241";
const WIRE_CHALLENGE_1: &str = "04006cd4163d159050c798553eaa57e278a579affcbc56f09fc57fe879e51c42df17c3df";
const WIRE_AUTH_AUTHENTICATOR: &str = "0500b09a0d3979a029e5fd027b519eaa200bc14ad3e163d3be4563843e021073bcb1c357";
const WIRE_CHALLENGE_2: &str = "0400e0742cfea39cb46109385bf91286a3c02f40ee86b0b62fc34033094de41e2c0d7fe1";
const WIRE_AUTH_DATA: &str = concat!(
    "0600cf1b9e7801e3196e6594e76d57908ee500aad5c33f4b6e0bbea0ddef82967bfc00000000004d6172632028546573742900000000000000000000",
    "000000000000000000000052afe0a664b4e9b56dc6bd4cb718a6c9fed6be17a7411072aa0d31537814057769f2",
);
const WIRE_AUTH_ID: &str = concat!(
    "07003a270a2e453443c3790e657cebe634b03f0102f45681b4067c661d46e6e15edf0200000083b33643c6d97ef77ed51c02a277cbf7ea479915982f",
    "13c61d997a56678ad77791bfa7e95229a3dd34f87132bf3e3c97db9f",
);
const WIRE_AUTH_ID_CONFIRMATION: &str = "1e003a41b91a66fbc4d22efefbb7272140829695a3917433d5beb981b76166d13f8a02000000cdf5";
const WIRE_STATUS_COMPLETE: &str = "0e00009dd7";
const STATES_WIRE: &str =
    "37917f1af31ec5940705f34d1e5550607d5b2f9fe7d496b6020000001a00670d124926004366532e8d927a33fe84e782a9594d39157d065e";
const STATES_NONCE: &str = "37917f1af31ec5940705f34d1e5550607d5b2f9fe7d496b6";
const STATES_PLAIN: &str = "0200000001000c00418d";
const CHALLENGE_WIRE: &str = concat!(
    "99c8613a9f6ab6d3fb0399d37ad38c5c003ac139b1567bc102000000380028cdcc668c08da47bf323bf9371ebf068f6d480438563660780a4234d9a2",
    "3794e305ee37878874ede106a0bbfcf5b60e0c2e2ba17248a02b",
);
const CHALLENGE_PLAIN: &str = "02000000040057d95521bea186b5a9244f025737924c5b7e33592d0614d5f6ef2e2f142c6d4bff98";
const SET_2_PRIVATE: &str = "c11cfb400a3a33414e89f9e6607271c2af076405c5407984297f1de0e7a54b73";
const SET_2_PEER_PUBLIC: &str = "dc040afe6401550e1f7b20ab50135b80765834b9d898e6da7129f61c62929b78";
const SET_2_DH1: &str = "ab7d99698bf549f9ae80ea4d140d29d9b169c18533e5267d9e276f163b5c0b08";
const SET_2_KDF1: &str = "915561587d86815b709edd5819d8c6f2e883da3c86f461f13b84228b84533e04";

fn private() -> Secret<32> {
    Secret::new(hex_n(CLIENT_PRIVATE))
}

fn paired() -> Paired {
    Paired { authorization: 2, lock_id: [0; 16], key: Secret::new(hex_n(SHARED)) }
}

#[test]
fn the_keys_are_those_of_the_document() {
    assert_eq!(public_key(&private()).as_slice(), hex(CLIENT_PUBLIC));
    assert_eq!(shared_key(&private(), &hex_n(LOCK_PUBLIC)).unwrap().expose().as_slice(), hex(SHARED));
    let second = shared_key(&Secret::new(hex_n(SET_2_PRIVATE)), &hex_n(SET_2_PEER_PUBLIC)).unwrap();
    assert_eq!(second.expose().as_slice(), hex(SET_2_KDF1));
    // What the key is made of, by the other library alone.
    let common = |private: &str, peer: &str| x25519_dalek::x25519(hex_n(private), hex_n(peer)).to_vec();
    assert_eq!(common(CLIENT_PRIVATE, LOCK_PUBLIC), hex(DH1));
    assert_eq!(common(SET_2_PRIVATE, SET_2_PEER_PUBLIC), hex(SET_2_DH1));
}

#[test]
fn the_pairing_is_the_one_of_the_document_on_every_backend() {
    fn check<C: Crypto>(crypto: &C) {
        let (sent, state) = written(|out| nuki::begin(private(), out)).unwrap();
        assert_eq!(sent, hex(WIRE_REQUEST_PUBLIC_KEY));
        let (sent, state) = written(|out| state.receive(&hex(WIRE_SL_PUBLIC_KEY), out)).unwrap();
        assert_eq!(sent, hex(WIRE_CL_PUBLIC_KEY));
        let (sent, state) = written(|out| state.receive(crypto, &hex(WIRE_CHALLENGE_1), out)).unwrap();
        assert_eq!(sent, hex(WIRE_AUTH_AUTHENTICATOR));
        let identity = Identity { kind: 0, id: 0, name: NAME };
        let (sent, state) = written(|out| state.receive(crypto, &identity, hex_n(APP_NONCE), &hex(WIRE_CHALLENGE_2), out)).unwrap();
        assert_eq!(sent, hex(WIRE_AUTH_DATA));
        let (sent, state) = written(|out| state.receive(crypto, &hex(WIRE_AUTH_ID), out)).unwrap();
        assert_eq!(sent, hex(WIRE_AUTH_ID_CONFIRMATION));
        let paired = state.receive(&hex(WIRE_STATUS_COMPLETE)).unwrap();
        assert_eq!((paired.authorization, paired.key.expose().as_slice()), (2, hex(SHARED).as_slice()));
    }
    check(&RustCrypto);
    #[cfg(feature = "aws-lc")]
    check(&seam_ble::crypto::aws_lc::AwsLc);
}

#[test]
fn the_encrypted_messages_are_those_of_the_document() {
    let mut client = Client::new(paired());
    let (sent, _) = written(|out| client.ask_states(hex_n(STATES_NONCE), out)).unwrap();
    assert_eq!(sent, hex(STATES_WIRE));
    assert_eq!(crate::nuki_setup::decrypt(&paired(), &sent), hex(STATES_PLAIN));
    // The challenge of the document comes back in the action that follows it, which only its own user can see.
    let (_, asked) = written(|out| client.ask_challenge([1; 24], out)).unwrap();
    let by = nuki::Actions { app: 0, flags: 0 };
    let (action, _) = written(|out| client.act(asked, &hex(CHALLENGE_WIRE), nuki::Action::Unlock, by, [2; 24], out)).unwrap();
    let plain = crate::nuki_setup::decrypt(&paired(), &action);
    let challenge = &hex(CHALLENGE_PLAIN)[6..38];
    assert_eq!(plain[..plain.len() - 2], [&[2, 0, 0, 0, 0x0D, 0, 1, 0, 0, 0, 0, 0][..], challenge].concat());
}
