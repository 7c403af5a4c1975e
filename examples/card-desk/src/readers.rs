//! The readers of the machine, and a simulated one.
use crate::DeskError;
use crate::args::{Args, Technology};
use seam_encoders::sim::classic::ClassicCard;
use seam_encoders::sim::{DesfireCard, DesfireModel, Fault, FaultKind, SimulatedCard};
use seam_encoders::transport::{Reader, SimulatedReader};
use std::sync::Arc;
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

/// The reader that was asked for.
pub(crate) async fn chosen(args: &Args, technology: Technology, pull_at: Option<usize>) -> Result<Arc<dyn Reader>, DeskError> {
    let names = names(args.is_virtual).await?;
    let fits = |name: &&String| args.reader.as_ref().is_none_or(|wanted| name.contains(wanted.as_str()));
    let name = match names.iter().filter(fits).collect::<Vec<_>>().as_slice() {
        [name] => (*name).clone(),
        [] => return Err(DeskError::Asked("there is no such reader; `card-desk list` shows them".to_owned())),
        _ => return Err(DeskError::Asked("there are several readers; choose one with --reader".to_owned())),
    };
    if args.is_virtual {
        return Ok(Arc::new(simulated(technology, pull_at)));
    }
    #[cfg(feature = "pcsc")]
    return Ok(Arc::new(seam_encoders::transport::pcsc::PcscReader::new(name)));
    #[cfg(not(feature = "pcsc"))]
    Err(DeskError::Asked(name))
}

/// A simulated reader, and somebody who lays a new card there after a moment and puts it back when it was pulled away.
fn simulated(technology: Technology, pull_at: Option<usize>) -> SimulatedReader {
    let reader = SimulatedReader::new(VIRTUAL);
    let hand = reader.clone();
    tokio::spawn(async move {
        tokio::time::sleep(HAND).await;
        let card: Box<dyn SimulatedCard> = match technology {
            Technology::Desfire => Box::new(DesfireCard::new(DesfireModel::Ev3, [0x04, 0x5E, 0xA8, 0x01, 0x02, 0x03, 0x04])),
            Technology::Classic => Box::new(ClassicCard::new_1k([0x5E, 0xA8, 0x01, 0x02])),
        };
        if let Some(at) = pull_at {
            hand.with_field(|field| field.plan(Fault { at, kind: FaultKind::PulledAfterBytes(0) }));
        }
        hand.put(card);
        loop {
            tokio::time::sleep(HAND).await;
            hand.put_back();
        }
    });
    reader
}
