//! Known numbers, each with its source. They were collected from public notes, recordings of real cards and other implementations, and each was
//! recomputed independently before it came here.
//!
//! `elmue` stands for the log of real cards on the page "DESFire EV1 Communication Examples" of Elmü (github.com/sotechcllc/RFDoorLock).

use seam_encoders::keys::KeyType::{self, Aes128, ThreeKeyTripleDes, TwoKeyTripleDes};

/// Subkeys of CMAC.
#[derive(Debug)]
pub(crate) struct Subkeys {
    pub(crate) name: &'static str,
    pub(crate) kind: KeyType,
    pub(crate) key: &'static str,
    pub(crate) k1: &'static str,
    pub(crate) k2: &'static str,
    pub(crate) source: &'static str,
}
#[rustfmt::skip]
pub(crate) const SUBKEYS: &[Subkeys] = &[
    Subkeys { name: "cmac-subkeys-aes", kind: Aes128, key: "00112233445566778899AABBCCDDEEFF", k1: "FBC9F75C9413C041DFEE452D3F0706D1", k2: "F793EEB928278083BFDC8A5A7E0E0D25", source: "proxmark3 client/src/mifare/desfiretest.c @1c8c3b78 (NXP AN10922)" },
    Subkeys { name: "cmac-subkeys-2k3des", kind: TwoKeyTripleDes, key: "00112233445566778899AABBCCDDEEFF", k1: "F612EB32E46035F3", k2: "EC25D665C8C06BFD", source: "proxmark3 client/src/mifare/desfiretest.c @1c8c3b78 (NXP AN10922)" },
    Subkeys { name: "cmac-subkeys-3k3des", kind: ThreeKeyTripleDes, key: "00112233445566778899AABBCCDDEEFF0102030405060708", k1: "A3ED58F8E6941BCA", k2: "47DAB1F1CD28378F", source: "proxmark3 client/src/mifare/desfiretest.c @1c8c3b78 (NXP AN10922)" },
];

