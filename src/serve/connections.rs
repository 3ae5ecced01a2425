//! Connections: so many at a time, none of them for ever.
//!
//! Whoever connects is let in at once. When every seat is taken, the one that has waited longest for the end of a request's head, or
//! for another request, loses its own: a good reader on this machine sends a head in one piece, so neither memory nor the owner's page
//! is at the mercy of somebody who sends half of one. HTTP itself, its limits and its timeouts, are hyper's.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::task::{AbortHandle, LocalSet};

use super::answer::Answer;
use super::asked::PageRequest;
use super::server::Server;
use super::{CONNECTIONS_MAX, Listener};

/// Most bytes of a head, and how long it may take.
const HEAD_BYTES_MAX: usize = 8 << 10;
const HEAD_TIME: Duration = Duration::from_secs(3);
/// Most headers.
const HEADERS_MAX: usize = 64;
/// Most bytes of a body, and how long it may take.
const BODY_BYTES_MAX: usize = 1 << 10;
const BODY_TIME: Duration = Duration::from_secs(3);
/// How long a request may take, and its answer to be fetched.
const REQUEST_TIME: Duration = Duration::from_secs(30);
/// How soon a signal is noticed.
const TICK: Duration = Duration::from_millis(100);

/// What a connection is at.
#[derive(Debug, Clone, Copy)]
enum Seat {
    /// It waits for a head, or for its answer to be fetched, since then.
    Waiting(Instant),
    /// It has asked, then.
    Busy(Instant),
}

impl Seat {
    fn since(self) -> Instant {
        let (Self::Waiting(since) | Self::Busy(since)) = self;
        since
    }
}

/// The connections there are.
#[derive(Default)]
struct Seats {
    taken: BTreeMap<u64, (AbortHandle, Rc<Cell<Seat>>)>,
    next: u64,
}

impl Seats {
    /// Makes room for one more.
    fn make_room(&mut self) {
        while self.taken.len() >= CONNECTIONS_MAX {
            let rank = |seat: Seat| (matches!(seat, Seat::Busy(_)), seat.since());
            let longest = self.taken.iter().min_by_key(|(_, (_, seat))| rank(seat.get())).map(|(id, _)| *id);
            let Some(longest) = longest else { return };
            self.close(longest);
        }
    }

    /// Closes what takes too long.
    fn close_overdue(&mut self) {
        let is_over = |seat: &Rc<Cell<Seat>>| seat.get().since().elapsed() > REQUEST_TIME;
        let over: Vec<u64> =
            self.taken.iter().filter(|(_, (_, seat))| is_over(seat)).map(|(id, _)| *id).collect();
        over.into_iter().for_each(|id| self.close(id));
    }

    fn close(&mut self, id: u64) {
        if let Some((task, _)) = self.taken.remove(&id) {
            task.abort();
        }
    }
}

/// Answers whoever connects, until the flag is raised.
pub(super) fn serve_all(listener: Listener, server: Server, stop: &AtomicBool) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let server = Rc::new(RefCell::new(server));
    LocalSet::new().block_on(&runtime, async {
        match listener {
            Listener::Tcp(listener) => {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                accept_all(|cx| listener.poll_accept(cx).map_ok(|(stream, _)| stream), &server, stop).await;
            }
            Listener::Unix(listener) => {
                let listener = tokio::net::UnixListener::from_std(listener)?;
                accept_all(|cx| listener.poll_accept(cx).map_ok(|(stream, _)| stream), &server, stop).await;
            }
        }
        Ok(())
    })
}

async fn accept_all<S>(
    accept: impl Fn(&mut Context<'_>) -> Poll<io::Result<S>>,
    server: &Rc<RefCell<Server>>,
    stop: &AtomicBool,
) where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + 'static,
{
    let seats = Rc::new(RefCell::new(Seats::default()));
    let mut looked = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let accepted = tokio::time::timeout(TICK, poll_fn(|cx| accept(cx))).await;
        match accepted {
            Ok(Ok(stream)) => {
                seat(stream, &seats, server);
                // Whoever has just come is heard before the next one.
                tokio::task::yield_now().await;
            }
            // Out of descriptors, say: it passes when others leave.
            Ok(Err(error)) => {
                tracing::debug!(%error, "nobody can connect for a moment");
                tokio::time::sleep(TICK).await;
            }
            Err(_) => {}
        }
        if looked.elapsed() >= Duration::from_secs(1) {
            looked = Instant::now();
            seats.borrow_mut().close_overdue();
            server.borrow_mut().state.tick(super::now_ms());
        }
    }
}

/// Gives a connection a seat.
fn seat<S>(stream: S, seats: &Rc<RefCell<Seats>>, server: &Rc<RefCell<Server>>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + 'static,
{
    let mut open = seats.borrow_mut();
    open.make_room();
    let id = open.next;
    open.next += 1;
    let own = Rc::new(Cell::new(Seat::Waiting(Instant::now())));
    let (seats, server, seat) = (Rc::clone(seats), Rc::clone(server), Rc::clone(&own));
    let task = tokio::task::spawn_local(async move {
        let answer = |request| answer(request, Rc::clone(&server), Rc::clone(&seat));
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
        builder.max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX);
        let served = builder.serve_connection(TokioIo::new(stream), service_fn(answer)).await;
        if let Err(error) = served {
            tracing::debug!(%error, "a connection ended early");
        }
        seats.borrow_mut().taken.remove(&id);
    });
    open.taken.insert(id, (task.abort_handle(), own));
}

async fn answer(
    request: Request<Incoming>,
    server: Rc<RefCell<Server>>,
    seat: Rc<Cell<Seat>>,
) -> Result<Response<PageBody>, Infallible> {
    seat.set(Seat::Busy(Instant::now()));
    let (parts, body) = request.into_parts();
    let refused = match parts.method == Method::POST {
        true => refuse_body(body).await,
        false => None,
    };
    let answer = match refused {
        Some((status, text)) => {
            server.borrow_mut().state.count(status);
            Answer::said(status, text)
        }
        None => server.borrow_mut().answer(&PageRequest::new(&parts), super::now_ms()),
    };
    let mut response = Response::new(PageBody { bytes: Some(answer.body.clone()), seat });
    *response.status_mut() = answer.status;
    response.headers_mut().extend(answer.headers());
    Ok(response)
}

/// Reads the body of a request, which nothing is done with; returns why it is refused.
async fn refuse_body(mut body: Incoming) -> Option<(StatusCode, &'static str)> {
    let mut read = 0;
    let all = async {
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            let Ok(frame) = frame else { return Some((StatusCode::BAD_REQUEST, "the body ended early")) };
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > BODY_BYTES_MAX {
                return Some((StatusCode::PAYLOAD_TOO_LARGE, "expected a body of at most 1 KiB"));
            }
        }
        None
    };
    let late = Some((StatusCode::REQUEST_TIMEOUT, "the body took too long"));
    tokio::time::timeout(BODY_TIME, all).await.unwrap_or(late)
}

/// The bytes of an answer; once they are handed over the connection waits again.
struct PageBody {
    bytes: Option<Bytes>,
    seat: Rc<Cell<Seat>>,
}

impl Body for PageBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.bytes.take().filter(|bytes| !bytes.is_empty()).map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

impl Drop for PageBody {
    fn drop(&mut self) {
        self.seat.set(Seat::Waiting(Instant::now()));
    }
}
