//! The readers of the machine, and a simulated one.
use crate::DeskError;
use crate::args::Args;
use crate::virtual_card::VirtualCard;
use seam_encoders::sim::{Fault, FaultKind};
use seam_encoders::transport::{Reader, SimulatedReader};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The name of the simulated reader.
const VIRTUAL: &str = "Simulated reader";
/// How long the person takes who lays the simulated card there, and who puts it back.
const HAND: Duration = Duration::from_millis(300);

pub(crate) async fn print_list(is_virtual: bool) -> Result<(), DeskError> {
    let names = names(is_virtual).await?;
    names.iter().for_each(|name| println!("{name}"));
    if names.is_empty() {
        eprintln!("no reader is there");
    }
    Ok(())
}

async fn names(is_virtual: bool) -> Result<Vec<String>, DeskError> {
    if is_virtual {
        return Ok(vec![VIRTUAL.to_owned()]);
    }
    #[cfg(feature = "pcsc")]
    return Ok(seam_encoders::transport::pcsc::list().await?);
    #[cfg(not(feature = "pcsc"))]
    Err(DeskError::Asked("for a reader of this machine: cargo run -p card-desk --features pcsc; without one: --virtual".to_owned()))
}

/// What somebody does at the simulated reader.
#[derive(Clone, Debug)]
pub(crate) enum Hand {
    /// Lays a card there, which is pulled away at this command and put back.
    Lays(Arc<Mutex<VirtualCard>>, Option<usize>),
    /// Lays one card after the other there and takes it away again.
    PassesBy(Vec<Arc<Mutex<VirtualCard>>>),
}

/// The reader that was asked for. At the simulated one, somebody lays cards there.
pub(crate) async fn chosen(args: &Args, hand: Hand) -> Result<Arc<dyn Reader>, DeskError> {
    let names = names(args.is_virtual).await?;
    let fits = |name: &&String| args.reader.as_ref().is_none_or(|wanted| name.contains(wanted.as_str()));
    let name = match names.iter().filter(fits).collect::<Vec<_>>().as_slice() {
        [name] => (*name).clone(),
        [] => return Err(DeskError::Asked("there is no such reader; `card-desk list` shows them".to_owned())),
        _ => return Err(DeskError::Asked("there are several readers; choose one with --reader".to_owned())),
    };
    if args.is_virtual {
        return Ok(Arc::new(simulated(hand)));
    }
    #[cfg(feature = "pcsc")]
    return Ok(Arc::new(seam_encoders::transport::pcsc::PcscReader::new(name)));
    #[cfg(not(feature = "pcsc"))]
    Err(DeskError::Asked(name))
}

/// A simulated reader, and somebody at it.
fn simulated(hand: Hand) -> SimulatedReader {
    let reader = SimulatedReader::new(VIRTUAL);
    let field = reader.clone();
    tokio::spawn(async move {
        let a_moment = || tokio::time::sleep(HAND);
        a_moment().await;
        match hand {
            Hand::Lays(card, pull_at) => {
                if let Some(at) = pull_at {
                    field.with_field(|field| field.plan(Fault { at, kind: FaultKind::PulledAfterBytes(0) }));
                }
                field.put(Box::new(card));
                loop {
                    a_moment().await;
                    field.put_back();
                }
            }
            Hand::PassesBy(cards) => loop {
                for card in &cards {
                    field.put(Box::new(Arc::clone(card)));
                    // Long enough to be read, also on a busy machine.
                    a_moment().await;
                    a_moment().await;
                    field.take();
                    a_moment().await;
                }
            },
        }
    });
    reader
}