/// CMACs from a vector (empty: zero).
#[derive(Debug)]
pub(crate) struct Cmac {
    pub(crate) name: &'static str,
    pub(crate) kind: KeyType,
    pub(crate) key: &'static str,
    pub(crate) vector: &'static str,
    pub(crate) message: &'static str,
    pub(crate) cmac: &'static str,
    pub(crate) on_wire: Option<&'static str>,
    pub(crate) source: &'static str,
}
#[rustfmt::skip]
pub(crate) const CMACS: &[Cmac] = &[
    Cmac { name: "cmac-3k3des-len0", kind: ThreeKeyTripleDes, key: "0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123", vector: "", message: "", cmac: "7DB0D37DF936C550", on_wire: None, source: "NIST SP800-38B examples; proxmark3 client/src/mifare/desfiretest.c @1c8c3b78" },
    Cmac { name: "cmac-3k3des-len16", kind: ThreeKeyTripleDes, key: "0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123", vector: "", message: "6BC1BEE22E409F96E93D7E117393172A", cmac: "30239CF1F52E6609", on_wire: None, source: "NIST SP800-38B examples; proxmark3 client/src/mifare/desfiretest.c @1c8c3b78" },
    Cmac { name: "cmac-3k3des-len20", kind: ThreeKeyTripleDes, key: "0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123", vector: "", message: "6BC1BEE22E409F96E93D7E117393172AAE2D8A57", cmac: "6C9F3EE4923F6BE2", on_wire: None, source: "NIST SP800-38B examples; proxmark3 client/src/mifare/desfiretest.c @1c8c3b78" },
    Cmac { name: "cmac-3k3des-len32", kind: ThreeKeyTripleDes, key: "0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123", vector: "", message: "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E51", cmac: "99429BD0BF7904E5", on_wire: None, source: "NIST SP800-38B examples; proxmark3 client/src/mifare/desfiretest.c @1c8c3b78" },
    Cmac { name: "cmac-2k3des-len0", kind: TwoKeyTripleDes, key: "0123456789ABCDEF23456789ABCDEF01", vector: "", message: "", cmac: "79CE52A7F786A960", on_wire: None, source: "NIST SP800-38B examples; proxmark3 client/src/mifare/desfiretest.c @1c8c3b78" },
    Cmac { name: "cmac-2k3des-len16", kind: TwoKeyTripleDes, key: "0123456789ABCDEF23456789ABCDEF01", vector: "", message: "6BC1BEE22E409F96E93D7E117393172A", cmac: "CC18A0B79AF2413B", on_wire: None, source: "NIST SP800-38B examples; proxmark3 client/src/mifare/desfiretest.c @1c8c3b78" },
    Cmac { name: "cmac-2k3des-len20", kind: TwoKeyTripleDes, key: "0123456789ABCDEF23456789ABCDEF01", vector: "", message: "6BC1BEE22E409F96E93D7E117393172AAE2D8A57", cmac: "C06D377ECD101969", on_wire: None, source: "NIST SP800-38B examples; proxmark3 client/src/mifare/desfiretest.c @1c8c3b78" },
    Cmac { name: "cmac-2k3des-len32", kind: TwoKeyTripleDes, key: "0123456789ABCDEF23456789ABCDEF01", vector: "", message: "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E51", cmac: "9CD33580F9B64DFB", on_wire: None, source: "NIST SP800-38B examples; proxmark3 client/src/mifare/desfiretest.c @1c8c3b78" },
    Cmac { name: "cmac-des-len0", kind: TwoKeyTripleDes, key: "0123456789ABCDEF0123456789ABCDEF", vector: "", message: "", cmac: "86F79C13FD306E67", on_wire: None, source: "proxmark3 client/src/mifare/desfiretest.c @1c8c3b78" },
    Cmac { name: "cmac-des-len16", kind: TwoKeyTripleDes, key: "0123456789ABCDEF0123456789ABCDEF", vector: "", message: "6BC1BEE22E409F96E93D7E117393172A", cmac: "BEA4212292462A85", on_wire: None, source: "proxmark3 client/src/mifare/desfiretest.c @1c8c3b78" },
    Cmac { name: "cmac-des-len20", kind: TwoKeyTripleDes, key: "0123456789ABCDEF0123456789ABCDEF", vector: "", message: "6BC1BEE22E409F96E93D7E117393172AAE2D8A57", cmac: "3E2F8310C569275E", on_wire: None, source: "proxmark3 client/src/mifare/desfiretest.c @1c8c3b78" },
    Cmac { name: "cmac-des-len32", kind: TwoKeyTripleDes, key: "0123456789ABCDEF0123456789ABCDEF", vector: "", message: "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E51", cmac: "9D1FC4D4C0259132", on_wire: None, source: "proxmark3 client/src/mifare/desfiretest.c @1c8c3b78" },
    Cmac { name: "cmac-aes-len0", kind: Aes128, key: "2B7E151628AED2A6ABF7158809CF4F3C", vector: "", message: "", cmac: "BB1D6929E95937287FA37D129B756746", on_wire: None, source: "RFC 4493 / NIST SP800-38B; libfreefare @c2b0cfa4 test_mifare_desfire_aes.c" },
    Cmac { name: "cmac-aes-len16", kind: Aes128, key: "2B7E151628AED2A6ABF7158809CF4F3C", vector: "", message: "6BC1BEE22E409F96E93D7E117393172A", cmac: "070A16B46B4D4144F79BDD9DD04A287C", on_wire: None, source: "RFC 4493 / NIST SP800-38B; libfreefare @c2b0cfa4 test_mifare_desfire_aes.c" },
    Cmac { name: "cmac-aes-len40", kind: Aes128, key: "2B7E151628AED2A6ABF7158809CF4F3C", vector: "", message: "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E5130C81C46A35CE411", cmac: "DFA66747DE9AE63030CA32611497C827", on_wire: None, source: "RFC 4493 / NIST SP800-38B; libfreefare @c2b0cfa4 test_mifare_desfire_aes.c" },
    Cmac { name: "cmac-aes-len64", kind: Aes128, key: "2B7E151628AED2A6ABF7158809CF4F3C", vector: "", message: "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E5130C81C46A35CE411E5FBC1191A0A52EFF69F2445DF4F9B17AD2B417BE66C3710", cmac: "51F0BEBF7E3B9D92FC49741779363CFE", on_wire: None, source: "RFC 4493 / NIST SP800-38B; libfreefare @c2b0cfa4 test_mifare_desfire_aes.c" },
    Cmac { name: "ev1-cmd-cmac-des-1", kind: TwoKeyTripleDes, key: "849A36C44ED0B658849A36C44ED0B658", vector: "0000000000000000", message: "60", cmac: "5020EC826086DF12", on_wire: None, source: "elmue" },
    Cmac { name: "ev1-resp-cmac-des-1", kind: TwoKeyTripleDes, key: "849A36C44ED0B658849A36C44ED0B658", vector: "5020EC826086DF12", message: "04010101001A0504010101041A0504063F72633480BA4519E320491300", cmac: "CDC810BAFA401759", on_wire: Some("CDC810BAFA401759"), source: "elmue" },
    Cmac { name: "ev1-cmd-cmac-des-2", kind: TwoKeyTripleDes, key: "849A36C44ED0B658849A36C44ED0B658", vector: "CDC810BAFA401759", message: "FC", cmac: "0D89CA4BFBE69072", on_wire: None, source: "elmue" },
    Cmac { name: "ev1-cmd-cmac-des-3", kind: TwoKeyTripleDes, key: "849A36C44ED0B658849A36C44ED0B658", vector: "9C2C813A065C45F7", message: "CA16DE000F02", cmac: "EEE9BE1051A406F3", on_wire: None, source: "elmue" },
    Cmac { name: "ev1-resp-cmac-des-3", kind: TwoKeyTripleDes, key: "849A36C44ED0B658849A36C44ED0B658", vector: "EEE9BE1051A406F3", message: "00", cmac: "0A1379B01D85AD47", on_wire: Some("0A1379B01D85AD47"), source: "elmue" },
    Cmac { name: "ev1-cmd-cmac-des-4", kind: TwoKeyTripleDes, key: "849A36C44ED0B658849A36C44ED0B658", vector: "0A1379B01D85AD47", message: "CA24DE000F42", cmac: "EE60B21ACA1A5B1A", on_wire: None, source: "elmue" },
    Cmac { name: "ev1-resp-cmac-des-4", kind: TwoKeyTripleDes, key: "849A36C44ED0B658849A36C44ED0B658", vector: "EE60B21ACA1A5B1A", message: "00", cmac: "5D73AE5287A1BBE4", on_wire: Some("5D73AE5287A1BBE4"), source: "elmue" },
    Cmac { name: "ev1-resp-cmac-des-5", kind: TwoKeyTripleDes, key: "849A36C44ED0B658849A36C44ED0B658", vector: "75F04D6FF8742DCA", message: "00", cmac: "3B68D72A3BE0D20C", on_wire: Some("3B68D72A3BE0D20C"), source: "elmue" },
    Cmac { name: "ev1-cmd-cmac-des-6", kind: TwoKeyTripleDes, key: "849A36C44ED0B658849A36C44ED0B658", vector: "3B68D72A3BE0D20C", message: "CACCBBAA0F01", cmac: "CDDE90476639581F", on_wire: None, source: "elmue" },
    Cmac { name: "ev1-resp-cmac-des-6", kind: TwoKeyTripleDes, key: "849A36C44ED0B658849A36C44ED0B658", vector: "CDDE90476639581F", message: "00", cmac: "F11AC0738EF83878", on_wire: Some("F11AC0738EF83878"), source: "elmue" },
    Cmac { name: "ev1-cmd-cmac-des-7", kind: TwoKeyTripleDes, key: "849A36C44ED0B658849A36C44ED0B658", vector: "F11AC0738EF83878", message: "6A", cmac: "D0566D1BDB788AC3", on_wire: None, source: "elmue" },
    Cmac { name: "ev1-resp-cmac-des-7", kind: TwoKeyTripleDes, key: "849A36C44ED0B658849A36C44ED0B658", vector: "D0566D1BDB788AC3", message: "16DE0024DE0016AE00CCBBAA00", cmac: "2739154E2630D650", on_wire: Some("2739154E2630D650"), source: "elmue" },
    Cmac { name: "ev1-cmd-cmac-des-8", kind: TwoKeyTripleDes, key: "849A36C44ED0B658849A36C44ED0B658", vector: "2739154E2630D650", message: "DACCBBAA", cmac: "07C6E39E38779679", on_wire: None, source: "elmue" },
    Cmac { name: "ev1-resp-cmac-des-8", kind: TwoKeyTripleDes, key: "849A36C44ED0B658849A36C44ED0B658", vector: "07C6E39E38779679", message: "00", cmac: "A9AF19052292F662", on_wire: Some("A9AF19052292F662"), source: "elmue" },
    Cmac { name: "ev1-cmd-cmac-des-9", kind: TwoKeyTripleDes, key: "849A36C44ED0B658849A36C44ED0B658", vector: "A9AF19052292F662", message: "6A", cmac: "D94656FDBE75AD08", on_wire: None, source: "elmue" },
    Cmac { name: "ev1-resp-cmac-des-9", kind: TwoKeyTripleDes, key: "849A36C44ED0B658849A36C44ED0B658", vector: "D94656FDBE75AD08", message: "16DE0024DE0016AE0000", cmac: "520E51E00AF06D5E", on_wire: Some("520E51E00AF06D5E"), source: "elmue" },
    Cmac { name: "ev1-cmd-cmac-des-10", kind: TwoKeyTripleDes, key: "48EC62DE3A3CFE6248EC62DE3A3CFE62", vector: "0000000000000000", message: "45", cmac: "D9C6E0637401B752", on_wire: None, source: "elmue" },
    Cmac { name: "ev1-resp-cmac-des-11", kind: TwoKeyTripleDes, key: "48EC62DE3A3CFE6248EC62DE3A3CFE62", vector: "030BA66FE3620600", message: "0D0200", cmac: "613FB2D3F453D2E4", on_wire: Some("613FB2D3F453D2E4"), source: "elmue" },
    Cmac { name: "ev1-resp-cmac-des-13", kind: TwoKeyTripleDes, key: "CAA674E8CAE8525ECAA674E8CAE8525E", vector: "845A38C57D19DE59", message: "00", cmac: "2EAD04DCF121E0FE", on_wire: Some("2EAD04DCF121E0FE"), source: "elmue" },
    Cmac { name: "ev1-resp-cmac-3k3des-15", kind: ThreeKeyTripleDes, key: "D0542A865814D2504E9A187CC06668C09C70568258227AFC", vector: "54BF7931E5181A08", message: "1000", cmac: "AD4A52B1E31CC741", on_wire: Some("AD4A52B1E31CC741"), source: "elmue" },
    Cmac { name: "ev1-resp-cmac-3k3des-16", kind: ThreeKeyTripleDes, key: "02E024BAE494266698DEEA2808A6148E3EAC40E6426ADA5E", vector: "B8C11498CA17D945", message: "00", cmac: "DC85C9A5A753B17A", on_wire: Some("DC85C9A5A753B17A"), source: "elmue" },
    Cmac { name: "ev1-cmd-cmac-aes-21", kind: Aes128, key: "40E7D271626FFBD49C530E3D304F5B17", vector: "00000000000000000000000000000000", message: "CD05001100500000", cmac: "F23B0368578C65AD705C52AFE76261B6", on_wire: None, source: "elmue" },
    Cmac { name: "ev1-cmd-cmac-aes-22", kind: Aes128, key: "40E7D271626FFBD49C530E3D304F5B17", vector: "A75316AD1596B95374EEF55FB7FA00EC", message: "6F", cmac: "F69B3BADA99A58AA2BD736662E32D4B0", on_wire: None, source: "elmue" },
    Cmac { name: "ev1-resp-cmac-aes-22", kind: Aes128, key: "40E7D271626FFBD49C530E3D304F5B17", vector: "F69B3BADA99A58AA2BD736662E32D4B0", message: "0500", cmac: "2D5FF67FFEC9D2D36087211588EAC2D7", on_wire: Some("2D5FF67FFEC9D2D3"), source: "elmue" },
    Cmac { name: "ev1-cmd-cmac-aes-23", kind: Aes128, key: "40E7D271626FFBD49C530E3D304F5B17", vector: "2D5FF67FFEC9D2D36087211588EAC2D7", message: "F505", cmac: "6365D3B198DCA84043DF6DF8FE76DFD6", on_wire: None, source: "elmue" },
    Cmac { name: "ev1-resp-cmac-aes-23", kind: Aes128, key: "40E7D271626FFBD49C530E3D304F5B17", vector: "6365D3B198DCA84043DF6DF8FE76DFD6", message: "0000110050000000", cmac: "2AAC7517024E09DC452857D5D56FD213", on_wire: Some("2AAC7517024E09DC"), source: "elmue" },
    Cmac { name: "ev1-cmd-cmac-aes-24", kind: Aes128, key: "40E7D271626FFBD49C530E3D304F5B17", vector: "2AAC7517024E09DC452857D5D56FD213", message: "3D05000000340000000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F30313233", cmac: "5F7BCA269F97495C64BCFB3DB41449CA", on_wire: None, source: "elmue" },
    Cmac { name: "ev1-resp-cmac-aes-24", kind: Aes128, key: "40E7D271626FFBD49C530E3D304F5B17", vector: "5F7BCA269F97495C64BCFB3DB41449CA", message: "00", cmac: "765C9DAA50ECB62F59BACA81F2EF80F9", on_wire: Some("765C9DAA50ECB62F"), source: "elmue" },
    Cmac { name: "ev1-cmd-cmac-aes-25", kind: Aes128, key: "40E7D271626FFBD49C530E3D304F5B17", vector: "765C9DAA50ECB62F59BACA81F2EF80F9", message: "3D053400001C00003435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F", cmac: "EDF32CB90997155F8C0A15BBCA118DA1", on_wire: None, source: "elmue" },
    Cmac { name: "ev1-resp-cmac-aes-25", kind: Aes128, key: "40E7D271626FFBD49C530E3D304F5B17", vector: "EDF32CB90997155F8C0A15BBCA118DA1", message: "00", cmac: "3E0AED986B8B0F37F64D79B911A5A6C9", on_wire: Some("3E0AED986B8B0F37"), source: "elmue" },
    Cmac { name: "ev1-cmd-cmac-aes-26", kind: Aes128, key: "40E7D271626FFBD49C530E3D304F5B17", vector: "3E0AED986B8B0F37F64D79B911A5A6C9", message: "BD05000000300000", cmac: "433303AB3CFFA758BF7EB16FFEC47A70", on_wire: None, source: "elmue" },
    Cmac { name: "ev1-resp-cmac-aes-26", kind: Aes128, key: "40E7D271626FFBD49C530E3D304F5B17", vector: "433303AB3CFFA758BF7EB16FFEC47A70", message: "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F00", cmac: "4C65F1F842262BAC65FFBF61CF71FD06", on_wire: Some("4C65F1F842262BAC"), source: "elmue" },
    Cmac { name: "ev1-resp-cmac-aes-27", kind: Aes128, key: "40E7D271626FFBD49C530E3D304F5B17", vector: "C26BDE4EB965BC3C831C0771C42FD5B9", message: "303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F00", cmac: "F02205CF913C03C9354C8FF43D1C9E61", on_wire: Some("F02205CF913C03C9"), source: "elmue" },
    Cmac { name: "ev1-cmd-cmac-aes-28", kind: Aes128, key: "40E7D271626FFBD49C530E3D304F5B17", vector: "F02205CF913C03C9354C8FF43D1C9E61", message: "DF05", cmac: "169188F617AE87D4ABEFD4D058361BFD", on_wire: None, source: "elmue" },
    Cmac { name: "ev1-resp-cmac-aes-28", kind: Aes128, key: "40E7D271626FFBD49C530E3D304F5B17", vector: "169188F617AE87D4ABEFD4D058361BFD", message: "00", cmac: "1BEF0D32B6D1D7F9E6A832320919CE67", on_wire: Some("1BEF0D32B6D1D7F9"), source: "elmue" },
    Cmac { name: "ev1-cmd-cmac-aes-29", kind: Aes128, key: "40E7D271626FFBD49C530E3D304F5B17", vector: "1BEF0D32B6D1D7F9E6A832320919CE67", message: "6F", cmac: "3406A84E411431A292ED8EF9D83C5ED6", on_wire: None, source: "elmue" },
    Cmac { name: "ev1-cmd-cmac-des-30", kind: TwoKeyTripleDes, key: "6C00A692144A72D26C00A692144A72D2", vector: "0000000000000000", message: "FC", cmac: "1EA29F164F15198D", on_wire: None, source: "elmue" },
    Cmac { name: "ev1-resp-cmac-des-30", kind: TwoKeyTripleDes, key: "6C00A692144A72D26C00A692144A72D2", vector: "1EA29F164F15198D", message: "00", cmac: "3C28C112182E3BE8", on_wire: Some("3C28C112182E3BE8"), source: "elmue" },
];

