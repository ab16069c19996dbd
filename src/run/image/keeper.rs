//! Where an image stays: under a name made from its digest, in the store, in a registry; and under
//! the names that people gave it.
//!
//! An image without a name is anybody's to clear away, so each has a *keeper*, a tag that means this
//! one image for ever. Readers build on that name, so it does not matter where people's tags are
//! moved meanwhile.

use std::sync::Arc;

use crate::digest::Digest;
use crate::pipeline::{Node, NodeName};
use crate::record::Image;
use crate::reference::Reference;
use crate::run::docker::error::chain;
use crate::run::docker::keep::{self, KeepError};
use crate::run::docker::{EngineError, ImageFacts, RegistryError, Session, Transfer, Watch};
use crate::run::image::stop::Stop;
use crate::run::task::{Context, TaskError};
use crate::store::Store;
use crate::tally::Tally;
use crate::tree::TreeDigest;

/// What the names under which images stay begin with.
pub const KEEPERS: &str = "osgraph/image:";

/// The name under which an image stays.
pub fn keeper_tag(image: &Image) -> String {
    keeper_of(&image.digest)
}

/// The name under which the image with this digest stays.
pub fn keeper_of(digest: &Digest) -> String {
    format!("{KEEPERS}{}", &digest.hex()[..32])
}

/// The image in the engine, by its id or by its keeper: engines that keep images in another way have
/// another id for the same one.
pub fn find(session: &Session, image: &Image) -> Result<Option<ImageFacts>, EngineError> {
    let keeper = keeper_tag(image);
    Ok(among(session.wait(session.engine().inspect_all(&[&image.id, &keeper]))?, image))
}

/// The image among what was found by its id and its keeper.
pub fn among(found: Vec<Option<ImageFacts>>, image: &Image) -> Option<ImageFacts> {
    found.into_iter().flatten().find(|facts| facts.digest() == image.digest)
}

/// Whether an image that the engine lacks may be had without building it. `pull` is where its node
/// says that it is; whether that is so is known only once it was pulled.
pub fn is_elsewhere(image: &Image, pull: Option<&str>, store: &Store) -> bool {
    let kept = image.kept.is_some_and(|kept| store.has_tree(kept));
    kept || pull.is_some() || !pushed(image, store).is_empty()
}

/// Sees to it that the engine has the image, in the cheapest way, and returns a name that means it.
pub fn ensure(node: &NodeName, image: &Image, context: &Context) -> Result<String, TaskError> {
    let session = context.engine.session()?;
    context.sweeper.begin(context);
    let keeper = keeper_tag(image);
    let facts = match find(&session, image)? {
        Some(facts) => facts,
        None => fetch(node, image, &session, context)?,
    };
    if !facts.tags.contains(&keeper) {
        session.wait(session.engine().tag(&facts.id, &keeper))?;
    }
    Ok(keeper)
}

/// From the store, else from a registry: where it was pushed to, then where its node says. What
/// fails is told and not tried again: then the image is built.
fn fetch(
    node: &NodeName,
    image: &Image,
    session: &Session,
    context: &Context,
) -> Result<ImageFacts, TaskError> {
    if let Some(kept) = image.kept.filter(|kept| context.store.has_tree(*kept)) {
        let loaded = moving("loading its image", node, context, |watch| {
            keep::load(session, &context.store, kept, watch)
        });
        match loaded {
            Ok(id) => {
                if let Some(facts) = checked(&id, image, session)? {
                    return Ok(facts);
                }
            }
            Err(KeepError::Cancelled) => return Err(TaskError::Cancelled),
            Err(error) => context.warn(node, chain(&error), error.help()),
        }
    }
    let named = context.pulls.get(node).cloned();
    for reference in pushed(image, &context.store).into_iter().chain(named) {
        let Ok(reference) = Reference::parse(&reference) else { continue };
        let auth = (context.keyring)()?.of(reference.registry());
        let stage = format!("pulling {reference}");
        let pulled = moving(&stage, node, context, |watch| {
            session.wait(session.engine().pull(&reference, Some(&image.platform), &auth, watch))
        });
        match pulled {
            Ok(id) => {
                if let Some(facts) = checked(&id, image, session)? {
                    return Ok(facts);
                }
                context.warn(
                    node,
                    format!("`{reference}` is another image than the one that is needed"),
                    None,
                );
            }
            Err(RegistryError::Cancelled { .. }) => return Err(TaskError::Cancelled),
            Err(error) => context.warn(node, chain(&error), error.help()),
        }
    }
    context.engine.refuse(image.digest);
    Err(TaskError::ImageGone(node.clone()))
}

