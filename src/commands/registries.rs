//! What registries have now, asked through the engine with the user's credentials, each thing once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::commands::fault::Fault;
use crate::commands::ground::{Ground, keyring};
use crate::reference::Reference;
use crate::run::docker::{Auth, Keyring, RegistryError, Remote, Session};

/// Nothing is looked for before it is wanted.
pub struct Registries<'g> {
    ground: &'g Ground,
    keyring: RefCell<Option<Arc<Keyring>>>,
    auths: RefCell<HashMap<String, Rc<Auth>>>,
    answers: RefCell<HashMap<Reference, Option<Remote>>>,
}

impl<'g> Registries<'g> {
    pub fn new(ground: &'g Ground) -> Self {
        Self { ground, keyring: RefCell::default(), auths: RefCell::default(), answers: RefCell::default() }
    }

    fn session(&self) -> Result<Session, Fault> {
        Ok(self.ground.engine.session().map_err(RegistryError::Engine)?)
    }

    /// What the engine runs on, as `linux/amd64`.
    pub fn platform(&self) -> Result<String, Fault> {
        let session = self.session()?;
        let facts = session.wait(session.engine().facts()).map_err(RegistryError::Engine)?;
        Ok(format!("{}/{}", facts.os, facts.arch))
    }

    /// What a registry has under a name; none where it has nothing.
    pub fn ask(&self, reference: &Reference) -> Result<Option<Remote>, Fault> {
        if let Some(known) = self.answers.borrow().get(reference) {
            return Ok(known.clone());
        }
        let auth = self.auth(reference.registry())?;
        let session = self.session()?;
        let answer = session.wait(session.engine().distribution(reference, &auth))?;
        self.answers.borrow_mut().insert(reference.clone(), answer.clone());
        Ok(answer)
    }

    /// What it has, which must be there for `platform`.
    pub fn wanted(&self, reference: &Reference, platform: &str) -> Result<Remote, Fault> {
        let remote = self.ask(reference)?;
        let remote = remote.ok_or_else(|| RegistryError::NotFound { reference: reference.to_string() })?;
        if remote.has(platform) {
            return Ok(remote);
        }
        let has = remote.platforms.iter().map(ToString::to_string).collect();
        Err(RegistryError::NoPlatform {
            reference: reference.to_string(),
            platform: platform.to_owned(),
            has,
        }
        .into())
    }

    /// When an image was made, where the engine has it.
    pub fn created(&self, reference: &Reference) -> Option<String> {
        let session = self.session().ok()?;
        session.wait(session.engine().created(&reference.to_string())).ok().flatten()
    }

    fn auth(&self, registry: &str) -> Result<Rc<Auth>, Fault> {
        if let Some(known) = self.auths.borrow().get(registry) {
            return Ok(known.clone());
        }
        let auth = Rc::new(self.keyring()?.of(registry));
        self.auths.borrow_mut().insert(registry.to_owned(), auth.clone());
        Ok(auth)
    }

    fn keyring(&self) -> Result<Arc<Keyring>, Fault> {
        if let Some(known) = &*self.keyring.borrow() {
            return Ok(known.clone());
        }
        let keyring = keyring()?;
        *self.keyring.borrow_mut() = Some(keyring.clone());
        Ok(keyring)
    }
}