/// The three passes of an EV1 authentication.
#[derive(Debug)]
pub(crate) struct Ev1Authentication {
    pub(crate) name: &'static str,
    pub(crate) kind: KeyType,
    pub(crate) key: &'static str,
    pub(crate) rnd_a: &'static str,
    pub(crate) enc_rnd_b: &'static str,
    pub(crate) rnd_b: &'static str,
    pub(crate) enc_rnd_ab: &'static str,
    pub(crate) enc_rnd_a_rot: &'static str,
    pub(crate) session_key: &'static str,
    pub(crate) source: &'static str,
}
#[rustfmt::skip]
pub(crate) const EV1_AUTHENTICATIONS: &[Ev1Authentication] = &[
    Ev1Authentication { name: "ev1-auth-des-1", kind: TwoKeyTripleDes, key: "00000000000000000000000000000000", rnd_a: "849B36C5F8BF4A09", enc_rnd_b: "5D994CE085F24089", rnd_b: "4FD1B75942A8B8E1", enc_rnd_ab: "21D0AD5F2FD97454A746CC80567F1B1C", enc_rnd_a_rot: "913C6DED84221C41", session_key: "849A36C44ED0B658849A36C44ED0B658", source: "elmue" },
    Ev1Authentication { name: "ev1-auth-des-2", kind: TwoKeyTripleDes, key: "00000000000000000000000000000000", rnd_a: "49EC63DECDE00772", enc_rnd_b: "8476D1CF3024B7C7", rnd_b: "3B3DFE628164BFDA", enc_rnd_ab: "DAC67AB743763DC9FAF8A0AE504E80C5", enc_rnd_a_rot: "13E9E4FA4388BF16", session_key: "48EC62DE3A3CFE6248EC62DE3A3CFE62", source: "elmue" },
    Ev1Authentication { name: "ev1-auth-2k3des-5", kind: TwoKeyTripleDes, key: "10182029303840485058606870788088", rnd_a: "DDB097C2A1E47B96", enc_rnd_b: "9414819CC8BB62C3", rnd_b: "A40E79E0F52F63AF", enc_rnd_ab: "937E6B1854A6D92E0FD975D9909001E8", enc_rnd_a_rot: "E055D11DD9535060", session_key: "DCB096C2A40E78E0A0E47A96F42E62AE", source: "elmue" },
    Ev1Authentication { name: "ev1-auth-des-6", kind: TwoKeyTripleDes, key: "00000000000000000000000000000000", rnd_a: "CBA675E8EFBAB99C", enc_rnd_b: "53A670D78C0DFFD6", rnd_b: "CBE9525FB7DF5C3A", enc_rnd_ab: "B308408B575A2025253D49D693CCC29C", enc_rnd_a_rot: "525BB01E5B70B794", session_key: "CAA674E8CAE8525ECAA674E8CAE8525E", source: "elmue" },
    Ev1Authentication { name: "ev1-auth-2k3des-7", kind: TwoKeyTripleDes, key: "10182029303840485058606870788088", rnd_a: "F7A201C4DB760538", enc_rnd_b: "87D3AC1E09570AAD", rnd_b: "608BECD60A7E4934", enc_rnd_ab: "D82E8C092631FE15257D67629FC929D5", enc_rnd_a_rot: "C4132CEF0D13F812", session_key: "F6A200C4608AECD6DA7604380A7E4834", source: "elmue" },
    Ev1Authentication { name: "ev1-auth-3k3des-9", kind: ThreeKeyTripleDes, key: "00102031405060708090A0B0B0A090807060504030201000", rnd_a: "03FE6D00A79231348B6635A8AF7A795C", enc_rnd_b: "FA2FB9A17B359D034DF3EB1C4179207E", rnd_b: "F4D65642AEEB3D12FB8AC6FE46CE7A2F", enc_rnd_ab: "7BF9E1AC2D7C2836112E642D398FBAEF5CA61CC3A629FA8BD52F43F9D931C043", enc_rnd_a_rot: "1E3051B59BA31E4CEF64BBE8721B7BD6", session_key: "02FE6C00F4D6564230348A663C12FA8AAE7A785C46CE7A2E", source: "elmue" },
    Ev1Authentication { name: "ev1-auth-3k3des-10", kind: ThreeKeyTripleDes, key: "101820293038404850586068707880889098A0A8B0B8C0C8", rnd_a: "D1542B86D5C84F9A197CB3EE9D705782", enc_rnd_b: "EDFAC076F7F75F3FA930D8365A7C9206", rnd_b: "5814D2513D9EC06668C0CC1B59237AFD", enc_rnd_ab: "B4F5266DBF4BF93970BC386E94F4FA59884E94F9F113B1BFB5A54E5A1BA08892", enc_rnd_a_rot: "65F4F5DADE89E12E2405FCE14D5CD798", session_key: "D0542A865814D2504E9A187CC06668C09C70568258227AFC", source: "elmue" },
    Ev1Authentication { name: "ev1-auth-3k3des-11", kind: ThreeKeyTripleDes, key: "000000000000000000000000000000000000000000000000", rnd_a: "02E124BBD6E598DFEA294C433EAD40E7", enc_rnd_b: "8F3154AFA86DA533EABE28859E5D5742", rnd_b: "E59426666D9009A7158EDE04436BDA5E", enc_rnd_ab: "1DD98B71B9006198B8B80043FF296386775ED2C2DBC877BBD952FD06F5F87361", enc_rnd_a_rot: "AECD4704210BCAAFE1533D483FBEF3F8", session_key: "02E024BAE494266698DEEA2808A6148E3EAC40E6426ADA5E", source: "elmue" },
    Ev1Authentication { name: "ev1-auth-3k3des-12", kind: ThreeKeyTripleDes, key: "101820293038404850586068707880889098A0A8B0B8C0C8", rnd_a: "7F0AC96CE35E4D6087F211946BC61508", enc_rnd_b: "660B0E97E23B9C0F93FD82D0F069C298", rnd_b: "41C40C7F0E89710D08A394E304D115E8", enc_rnd_ab: "46D182F6B3C5C458EC1EC8BD43F0CA898CC9CD77F9BBC87F4E60617C1FF94266", enc_rnd_a_rot: "8018B80E2246BD1C1C05A067CD8E6E17", session_key: "7E0AC86C40C40C7E4C6086F2700C08A26AC6140804D014E8", source: "elmue" },
    Ev1Authentication { name: "ev1-auth-aes-14", kind: Aes128, key: "00102030405060708090A0B0B0A09080", rnd_a: "C2A1E47B96A5589FAAE90C03FE6D00A7", enc_rnd_b: "CCC8316C2B2613FE9A189BAC9CC89D03", rnd_b: "271047125A2AA58178F5C51B1177A19B", enc_rnd_ab: "C02E061E72E17726489CAEEC997C523758BF863EFE7671C55B4665D06ACCD97B", enc_rnd_a_rot: "72ACCC0BDEA482B53185BB5AD0086246", session_key: "C2A1E47B27104712FE6D00A71177A19B", source: "elmue" },
    Ev1Authentication { name: "ev1-auth-des-18", kind: TwoKeyTripleDes, key: "00000000000000000000000000000000", rnd_a: "6D00A79231348B66", enc_rnd_b: "4415939B21D8EEE8", rnd_b: "144A72D25B227062", enc_rnd_ab: "89D611809D605F8C917A18BF26DE2D6F", enc_rnd_a_rot: "21696214FDDA2504", session_key: "6C00A692144A72D26C00A692144A72D2", source: "elmue" },
];

