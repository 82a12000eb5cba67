//! Work that several threads take in turn, with results in order.

use std::iter;
use std::sync::mpsc::sync_channel;
use std::thread;

/// Items that wait between two stages.
const WAITING: usize = 1;

/// Gives items to `workers` threads in turn, and their results to `take` in order, on the caller's thread. `items` are made on a
/// thread of their own. At most two items per worker wait or are worked on, and as many results wait; one more of each is at either
/// end.
///
/// # Errors
/// The first error in the order of the items, of making, working or taking. Nothing after it is taken.
pub(crate) fn in_turn<T: Send, R: Send, F: Send, E: From<F>>(
    workers: usize,
    items: impl Iterator<Item = Result<T, F>> + Send,
    work: impl Fn(T) -> Result<R, F> + Sync,
    mut take: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    thread::scope(|scope| {
        let work = &work;
        let (to_work, given): (Vec<_>, Vec<_>) = (0..workers).map(|_| sync_channel(WAITING)).unzip();
        let (to_take, worked): (Vec<_>, Vec<_>) = (0..workers).map(|_| sync_channel(WAITING)).unzip();
        scope.spawn(move || {
            for (item, to_work) in until_error(items).zip(to_work.iter().cycle()) {
                // The receiver is gone if an item before this one failed.
                if to_work.send(item).is_err() {
                    break;
                }
            }
        });
        for (given, to_take) in given.into_iter().zip(to_take) {
            scope.spawn(move || {
                for item in given {
                    let result = item.and_then(work);
                    let last = result.is_err();
                    if to_take.send(result).is_err() || last {
                        break;
                    }
                }
            });
        }
        // The first worker without a result has the end.
        for worked in worked.iter().cycle() {
            let Ok(result) = worked.recv() else { break };
            take(result?)?;
        }
        Ok(())
    })
}

/// Items up to the first error, and that.
fn until_error<T, E>(items: impl Iterator<Item = Result<T, E>>) -> impl Iterator<Item = Result<T, E>> {
    let mut items = Some(items);
    iter::from_fn(move || {
        let item = items.as_mut()?.next()?;
        if item.is_err() {
            items = None;
        }
        Some(item)
    })
}
