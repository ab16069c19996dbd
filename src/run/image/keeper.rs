//! Where an image stays: under a name made from its digest, and under those that people gave it.
//!
//! An image without a name is anybody's to clear away, so each has a *keeper*, a tag that means this
//! one image for ever. Readers build on that name, so it does not matter where people's tags are
//! moved meanwhile.

use crate::pipeline::{DockerRecipe, Node, NodeName};
use crate::record::Image;
use crate::run::docker::{EngineError, ImageFacts, Session};
use crate::run::task::{Context, TaskError};

/// The name under which an image stays.
pub fn keeper_tag(image: &Image) -> String {
    format!("osgraph/image:{}", &image.digest.hex()[..32])
}

/// The image in the engine, by its id or by its keeper: engines that keep images in another way have
/// another id for the same one.
pub fn find(session: &Session, image: &Image) -> Result<Option<ImageFacts>, EngineError> {
    let keeper = keeper_tag(image);
    let found = session.wait(session.engine().inspect_all(&[&image.id, &keeper]))?;
    Ok(found.into_iter().flatten().find(|facts| facts.digest() == image.digest))
}

/// Sees to it that the engine has the image, in the cheapest way, and returns a name that means it.
pub fn ensure(node: &NodeName, image: &Image, context: &Context) -> Result<String, TaskError> {
    let session = context.engine.session()?;
    let keeper = keeper_tag(image);
    let facts = find(&session, image)?.ok_or_else(|| TaskError::ImageGone(node.clone()))?;
    if !facts.tags.contains(&keeper) {
        session.wait(session.engine().tag(&facts.id, &keeper))?;
    }
    Ok(keeper)
}

/// Gives the image its names.
pub fn publish(node: &Node, image: &Image, context: &Context) -> Result<(), TaskError> {
    let Some(DockerRecipe { tags, .. }) = node.docker() else { return Ok(()) };
    let keeper = ensure(&node.name, image, context)?;
    let session = context.engine.session()?;
    for tag in tags {
        session.wait(session.engine().tag(&keeper, &tag.value))?;
    }
    Ok(())
}