/// Commands that change a key in an EV1 session.
#[derive(Debug)]
pub(crate) struct Ev1ChangeKey {
    pub(crate) name: &'static str,
    pub(crate) kind: KeyType,
    pub(crate) session_key: &'static str,
    pub(crate) vector: &'static str,
    pub(crate) key_no: u8,
    pub(crate) new: &'static str,
    pub(crate) version: Option<&'static str>,
    pub(crate) old: Option<&'static str>,
    pub(crate) cryptogram: &'static str,
    pub(crate) command: &'static str,
    pub(crate) source: &'static str,
}
#[rustfmt::skip]
pub(crate) const EV1_CHANGE_KEYS: &[Ev1ChangeKey] = &[
    Ev1ChangeKey { name: "ev1-changekey-des-1", kind: TwoKeyTripleDes, session_key: "C86CE25E4C647E56C86CE25E4C647E56", vector: "0000000000000000", key_no: 0, new: "00102031405060708090A0B0B0A09080", version: None, old: None, cryptogram: "00102031405060708090A0B0B0A09080C5FF015000000000", command: "C400BEDE0FC6ED347DCF0D51C717DF75D97D2C5A2BA6CAC7479D", source: "elmue" },
    Ev1ChangeKey { name: "ev1-changekey-2k3des-2", kind: TwoKeyTripleDes, session_key: "520E3C90BCD82896F6A200C446322CAE", vector: "0000000000000000", key_no: 0, new: "10182029303840485058606870788088", version: None, old: None, cryptogram: "10182029303840485058606870788088C9720E6300000000", command: "C40094E4F709DC2A2B07552610A1966E5C49EC90F616EDECA55B", source: "elmue" },
    Ev1ChangeKey { name: "ev1-changekey-2k3des-3", kind: TwoKeyTripleDes, session_key: "DCB096C2A40E78E0A0E47A96F42E62AE", vector: "3345AA95F2D956CF", key_no: 0, new: "00000000000000000000000000000000", version: None, old: None, cryptogram: "000000000000000000000000000000005571AA8700000000", command: "C400FC9E20FD77191E2AAB0CFD53D9999984BC59E886BFEB42D0", source: "elmue" },
    Ev1ChangeKey { name: "ev1-changekey-des-4", kind: TwoKeyTripleDes, session_key: "CAA674E8CAE8525ECAA674E8CAE8525E", vector: "0000000000000000", key_no: 1, new: "00102031405060708090A0B0B0A09080", version: None, old: Some("00000000000000000000000000000000"), cryptogram: "00102031405060708090A0B0B0A090808634A7D73A3AEFC4", command: "C4014EB669E48DCA584749542E1BE89CB4C7845A38C57D19DE59", source: "elmue" },
    Ev1ChangeKey { name: "ev1-changekey-des-5", kind: TwoKeyTripleDes, session_key: "CAA674E8CAE8525ECAA674E8CAE8525E", vector: "2EAD04DCF121E0FE", key_no: 1, new: "10182029303840485058606870788088", version: None, old: Some("00102031405060708090A0B0B0A09080"), cryptogram: "1008001870682038D0C8C0D8C0D810081A37033336B7E0F7", command: "C401FA7BEFA6782C93E8D69CF7352CFD33DF5BC8AC4FBA4906FC", source: "elmue" },
    Ev1ChangeKey { name: "ev1-changekey-3k3des-6", kind: ThreeKeyTripleDes, session_key: "36C4F8BE306E6C76AC229E8CF824BA303250D4AA643656A2", vector: "0000000000000000", key_no: 0, new: "00102031405060708090A0B0B0A090807060504030201000", version: None, old: None, cryptogram: "00102031405060708090A0B0B0A090807060504030201000D63E00A200000000", command: "C400F4F865F318CB9DE80B2B165145021F4F3AFEF1244FEA42FC997726FDE750741D", source: "elmue" },
    Ev1ChangeKey { name: "ev1-changekey-3k3des-7", kind: ThreeKeyTripleDes, session_key: "02FE6C00F4D6564230348A663C12FA8AAE7A785C46CE7A2E", vector: "0000000000000000", key_no: 0, new: "101820293038404850586068707880889098A0A8B0B8C0C8", version: None, old: None, cryptogram: "101820293038404850586068707880889098A0A8B0B8C0C81EC410D800000000", command: "C4000A9BE77E7203CD8D3EB13D5F2C1F11FFE897ECAC1FE054CE4287685F3CE2162E", source: "elmue" },
    Ev1ChangeKey { name: "ev1-changekey-3k3des-8", kind: ThreeKeyTripleDes, session_key: "D0542A865814D2504E9A187CC06668C09C70568258227AFC", vector: "AD4A52B1E31CC741", key_no: 0, new: "000000000000000000000000000000000000000000000000", version: None, old: None, cryptogram: "000000000000000000000000000000000000000000000000377898EC00000000", command: "C400E6D4F3409549F638364D6E64694EC051D60847159E1040C16B613618C797F707", source: "elmue" },
    Ev1ChangeKey { name: "ev1-changekey-3k3des-10", kind: ThreeKeyTripleDes, session_key: "02E024BAE494266698DEEA2808A6148E3EAC40E6426ADA5E", vector: "DC85C9A5A753B17A", key_no: 1, new: "101820293038404850586068707880889098A0A8B0B8C0C8", version: None, old: Some("00102031405060708090A0B0B0A090807060504030201000"), cryptogram: "1008001870682038D0C8C0D8C0D81008E0F8F0E88098D0C8F1120333F689B668", command: "C401E3E2DD9F1E2C8DB578652F78C30C533EADE1E663625E0F74DD13D4F9B9B3E43C", source: "elmue" },
    Ev1ChangeKey { name: "ev1-changekey-aes-11", kind: Aes128, session_key: "F44B26F5C05DDD7110772281C4D066E8", vector: "00000000000000000000000000000000", key_no: 0, new: "00102030405060708090A0B0B0A09080", version: Some("10"), old: None, cryptogram: "00102030405060708090A0B0B0A0908010D2C6E66B0000000000000000000000", command: "C400E9F85E219496C2B58C1090DC3935FAE9E840CF61B383D9531946256B1F110C10", source: "elmue" },
    Ev1ChangeKey { name: "ev1-changekey-aes-12", kind: Aes128, session_key: "C2A1E47B27104712FE6D00A71177A19B", vector: "00000000000000000000000000000000", key_no: 0, new: "10182028303840485058606870788088", version: Some("10"), old: None, cryptogram: "1018202830384048505860687078808810748563620000000000000000000000", command: "C4002945E3760E60F4A4046BB8A505B31CF559A3A2E05213BC82942CA6AB5DBCECF5", source: "elmue" },
    Ev1ChangeKey { name: "ev1-changekey-aes-13", kind: Aes128, session_key: "90F7A20191036845EC63DECD544B9931", vector: "8A8FA36F55CD210DD8054658AC70D99A", key_no: 0, new: "00000000000000000000000000000000", version: Some("00"), old: None, cryptogram: "00000000000000000000000000000000000A0F861B0000000000000000000000", command: "C400635375E4919F8AF2E9E86B1C1BA55B0C0807EAF484D7A7EF6E0C3084160F5A61", source: "elmue" },
    Ev1ChangeKey { name: "ev1-changekey-aes-14", kind: Aes128, session_key: "C2A1E47BD8100044FE6D00A74D7AB17C", vector: "00000000000000000000000000000000", key_no: 1, new: "00102030405060708090A0B0B0A09080", version: Some("10"), old: Some("00000000000000000000000000000000"), cryptogram: "00102030405060708090A0B0B0A09080103370B484BFE3791900000000000000", command: "C401E7ECCB6BD1CA64BC161A12B1C024F71430337408C8A87EACAB7A1FF18951FCA3", source: "elmue" },
    Ev1ChangeKey { name: "ev1-changekey-aes-15", kind: Aes128, session_key: "C2A1E47BD8100044FE6D00A74D7AB17C", vector: "2128D3CD9C9ACFFFF6EB9546ADF35E17", key_no: 1, new: "10182028303840485058606870788088", version: Some("10"), old: Some("00102030405060708090A0B0B0A09080"), cryptogram: "1008001870682038D0C8C0D8C0D810081029EAE6E0B36E762A00000000000000", command: "C4012841938C40A4BC2C33064482FEADA5F43EC535D34255B0286C2352CD173863C7", source: "elmue" },
];

