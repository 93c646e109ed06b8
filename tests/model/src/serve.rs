//! One request on its way: the fault that strikes it, the gate, the command, the reply.

use super::fault::Fault;
use super::reply::Reply;
use super::server::{Call, Server};
use super::session::{Drip, Session, SessionId};
use super::table::{self, lower};

impl Server {
    /// Serves one whole request, bent by the fault that strikes it.
    pub(crate) fn serve(&mut self, id: SessionId, request: &[Vec<u8>]) {
        let dialect = self.settings.dialect;
        let quit = request.first().is_some_and(|name| lower(name) == "quit");
        let found = table::lookup(request, dialect);
        let name = match &found {
            _ if quit => "quit",
            Ok(spec) => spec.name,
            Err(_) => "unknown",
        };
        self.history.count(name, self.now);
        let fault = self.faults.strike(name, id);
        let mut frame = Vec::new();
        match &fault {
            Some(Fault::CloseBefore) => return self.end(id),
            Some(Fault::HangBefore) => return self.deafen(id),
            Some(Fault::Raw(bytes)) => frame.extend_from_slice(bytes),
            Some(Fault::Error(text)) => {
                self.encode(id, &Reply::error(text.clone()), &mut frame);
            }
            _ => {
                if let Some(Fault::Gone(key)) = &fault {
                    let database = self.sessions.get(&id).map_or(0, Session::database);
                    self.remove(database, key);
                }
                self.serving = Some(id);
                let reply = match found {
                    _ if quit => Reply::OK,
                    Ok(spec) => self.execute(spec, id, request).unwrap_or_else(|refusal| refusal),
                    Err(refusal) => refusal,
                };
                self.serving = None;
                self.encode(id, &reply, &mut frame);
            }
        }
        self.answer(id, frame, fault);
        if quit {
            self.end(id);
        }
    }

    /// Asks the gate, then runs the command. A command that reads registers its keys.
    fn execute(
        &mut self,
        spec: &table::Spec,
        id: SessionId,
        request: &[Vec<u8>],
    ) -> Result<Reply, Reply> {
        self.admit(spec, id, request)?;
        let database = self.sessions.get(&id).map_or(0, Session::database);
        let reply = (spec.run)(self, &Call { session: id, database, arguments: request });
        if spec.has(table::READ) {
            self.track(id, spec.keys(request));
        }
        if let Some(session) = self.sessions.get_mut(&id).filter(|_| !spec.is_of("client")) {
            session.caching = false;
        }
        Ok(reply)
    }

    /// Sends the reply, bent by the fault, and the pushes that the request caused for its sender.
    fn answer(&mut self, id: SessionId, frame: Vec<u8>, fault: Option<Fault>) {
        let pushes = core::mem::take(&mut self.own_pushes);
        let now = self.now;
        let Some(session) = self.sessions.get_mut(&id) else { return };
        match fault {
            Some(Fault::DropReply) => {}
            Some(Fault::CloseAfter) => return self.end(id),
            Some(Fault::HangAfter) => return self.deafen(id),
            Some(Fault::Cut(length)) => {
                session.send(&frame[..frame.len().min(length)]);
                return self.end(id);
            }
            Some(Fault::Surplus(extra)) => session.send(&[frame, extra].concat()),
            Some(Fault::Before(extra)) => session.send(&[extra, frame].concat()),
            Some(Fault::Inside(extra)) => {
                let (head, tail) = frame.split_at(header_length(&frame));
                session.send(&[head, &extra, tail].concat());
            }
            Some(Fault::Drip { interval }) => {
                session.pace.drip = Some(Drip { interval: interval.max(1), next: now });
                session.send(&frame);
                self.slow.insert(id);
            }
            Some(Fault::Delay { hold }) => {
                session.pace.hold_until = now.saturating_add(hold);
                session.send(&frame);
                self.slow.insert(id);
            }
            _ => session.send(&frame),
        }
        if let Some(session) = self.sessions.get_mut(&id) {
            session.send(&pushes);
        }
        self.wake(id);
    }

    fn encode(&self, id: SessionId, reply: &Reply, out: &mut Vec<u8>) {
        let protocol = self.sessions.get(&id).map(Session::protocol).unwrap_or_default();
        reply.encode(protocol, out);
    }

    /// Closes when what is already on its way has been sent.
    pub(crate) fn end(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.ending = true;
            self.wake(id);
        }
    }

    fn deafen(&mut self, id: SessionId) {
        self.own_pushes.clear();
        if let Some(session) = self.sessions.get_mut(&id) {
            session.deaf = true;
        }
    }

    /// Puts a session with something to do among the ready ones, when its time has come.
    pub(crate) fn wake(&mut self, id: SessionId) {
        let due = self.sessions.get(&id).and_then(Session::due);
        if due.is_some_and(|due| due <= self.now) {
            self.ready.insert(id);
        }
    }
}

/// Bytes of the header line of an array or a map; 0 for any other reply.
fn header_length(frame: &[u8]) -> usize {
    match frame.first() {
        Some(b'*' | b'%' | b'~') => {
            frame.windows(2).position(|pair| pair == b"\r\n").map_or(0, |at| at + 2)
        }
        _ => 0,
    }
}
