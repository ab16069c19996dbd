//! The service that hands a build its context and its Dockerfile.
//!
//! Knows which folder and which paths were asked for; [`super::send`] does the rest.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use bollard::fsutil::types::Packet;
use bollard::moby::filesync::packet::file_sync_server::FileSync;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};

use crate::run::docker::buildkit::context::Context;
use crate::run::docker::buildkit::faults::Faults;
use crate::run::docker::buildkit::select::select;
use crate::run::docker::buildkit::send::send;
use crate::run::docker::buildkit::tasks::Spawner;

/// The folders of a build, by the names that its frontend uses.
pub(super) struct Folders {
    pub(super) folders: BTreeMap<&'static str, Arc<dyn Context>>,
    pub(super) faults: Faults,
    pub(super) spawner: Spawner,
}

#[tonic::async_trait]
impl FileSync for Folders {
    type DiffCopyStream = ReceiverStream<Result<Packet, Status>>;
    type TarStreamStream = Pin<Box<dyn Stream<Item = Result<Packet, Status>> + Send>>;

    async fn diff_copy(
        &self,
        request: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::DiffCopyStream>, Status> {
        let asked = request.metadata();
        let name = values(asked, "dir-name").pop().unwrap_or_default();
        let Some(context) = self.folders.get(&*name) else {
            return Err(Status::not_found(format!("no access to folder `{name}`")));
        };
        let mut paths = values(asked, "followpaths");
        paths.extend(values(asked, "include-patterns"));
        let chosen = select(context.entries(), &paths);
        let packets =
            send(Arc::clone(context), chosen, request.into_inner(), self.faults.clone(), &self.spawner);
        Ok(Response::new(ReceiverStream::new(packets)))
    }

    async fn tar_stream(
        &self,
        _: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::TarStreamStream>, Status> {
        Err(Status::unimplemented("contexts are sent by DiffCopy"))
    }
}

/// All values of a header. Newer engines escape what is not ASCII, and say so; older ones do not.
fn values(headers: &MetadataMap, name: &str) -> Vec<String> {
    let escaped =
        headers.get(format!("{name}-encoded")).is_some_and(|value| value.as_encoded_bytes() == b"1");
    let text = |bytes: &[u8]| match escaped {
        true => String::from_utf8_lossy(&unescape(bytes)).into_owned(),
        false => String::from_utf8_lossy(bytes).into_owned(),
    };
    headers.get_all(name).iter().map(|value| text(value.as_encoded_bytes())).collect()
}

/// `+` is a space, `%` and two digits are a byte.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let digit = |at: usize| char::from(*tail.get(at)?).to_digit(16);
        let (byte, after) = match (*first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => ((high * 16 + low) as u8, &tail[2..]),
            (b'+', ..) => (b' ', tail),
            (byte, ..) => (byte, tail),
        };
        out.push(byte);
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_headers_are_read_as_they_were_meant() {
        let mut headers = MetadataMap::new();
        headers.append("followpaths", "a+b%2Bc/%C3%A4%zz".parse().unwrap());
        headers.append("followpaths", "second".parse().unwrap());
        assert_eq!(values(&headers, "followpaths"), ["a+b%2Bc/%C3%A4%zz", "second"]);
        headers.insert("followpaths-encoded", "1".parse().unwrap());
        assert_eq!(values(&headers, "followpaths"), ["a b+c/ä%zz", "second"]);
        assert_eq!(values(&headers, "absent"), [""; 0]);
    }
}