/// Session keys of EV2.
#[derive(Debug)]
pub(crate) struct Ev2SessionKeys {
    pub(crate) name: &'static str,
    pub(crate) key: &'static str,
    pub(crate) rnd_a: &'static str,
    pub(crate) rnd_b: &'static str,
    pub(crate) enc: &'static str,
    pub(crate) mac: &'static str,
    pub(crate) source: &'static str,
}
#[rustfmt::skip]
pub(crate) const EV2_SESSION_KEYS: &[Ev2SessionKeys] = &[
    Ev2SessionKeys { name: "ev2-session-keys-an12343", key: "00000000000000000000000000000000", rnd_a: "B04D0787C93EE0CC8CACC8E86F16C6FE", rnd_b: "FA659AD0DCA738DD65DC7DC38612AD81", enc: "63DC07286289A7A6C0334CA31C314A04", mac: "774F26743ECE6AF5033B6AE8522946F6", source: "NXP AN12343 p.33-34; proxmark3 client/src/mifare/desfiretest.c @1c8c3b78" },
    Ev2SessionKeys { name: "ev2-session-keys-nonzero", key: "00112233445566778899AABBCCDDEEFF", rnd_a: "0123456789ABCDEF0123456789ABCDEF", rnd_b: "FEDCBA9876543210FEDCBA9876543210", enc: "195428119C8528D59580A73C7C96C6A3", mac: "0AF00F6E39F904C4A6388C812D53DC94", source: "proxmark3 client/src/mifare/desfiretest.c @1c8c3b78 (synthetic, cross-checked)" },
];

