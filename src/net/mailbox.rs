//! Commands from the other threads of the process to a core: a queue, and a waker that interrupts
//! the core's poll. The queue is read only after the waker fired, so it costs requests nothing.

use std::sync::mpsc::{self, Receiver, Sender};
use std::{io, sync::Arc};

use mio::net::TcpStream;
use mio::{Poll, Token, Waker};

use crate::scenario::Scenario;

/// The token of the waker: there may be commands in the mailbox.
pub const MAILBOX: Token = Token(usize::MAX);

/// A request to a core. A new one is a variant here and an arm in the reactor.
#[derive(Debug)]
pub enum Command {
    /// Serve a connection that another core accepted.
    Connection(TcpStream),
    /// Serve by this snapshot from now on.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "settings can't be changed at run time yet")
    )]
    Scenario(Arc<Scenario>),
    /// Stop listening, finish what is in flight, and end.
    Drain,
    /// Panic, as a bug would.
    #[cfg(test)]
    Panic,
}

/// The sending side of a core's mailbox.
#[derive(Debug)]
pub struct CommandSender {
    commands: Sender<Command>,
    waker: Waker,
}

/// The receiving side of a core's mailbox.
pub type Mailbox = Receiver<Command>;

/// Makes a mailbox for each core's poll.
pub fn mailboxes(polls: &[Poll]) -> io::Result<(Arc<[CommandSender]>, Vec<Mailbox>)> {
    let pair = |poll: &Poll| {
        let (commands, received) = mpsc::channel();
        let waker = Waker::new(poll.registry(), MAILBOX)?;
        Ok((CommandSender { commands, waker }, received))
    };
    let pairs = polls.iter().map(pair).collect::<io::Result<Vec<_>>>()?;
    let (senders, mailboxes): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    Ok((senders.into(), mailboxes))
}

impl CommandSender {
    /// Queues a command without waking the core. Returns it when the core has ended.
    pub fn queue(&self, command: Command) -> Result<(), Command> {
        let sent = self.commands.send(command);
        sent.map_err(|mpsc::SendError(command)| command)
    }

    /// Sends a command to the core, unless it has ended already.
    pub fn send(&self, command: Command) {
        let _ = self.queue(command);
        self.wake();
    }

    /// Interrupts the core's poll.
    pub fn wake(&self) {
        // It fails only when the core has ended already.
        let _ = self.waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mio::Events;

    use super::*;

    #[test]
    fn every_core_wakes_and_reads_its_commands_in_order() {
        let mut polls = [Poll::new().unwrap(), Poll::new().unwrap()];
        let (senders, mailboxes) = mailboxes(&polls).unwrap();
        let scenario = Scenario::first(&Default::default());
        for sender in &*senders {
            sender.send(Command::Scenario(scenario.clone()));
            sender.send(Command::Drain);
        }
        for (poll, mailbox) in polls.iter_mut().zip(mailboxes) {
            let mut events = Events::with_capacity(8);
            poll.poll(&mut events, Some(Duration::from_secs(10)))
                .unwrap();
            assert!(events.iter().all(|event| event.token() == MAILBOX));
            assert!(!events.is_empty());
            assert!(matches!(mailbox.try_recv(), Ok(Command::Scenario(_))));
            assert!(matches!(mailbox.try_recv(), Ok(Command::Drain)));
            assert!(mailbox.try_recv().is_err());
        }
    }

    #[test]
    fn a_core_that_ended_returns_the_command() {
        let polls = [Poll::new().unwrap()];
        let (senders, mailboxes) = mailboxes(&polls).unwrap();
        drop(mailboxes);
        assert!(matches!(
            senders[0].queue(Command::Drain),
            Err(Command::Drain)
        ));
        senders[0].send(Command::Drain);
    }
}
