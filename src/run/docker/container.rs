//! Containers that never start: a way to read files out of an image.

use std::collections::HashMap;
use std::io::{self, Read};
use std::pin::Pin;

use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    ContainerArchiveInfoOptions, CreateContainerOptions, DownloadFromContainerOptions, ListContainersOptions,
    RemoveContainerOptions,
};
use bytes::{Buf, Bytes};
use futures_util::stream::{self, Stream, StreamExt};

use crate::run::docker::engine::Engine;
use crate::run::docker::error::{EngineError, chain};
use crate::run::docker::image::absent;
use crate::run::docker::owner::Owner;
use crate::run::docker::service::Session;

/// Carried by everything that osgraph makes for itself in an engine: the project it is for, as its
/// [`mark`](crate::run::docker::mark).
pub const PROJECT_LABEL: &str = "org.osgraph.project";
/// On containers: the process that has to remove it, see [`Owner`].
pub const OWNER_LABEL: &str = "org.osgraph.owner";

/// A container of ours in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedContainer {
    pub id: String,
    pub labels: HashMap<String, String>,
}

impl Engine {
    /// Makes a container of an image, labelled as ours, and never starts it. Its id.
    pub async fn create_container(&self, image: &str, project: &str) -> Result<String, EngineError> {
        self.create_container_for(&Owner::this(), image, project).await
    }

    pub(super) async fn create_container_for(
        &self,
        owner: &Owner,
        image: &str,
        project: &str,
    ) -> Result<String, EngineError> {
        let labels = HashMap::from([
            (PROJECT_LABEL.to_owned(), project.to_owned()),
            (OWNER_LABEL.to_owned(), owner.to_string()),
        ]);
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            // An image may name no command, and engines want one even where nothing is started.
            cmd: Some(vec!["none".to_owned()]),
            // Podman looks the user up before it reads anything, and an image may name one it lacks.
            user: Some("0:0".to_owned()),
            network_disabled: Some(true),
            labels: Some(labels),
            ..Default::default()
        };
        let made = self.docker().create_container(None::<CreateContainerOptions>, body).await;
        let made =
            made.map_err(|error| self.fault(&format!("make a container of the image `{image}`"), error))?;
        Ok(made.id)
    }

    /// Removes a container and the volumes made for it. One that is gone already is no error.
    pub async fn remove_container(&self, id: &str) -> Result<(), EngineError> {
        let options = RemoveContainerOptions { v: true, force: true, link: false };
        match self.docker().remove_container(id, Some(options)).await {
            Ok(()) => Ok(()),
            Err(error) => absent(self.fault(&format!("remove the container `{id}`"), error)),
        }
    }

    /// Containers of a project, also of other processes.
    pub async fn list_containers(&self, project: &str) -> Result<Vec<ListedContainer>, EngineError> {
        let filters = HashMap::from([("label".to_owned(), vec![format!("{PROJECT_LABEL}={project}")])]);
        let options = ListContainersOptions { all: true, filters: Some(filters), ..Default::default() };
        let found = self.docker().list_containers(Some(options)).await;
        let found = found.map_err(|error| self.fault("list its containers", error))?;
        let listed = found
            .into_iter()
            .filter_map(|one| Some(ListedContainer { id: one.id?, labels: one.labels.unwrap_or_default() }));
        Ok(listed.collect())
    }

    /// Where a link of a container leads in the end, as an absolute path of it; empty for what is no
    /// link.
    async fn link_target(&self, container: &str, path: &str) -> Result<String, EngineError> {
        let options = ContainerArchiveInfoOptions { path: path.to_owned() };
        let found = self.docker().get_container_archive_info(container, Some(options)).await;
        let found = found.map_err(|error| self.fault(&format!("look at `{path}` in an image"), error))?;
        Ok(found.link_target)
    }

    /// A file or folder of a container as a tar archive, in pieces.
    fn archive(&self, container: &str, path: &str) -> Pieces {
        let options = DownloadFromContainerOptions { path: path.to_owned() };
        let client = self.client().clone();
        let action = format!("read `{path}` from an image");
        let pieces = self.docker().download_from_container(container, Some(options));
        Box::pin(pieces.map(move |piece| piece.map_err(|error| client.fault(&action, error))))
    }
}

type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, EngineError>> + Send>>;

/// A path of an image as a tar archive, read as it comes. The container behind it goes with it.
pub struct ImageArchive {
    session: Session,
    container: String,
    pieces: Pieces,
    piece: Bytes,
}

impl Session {
    /// Opens a file or folder of an image as a tar archive, whose first entry is named as the last
    /// part of `path`. A link is not followed.
    ///
    /// # Errors
    /// When there is no such image or path; the latter is `Refused` with status 404.
    pub fn archive(&self, image: &str, path: &str, project: &str) -> Result<ImageArchive, EngineError> {
        let engine = self.engine();
        let container = self.wait(engine.create_container(image, project))?;
        let pieces = engine.archive(&container, path);
        let mut archive = ImageArchive { session: self.clone(), container, pieces, piece: Bytes::new() };
        // Only now is it known whether there is such a path.
        archive.next()?;
        Ok(archive)
    }
}

impl ImageArchive {
    /// Takes in the next piece, an empty one at the end.
    fn next(&mut self) -> Result<(), EngineError> {
        let next = self.session.wait(self.pieces.next());
        self.piece = next.transpose()?.unwrap_or_default();
        Ok(())
    }

    /// Where the link at `path` of the same image leads in the end, through whatever other links, as
    /// an absolute path of the image; empty for what is no link.
    pub fn link_target(mut self, path: &str) -> Result<String, EngineError> {
        // An engine does one thing at a time with a container.
        self.pieces = Box::pin(stream::empty());
        let target = self.session.wait(self.session.engine().link_target(&self.container, path));
        self.end()?;
        target
    }

    /// Removes the container. Dropping does so too, and cannot tell when it fails.
    pub fn close(mut self) -> Result<(), EngineError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), EngineError> {
        let container = std::mem::take(&mut self.container);
        if container.is_empty() {
            return Ok(());
        }
        // An engine holds on to a container for as long as it has something of it to send.
        self.pieces = Box::pin(stream::empty());
        self.session.wait(self.session.engine().remove_container(&container))
    }
}

impl Read for ImageArchive {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && !buffer.is_empty() {
            self.next().map_err(|error| io::Error::other(chain(&error)))?;
            if self.piece.is_empty() {
                return Ok(0);
            }
        }
        let count = self.piece.len().min(buffer.len());
        self.piece.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

impl Drop for ImageArchive {
    fn drop(&mut self) {
        // What stays behind is swept by a later run.
        let _ = self.end();
    }
}