/// MACs of EV2 commands and answers (code 00).
#[derive(Debug)]
pub(crate) struct Ev2Mac {
    pub(crate) name: &'static str,
    pub(crate) mac_key: &'static str,
    pub(crate) ti: &'static str,
    pub(crate) code: u8,
    pub(crate) counter: u16,
    pub(crate) data: &'static str,
    pub(crate) mac: &'static str,
    pub(crate) source: &'static str,
}
#[rustfmt::skip]
pub(crate) const EV2_MACS: &[Ev2Mac] = &[
    Ev2Mac { name: "ev2-mac-cmd1", mac_key: "9366FA195EB566F5BD2BAD4020B83002", ti: "E2D3AF69", code: 0x8D, counter: 0, data: "0000000019000022222222222222222222222222222222222222222222222222", mac: "68F2C28C575A1628", source: "NXP AN12343 p.54; proxmark3 client/src/mifare/desfiretest.c @1c8c3b78" },
    Ev2Mac { name: "ev2-mac-resp1", mac_key: "9366FA195EB566F5BD2BAD4020B83002", ti: "E2D3AF69", code: 0x00, counter: 1, data: "", mac: "0820F68898C2A7F1", source: "NXP AN12343 p.54; proxmark3 client/src/mifare/desfiretest.c @1c8c3b78" },
    Ev2Mac { name: "ev2-mac-cmd2", mac_key: "9366FA195EB566F5BD2BAD4020B83002", ti: "E2D3AF69", code: 0xAD, counter: 1, data: "00000000300000", mac: "0D9BE191D5960834", source: "NXP AN12343 p.54; proxmark3 client/src/mifare/desfiretest.c @1c8c3b78" },
    Ev2Mac { name: "ev2-mac-resp2", mac_key: "9366FA195EB566F5BD2BAD4020B83002", ti: "E2D3AF69", code: 0x00, counter: 2, data: "222222222222222222222222222222222222222222222222220000000000000000000000000000000000000000000000", mac: "A49A44222D926666", source: "NXP AN12343 p.54; proxmark3 client/src/mifare/desfiretest.c @1c8c3b78" },
];

