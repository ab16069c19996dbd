//! Opens raw streams to an engine: over a socket, TCP, TLS or ssh, alike to whoever uses them.
//!
//! Every request of osgraph goes over streams from here, so each transport is done once. Knows no
//! HTTP.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use crate::run::docker::address::{Address, SshTarget};
use crate::run::docker::error::EngineError;
use crate::run::docker::{ssh, tls};

/// Bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub type BoxedStream = Box<dyn Stream>;

/// For how long a machine may leave a call unanswered.
const PATIENCE: Duration = Duration::from_secs(15);

/// Opens streams to one engine. Cheap to clone.
#[derive(Clone)]
pub struct Dialer {
    /// As messages show it.
    shown: Arc<str>,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Unix(Arc<std::path::Path>),
    Tcp(Arc<str>, u16),
    Tls(Arc<str>, u16, rustls::pki_types::ServerName<'static>, TlsConnector),
    Ssh(Arc<SshTarget>),
}

impl Dialer {
    /// Nothing is opened yet; certificates and keys are read.
    ///
    /// # Errors
    /// When those are no certificates and keys.
    pub fn new(address: &Address) -> Result<Self, EngineError> {
        let way = match address {
            Address::Unix(path) => Way::Unix(path.as_path().into()),
            Address::Tcp { host, port, tls: None } => Way::Tcp(host.as_str().into(), *port),
            Address::Tcp { host, port, tls: Some(tls) } => {
                let wrong = |source| EngineError::Certificates { address: address.to_string(), source };
                let name = tls::server_name(host).map_err(wrong)?;
                let config = tls::config(tls).map_err(wrong)?;
                Way::Tls(host.as_str().into(), *port, name, TlsConnector::from(Arc::new(config)))
            }
            Address::Ssh(target) => Way::Ssh(Arc::new(target.clone())),
        };
        Ok(Self { shown: address.to_string().into(), way })
    }

    /// A new stream to the engine.
    ///
    /// # Errors
    /// When nobody answers, within a quarter of a minute or so, or the other side cannot be trusted.
    /// An ssh that fails does so at the first read, with what `ssh` said.
    pub async fn dial(&self) -> io::Result<BoxedStream> {
        match tokio::time::timeout(PATIENCE, self.open()).await {
            Ok(opened) => opened,
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("nobody answered within {} seconds", PATIENCE.as_secs()),
            )),
        }
    }

    async fn open(&self) -> io::Result<BoxedStream> {
        match &self.way {
            Way::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?)),
            Way::Tcp(host, port) => Ok(Box::new(tcp(host, *port).await?)),
            Way::Tls(host, port, name, connector) => {
                let stream = connector.connect(name.clone(), tcp(host, *port).await?).await?;
                Ok(Box::new(stream))
            }
            Way::Ssh(target) => Ok(Box::new(ssh::start(target)?)),
        }
    }
}

async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    // Small frames of several conversations share this stream; none of them shall wait for more.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The engine's address.
impl fmt::Display for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dialer({})", self.shown)
    }
}
