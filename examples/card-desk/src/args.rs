//! What may be said on the command line.
use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Reads and writes cards.
#[derive(Debug, Parser)]
#[command(name = "card-desk")]
pub(crate) struct Args {
    /// At a simulated reader with a simulated card, which somebody lays there: works on any machine.
    #[arg(long = "virtual", global = true)]
    pub(crate) is_virtual: bool,
    /// Keeps the simulated card in this file between two runs, with `--virtual`; a new card lies there if there is no such file yet.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) virtual_card: Option<PathBuf>,
    /// The reader, by its name or a part of it; without this the only one that is there.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) reader: Option<String>,
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Lists the readers.
    List,
    /// Waits for a card and says what it is and what of ours stands on it.
    Read(Job),
    /// Waits for a card, writes it and proves it.
    Encode(Encode),
    /// Tells each card that comes and goes, until Ctrl-C.
    Watch,
}

/// Which cards, and how long they are waited for.
#[derive(Debug, Group)]
pub(crate) struct Job {
    /// What the cards are. Without this: `encode` writes a DESFire, `read` takes a card of any technology.
    #[arg(long, value_enum)]
    pub(crate) technology: Option<Technology>,
    /// The application: six hexadecimal digits for DESFire, four (cluster and application) for MIFARE Classic.
    #[arg(long, value_name = "HEX")]
    pub(crate) app: Option<String>,
    /// Seconds to wait for a card.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(crate) wait: u32,
    /// What stands on a DESFire is access data, in NXP's format of AN10957, and not plain bytes.
    #[arg(long)]
    pub(crate) access: bool,
    /// The version of the keys, 1 to 255.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) key_version: u8,
}

#[derive(Debug, Group)]
pub(crate) struct Encode {
    #[command(flatten)]
    pub(crate) job: Job,
    /// What is written, in hexadecimal; on an Ultralight whole pages of four bytes, from page 4 on.
    #[arg(long, value_name = "HEX", default_value = "")]
    pub(crate) data: String,
    /// What is written, as text.
    #[arg(long, conflicts_with = "data")]
    pub(crate) text: Option<String>,
    /// With `--access`: the number of the site, below 2^40.
    #[arg(long, requires = "access", value_name = "N")]
    pub(crate) site: Option<u64>,
    /// With `--access`: the number of the credential.
    #[arg(long, requires = "access", value_name = "N")]
    pub(crate) credential: Option<u64>,
    /// For an NTAG 424: the address that a phone opens, with `{picc}` and `{mac}` where the card puts who it is and its proof.
    #[arg(long, value_name = "TEMPLATE", conflicts_with_all = ["data", "text"])]
    pub(crate) url: Option<String>,
    /// Writes beside the applications of others too; an Ultralight, whatever stands on it.
    #[arg(long)]
    pub(crate) share: bool,
    /// Remembers interrupted cards in this folder; without it they are remembered while the program runs.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) journal: Option<PathBuf>,
    /// Seconds that a card which was taken away half-way may take to come back.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=600))]
    pub(crate) patience: u32,
    /// With `--virtual`: the card is pulled away at this command of the job and put back a moment later.
    #[arg(long, value_name = "N")]
    pub(crate) pull_at: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Technology {
    /// MIFARE DESFire EV1, EV2 or EV3.
    Desfire,
    /// NTAG 424 DNA: an address that a phone opens and a backend believes.
    Ntag424,
    /// MIFARE Classic: legacy, can be copied by anybody who comes near a card.
    Classic,
    /// MIFARE Ultralight EV1 without a password: pages as an access system made them for its locks.
    Ultralight,
}