/// Keys of a transaction.
#[derive(Debug)]
pub(crate) struct TransactionKey {
    pub(crate) name: &'static str,
    pub(crate) key: &'static str,
    pub(crate) counter_before: u32,
    pub(crate) uid: &'static str,
    pub(crate) is_mac: bool,
    pub(crate) expected: &'static str,
    pub(crate) source: &'static str,
}
#[rustfmt::skip]
pub(crate) const TRANSACTION_KEYS: &[TransactionKey] = &[
    TransactionKey { name: "ev2-transaction-mac-key-mac-0", key: "66A8CB93269DC9BC2885B7A91B9C697B", counter_before: 8, uid: "04010203040506", is_mac: true, expected: "7C1AD2D9C5C08154A0A4914B401A6598", source: "proxmark3 client/src/mifare/desfiretest.c @1c8c3b78" },
    TransactionKey { name: "ev2-transaction-mac-key-enc-0", key: "66A8CB93269DC9BC2885B7A91B9C697B", counter_before: 8, uid: "04010203040506", is_mac: false, expected: "119B902A07B18A865B8E1B0060594784", source: "proxmark3 client/src/mifare/desfiretest.c @1c8c3b78" },
    TransactionKey { name: "ev2-transaction-mac-key-mac-1", key: "0123456789ABCDEFFEDCBA9876543210", counter_before: 305419896, uid: "04A1B2C3D4E5F6", is_mac: true, expected: "8F76D21BAE6765845188BCF9159BE0EC", source: "proxmark3 client/src/mifare/desfiretest.c @1c8c3b78 (cross-checked)" },
    TransactionKey { name: "ev2-transaction-mac-key-enc-1", key: "0123456789ABCDEFFEDCBA9876543210", counter_before: 305419896, uid: "04A1B2C3D4E5F6", is_mac: false, expected: "6F701DC037A5F0757A7FF667055F4B25", source: "proxmark3 client/src/mifare/desfiretest.c @1c8c3b78 (cross-checked)" },
];