fn checked(id: &str, image: &Image, session: &Session) -> Result<Option<ImageFacts>, TaskError> {
    let facts = session.wait(session.engine().inspect(id))?;
    Ok(facts.filter(|facts| facts.digest() == image.digest))
}

/// Takes the layers of an image into the store.
pub fn keep_layers(
    node: &NodeName,
    id: &str,
    session: &Session,
    context: &Context,
) -> Result<TreeDigest, TaskError> {
    Ok(moving("keeping its layers", node, context, |watch| keep::keep(session, &context.store, id, watch))?)
}

/// Gives the image its names, and the registry the image where that is wanted.
pub fn publish(node: &Node, image: &Image, context: &Context) -> Result<(), TaskError> {
    let Some(recipe) = node.docker() else { return Ok(()) };
    let keeper = ensure(&node.name, image, context)?;
    let session = context.engine.session()?;
    for tag in &recipe.tags {
        session.wait(session.engine().tag(&keeper, &tag.value))?;
    }
    if let Some(push) = &recipe.push
        && !is_pushed(image, &push.value, &context.store)
    {
        let reference = Reference::parse(&push.value).map_err(TaskError::Reference)?;
        let named = reference.to_string();
        session.wait(session.engine().tag(&keeper, &named))?;
        let auth = (context.keyring)()?.of(reference.registry());
        let stage = format!("pushing {named}");
        let digest = moving(&stage, &node.name, context, |watch| {
            session.wait(session.engine().push(&reference, &auth, watch))
        })?;
        let pinned = reference.at(&digest).map_err(TaskError::Reference)?.to_string();
        let mut all = pushed(image, &context.store);
        all.retain(|known| *known != pinned);
        all.insert(0, pinned);
        context.store.memo_put(&pushed_memo(image), all.join("\n").as_bytes())?;
        context.store.memo_put(&push_memo(image, &push.value), digest.as_bytes())?;
    }
    Ok(())
}

/// Whether the image was pushed under this name.
pub fn is_pushed(image: &Image, reference: &str, store: &Store) -> bool {
    store.memo_get(&push_memo(image, reference)).ok().flatten().is_some()
}

/// Where the image can be pulled from, by digest, the latest first.
fn pushed(image: &Image, store: &Store) -> Vec<String> {
    let bytes = store.memo_get(&pushed_memo(image)).ok().flatten().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn pushed_memo(image: &Image) -> Digest {
    Digest::of(format!("pushed 1 {}", image.digest).as_bytes())
}

fn push_memo(image: &Image, reference: &str) -> Digest {
    Digest::of(format!("push 1 {} {reference}", image.digest).as_bytes())
}

/// Something that moves an image, with its progress said and stopped when the run is.
pub fn moving<T>(
    stage: &str,
    node: &NodeName,
    context: &Context,
    work: impl FnOnce(&mut Watch<'_>) -> T,
) -> T {
    context.stage(node, stage);
    let stop = Stop::new(context);
    let tally = Arc::new(Tally::default());
    let _watched = context.moving(node, stage, &tally);
    let mut progress = |Transfer { done, total }: Transfer| tally.set(done, total);
    work(&mut Watch { cancel: stop.token(), progress: &mut progress })
}