/// The passes of EV2 authentications (NTAG 424 DNA, which has the same).
#[derive(Debug)]
pub(crate) struct Ev2Authentication {
    pub(crate) name: &'static str,
    pub(crate) key: &'static str,
    pub(crate) rnd_a: &'static str,
    pub(crate) enc_rnd_b: &'static str,
    pub(crate) answer: &'static str,
    pub(crate) token: &'static str,
    pub(crate) ti: Option<&'static str>,
    pub(crate) enc: Option<&'static str>,
    pub(crate) mac: Option<&'static str>,
    pub(crate) source: &'static str,
}
#[rustfmt::skip]
pub(crate) const EV2_AUTHENTICATIONS: &[Ev2Authentication] = &[
    Ev2Authentication { name: "ntag424-ev2first-key3", key: "00000000000000000000000000000000", rnd_a: "B98F4C50CF1C2E084FD150E33992B048", enc_rnd_b: "B875CEB0E66A6C5CD00898DC371F92D1", answer: "0CC9A8094A8EEA683ECAAC5C7BF20584206D0608D477110FC6B3D5D3F65C3A6A", token: "FF0306E47DFBC50087C4D8A78E88E62DE1E8BE457AA477C707E2F0874916A8B1", ti: Some("7614281A"), enc: Some("7A93D6571E4B180FCA6AC90C9A7488D4"), mac: Some("FC4AF159B62E549B5812394CAB1918CC"), source: "NXP AN12196 5.10; crate ntag424 0.1.1 (codeberg jannschu/ntag424)" },
    Ev2Authentication { name: "ntag424-ev2first-key0", key: "00000000000000000000000000000000", rnd_a: "13C5DB8A5930439FC3DEF9A4C675360F", enc_rnd_b: "A04C124213C186F22399D33AC2A30215", answer: "3FA64DB5446D1F34CD6EA311167F5E4985B89690C04A05F17FA7AB2F08120663", token: "35C3E05A752E0144BAC0DE51C1F22C56B34408A23D8AEA266CAB947EA8E0118D", ti: Some("9D00C4DF"), enc: Some("1309C877509E5A215007FF0ED19CA564"), mac: Some("4C6626F5E72EA694202139295C7A7FC7"), source: "NXP AN12196 5.6; crate ntag424 0.1.1 (codeberg jannschu/ntag424)" },
    Ev2Authentication { name: "ntag424-ev2first-hw-key0", key: "00000000000000000000000000000000", rnd_a: "A5F7C97067CC7C6B0C373F15028021EE", enc_rnd_b: "457B8458856FA7D114513E5A65A37405", answer: "94A3D20D1035D7FF691B611360578F7765EC56EC456739A4533FDBA50F9CDFBB", token: "BD8315EF8B1AFF79FB51287D1E93DCE49EE4EC2EEFD5285A499B9EDC59219922", ti: Some("704B5F99"), enc: None, mac: None, source: "NXP recorded tag transcript; crate ntag424 0.1.1 (codeberg jannschu/ntag424)" },
];
